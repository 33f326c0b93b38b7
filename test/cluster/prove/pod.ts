import { eventually } from '../../eventually.ts';
import { pushWorkbenchImage } from '../../images/push.ts';
import { startCluster } from '../cluster.ts';
import { insideObjects, toItself } from './inside.ts';

/**
 * One life of a real cluster, for prove.ts: a Pod under the restricted security profile runs an image from the
 * cluster's registry and answers through Traefik, another Pod reaches it and the API server by their ClusterIPs. With
 * "hold" it then stays until it is killed; with --network-policies the policy is enforced.
 */
const [dir = '', then = 'stop', ...options] = process.argv.slice(2);
const started = Date.now();
const cluster = await startCluster({
  nodes: 'real',
  dir,
  // From here on there is something to clean up; a signal before it ends a process that has made nothing yet.
  report: (line) => line.startsWith('starting a cluster') && console.log('begun'),
  networkPolicies: options.includes('--network-policies'),
});
console.log(`started in ${((Date.now() - started) / 1000).toFixed(1)} s`);
const { image } = await pushWorkbenchImage({ registry: cluster.registry ?? '', version: 'v1' });

const meta = { name: 'proof', namespace: 'proof' };
const objects = [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'proof', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta, labels: { app: 'proof' } },
    spec: {
      serviceAccountName: 'proof',
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'workbench',
          image,
          env: [{ name: 'WORKBENCH_BASE_PATH', value: '/project/proof' }],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta,
    spec: { clusterIP: 'None', selector: { app: 'proof' }, ports: [{ port: 8888 }] },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: meta,
    spec: {
      ingressClassName: 'traefik',
      rules: [{ http: { paths: [{ path: '/project/proof', pathType: 'Prefix', backend: backend() }] } }],
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: meta,
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
  },
  ...insideObjects('proof', image),
];

function backend(): unknown {
  return { service: { name: 'proof', port: { number: 8888 } } };
}

await cluster.kubectl(['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
await cluster.kubectl(['wait', '--namespace=proof', '--for=condition=Ready', 'pod/proof', '--timeout=300s']);
const url = `${cluster.ingressUrl}/project/proof/`;
await eventually(
  'a page',
  () => fetch(url),
  ({ ok }) => ok,
);
const ended = '--for=jsonpath={.status.phase}=Succeeded';
await cluster.kubectl(['wait', '--namespace=proof', ended, 'pod/inside', '--timeout=300s']);
if (options.includes('--verbose')) console.log(await cluster.kubectl(['logs', '--namespace=proof', 'inside']));
const itself = ['exec', '--namespace=proof', 'proof', '--', '/usr/local/bin/node', '--eval', toItself];
if ((await cluster.kubectl(itself)).trim() !== '200 v1')
  throw new Error('A Pod does not reach itself by its ClusterIP.');
console.log('the page is open');
if (then === 'hold') setInterval(() => {}, 2 ** 30);
else await cluster.stop();
