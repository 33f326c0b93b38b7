import { expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { environmentSchema } from '../../src/environment.ts';
import { EVENTS } from '../../src/workbench/events.ts';
import { REASONS } from '../../src/workbench/reasons.ts';

const sources = () => readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

const readme = readFileSync('README.md', 'utf8');

/** The rows of the README's table of variables, as the schema has them: name, default, meaning. */
function environmentRows(): string[] {
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const unset = schema.safeParse(undefined);
    const value = (unset.success ? unset.data : undefined) as string | number | boolean | string[] | undefined;
    const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    return `| \`${name}\` | ${isEmpty ? '' : `\`${String(value)}\``} | ${schema.description} |`.replaceAll('  ', ' ');
  });
}

test('the table of variables is the schema that the controller reads them by', () => {
  const rows = readme.split('\n').filter((line) => /^\| `[A-Z][A-Z_]*`/.test(line));
  const normal = rows.map((row) => row.replaceAll(/ {2,}/g, ' '));
  expect(normal).toEqual(environmentRows());
});

test('the table of reasons is the one that the state page reads', () => {
  const start = readme.indexOf('## What a reason means');
  const rows = readme
    .slice(start, readme.indexOf('\n## ', start))
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const wanted = Object.entries(REASONS).map(([reason, { means, todo }]) => `| \`${reason}\` | ${means} | ${todo} |`);
  expect(rows.map((row) => row.replaceAll(/ {2,}/g, ' '))).toEqual(wanted);
});

test('the table of events names each that there is, with its type', () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` +\| (Normal|Warning) +\|/gm)].map(([, reason, type]) => [reason, type]);
  expect(rows).toEqual(Object.entries(EVENTS));
});

test('every reason that the code gives is in that table', () => {
  const code = sources()
    .map((file) => readFileSync(join('src', file), 'utf8'))
    .join('\n');
  const literals = [...code.matchAll(/reason: '([A-Z]\w+)'/g), ...code.matchAll(/^ +\[\/.*\/, '([A-Z]\w+)',/gm)];
  // Words of the kubelet that the code knows.
  const lists = [...code.matchAll(/^const [A-Z_]+ = \[((?:'[A-Z]\w+'(?:, )?)+)\];/gm)];
  const listed = lists.flatMap(([, words]) => [...words!.matchAll(/\w+/g)].map(([word]) => word));
  const given = new Set([...literals.map(([, reason]) => reason!), ...listed]);
  // Words of the REST facade's errors and of conditions, which are no reasons of a status.
  for (const other of ['Edited', 'Pushed', 'CamelCase', 'Unauthorized']) given.delete(other);
  expect(given.size).toBeGreaterThan(20);
  expect([...given].filter((reason) => !(reason in REASONS))).toEqual([]);
});

/** Why no test on a real API server names them. */
const NOT_MADE: Record<string, string> = {
  Creating: 'a moment',
  Replacing: 'a moment',
  Scheduling: 'a moment',
  ContainerCreating: 'a moment',
  EndpointPending: 'a moment',
  ErrImagePull: 'a moment before ImagePullBackOff',
  ClusterTrouble: 'lasts as long as the API server fails at writes; the fault plans end before it is told',
  ImageInspectError: 'needs a broken image store',
  RegistryUnavailable: 'a word of other runtimes than containerd',
  SignatureValidationFailed: 'a word of other runtimes than containerd',
  InvalidImageName: 'the API server takes no such image from anybody',
  CreateContainerConfigError: 'needs an image that runs as root by its name, which the Pod overrules',
  PostStartHookError: 'our Pods have no hook; a webhook may give them one',
  ReservedEnvironment: 'the API server and REST refuse it before; for objects that are older than that rule',
  NamespaceMissing: 'the workbench is gone with its namespace; told in the log',
  NamespaceTerminating: 'the workbench is gone with its namespace; told in the log',
};

test('every reason is made to happen by a test on a real API server, or it is said why not', () => {
  const folders = ['test/api', 'test/e2e'];
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const text = files
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const unnamed = Object.keys(REASONS).filter((reason) => !new RegExp(`\\b${reason}\\b`).test(text));
  expect(unnamed).toEqual(Object.keys(REASONS).filter((reason) => reason in NOT_MADE));
});

test('every file that the README links to is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((path) => !existsSync(path))).toEqual([]);
});

test('every npm script that the README names is there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
