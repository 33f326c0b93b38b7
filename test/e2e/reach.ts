/** Connections tried from inside Pods, which have nothing but Node. */
type Kubectl = (args: string[], input?: string) => Promise<string>;

export interface Pod {
  name: string;
  namespace: string;
}

export interface Attempt {
  name: string;
  pod: Pod;
  host: string;
  port: number;
}

interface StandIn extends Pod {
  /** Of its namespace, with the value "true". */
  label?: string;
  /** What it listens on. */
  ports?: Record<string, number>;
}

const NODE = '/usr/local/bin/node';
const inside = ({ namespace, name }: Pod, script: string) => ['exec', '-n', namespace, name, '--', NODE, '-e', script];

export const addressOf = (kubectl: Kubectl, { name, namespace }: Pod) =>
  kubectl(['get', 'pod', name, '-n', namespace, '-o', 'jsonpath={.status.podIP}']);

/** Far more than a connection on one machine takes; a packet that is dropped is never answered. */
const PATIENCE_MS = 1000;

/** Tries all at once, one process per Pod. @returns names of those that open, in their order */
export async function connections(kubectl: Kubectl, tried: Attempt[]): Promise<string[]> {
  const pods = [...Map.groupBy(tried, ({ pod }) => pod)];
  const opened = await Promise.all(
    pods.map(async ([pod, all]) => {
      const targets = all.map(({ name, host, port }) => ({ name, host, port }));
      return JSON.parse(
        await kubectl(inside(pod, `(${probe})(${JSON.stringify(targets)}, ${PATIENCE_MS})`)),
      ) as string[];
    }),
  );
  const names = new Set(opened.flat());
  return tried.flatMap(({ name }) => (names.has(name) ? [name] : []));
}

const probe = `async (targets, patience) => {
  const opens = ({ host, port }) => new Promise((resolve) => {
    const socket = require('node:net').connect({ host, port });
    const end = (result) => () => (socket.destroy(), resolve(result));
    socket.setTimeout(patience, end(false)).on('connect', end(true)).on('error', end(false));
  });
  const results = await Promise.all(targets.map(opens));
  console.log(JSON.stringify(targets.filter((_, index) => results[index]).map(({ name }) => name)));
}`;

/** A listener that says nothing, as a script for Node; `then` is called when it listens. */
const listener = (port: number, then = '') =>
  `require('node:net').createServer((socket) => socket.end()).listen(${port}, () => {${then}});`;

/** Starts one more listener in a Pod that runs, and resolves when it listens. */
export async function listen(kubectl: Kubectl, pod: Pod, port: number): Promise<void> {
  const script = JSON.stringify(listener(port, "process.send('listening')"));
  const stdio = JSON.stringify(['ignore', 'ignore', 'ignore', 'ipc']);
  const start = `const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', ${script}], { detached: true, stdio: ${stdio} });
  child.on('message', () => (child.disconnect(), child.unref()));`;
  await kubectl(inside(pod, start));
}

const listeners = (ports: number[]) => `setInterval(() => {}, 2 ** 30);${ports.map((port) => listener(port)).join('')}`;

export function namespacesOf(standIns: StandIn[]): object[] {
  return standIns.map(({ namespace, label }) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted', ...(label && { [label]: 'true' }) },
    },
  }));
}

/** One restricted Pod in each namespace, which has the application's name before its own. */
export function podsOf(standIns: StandIn[], image: string): object[] {
  return standIns.map(({ name, namespace, ports = {} }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': `workbench-${name}` } },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name,
          image,
          command: [NODE, '-e', listeners(Object.values(ports))],
          ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort })),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }));
}
