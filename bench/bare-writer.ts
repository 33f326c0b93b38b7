/**
 * The physical ceiling, as a process of its own: only POSTs the objects of a launch and one status patch, 32 launches in
 * flight, no watch. Everything is rendered by the controller's own functions, and sent by its own transport.
 * Prints what it has used, as JSON.
 */
import { readEnvironment, settingsFrom } from '../src/config.ts';
import { connect } from '../src/kube/connect.ts';
import { collectionPath, objectPath } from '../src/kube/kinds.ts';
import { createTransport } from '../src/kube/transport.ts';
import { buildIngress } from '../src/workbench/ingress.ts';
import type { Pod } from '../src/workbench/objects.ts';
import { buildPod } from '../src/workbench/pod.ts';
import type { Workbench } from '../src/workbench/resource.ts';
import { buildService } from '../src/workbench/service.ts';
import { buildStatus } from '../src/workbench/status.ts';
import { inFlight } from './in-flight.ts';

const IN_FLIGHT = 32;

const settings = settingsFrom(readEnvironment());
const { namespace } = settings;
const transport = createTransport(connect(), 'bare-writer');

const { items } = await transport.call<{ items: Workbench[] }>('GET', collectionPath('Workbench', namespace));
const before = process.cpuUsage();
await inFlight(IN_FLIGHT, items, async (workbench) => {
  const pod = await transport.call<Pod>('POST', collectionPath('Pod', namespace), {
    body: buildPod(workbench, settings),
  });
  await transport.call('POST', collectionPath('Service', namespace), { body: buildService(workbench, settings) });
  await transport.call('POST', collectionPath('Ingress', namespace), { body: buildIngress(workbench, settings) });
  const now = Date.now();
  const ready = { type: 'Ready', status: 'True' } as const;
  const running: Pod = { ...pod, status: { startTime: new Date(now).toISOString(), conditions: [ready] } };
  const status = buildStatus(workbench, { phase: 'Running', pod: running }, settings, now);
  const body = [
    { op: 'test', path: '/metadata/uid', value: workbench.metadata.uid },
    { op: 'add', path: '/status', value: status },
  ];
  const path = `${objectPath('Workbench', namespace, workbench.metadata.name)}/status`;
  await transport.call('PATCH', path, { body, contentType: 'application/json-patch+json' });
});
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ launches: items.length, cpuMs: (user + system) / 1000 }));
await transport.close();
