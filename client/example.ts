/**
 * The life of a workbench, from a program:
 *   node example.ts http://localhost:8999 alice
 *   WORKBENCH_TOKEN=… node example.ts https://cloud.example/api
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createWorkbenchClient } from '@h1st/workbench-client';
import type { CreateWorkbench, Refusal, Workbench } from '@h1st/workbench-client';

const [baseUrl = 'http://localhost:8999', userId] = process.argv.slice(2);
const api = createWorkbenchClient({ baseUrl, userId, token: process.env['WORKBENCH_TOKEN'] });

/** What a call answered. @throws Error with the API's own sentence, which a person can act on */
function answered<T>({ data, error }: { data?: T; error?: Refusal }): T {
  if (data !== undefined) return data;
  throw new Error(error?.error?.message ?? `This is no Workbench Controller: ${String(error)}`);
}

async function until(id: string, status: Workbench['status'], seconds = 120): Promise<Workbench> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await delay(500)) {
    const { item } = answered(await api.GET('/workbenches/{id}', { params: { path: { id } } }));
    if (item.status === status) return item;
    if (item.status === 'failed') throw new Error(`It failed: ${item.status_message}`);
  }
  throw new Error(`It was not ${status} within ${seconds} s.`);
}

async function untilGone(id: string): Promise<void> {
  for (;;) {
    const { error } = await api.GET('/workbenches/{id}', { params: { path: { id } } });
    if (error?.error.reason === 'NotFound') return;
    await delay(500);
  }
}

try {
  const body = { workbench_name: 'From a program' } satisfies CreateWorkbench;
  const { item } = answered(await api.POST('/workbenches', { body }));
  const id = item.workbench_id;
  const path = { id };
  console.log(`${id} is made`);

  const running = await until(id, 'running');
  console.log(`It runs: ${running.public_endpoint}`);

  const { items } = answered(await api.GET('/workbenches'));
  console.log(
    `There are: ${items.map((each) => `${each.workbench_name ?? each.workbench_id}, ${each.status}`).join('; ')}`,
  );

  answered(await api.POST('/workbenches/{id}/stop', { params: { path } }));
  await until(id, 'stopped');
  console.log('It is stopped');

  answered(await api.DELETE('/workbenches/{id}', { params: { path } }));
  await untilGone(id);
  console.log('It is gone');
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
