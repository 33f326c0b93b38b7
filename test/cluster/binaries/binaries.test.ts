import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheKey } from './cacheKey.ts';
import { binariesFor, binarySpec, pinnedVersion } from './catalogue.ts';

function keyOf(files: Record<string, string>, goVersion = 'go1.26.8', flags = ['-trimpath']): string {
  const dir = mkdtempSync(join(tmpdir(), 'cache-key-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    return cacheKey(dir, goVersion, flags);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('the cache key changes with each thing that decides what a build gives, and with nothing else', () => {
  const files = { 'go.mod': 'module x', 'go.sum': 'a', 'main.go': 'package main' };
  const key = keyOf(files);
  expect(keyOf({ ...files, 'README.md': 'text' })).toBe(key);
  const others = [
    keyOf({ ...files, 'go.mod': 'module y' }),
    keyOf({ ...files, 'go.sum': 'b' }),
    keyOf({ ...files, 'main.go': 'package main // changed' }),
    keyOf(files, 'go1.27.0'),
    keyOf(files, 'go1.26.8', ['-race']),
  ];
  expect(new Set([key, ...others]).size).toBe(6);
});

test.each([
  ['a block', 'require (\n\tk8s.io/kubernetes v1.35.4\n)'],
  ['a single line', 'require k8s.io/kubernetes v1.35.4'],
  [
    'a tool and a replacement before it',
    'tool k8s.io/kubernetes/cmd/kubelet\nreplace k8s.io/kubernetes => ./x\nrequire k8s.io/kubernetes v1.35.4 // why',
  ],
])('the pinned version is read from %s', (_, goMod) => {
  expect(pinnedVersion(goMod, 'k8s.io/kubernetes')).toBe('v1.35.4');
});

test('a module that is not required is named', () => {
  expect(() => pinnedVersion('module x', 'k8s.io/kubernetes')).toThrow('k8s.io/kubernetes');
});

test('each kind of node needs its own binaries', () => {
  const names = (...args: Parameters<typeof binariesFor>): string[] => binariesFor(...args).map(({ name }) => name);
  expect(names('real')).toEqual(expect.arrayContaining(['kubelet', 'traefik', 'pause', 'etcd']));
  expect(names('real')).not.toContain('kwok');
  expect(names('real')).not.toContain('calico-felix');
  expect(names('real', { networkPolicies: true })).toContain('calico-felix');
  expect(names('simulated')).toContain('kwok');
  expect(names('simulated')).not.toContain('kubelet');
  expect([...names('real', { networkPolicies: true }), ...names('simulated')]).not.toContain('promtool');
});

test('Kubernetes binaries know their version, inside and as user agents', () => {
  const { ldflags, version } = binarySpec('kubectl');
  expect(ldflags).toMatch(/component-base\/version\.gitVersion=v1\.\d+\.\d+ /);
  expect(ldflags).toMatch(/client-go\/pkg\/version\.gitVersion=v1\.\d+\.\d+ /);
  // With the line's end: v1.35.40 is not v1.35.4.
  expect(version?.text).toMatch(/^v[\d.]+\n$/);
});
