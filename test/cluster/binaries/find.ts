import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { command } from '../machine/command.ts';
import { cached, cachedOrBuilt } from './build.ts';
import type { BinarySpec } from './catalogue.ts';

/**
 * Where each binary is. In this order: KUBEBUILDER_ASSETS, which somebody set on purpose; PATH, when the version is the
 * pinned one (another kubectl or etcd is as good as none); the cache, building what it lacks. One after the other:
 * a single Go build keeps every core busy.
 */
export async function findBinaries(specs: BinarySpec[], report: (line: string) => void): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const missing: BinarySpec[] = [];
  for (const spec of specs) {
    const path = assets(spec) ?? onPath(spec) ?? cached(spec);
    if (path === undefined) missing.push(spec);
    else found.set(spec.name, path);
  }
  if (missing.length > 1) {
    const names = missing.map(({ name }) => name).join(', ');
    report(`${missing.length} programs are to be built from their sources, once, which takes minutes: ${names}`);
  }
  for (const spec of missing) found.set(spec.name, await cachedOrBuilt(spec, report));
  return found;
}

function assets({ name }: BinarySpec): string | undefined {
  const directory = process.env['KUBEBUILDER_ASSETS'];
  if (directory === undefined || directory === '') return undefined;
  const path = join(directory, name);
  return isExecutable(path) ? path : undefined;
}

function onPath({ name, version }: BinarySpec): string | undefined {
  if (version === undefined) return undefined;
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name));
  const first = candidates.find(isExecutable);
  if (first === undefined) return undefined;
  return command(first, version.args).output.includes(version.text) ? first : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
