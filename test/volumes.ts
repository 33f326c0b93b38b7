/** The volumes of an owner, as a client of the REST facade sees them. */
import { volumeSchema } from '../src/rest/shapes.ts';
import type { Volume } from '../src/rest/shapes.ts';
import { eventually } from './eventually.ts';

export interface VolumesAnswer {
  status: number;
  body: { item?: Volume; items?: Volume[]; error?: { reason: string; message: string } };
}

/** @throws ZodError for a volume that is not as the API's description says */
export async function askVolumes(rest: string, method: string, user: string, id = ''): Promise<VolumesAnswer> {
  const response = await fetch(`${rest}/volumes${id && `/${id}`}?user_id=${user}`, { method });
  const body = (await response.json()) as VolumesAnswer['body'];
  for (const item of [body.item ?? [], body.items ?? []].flat()) volumeSchema.parse(item);
  return { status: response.status, body };
}

/** Resolves when alice's volume is deleted: nobody mounts it any more, which is known a moment after its workbench is gone. */
export function discardVolume(rest: string, id: string): Promise<VolumesAnswer> {
  return eventually(
    'discarded',
    () => askVolumes(rest, 'DELETE', 'alice', id),
    ({ status }) => status === 200,
  );
}
