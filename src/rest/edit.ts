/** What a write to a workbench is made of. */
import type { PatchOperation } from '../workbench/objects.ts';
import type { Workbench } from '../workbench/resource.ts';

/** Nobody has edited it since. */
export function sameGeneration({ metadata }: Workbench): PatchOperation {
  return { op: 'test', path: '/metadata/generation', value: metadata.generation };
}

/** And it is still in the phase that was seen. */
export function samePhase({ status }: Workbench): PatchOperation[] {
  return status?.phase === undefined ? [] : [{ op: 'test', path: '/status/phase', value: status.phase }];
}

/** Absent keeps a value, null takes it away. */
export function assign(path: string, before: unknown, value: unknown): PatchOperation[] {
  if (value === undefined) return [];
  if (value !== null) return [{ op: 'add', path, value }];
  return before === undefined ? [] : [{ op: 'remove', path }];
}
