/** Classes: every feature that there is, and what an administrator may get wrong. */
import type { ClassSpec } from '../../src/workbench/class.ts';
import type { WorkbenchSpec } from '../../src/workbench/resource.ts';
import { MEGABYTE } from './hostile-specs.ts';
import type { End } from './hostile-specs.ts';

/** One each, and all together: the API server's Pod Security judges the Pods. */
const EACH: Record<string, ClassSpec> = {
  image: { image: 'registry.example/team/a:v1', imagePullPolicy: 'IfNotPresent' },
  versions: { image: 'registry.example/team/a:v1', versions: [{ name: 'v2', image: 'registry.example/team/a:v2' }] },
  secrets: { imagePullSecrets: [{ name: 'registry' }] },
  port: { port: 9000 },
  command: { command: ['/bin/sh', '-c', 'exec id'] },
  args: { args: ['--base-path=$(WORKBENCH_BASE_PATH)', '--owner=$(WORKBENCH_OWNER)'] },
  strip: { basePath: 'Strip' },
  gpu: { resources: { default: { cpu: 1, memory: '1Gi', gpu: 1 }, gpuResource: 'amd.com/gpu' } },
  env: { env: [{ name: 'TEAM', value: 'ml' }] },
  selector: { nodeSelector: { 'kubernetes.io/os': 'linux' } },
  tolerations: {
    tolerations: [{ operator: 'Exists' }, { key: 'gpu', operator: 'Equal', value: 'a', effect: 'NoExecute' }],
  },
  runtime: { runtimeClassName: 'sandboxed' },
  readiness: { readinessPath: '/healthz?x' },
  storage: { storage: { size: '1Gi', storageClassName: 'nowhere', retention: 'Delete' } },
};
const wishes: Partial<Record<string, Partial<WorkbenchSpec>>> = { versions: { version: 'v2' } };
export const FEATURES = [
  ...Object.entries(EACH),
  ['everything', Object.assign({}, ...Object.values(EACH)) as ClassSpec] as const,
].map(([name, spec]) => ({ name: `with-${name}`, spec, wish: wishes[name] ?? {} }));

const POD = { hostNetwork: true, securityContext: { runAsUser: 0 }, volumes: [{ name: 'a', hostPath: { path: '/' } }] };

export const MISTAKES: [what: string, spec: object, end: End][] = [
  ['fields of Pods', { ...POD, template: { spec: POD }, privileged: true, serviceAccountName: 'rich' }, 'Running'],
  [
    'a variable from a Secret',
    { env: [{ name: 'A', value: 'b', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }] },
    'Running',
  ],
  ['a reserved variable', { env: [{ name: 'WORKBENCH_OWNER', value: 'root' }] }, { refused: /reserved/ }],
  ['a port of the system', { port: 80 }, { refused: /port/ }],
  ['a host port', { port: 8080, hostPort: 8080, hostIP: '0.0.0.0' }, 'Running'],
  ['a probe of another host', { readinessPath: '//evil.example/x', readinessHost: 'evil.example' }, 'Running'],
  ['a probe with a line break', { readinessPath: '/a\r\nHost: b' }, { refused: /readinessPath/ }],
  ['a runtime that is not there', { runtimeClassName: 'nowhere' }, { reason: 'Refused' }],
  ['a runtime that is a path', { runtimeClassName: '../x' }, { refused: /runtimeClassName/ }],
  ['a selector that is none', { nodeSelector: { 'a b': '$(HOME)' } }, { reason: 'Refused' }],
  ['a toleration that is none', { tolerations: [{ operator: 'Exists', value: 'a' }] }, { reason: 'Refused' }],
  ['a Secret that is a path', { imagePullSecrets: [{ name: '..' }] }, { refused: /the name of a Secret/ }],
  ['a GPU that is a prototype', { resources: { gpuResource: '__proto__', default: { gpu: 1 } } }, 'Running'],
  ['a GPU that is no name', { resources: { gpuResource: 'a b', default: { gpu: 1 } } }, { reason: 'Refused' }],
  [
    'a GPU that is the memory of the host',
    { resources: { gpuResource: 'hugepages-2Mi', default: { gpu: 1 } } },
    { reason: 'Refused' },
  ],
  [
    'a storage class that is a path',
    { storage: { size: '1Gi', storageClassName: '../x' } },
    { refused: /storageClassName/ },
  ],
  [
    'bounds that leave no room',
    { resources: { min: { cpu: 4 }, max: { cpu: 1 }, default: { cpu: 2 } } },
    { reason: 'SizeNotAllowed' },
  ],
  ['an image that is none', { image: 'registry.example/../x' }, { refused: /image/ }],
  ['a command with a NUL', { command: ['a\u0000b', '$(WORKBENCH_OWNER)', '`id`'] }, 'Running'],
  ['a command of a megabyte', { command: [MEGABYTE] }, { refused: /command/ }],
  ['arguments that are too long together', { args: Array.from({ length: 100 }, () => 'x'.repeat(4096)) }, 'Running'],
  ['a description in two directions', { description: '\u202e\u0000\n<script>' }, 'Running'],
];
