/** What may stand behind the question mark, beside the user. Parameters that are not known are ignored, as they always were. */
import * as z from 'zod';
import { NAME, specSchema } from '../workbench/resource.ts';
import { invalid } from './problem.ts';
import { STATUSES } from './shapes.ts';

/** A number, as text is one: digits and nothing else. */
const whole = (min: number, max: number) =>
  z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : text),
    z
      .int(`must be a whole number from ${min} to ${max}`)
      .min(min, `must be at least ${min}`)
      .max(max, `must be at most ${max}`),
  );

const known = `must be one of ${STATUSES.join(', ')}, or several with commas between them`;
/** Some clients write a list with commas, some the parameter again and again. */
const statuses = z.preprocess(
  (given) => [given].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : text)),
  z.array(z.enum(STATUSES, known), known).min(1).max(STATUSES.length, known),
);

export const LONGEST_WAIT_S = 300;
export const MOST_ITEMS = 500;

export const listQuery = z.object({
  status: statuses.optional().meta({ description: 'Only those that have one of these.' }),
  class: specSchema.shape.class.meta({ description: 'Only those of this class.' }),
  limit: whole(1, MOST_ITEMS).optional().meta({ description: 'How many at once. Absent: all of them.' }),
  continue: z.string().max(200).optional().meta({ description: 'What the page before has said, as it was.' }),
});

export const oneQuery = z.object({
  wait: statuses.optional().meta({ description: 'Answer when it has one of these, or when the time is up.' }),
  timeout: whole(0, LONGEST_WAIT_S)
    .default(60)
    .meta({ description: 'Seconds that a wait lasts at most; 60 if it is absent.' }),
});

/** May be repeated, too. */
const LISTS = ['status', 'wait'];

export type ListQuery = z.infer<typeof listQuery>;
export type OneQuery = z.infer<typeof oneQuery>;

/** @throws Problem 400 that names the parameter */
export function parseQuery<T>(schema: z.ZodType<T>, query: Record<string, unknown>): T {
  const { success, data, error } = schema.safeParse(query);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  const name = String(path[0]);
  if (Array.isArray(query[name]) && path.length === 1 && !LISTS.includes(name))
    throw invalid(`${name}: must be there once.`);
  throw invalid(`${name}: ${message.replace(/^class must/, 'must')}.`);
}

/** After which workbench a page begins, by the order of birth. */
export interface Place {
  bornAt: string;
  id: string;
}

/** Opaque to clients; it holds nothing that they have not been told. */
export function tokenOf({ bornAt, id }: Place): string {
  return Buffer.from(`${bornAt}/${id}`).toString('base64url');
}

/** @throws Problem 400 */
export function placeIn(token: string): Place {
  const [, bornAt, id = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\/(.*)$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (bornAt !== undefined && NAME.test(id)) return { bornAt, id };
  throw invalid('continue: must be what an answer has said, as it was.');
}
