/** From the POST until the workbench's page opens at its public URL, with everything real; one launch after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { connect } from '../../src/kube/connect.ts';
import { createTransport } from '../../src/kube/transport.ts';
import { PAGE_HEADER } from '../../src/workbench/ingress.ts';
import { client } from '../../test/client.ts';
import { installForReal } from '../../test/e2e/installation.ts';
import type { Flags } from '../flags.ts';
import { describeMachine } from '../machine.ts';
import type { Machine } from '../machine.ts';
import type { Results } from '../results.ts';
import { percentile } from '../statistics.ts';

const LAUNCHES = 20;
const LOOK_EVERY_MS = 5;
const PATIENCE_MS = 60_000;

export async function measurePage(flags: Flags, results: Results, report: (line: string) => void): Promise<Machine> {
  const installation = await installForReal({}, { traefikThrottle: '50ms', report });
  try {
    const transport = createTransport(connect(installation.cluster.kubeconfig), 'bench');
    const machine = await describeMachine(transport);
    await transport.close();
    // The image has to be there.
    await launch(installation.rest);
    for (let run = 0; run < flags.runs; run += 1) {
      const seconds: number[] = [];
      for (let count = 0; count < LAUNCHES; count += 1) seconds.push((await launch(installation.rest)) / 1_000);
      results.add('page p50', percentile(seconds, 50));
      results.add('page p99', percentile(seconds, 99));
      report(`run ${run + 1} of ${flags.runs}: ${percentile(seconds, 50).toFixed(2)} s until the page opens`);
    }
    return machine;
  } finally {
    await installation.teardown();
  }
}

/** ms */
async function launch(rest: string): Promise<number> {
  const user = client(rest, 'bench');
  const began = performance.now();
  const { workbench_id: id, public_endpoint: url } = await user.create();
  await untilOpen(url, began + PATIENCE_MS);
  const ms = performance.now() - began;
  await user.call('DELETE', `/${id}`);
  await user.untilGone(id);
  return ms;
}

/** As a browser that is pointed there again and again; the controller's own page is none of a workbench. */
async function untilOpen(url: string, deadline: number): Promise<void> {
  const dispatcher = new Agent();
  for (;;) {
    const { statusCode, headers, body } = await request(url, { dispatcher });
    await body.dump();
    if (statusCode === 200 && !(PAGE_HEADER in headers)) break;
    if (performance.now() > deadline) throw new Error(`${url} still answers ${statusCode}.`);
    await delay(LOOK_EVERY_MS);
  }
  await dispatcher.close();
}
