/** A namespace with restricted Pod Security, what a hostile author finds there, and what he and his administrator may do in it. */
import { connect } from '../../src/kube/connect.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { KubeError } from '../../src/kube/errors.ts';
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import { createTransport } from '../../src/kube/transport.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { ANNOTATION_OWNER, claimName, labels, serviceName } from '../../src/workbench/identity.ts';
import type { KubeObject, ObjectMeta } from '../../src/workbench/objects.ts';
import { API_VERSION, GROUP } from '../../src/workbench/resource.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';
import { witness } from '../pod-witness.ts';
import type { Witness } from '../pod-witness.ts';

export const AUTHOR = 'mallory';
export const NAMESPACE = 'workbenches';

export interface Ground {
  cluster: Cluster;
  installation: Installation;
  /** Every Pod of a workbench that was ever made. */
  pods: Witness;
  admin: Transport;
  /** May write Workbenches, and neither their status nor anything else. */
  author: Transport;
  authorsKubeconfig: string;
  read: (name: string) => Promise<Workbench>;
  /** Sent by the author as it is, without a client that would look at it first. */
  send: (metadata: Partial<ObjectMeta>, spec: object, more?: object) => Promise<Workbench | KubeError>;
  /** A class, by the administrator. */
  offer: (name: string, spec: object) => Promise<KubeObject | KubeError>;
  end: () => Promise<void>;
}

export async function prepare(): Promise<Ground> {
  const cluster = await startCluster({ nodes: 'simulated' });
  const installation = await install(cluster, {
    env: {
      LOG_LEVEL: 'trace',
      WORKBENCH_IMAGE: 'registry.example/lab:latest',
      WB_ALLOWED_IMAGES: 'registry.example/team/*, registry.example/tagged:v*',
      INGRESS_STRIP_ANNOTATIONS: '{"example.com/strip":"true"}',
    },
  });
  await cluster.kubectl(['label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce-version=latest']);
  const items = [...others(), ...rights()];
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const authorsKubeconfig = await cluster.userKubeconfig(AUTHOR);
  const author = createTransport(connect(authorsKubeconfig), AUTHOR);
  const admin = createTransport(connect(cluster.kubeconfig), 'admin');
  const pods = await witness(cluster.kubeconfig, NAMESPACE);

  const post = async <T>(by: Transport, kind: 'Workbench' | 'WorkbenchClass', object: object) => {
    const body = { apiVersion: API_VERSION, kind, ...object };
    return by.call<T>('POST', collectionPath(kind, NAMESPACE), { body }).catch((error: unknown) => {
      if (isKubeError(error)) return error;
      throw error;
    });
  };
  return {
    cluster,
    installation,
    pods,
    admin,
    author,
    authorsKubeconfig,
    read: (name) => admin.call('GET', objectPath('Workbench', NAMESPACE, name)),
    send: (metadata, spec, more) => post(author, 'Workbench', { metadata, spec: { owner: AUTHOR, ...spec }, ...more }),
    offer: (name, spec) => post(admin, 'WorkbenchClass', { metadata: { name }, spec }),
    async end() {
      await installation.end();
      await pods.stop();
      await Promise.all([author.close(), admin.close()]);
      await cluster.stop();
    },
  };
}

const managed = { 'app.kubernetes.io/managed-by': 'workbench-controller' };

/** Of others, and not to be touched. */
export const CLAIMS = [
  { name: 'of-alice', labels: managed, annotations: { [ANNOTATION_OWNER]: 'alice' } },
  { name: 'of-nobody', annotations: { [ANNOTATION_OWNER]: AUTHOR } },
  { name: 'labelled', labels: managed },
];

/** Nothing will ever be behind it. */
const nowhere = {
  accessModes: ['ReadWriteOnce'],
  storageClassName: 'nowhere',
  resources: { requests: { storage: '1Gi' } },
};

function others(): object[] {
  const claims = CLAIMS.map((metadata) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...metadata, namespace: NAMESPACE },
    spec: nowhere,
  }));
  const classOf = (namespace: string, name: string, storage: object) => ({
    apiVersion: API_VERSION,
    kind: 'WorkbenchClass',
    metadata: { name, namespace },
    spec: storage,
  });
  return [
    ...claims,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'the-secret', namespace: NAMESPACE },
      stringData: { a: 'b' },
    },
    classOf(NAMESPACE, 'files', { storage: { size: '1Gi', storageClassName: 'nowhere' } }),
    classOf('default', 'elsewhere', {}),
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'sandboxed' }, handler: 'sandboxed' },
  ];
}

function rights(): object[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const common = { apiVersion: `${apiGroup}/v1`, metadata: { name: AUTHOR, namespace: NAMESPACE } };
  const verbs = ['get', 'list', 'create', 'patch', 'delete'];
  return [
    { ...common, kind: 'Role', rules: [{ apiGroups: [GROUP], resources: ['workbenches'], verbs }] },
    {
      ...common,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: 'Role', name: AUTHOR },
      subjects: [{ apiGroup, kind: 'User', name: AUTHOR }],
    },
  ];
}

const restricted = {
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'a',
      image: 'registry.example/none',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};

/** What somebody else may put where a workbench's own would be. */
export const STRANGERS: [
  what: string,
  kind: 'Pod' | 'Service' | 'PersistentVolumeClaim',
  of: (its: Workbench) => object,
][] = [
  [
    'a Pod with its labels',
    'Pod',
    (its) => ({ metadata: { name: 'lookalike', labels: labels(its) }, spec: restricted }),
  ],
  [
    'a Service under its name',
    'Service',
    (its) => ({ metadata: { name: serviceName(its) }, spec: { ports: [{ port: 1 }] } }),
  ],
  ['a claim under its name', 'PersistentVolumeClaim', (its) => ({ metadata: { name: claimName(its) }, spec: nowhere })],
];
