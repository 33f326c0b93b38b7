import { randomBytes } from 'node:crypto';
import { environmentSchema } from '../../src/environment.ts';
import { pushWorkbenchImage } from '../images/push.ts';
import { pushJupyterImage } from '../images/pushJupyter.ts';
import { install } from '../installation.ts';
import type { Cluster } from './cluster.ts';
import type { LocalFlags } from './local/flags.ts';

export interface RunningController {
  /** Base URL of the REST interface. */
  restUrl: string;
  /** What this installation cannot show, one sentence each. */
  limits: string[];
  stop(): Promise<void>;
}

type Report = (line: string) => void;

const ports = { rest: 8999, health: 8998, page: 8997 };

/** Starts the Workbench Controller of this working tree on a cluster of ours: with the IDE that is asked for, WORKBENCH_IMAGE, or the small test image. */
export async function startController(
  cluster: Cluster,
  report: Report,
  { ide, install: mayInstall }: Pick<LocalFlags, 'ide' | 'install'>,
): Promise<RunningController> {
  const env: Record<string, string> = {
    WB_DEFAULT_CPU: '50m',
    WB_DEFAULT_RAM: ide === 'jupyter' ? '1Gi' : '256Mi',
    WB_HOME_LIMIT: '1Gi',
    ...fromShell(),
  };
  const { registry } = cluster;
  if (registry !== undefined && ide === 'jupyter') {
    env.WORKBENCH_IMAGE = (await pushJupyterImage({ registry, report, install: mayInstall })).image;
    report('pushed JupyterLab to the local registry');
  } else if (registry !== undefined && (ide === 'echo' || env.WORKBENCH_IMAGE === undefined)) {
    report('pushing a small workbench image to the local registry');
    env.WORKBENCH_IMAGE = (await pushWorkbenchImage({ registry, version: 'v1' })).image;
  }
  report('starting the controller');
  const installation = await install(cluster, { env, ports });
  const limits =
    cluster.ingressUrl === undefined
      ? ['Nodes are simulated: "running" means that a simulated Pod says so, and no page opens.']
      : [];
  return { restUrl: installation.rest, limits, stop: async () => void (await installation.end()) };
}

/** On somebody's cluster: in two namespaces of its own, which it removes at the end. */
export async function startControllerOnGiven(cluster: Cluster, report: Report): Promise<RunningController> {
  const namespace = `workbench-local-${randomBytes(3).toString('hex')}`;
  const systemNamespace = `${namespace}-system`;
  report(`making the namespaces ${namespace} and ${systemNamespace}; they go when this ends`);
  const env = fromShell();
  const limits: string[] = [];
  if (env.WORKBENCH_IMAGE === undefined) {
    limits.push('WORKBENCH_IMAGE is not set, so workbenches run the default image, if your cluster can pull it.');
  }
  if (env.BASE_URL === undefined) {
    env.BASE_URL = 'http://127.0.0.1';
    env.WB_VERIFY_ENDPOINT ??= 'off';
    limits.push('BASE_URL is not set, so public addresses lead nowhere, and "running" means that the Pod is ready.');
  }
  const remove = () =>
    cluster.kubectl(['delete', 'namespace', namespace, systemNamespace, '--ignore-not-found', '--wait=false']);
  try {
    const installation = await install(cluster, { env, ports, namespace, systemNamespace, given: true });
    return {
      restUrl: installation.rest,
      limits,
      async stop() {
        await installation.end();
        await remove();
        await cluster.stop();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The controller's own variables, as far as the shell sets them; addresses, ports and namespaces are this command's. */
function fromShell(): Record<string, string> {
  const fixed = /(^|_)(PORT|HOST|NAMESPACE)$/;
  const names = Object.keys(environmentSchema.shape).filter(
    (name) => (name === 'WORKBENCH_PORT' || !fixed.test(name)) && process.env[name],
  );
  return Object.fromEntries(names.map((name) => [name, process.env[name]!]));
}
