import { expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Which folders of src/ a folder may import, and which packages; the sketch is in the README. */
const FOLDERS: Record<string, string[]> = {
  workbench: ['workbench'],
  kube: ['kube', 'workbench'],
  registry: ['registry', 'workbench'],
  controller: ['controller', 'kube', 'registry', 'workbench'],
  rest: ['rest', 'kube', 'workbench'],
  guard: ['guard', 'workbench'],
};
const PURE_PACKAGES = ['zod', 'node:crypto', 'node:util', 'node:net'];
const EFFECTS = /\b(process\.(env|exit)|Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|console\.)/;

interface Import {
  from: string;
  to: string;
  isType: boolean;
}

function sources(): string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join('src', file), 'utf8');
  const statements = text.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gms);
  return [...statements].map(([, type, target]) => ({
    from: file,
    to: target!.startsWith('.') ? relative('.', join(dirname(file), target!)) : target!,
    isType: type !== undefined,
  }));
}

const imports = sources().flatMap(importsOf);
const folderOf = (path: string) => (path.includes('/') && !path.startsWith('node:') ? path.split('/')[0]! : '');

test('the imports are found at all', () => {
  expect(imports.length).toBeGreaterThan(50);
  expect(new Set(imports.map(({ from }) => folderOf(from)))).toEqual(new Set(['', ...Object.keys(FOLDERS)]));
});

test('every import follows the arrows: workbench ← kube and registry ← controller, rest and guard ← main', () => {
  const wrong = imports.filter(({ from, to }) => {
    const allowed = FOLDERS[folderOf(from)];
    return allowed && to.endsWith('.ts') && !allowed.includes(folderOf(to));
  });
  expect(wrong).toEqual([]);
});

test('the core imports nothing that has effects, and knows no clock, environment or chance', () => {
  const foreign = imports.filter(
    ({ from, to, isType }) =>
      folderOf(from) === 'workbench' && !to.endsWith('.ts') && !isType && !PURE_PACKAGES.includes(to),
  );
  expect(foreign).toEqual([]);
  const impure = sources().filter(
    (file) => folderOf(file) === 'workbench' && EFFECTS.test(readFileSync(join('src', file), 'utf8')),
  );
  expect(impure).toEqual([]);
});

test('only config.ts and main.ts touch the environment', () => {
  const readers = sources().filter((file) => /process\.env/.test(readFileSync(join('src', file), 'utf8')));
  expect(readers).toEqual(['config.ts']);
});

test('only metrics.ts knows what counts', () => {
  expect(imports.filter(({ to }) => to === 'prom-client').map(({ from }) => from)).toEqual(['metrics.ts']);
  expect(imports.filter(({ to }) => to === 'src/metrics.ts' || to === 'metrics.ts').map(({ from }) => from)).toEqual([
    'main.ts',
  ]);
});

test('no file of src is a grab-bag, a barrel, or longer than 250 lines', () => {
  const names = sources().filter((file) => /(utils?|helpers?|common|index)\.ts$/.test(file));
  expect(names).toEqual([]);
  const long = sources().filter((file) => readFileSync(join('src', file), 'utf8').split('\n').length > 250);
  expect(long).toEqual([]);
});
