/**
 * Who reaches whom under the NetworkPolicies of deploy/, with an enforcer on the node. Each connection is tried before they
 * are there, with them, and after them; so a policy that closes nothing fails, and so does one that closes too much.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { client } from '../client.ts';
import { bridge } from '../cluster/machine/bridge.ts';
import { eventually } from '../eventually.ts';
import { open } from './browser.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';
import { addressOf, connections, listen, namespacesOf, podsOf } from './reach.ts';
import type { Attempt, Pod } from './reach.ts';

const POLICIES = ['-f', 'deploy/cluster/network-policies.yaml', '-f', 'deploy/controller/network-policies.yaml'];

/** From the range of the clouds' metadata services, and none of theirs: this machine may be using that one. */
const LINK_LOCAL = '169.254.16.9';

/** A Pod like the controller's (which runs beside the cluster here), and one in a namespace of each kind. */
const STAND_INS = [
  { name: 'controller', namespace: 'workbench-system', ports: { rest: 8999, health: 8998, page: 8997 } },
  { name: 'ingress', namespace: 'ingress', label: 'workbench.h1st.ai/ingress' },
  { name: 'portal', namespace: 'portal', label: 'workbench.h1st.ai/portal' },
  { name: 'monitoring', namespace: 'monitoring', label: 'workbench.h1st.ai/monitoring' },
  { name: 'stranger', namespace: 'stranger' },
];

/** Who reaches what under the policies; there is nothing else that anyone of them is kept from. */
const REACHES = {
  workbench: ['the API server'],
  controller: ['a workbench', 'a link-local address', 'the API server'],
  ingress: ['a workbench', 'the state page', 'a link-local address', 'the API server'],
  portal: ['the REST facade', 'a link-local address', 'the API server'],
  monitoring: ['the health port', 'a link-local address', 'the API server'],
  stranger: ['a link-local address', 'the API server'],
};

let installation: RealInstallation;
let tried: Connection[];
const metadata = createServer((socket) => socket.end());
const kubectl = (args: string[], input?: string) => installation.cluster.kubectl(args, input);

const all = () => tried.map(({ name }) => name);
const meant = () => tried.flatMap(({ name, from, to }) => (REACHES[from].includes(to) ? [name] : []));

/** Rules follow an object within a moment. */
const settle = (wanted: string[]) =>
  eventually(
    `exactly ${wanted.join(', ')}`,
    () => connections(kubectl, tried),
    (names) => JSON.stringify(names) === JSON.stringify(wanted),
  );

interface Connection extends Attempt {
  from: keyof typeof REACHES;
  to: string;
}

beforeAll(async () => {
  installation = await installForReal({}, { networkPolicies: true });
  const apply = (items: object[]) =>
    kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await apply(namespacesOf(STAND_INS));
  // A Pod is refused where its account is not there yet.
  for (const { namespace } of STAND_INS)
    await kubectl(['wait', '-n', namespace, 'serviceaccount/default', '--for=create', '--timeout=120s']);
  await apply(podsOf(STAND_INS, `${installation.cluster.registry}/workbench:latest`));
  const [workbench, other] = await Promise.all([runWorkbench(), runWorkbench()]);
  for (const { name, namespace } of STAND_INS) {
    await kubectl(['wait', '-n', namespace, `pod/${name}`, '--for=condition=Ready', '--timeout=120s']);
  }
  const targets = await targetsBeside(other);
  const pods = { workbench, ...Object.fromEntries(STAND_INS.map((one) => [one.name, one])) } as Record<string, Pod>;
  tried = (Object.keys(REACHES) as (keyof typeof REACHES)[]).flatMap((from) =>
    targets
      // Nobody can keep a Pod from itself.
      .filter(({ own }) => own !== from)
      .map(({ to, host, port }) => ({ name: `${from} → ${to}`, from, to, pod: pods[from]!, host, port })),
  );
}, 1_800_000);

/** @returns its Pod */
async function runWorkbench(): Promise<Pod> {
  const user = client(installation.rest, 'alice');
  const { workbench_id: id } = await user.create();
  await user.until(id, 'running');
  const pods = ['get', 'pods', '-n', 'workbenches', '-l', `workbench.h1st.ai/id=${id}`];
  return { namespace: 'workbenches', name: await kubectl([...pods, '-o', 'jsonpath={.items[0].metadata.name}']) };
}

/** What everyone tries to reach; `own` says whose Pod it is, where it is that of one who tries. */
async function targetsBeside(workbench: Pod): Promise<{ to: string; host: string; port: number; own?: string }[]> {
  const [host, controller] = await Promise.all([workbench, STAND_INS[0]!].map((pod) => addressOf(kubectl, pod)));
  const own = STAND_INS[0]!.name;
  // What a person may start in a terminal.
  await listen(kubectl, workbench, 3000);
  // It goes with the bridge.
  execFileSync('ip', ['address', 'add', `${LINK_LOCAL}/32`, 'dev', bridge.name]);
  metadata.listen(0, LINK_LOCAL);
  await once(metadata, 'listening');
  const api = new URL(installation.cluster.server);
  return [
    { to: 'a workbench', host: host!, port: 8888 },
    { to: 'what runs beside its IDE', host: host!, port: 3000 },
    { to: 'the REST facade', host: controller!, port: 8999, own },
    { to: 'the health port', host: controller!, port: 8998, own },
    { to: 'the state page', host: controller!, port: 8997, own },
    { to: 'a link-local address', host: LINK_LOCAL, port: (metadata.address() as AddressInfo).port },
    { to: 'the API server', host: api.hostname, port: Number(api.port) },
  ];
}

afterAll(async () => {
  metadata.close();
  await installation?.teardown();
});

test('without NetworkPolicies everyone reaches everything', async () => {
  await settle(all());
});

test('with those of deploy/ only who is meant to', async () => {
  await kubectl(['apply', ...POLICIES]);
  await settle(meant());
});

test('a workbench made under them opens by its public URL', async () => {
  const user = client(installation.rest, 'alice');
  const { workbench_id: id, public_endpoint: url } = await user.create();
  await user.until(id, 'running');
  expect(await open(url)).toMatchObject({ status: 200, id });
});

test('once they are gone it is as before', async () => {
  await kubectl(['delete', ...POLICIES]);
  await settle(all());
});
