import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { Verifier } from '../../src/controller/verify.ts';
import { readyPod, settings, workbench } from '../workbench/sample.ts';

/** Who was asked for what, under which name. nock stands before the connector, so here are two real listeners. */
async function listener(seen: string[], who: string) {
  const server = createServer((request, response) => {
    seen.push(`${who}: ${request.headers.host}${request.url}`);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test.each([
  ['cloud.example', {}],
  // An IDE may refuse any other name, also when it is asked directly.
  ['genome.wb.example', { workbenchDomain: 'wb.example' }],
])('WB_VERIFY_ADDRESS is where the connection goes; the Host header still says %s', async (host, mode) => {
  const seen: string[] = [];
  const [ingress, ide] = [await listener(seen, 'ingress'), await listener(seen, 'pod')];
  const told = new EventEmitter();
  const verifier = new Verifier({
    settings: { ...settings, baseUrl: 'http://cloud.example', ...mode },
    address: `127.0.0.1:${ingress.port}`,
    count: 2,
    onChange: (key) => told.emit(key),
  });
  try {
    const pod = readyPod(workbench());
    // The Pod's own port counts: it may be older than the setting.
    pod.spec!.containers[0]!.ports = [{ name: 'http', containerPort: ide.port, protocol: 'TCP' }];
    const answered = once(told, 'genome');
    verifier.ask('genome', { ...pod, status: { ...pod.status, podIP: '127.0.0.1' } });
    await answered;
    expect(verifier.reach('genome')).toMatchObject({ ok: true });
    const round = [`pod: ${host}/project/genome`, `ingress: ${host}/project/genome`];
    expect(seen).toEqual([...round, ...round]);
  } finally {
    await verifier.stop();
    for (const { server } of [ingress, ide]) server.close();
  }
});
