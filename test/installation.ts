/**
 * An installation on a cluster: the CRD, two namespaces, the Roles of deploy/ bound to a user of the controller's own, and the
 * controller as a process of its own. Used by the tests and by `npm run local`, so both run what the other proves.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from './cluster/cluster.ts';
import { freePorts } from './cluster/machine/freePorts.ts';
import { eventually } from './eventually.ts';

const ROOT = join(import.meta.dirname, '..');
const MANIFESTS = { kinds: join(ROOT, 'crds/workbenches.yaml'), roles: join(ROOT, 'deploy/controller/roles.yaml') };
const DIES_WITH_PARENT = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'TERM'] : [];
export const CONTROLLER_USER = 'workbench-controller';

export interface InstallOptions {
  /** Over the defaults below. */
  env?: Record<string, string>;
  /** Default 'workbenches' and 'workbench-system'. */
  namespace?: string;
  systemNamespace?: string;
  ports?: { rest: number; health: number; page: number };
  /**
   * A cluster that somebody gave: nothing but the two namespaces is made there, the CRD must be there already, and the
   * controller runs with this kubeconfig instead of a user of its own.
   */
  given?: boolean;
  /** The kinds are there already. */
  hasKind?: boolean;
  /** The files of kinds and Roles, if not this version's. */
  manifests?: { kinds: string; roles: string };
  /** Where the controller reaches the API server, if not directly: a proxy. */
  server?: string;
  /** The user that it runs as; each needs its own where several are installed side by side. */
  user?: string;
  /** What is run, if not the sources: a bundle of them starts three times as fast. */
  program?: string;
  /** Flags of Node itself, such as --cpu-prof. */
  nodeFlags?: string[];
  /** Lines of the controller's log, as they come. */
  onLog?: (line: string) => void;
}

export interface Installation {
  namespace: string;
  systemNamespace: string;
  /** http://127.0.0.1:PORT of the REST facade. */
  rest: string;
  health: string;
  page: string;
  /** The controller's log so far. */
  log: () => Record<string, unknown>[];
  process: () => ChildProcess;
  /** Ends the controller; resolves with its exit code (null after a signal). */
  end: (signal?: NodeJS.Signals) => Promise<number | null>;
  /** Starts it again, with other settings if there are any; resolves when it is ready. */
  start: (env?: Record<string, string>) => Promise<void>;
}

/** Called before the controller is started, for a namespace that is there; where all kinds are there, it is waited for. */
let lookOn: ((cluster: Cluster, namespace: string) => Promise<void>) | undefined;

export function onInstall(look: NonNullable<typeof lookOn>): void {
  lookOn = look;
}

