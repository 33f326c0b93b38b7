/** What tests want of the leader's lease. */
import { eventually } from './eventually.ts';
import type { Installation } from './installation.ts';

/** Settings with which no stall of the machine, and no renewal that a test holds back, costs the lease. */
export const LONG_LEASE = { WB_LEASE_DURATION: '60', WB_LEASE_RENEW_DEADLINE: '40' };

/** Resolves when the controller that was started last has the lease. @param since how long its log was before that start */
export function untilActing(installation: Installation, since = 0): Promise<unknown> {
  return eventually(
    'acting',
    () => Promise.resolve(installation.log().slice(since)),
    (entries) => entries.some(({ msg }) => String(msg).startsWith('acting')),
  );
}
