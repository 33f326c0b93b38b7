/** What the API server's audit log says that a user has done. */
import type { AuditEntry } from '../test/cluster/access/audit.ts';

const WRITES = ['create', 'update', 'patch', 'delete'];

/** With microseconds, which Date drops: ms since 1970. */
export function timeOf(timestamp: string): number {
  const [, seconds, fraction] = /^([^.]+)(\.\d+)?Z$/.exec(timestamp)!;
  return Date.parse(`${seconds}Z`) + Number(fraction ?? 0) * 1000;
}

export function isEvent({ resource }: AuditEntry): boolean {
  return resource === 'events';
}

/** The controller's half: children and status. Renewals of the Lease go on whatever there is to do; spec is the facade's. */
export function isControllerWrite(entry: AuditEntry): boolean {
  const { verb, resource, subresource } = entry;
  if (!WRITES.includes(verb) || resource === 'leases' || isEvent(entry)) return false;
  return resource !== 'workbenches' || subresource === 'status';
}

export function isUncachedRead({ verb, resource }: AuditEntry): boolean {
  return verb === 'get' && resource !== 'leases' && resource !== '';
}

/** The workbench that a write concerns, by its object's name: a Pod's and a Service's is longer by a dash and ten characters. */
export function subjectOf({ resource, name = '' }: AuditEntry): string {
  return resource === 'pods' || resource === 'services' ? name.slice(0, -11) : name;
}

export function isStatusPatch({ verb, resource, subresource }: AuditEntry): boolean {
  return verb === 'patch' && resource === 'workbenches' && subresource === 'status';
}

/** From the first write that came in until the last was answered, ms. */
export function spanMs(entries: readonly AuditEntry[]): number {
  const began = entries.reduce((least, { at }) => Math.min(least, timeOf(at)), Infinity);
  const ended = entries.reduce((most, { answered }) => Math.max(most, timeOf(answered)), -Infinity);
  return ended - began;
}

/** From the answer to the creation of each workbench until its Pod's creation came in, ms. */
export function seenToPostMs(portal: readonly AuditEntry[], controller: readonly AuditEntry[]): number[] {
  const answered = new Map(
    portal
      .filter(({ verb, resource, code }) => verb === 'create' && resource === 'workbenches' && code === 201)
      .map(({ name, answered: when }) => [name, timeOf(when)]),
  );
  return controller
    .filter(({ verb, resource }) => verb === 'create' && resource === 'pods')
    .flatMap((entry) => {
      const when = answered.get(subjectOf(entry));
      // The watch may bring it before the audit log says that the answer is on its way.
      return when === undefined ? [] : [Math.max(timeOf(entry.at) - when, 0)];
    });
}