/** Resolves when the controller is ready. @throws Error with the end of its log when it ends before that */
export async function install(cluster: Cluster, options: InstallOptions = {}): Promise<Installation> {
  const {
    namespace = 'workbenches',
    systemNamespace = 'workbench-system',
    user = CONTROLLER_USER,
    manifests: files = MANIFESTS,
  } = options;
  const localhost = ['127.0.0.1', cluster.hostAddress ?? '127.0.0.1'];
  const ports = options.ports ?? (await freePorts(['rest', 'health', 'page'], localhost));
  const kubeconfig = options.given ? cluster.kubeconfig : await cluster.userKubeconfig(user);
  if (options.server) {
    writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace(cluster.server, options.server));
  }
  if (!options.hasKind) await (options.given ? requireKind(cluster) : applyKind(cluster, files.kinds));
  const objects = options.given
    ? namespaces(namespace, systemNamespace)
    : manifests({ namespace, systemNamespace, user, roles: files.roles }, ports.page, cluster.hostAddress);
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  // A Pod is refused where its account is not there yet.
  await cluster.kubectl(['wait', '-n', namespace, 'serviceaccount/default', '--for=create', '--timeout=120s']);

  const env: Record<string, string> = {
    KUBECONFIG: kubeconfig,
    // As a container that is restarted in its Pod: it goes on at once, and waits for no lease of its own.
    POD_NAME: user,
    WORKBENCH_NAMESPACE: namespace,
    CONTROLLER_NAMESPACE: systemNamespace,
    // Tests ask more often than anybody may.
    RESTAPI_RATE_LIMIT: '0',
    // Nobody routes to it.
    WB_DRAIN: '0',
    // Where there is a registry it is asked over the loopback; elsewhere there is none.
    ...(cluster.registry
      ? { WB_REGISTRIES: JSON.stringify({ [cluster.registry]: `http://${cluster.registry}` }) }
      : { WB_RESOLVE_IMAGES: 'false' }),
    HOST: '127.0.0.1',
    HEALTH_HOST: '127.0.0.1',
    PAGE_HOST: cluster.hostAddress ?? '127.0.0.1',
    PORT: String(ports.rest),
    HEALTH_PORT: String(ports.health),
    PAGE_PORT: String(ports.page),
    ...(cluster.ingressUrl
      ? { BASE_URL: cluster.ingressUrl, INGRESS_CLASS: 'traefik' }
      : { BASE_URL: 'http://cloud.example', WB_VERIFY_ENDPOINT: 'off' }),
    ...path(),
    ...options.env,
  };
  const log: Record<string, unknown>[] = [];
  mkdirSync(join(cluster.dir, 'logs'), { recursive: true });
  const file = createWriteStream(join(cluster.dir, 'logs', 'controller.log'), { flags: 'a' });
  let child: ChildProcess;

  async function start(more: Record<string, string> = {}): Promise<void> {
    Object.assign(env, more);
    // A clean environment: a proxy or a KUBECONFIG of the shell must not reach it.
    // It dies with its parent, however that ends: nothing of a killed run may go on.
    const node = [process.execPath, ...(options.nodeFlags ?? []), options.program ?? join(ROOT, 'src/main.ts')];
    const [command, ...args] = [...DIES_WITH_PARENT, ...node];
    child = spawn(command!, args, { cwd: cluster.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ready = Promise.withResolvers<void>();
    const last: string[] = [];
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        last.splice(0, last.length - 20, ...last.slice(-20), line);
        file.write(`${line}\n`);
        options.onLog?.(line);
        const entry = parsed(line);
        log.push(entry);
        if (entry.msg === 'ready') ready.resolve();
      });
    }
    child.once('exit', (code, signal) => {
      ready.reject(
        new Error(`The controller ended (${signal ?? `exit code ${code}`}) before it was ready:\n${last.join('\n')}`),
      );
    });
    // Also when it ends long after it was ready, which is nobody's failure then.
    ready.promise.catch(() => undefined);
    await ready.promise;
  }

  const looking = lookOn?.(cluster, namespace);
  // An earlier version has not all of the kinds.
  if (files === MANIFESTS) await looking;
  await start();
  return {
    namespace,
    systemNamespace,
    rest: `http://127.0.0.1:${ports.rest}`,
    health: `http://127.0.0.1:${ports.health}`,
    page: `http://${cluster.hostAddress ?? '127.0.0.1'}:${ports.page}`,
    log: () => log,
    process: () => child,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill(signal);
        await exited;
      }
      return child.exitCode;
    },
    start,
  };
}

/** What starting a process needs of this one's environment, and no more. */
function path(): Record<string, string> {
  return process.env.PATH === undefined ? {} : { PATH: process.env.PATH };
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { msg: line };
  }
}

/**
 * The controller as one file, as in its image, which starts three times as fast as its sources.
 * @param flags more of `npm run build`
 * @returns its path
 */
export async function bundle(folder: string, ...flags: string[]): Promise<string> {
  const program = join(folder, 'controller.mjs');
  await promisify(execFile)('npm', ['run', '--silent', 'build', '--', `--outfile=${program}`, ...flags]);
  return program;
}

export async function applyKind(cluster: Cluster, file = MANIFESTS.kinds): Promise<void> {
  await cluster.kubectl(['apply', '-f', file]);
  // kubectl does not wait for a kind of which nothing is said yet.
  const established = ['wait', '--for=condition=Established', '--timeout=120s', '-f', file];
  await eventually(
    'established',
    () =>
      cluster.kubectl(established).then(
        () => '',
        (error: unknown) => String(error),
      ),
    (problem) => problem === '',
  );
}

/** A kind belongs to the whole cluster, so on somebody's it is theirs to install. */
export async function requireKind(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['get', '-f', MANIFESTS.kinds]).catch((error: unknown) => {
    throw new Error('The cluster has no Workbench kind yet; install it with "kubectl apply -k crds".', {
      cause: error,
    });
  });
}

function namespaces(namespace: string, systemNamespace: string): object[] {
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: restricted } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } },
  ];
}

/** Namespaces, Roles and their bindings; and the Service of the state page, which leads to this host where Pods can reach it. */
function manifests(
  {
    namespace,
    systemNamespace,
    user,
    roles: file,
  }: { namespace: string; systemNamespace: string; user: string; roles: string },
  pagePort: number,
  hostAddress?: string,
): object[] {
  const renamed: Record<string, string> = { workbenches: namespace, 'workbench-system': systemNamespace };
  const roles = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    const role = document.toJS() as { metadata: { name: string; namespace: string } };
    role.metadata.namespace = renamed[role.metadata.namespace]!;
    return role;
  });
  const bindings = roles.map(({ metadata }) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  }));
  const page = hostAddress === undefined ? [] : pageService(systemNamespace, pagePort, hostAddress);
  return [...namespaces(namespace, systemNamespace), ...roles, ...bindings, ...page];
}

function pageService(namespace: string, port: number, address: string): object[] {
  const name = 'workbench-controller';
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP: 'None', ports: [{ name: 'page', port }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'page', port, protocol: 'TCP' }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
  ];
}
