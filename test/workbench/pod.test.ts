import { describe, expect, test } from '@jest/globals';
import type { Container, Pod } from '../../src/workbench/objects.ts';
import { buildPod, imageToRun, sizes } from '../../src/workbench/pod.ts';
import type { WorkbenchSpec } from '../../src/workbench/resource.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import { DIGEST, readyPod, runningOn, settings, workbench } from './sample.ts';

const build = (spec: Partial<WorkbenchSpec> = {}, more: Partial<Settings> = {}) =>
  buildPod(workbench(spec), { ...settings, ...more });
const container = (pod: Pod): Container => pod.spec!.containers[0]!;
const env = (pod: Pod) => Object.fromEntries(container(pod).env.map(({ name, value }) => [name, value]));

describe('every Pod', () => {
  test('keeps the restricted Pod Security profile', () => {
    const pod = build();
    expect(pod.spec!.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container(pod).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.spec!.volumes).toEqual([{ name: 'home', emptyDir: { sizeLimit: '10Gi' } }]);
  });

  test("has no token, no Service's variables, and comes back when its process ends", () => {
    expect(build().spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Always',
    });
  });

  test('pulls at each start, tells the last words of a crash, and is ready when its port answers', () => {
    expect(container(build({}, { port: 8080 }))).toMatchObject({
      imagePullPolicy: 'Always',
      terminationMessagePolicy: 'FallbackToLogsOnError',
      readinessProbe: { tcpSocket: { port: 8080 } },
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      volumeMounts: [{ name: 'home', mountPath: '/home/project' }],
    });
  });

  test('is owned by its workbench, so that the garbage collector knows', () => {
    expect(build().metadata.ownerReferences).toEqual([
      {
        apiVersion: 'workbench.h1st.ai/v1',
        kind: 'Workbench',
        name: 'genome',
        uid: 'uid-1',
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  });

  test('has what the admin set, and nothing where nothing was set', () => {
    const set = build({}, { pullSecrets: ['registry'], bootCommand: ['lab', '--x'], runAsUser: 1001, fsGroup: 2000 });
    expect(set.spec).toMatchObject({
      imagePullSecrets: [{ name: 'registry' }],
      securityContext: { runAsUser: 1001, fsGroup: 2000 },
      containers: [{ command: ['lab', '--x'] }],
    });
    expect(Object.keys(build().spec!)).not.toContain('imagePullSecrets');
    expect(Object.keys(container(build()))).not.toContain('command');
  });
});

describe('the environment', () => {
  test('tells the IDE who and where it is', () => {
    expect(env(build({}, { baseUrl: 'https://cloud.example/ide' }))).toEqual({
      WORKBENCH_ID: 'genome',
      WORKBENCH_OWNER: 'alice',
      WORKBENCH_URL: 'https://cloud.example/ide/project/genome',
      WORKBENCH_BASE_PATH: '/ide/project/genome',
      WORKBENCH_PORT: '8888',
      WORKSPACE_PATH: '/home/project',
      JUPYTER_BASE_URL: '/ide/project/genome',
    });
  });

  test.each([
    ['$(WORKBENCH_OWNER)', '$$(WORKBENCH_OWNER)'],
    ['$$(HOME)', '$$$$(HOME)'],
    ['5 $', '5 $$'],
    ['$&$1', '$$&$$1'],
    ['', ''],
    ['line\nline "quoted"', 'line\nline "quoted"'],
  ])("an author's %j is written so that the kubelet, which expands $(…), hands out the same", (value, written) => {
    expect(env(build({ env: [{ name: 'MINE', value }] })).MINE).toBe(written);
  });

  test("an owner's name is not expanded either", () => {
    expect(env(build({ owner: '$(JUPYTER_BASE_URL)' })).WORKBENCH_OWNER).toBe('$$(JUPYTER_BASE_URL)');
  });

  test.each(['WORKBENCH_OWNER', 'WORKBENCH_ANYTHING', 'KUBERNETES_SERVICE_HOST', 'WORKSPACE_PATH', 'JUPYTER_BASE_URL'])(
    '%s is never the author’s, even when a spec slipped through',
    (name) => {
      const pod = build({ env: [{ name, value: 'mallory' }] });
      expect(container(pod).env.map(({ value }) => value)).not.toContain('mallory');
    },
  );
});

describe('sizes are requests and limits alike', () => {
  test.each<[what: string, spec: WorkbenchSpec['resources'], more: Partial<Settings>, expected: object]>([
    ['the defaults of the installation', undefined, { defaultCpu: '500m' }, { cpu: '500m', memory: '2Gi' }],
    ["the author's before the defaults", { cpu: 2, memory: '8Gi' }, { defaultCpu: '1' }, { cpu: '2', memory: '8Gi' }],
    [
      'a GPU under the name of the vendor',
      { gpu: 2 },
      { gpuResource: 'amd.com/gpu' },
      { memory: '2Gi', 'amd.com/gpu': '2' },
    ],
    ['no GPU at all for 0', { gpu: 0 }, {}, { memory: '2Gi' }],
  ])('%s', (_what, resources, more, expected) => {
    const spec = resources ? { resources } : {};
    expect(sizes(workbench(spec), { ...settings, ...more })).toEqual(expected);
    expect(container(build(spec, more)).resources).toEqual({ requests: expected, limits: expected });
  });
});

describe('the image', () => {
  const recorded = runningOn(readyPod(workbench()));
  test.each([
    ['of a start is what was asked for', workbench(), 'registry.example/lab:latest'],
    ['of a replacement keeps the digest', workbench({}, recorded), `registry.example/lab@${DIGEST}`],
    ['of the next run is pulled anew', workbench({ run: '2' }, recorded), 'registry.example/lab:latest'],
    ['of an edit is the new one', workbench({ image: 'registry.example/lab:v2' }, recorded), 'registry.example/lab:v2'],
  ])('%s', (_what, owner, expected) => {
    expect(imageToRun(owner, settings)).toBe(expected);
  });
});

test('nothing that an author writes beside the known fields reaches the Pod', () => {
  const hostile = {
    owner: 'mallory',
    hostNetwork: true,
    hostPID: true,
    nodeName: 'control-plane',
    serviceAccountName: 'admin',
    automountServiceAccountToken: true,
    securityContext: { runAsUser: 0, privileged: true },
    volumes: [{ name: 'root', hostPath: { path: '/' } }],
    initContainers: [{ name: 'evil', image: 'evil' }],
    containers: [{ name: 'evil', image: 'evil' }],
    command: ['evil'],
    annotations: { 'container.apparmor.security.beta.kubernetes.io/workbench': 'unconfined' },
    labels: { 'app.kubernetes.io/name': 'evil' },
    resources: { cpu: '1', memory: '1Gi', hugepages: 'evil', claims: [{ name: 'evil' }] },
    env: [{ name: 'A', value: 'b', valueFrom: { secretKeyRef: { name: 'evil', key: 'evil' } } }],
  } as unknown as WorkbenchSpec;
  const honest = build({ owner: 'mallory', resources: { cpu: '1', memory: '1Gi' }, env: [{ name: 'A', value: 'b' }] });
  expect(build(hostile)).toEqual(honest);
});
