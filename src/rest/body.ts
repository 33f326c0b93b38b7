/** The bodies of POST and PATCH: the same schemas as the custom resource's, under the names that clients know. */
import * as z from 'zod';
import { resourcesSchema, specSchema, storageSchema } from '../workbench/resource.ts';
import type { Resources, WorkbenchSpec } from '../workbench/resource.ts';
import { invalid } from './problem.ts';

const { owner, displayName, class: className, version, image, env } = specSchema.shape;
const { cpu, memory, gpu } = resourcesSchema.shape;
const { size, claimName } = storageSchema.shape;

export const createSchema = z.strictObject({
  workbench_name: displayName,
  class: className,
  version,
  image,
  requested_cpu: cpu,
  requested_memory: memory,
  requested_gpu: gpu,
  storage: z.strictObject({ size, volume_id: claimName }).optional(),
  env,
});

/** null takes a value back to the installation's default. */
export const patchSchema = z.strictObject({
  user_id: owner
    .optional()
    .describe('Another owner, with all that is in its volume. Only an administrator can say so.'),
  workbench_name: displayName.nullable(),
  class: className.nullable(),
  version: version.nullable(),
  image: image.nullable(),
  requested_cpu: cpu.nullable(),
  requested_memory: memory.nullable(),
  requested_gpu: gpu.nullable(),
  storage: z.strictObject({ size: size.nullable(), volume_id: claimName.nullable() }).nullable().optional(),
  env: env.nullable(),
});

export type CreateBody = z.infer<typeof createSchema>;
export type PatchBody = z.infer<typeof patchSchema>;

/** @throws Problem 400 that names the field */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body ?? {});
  if (success) return data;
  const more = error.issues.length - TOLD;
  throw invalid(error.issues.slice(0, TOLD).map(describe).join(' ') + (more > 0 ? ` And ${more} more.` : ''));
}

/** How much that is wrong is told, and how many unknown fields are named. */
const TOLD = 10;
const NAMED = 5;

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const more = issue.keys.length - NAMED;
    const names =
      issue.keys
        .slice(0, NAMED)
        .map((key) => `"${key.slice(0, 60)}"`)
        .join(', ') + (more > 0 ? ` and ${more} more` : '');
    const where = issue.path.length > 0 ? ` in ${issue.path.join('.')}` : '';
    return `Unknown field ${names}${where}.`;
  }
  const field = issue.path.join('.');
  // Rules are worded for manifests, whose names for some fields are others.
  const message = issue.message.replace(
    /^(owner|user|displayName|cpu|memory|image|class|a version|size|claimName) must/,
    'must',
  );
  return field ? `${field}: ${message}.` : `The body must be a JSON object: ${issue.message}.`;
}

/** An env list must not name one variable twice; the API server says the same of its list map. */
export function checkEnv(list: { name: string }[] | null | undefined): void {
  const seen = new Set<string>();
  for (const { name } of list ?? []) {
    if (seen.has(name)) throw invalid(`env: "${name}" is there twice.`);
    seen.add(name);
  }
}

export function specFrom(owner: string, body: CreateBody): WorkbenchSpec {
  const resources = resourcesFrom({}, body);
  const storage = storageFrom(undefined, body);
  return {
    owner,
    state: 'Running',
    ...(body.workbench_name === undefined ? {} : { displayName: body.workbench_name }),
    ...(body.class === undefined ? {} : { class: body.class }),
    ...(body.version === undefined ? {} : { version: body.version }),
    ...(body.image === undefined ? {} : { image: body.image }),
    ...(resources ? { resources } : {}),
    ...(storage ? { storage } : {}),
    ...(body.env === undefined ? {} : { env: body.env }),
  };
}

/** The sizes after a PATCH: absent keeps, null takes away. */
export function resourcesFrom(before: Resources, body: PatchBody): Resources | undefined {
  const wished = { cpu: body.requested_cpu, memory: body.requested_memory, gpu: body.requested_gpu };
  const after: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(wished)) {
    if (value === null) delete after[name];
    // Sizes are kept as text, as `kubectl get -o yaml` shows quantities; gpu is a count.
    else if (value !== undefined) after[name] = name === 'gpu' ? value : String(value);
  }
  return Object.keys(after).length > 0 ? (after as Resources) : undefined;
}

/** The volume after a PATCH: absent keeps, null takes away. */
export function storageFrom(before: WorkbenchSpec['storage'], { storage }: PatchBody): WorkbenchSpec['storage'] {
  if (storage === undefined) return before;
  const wished = { size: storage?.size?.toString() ?? storage?.size, claimName: storage?.volume_id };
  const kept = storage === null ? {} : { ...before };
  const after = { ...kept, ...Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined)) };
  const left = Object.entries(after).filter(([, value]) => value !== null);
  return left.length > 0 ? (Object.fromEntries(left) as WorkbenchSpec['storage']) : undefined;
}

/** What the choices of a PATCH make of a spec. */
export function specAfter(before: WorkbenchSpec, body: PatchBody): WorkbenchSpec {
  const { class: name, version, image } = body;
  const chosen = Object.entries({ class: name, version, image }).filter(([, value]) => value !== undefined);
  const after = {
    ...before,
    ...Object.fromEntries(chosen),
    resources: resourcesFrom(before.resources ?? {}, body),
    storage: storageFrom(before.storage, body),
  };
  const kept = Object.entries(after).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept) as unknown as WorkbenchSpec;
}
