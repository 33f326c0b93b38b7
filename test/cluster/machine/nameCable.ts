import { readFileSync } from 'node:fs';
import { bridge } from './bridge.ts';
import { cableName } from './cables.ts';
import { mustRun } from './command.ts';

/**
 * A CNI plugin, chained after `ptp`, which names the host's end of a Pod's cable at random: it gives it the name that Felix
 * knows. It has nothing to take back at the end of a Pod.
 */
interface Result {
  interfaces: { name: string; sandbox?: string }[];
  ips: { address: string }[];
}

interface Input {
  prevResult: Result;
}

const { CNI_COMMAND: verb, CNI_ARGS: args = '' } = process.env;
if (verb === 'VERSION') console.log(JSON.stringify({ cniVersion: '0.4.0', supportedVersions: ['0.4.0'] }));
if (verb === 'ADD') console.log(JSON.stringify(renamed((JSON.parse(readFileSync(0, 'utf8')) as Input).prevResult)));

function renamed(result: Result): Result {
  const pod = Object.fromEntries(args.split(';').map((pair) => pair.split('=', 2))) as Record<string, string>;
  const name = cableName(pod.K8S_POD_NAMESPACE!, pod.K8S_POD_NAME!);
  const cable = result.interfaces.find(({ sandbox }) => sandbox === undefined || sandbox === '')!;
  // A kernel before 6.2 names only what is down, and that takes the route to the Pod along.
  mustRun('ip', ['link', 'set', cable.name, 'down']);
  mustRun('ip', ['link', 'set', cable.name, 'name', name]);
  mustRun('ip', ['link', 'set', name, 'up']);
  for (const { address } of result.ips) {
    mustRun('ip', ['route', 'replace', address.replace(/\/.*/, ''), 'dev', name, 'src', bridge.address]);
  }
  return { ...result, interfaces: result.interfaces.map((one) => (one === cable ? { ...one, name } : one)) };
}
