import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePorts, isFree, isPortTaken, portsToChooseFrom } from './freePorts.ts';
import { heldSentence } from './nodeLock.ts';
import { parsePackageList, requirePackages } from './packages.ts';

test('the package list is one name per line, with comments', () => {
  expect(parsePackageList('# why\ncontainerd   # runs\n\nrunc\n')).toEqual(['containerd', 'runc']);
});

test('a package that is missing and may not be installed is named, with what it is for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'packages-'));
  const list = join(folder, 'list.txt');
  writeFileSync(list, 'no-such-package # never\n');
  const required = requirePackages(pathToFileURL(list), 'Building an image', () => {}, false);
  await expect(required).rejects.toThrow('Building an image needs no-such-package');
  rmSync(folder, { recursive: true });
});

test('free ports are different ones and free', async () => {
  const ports = await freePorts(['a', 'b', 'c'] as const, ['127.0.0.1']);
  expect(new Set(Object.values(ports)).size).toBe(3);
  expect(await isFree(ports.a, ['127.0.0.1'])).toBe(true);
});

test('a taken port is not free', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  expect(await isFree((server.address() as AddressInfo).port, ['127.0.0.1'])).toBe(false);
  server.close();
});

test.each([
  ['the usual range of outgoing ports', [32_768, 60_999], [10_000, 32_767]],
  ['one that starts early', [1_024, 50_000], [50_001, 65_535]],
  ['one that leaves next to nothing', [1_024, 65_500], [20_000, 32_000]],
])('beside %s', (_, [first, last], [lowest, highest]) => {
  expect(portsToChooseFrom({ first: first ?? 0, last: last ?? 0 })).toEqual({ first: lowest, last: highest });
});

test('a start that met a taken port is told from one that failed otherwise', () => {
  expect(isPortTaken(new Error('listen tcp 127.0.0.1:30807: bind: address already in use'))).toBe(true);
  expect(isPortTaken(new Error('exit code 1'))).toBe(false);
});

test('whoever meets the lock is told who has it and how to end it', () => {
  const holder = { pid: 42, startTime: '1', since: '2026-11-24T12:00:00Z', dir: '/somewhere' };
  const local = heldSentence({ ...holder, who: 'npm run local' });
  expect(local).toContain('pid 42');
  expect(local).toContain('npm run local:down');
  expect(heldSentence({ ...holder, who: 'run.ts' })).toContain('kill 42');
  expect(heldSentence(undefined)).toContain('try again');
});
