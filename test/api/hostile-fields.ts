/** What is written where it does not belong: fields of Pods in a spec, our own words in metadata, a status by its author. */
import type { ObjectMeta } from '../../src/workbench/objects.ts';
import { MEGABYTE } from './hostile-specs.ts';
import type { End } from './hostile-specs.ts';

const HOST = [{ name: 'root', hostPath: { path: '/' } }];
const CONTAINER = { name: 'evil', image: 'evil.example/x', securityContext: { privileged: true } };
const POD = { hostNetwork: true, hostPID: true, serviceAccountName: 'rich', volumes: HOST, containers: [CONTAINER] };

/** Whatever a Pod has, and what might be thought to hold one. */
const FIELDS: Record<string, unknown> = {
  ...POD,
  hostIPC: true,
  hostUsers: true,
  shareProcessNamespace: true,
  serviceAccount: 'rich',
  automountServiceAccountToken: true,
  securityContext: { runAsUser: 0 },
  nodeName: 'simulated-0',
  initContainers: [CONTAINER],
  ephemeralContainers: [CONTAINER],
  podSpec: POD,
  template: { spec: POD },
  pod: POD,
  volumeMounts: [{ name: 'root', mountPath: '/' }],
  envFrom: [{ secretRef: { name: 'the-secret' } }],
  command: ['evil'],
  args: ['evil'],
  ports: [{ hostPort: 22 }],
  lifecycle: { postStart: { exec: {} } },
  priorityClassName: 'system-node-critical',
  runtimeClassName: 'evil',
  nodeSelector: { a: 'b' },
  tolerations: [{}],
  imagePullSecrets: [{ name: 'the-secret' }],
  labels: { a: 'b' },
  annotations: { a: 'b' },
  hostAliases: [{}],
  constructor: POD,
  prototype: POD,
};

/** In the words of Pods, wherever an object is taken: the API server drops what it does not know, and strict clients are told. */
export const SMUGGLED: [what: string, spec: object, kept: object, end: End][] = [
  ...Object.entries(FIELDS).map(
    ([field, content]) => [field, { [field]: content }, {}, 'Running'] as [string, object, object, End],
  ),
  ['a prototype', JSON.parse(`{"__proto__":${JSON.stringify(POD)}}`) as object, {}, 'Running'],
  [
    'a value from a Secret',
    { env: [{ name: 'A', value: 'b', valueFrom: { secretKeyRef: { name: 'the-secret', key: 'a' } } }] },
    { env: [{ name: 'A', value: 'b' }] },
    'Running',
  ],
  [
    'huge pages and devices',
    { resources: { cpu: '1', 'hugepages-2Mi': '1Gi', claims: [{ name: 'a' }] } },
    { resources: { cpu: '1' } },
    'Running',
  ],
  [
    'a host path as storage',
    { storage: { hostPath: { path: '/' }, volumeName: 'a', storageClassName: 'a' } },
    { storage: {} },
    { reason: 'StorageNotAllowed' },
  ],
];

const ours = (name: string) => `workbench.h1st.ai/${name}`;
const noName: End = { refused: /name|label/i };

/** @param victim a workbench of somebody else's */
export const METADATA = (victim: {
  name: string;
  uid: string;
}): [what: string, metadata: Partial<ObjectMeta>, end: End][] => [
  ...[
    '',
    'A',
    'a.b',
    '../x',
    'a/b',
    '1a',
    '-a',
    'a-',
    'a b',
    'ä',
    'a\n',
    'x'.repeat(41),
    '%2e%2e',
    'a\u0000',
    '__proto__',
  ].map((name): [string, Partial<ObjectMeta>, End] => [`the name ${JSON.stringify(name)}`, { name }, noName]),
  ['the name "constructor"', { name: 'constructor' }, 'Running'],
  [
    "another's labels and annotations of ours",
    {
      labels: {
        [ours('id')]: victim.name,
        [ours('uid')]: victim.uid,
        'app.kubernetes.io/managed-by': 'workbench-controller',
      },
      annotations: Object.fromEntries(
        [
          'stamp',
          'run',
          'image',
          'requested-image',
          'path-stripped',
          'class-stamp',
          'owner',
          'class',
          'state-managed-by',
        ].map((name) => [ours(name), 'evil.example/x']),
      ),
    },
    'Running',
  ],
  ['annotations of 300 KB', { annotations: { a: MEGABYTE.slice(0, 300_000) } }, { refused: /annotations/ }],
  ['a label that is none', { labels: { a: 'b\nc' } }, { refused: /labels/ }],
  [
    'an annotation for AppArmor',
    { annotations: { 'container.apparmor.security.beta.kubernetes.io/workbench': 'unconfined' } },
    'Running',
  ],
  ['a finalizer', { finalizers: ['example.com/never'] }, 'Running'],
  ['the finalizer of the garbage collector', { finalizers: ['orphan'] }, 'Running'],
  [
    'a generation, a UID and a time',
    { generation: 1e9, uid: victim.uid, creationTimestamp: '1970-01-01T00:00:00Z' },
    'Running',
  ],
];
