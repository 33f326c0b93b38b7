import { expect, test } from '@jest/globals';
import { imageToRun, isOutdated } from '../../src/workbench/pod.ts';
import type { WorkbenchSpec } from '../../src/workbench/resource.ts';
import { DIGEST, podOf, readyPod, runningOn, settings, workbench } from './sample.ts';

const OTHER = `sha256:${'b'.repeat(64)}`;

/** A workbench whose Pod was replaced within its run, after `requested` had run as `digest`. */
function replaced(spec: Partial<WorkbenchSpec>, requested: string, digest = DIGEST) {
  const made = workbench(spec);
  const owner = workbench(spec, { ...runningOn(readyPod(made)), image: { requested, digest } });
  return { owner, pod: podOf(owner) };
}

test.each([
  ['a tag', {}, 'registry.example/lab:latest', `registry.example/lab@${DIGEST}`],
  [
    'a digest',
    { image: `registry.example/lab@${OTHER}` },
    `registry.example/lab@${OTHER}`,
    `registry.example/lab@${OTHER}`,
  ],
  [
    'a tag and a digest',
    { image: `registry.example/lab:v1@${DIGEST}` },
    `registry.example/lab:v1@${DIGEST}`,
    `registry.example/lab:v1@${DIGEST}`,
  ],
])(
  'a replacement of a Pod that was asked for by %s runs what its run had, and needs no restart',
  (_what, spec, requested, image) => {
    const { owner, pod } = replaced(spec, requested);
    expect(imageToRun(owner, settings)).toBe(image);
    expect(isOutdated(pod, owner, undefined, settings)).toBe(false);
  },
);

test('a replacement that keeps an old digest is outdated when the installation moves on', () => {
  const { owner, pod } = replaced({}, 'registry.example/lab:latest');
  expect(isOutdated(pod, owner, undefined, { ...settings, image: 'registry.example/lab:v2' })).toBe(true);
});
