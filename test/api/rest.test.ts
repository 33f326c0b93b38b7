/** The REST facade against a real API server; Pods are simulated, so nothing here opens a page. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';

let cluster: Cluster;
let installation: Installation;
let alice: Client;
let bob: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, {
    env: { WB_DEFAULT_CPU: '100m', WB_DEFAULT_RAM: '64Mi', WORKBENCH_IMAGE: 'registry.example/lab:latest' },
  });
  alice = client(installation.rest, 'alice');
  bob = client(installation.rest, 'bob');
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

const raw = (path: string, init?: RequestInit) => fetch(installation.rest + path, init);

/** What is answered to these bytes, until the connection is closed. */
async function overTcp(sent: string): Promise<string> {
  const { hostname, port } = new URL(installation.rest);
  const socket = connectTcp(Number(port), hostname, () => socket.write(sent));
  return text(socket);
}

describe('the original contract, to the letter', () => {
  test('create, poll until running, stop, start, list', async () => {
    const created = await raw('/workbenches?user_id=carol', { method: 'POST' });
    expect(created.status).toBe(201);
    const { success, item } = (await created.json()) as { success: boolean; item: Record<string, string> };
    expect(success).toBe(true);
    expect(item).toMatchObject({ user_id: 'carol', workbench_id: expect.stringMatching(/^wb-[a-z2-7]{20}$/) });
    const id = item.workbench_id!;
    expect(item.public_endpoint).toBe(`http://cloud.example/project/${id}`);

    const carol = client(installation.rest, 'carol');
    const running = await carol.until(id, 'running');
    expect(Object.keys(running)).not.toContain('status_reason');
    expect(Object.values(running)).not.toContain(null);
    expect(running).toMatchObject({
      image: 'registry.example/lab:latest',
      requested_cpu: '100m',
      requested_memory: '64Mi',
    });
    expect(Date.parse(String(running.created_at))).toBeGreaterThan(0);
    expect(Date.parse(String(running.started_at))).toBeGreaterThan(0);

    expect((await carol.call('POST', `/${id}/stop`)).body).toEqual({ success: true });
    expect(['stopping', 'stopped']).toContain((await carol.get(id)).status);
    await carol.until(id, 'stopped');
    expect((await carol.call('POST', `/${id}/start`)).body).toEqual({ success: true });
    expect(['starting', 'pending', 'provisioning', 'running']).toContain((await carol.get(id)).status);
    await carol.until(id, 'running');
    expect((await carol.call('GET')).body).toMatchObject({ success: true, items: [{ workbench_id: id }] });
  });

  test('each create makes another workbench, and the list has them in the order of their making', async () => {
    const dave = client(installation.rest, 'dave');
    const made = [await dave.create(), await dave.create({}), await dave.create({ workbench_name: 'third' })];
    const { items } = (await dave.call('GET')).body;
    expect(items!.map(({ workbench_id: id }) => id).toSorted()).toEqual(
      made.map(({ workbench_id: id }) => id).toSorted(),
    );
    expect((await client(installation.rest, 'nobody').call('GET')).body).toEqual({ success: true, items: [] });
  });

  test('start and stop do nothing when there is nothing to do', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    const pods = () =>
      cluster.kubectl([
        'get',
        'pods',
        '-n',
        'workbenches',
        '-l',
        `workbench.h1st.ai/id=${id}`,
        '-o',
        'jsonpath={.items[*].metadata.uid}',
      ]);
    const before = await pods();
    await alice.start(id);
    await alice.start(id);
    expect(await pods()).toBe(before);
    await alice.stop(id);
    await alice.stop(id);
    await alice.until(id, 'stopped');
    await alice.stop(id);
    expect((await alice.get(id)).status).toBe('stopped');
  });

  test('ten stops and starts without a pause leave a fresh Pod running, and only one', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    for (let round = 0; round < 10; round++) {
      await alice.stop(id);
      await alice.start(id);
    }
    await alice.until(id, 'running');
    const pods = await cluster.kubectl([
      'get',
      'pods',
      '-n',
      'workbenches',
      '-l',
      `workbench.h1st.ai/id=${id}`,
      '-o',
      'name',
    ]);
    expect(pods.trim().split('\n')).toHaveLength(1);
  });
});

describe('errors are one sentence and a reason', () => {
  test.each<
    [
      what: string,
      method: string,
      path: string,
      body: string | undefined,
      status: number,
      reason: string,
      message: RegExp,
    ]
  >([
    ['no user', 'GET', '/workbenches', undefined, 400, 'Invalid', /user_id is missing/],
    ['an empty user', 'POST', '/workbenches?user_id=', undefined, 400, 'Invalid', /user_id is missing/],
    ['two users', 'GET', '/workbenches?user_id=a&user_id=b', undefined, 400, 'Invalid', /must be there once/],
    ['an unprintable user', 'GET', '/workbenches?user_id=a%0ab', undefined, 400, 'Invalid', /printable/],
    ['a user that is too long', 'GET', `/workbenches?user_id=${'x'.repeat(254)}`, undefined, 400, 'Invalid', /253/],
    [
      'an unknown field',
      'POST',
      '/workbenches?user_id=a',
      '{"colour":"red"}',
      400,
      'Invalid',
      /Unknown field "colour"/,
    ],
    [
      'a class that is not there',
      'POST',
      '/workbenches?user_id=a',
      '{"class":"gpu"}',
      400,
      'ClassMissing',
      /no workbench class "gpu"/,
    ],
    [
      'a wrong size',
      'POST',
      '/workbenches?user_id=a',
      '{"requested_cpu":"lots"}',
      400,
      'Invalid',
      /^requested_cpu: must be a positive Kubernetes quantity/,
    ],
    [
      'a negative size',
      'POST',
      '/workbenches?user_id=a',
      '{"requested_memory":"-1Gi"}',
      400,
      'Invalid',
      /^requested_memory: /,
    ],
    [
      'a fraction of a GPU',
      'POST',
      '/workbenches?user_id=a',
      '{"requested_gpu":0.5}',
      400,
      'Invalid',
      /^requested_gpu: /,
    ],
    [
      'a name that is no text',
      'POST',
      '/workbenches?user_id=a',
      '{"workbench_name":7}',
      400,
      'Invalid',
      /^workbench_name: /,
    ],
    [
      'a reserved variable',
      'POST',
      '/workbenches?user_id=a',
      '{"env":[{"name":"WORKBENCH_ID","value":"x"}]}',
      400,
      'Invalid',
      /env\.0\.name: this name is reserved/,
    ],
    [
      'a variable from a Secret',
      'POST',
      '/workbenches?user_id=a',
      '{"env":[{"name":"A","valueFrom":{}}]}',
      400,
      'Invalid',
      /valueFrom/,
    ],
    [
      'a variable that is there twice',
      'POST',
      '/workbenches?user_id=a',
      '{"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}',
      400,
      'Invalid',
      /"A" is there twice/,
    ],
    [
      'an image that is no reference',
      'POST',
      '/workbenches?user_id=a',
      '{"image":"UPPER case"}',
      400,
      'Invalid',
      /^image: must be/,
    ],
    [
      'an image that is not allowed',
      'POST',
      '/workbenches?user_id=a',
      '{"image":"evil.example/x"}',
      400,
      'ImageNotAllowed',
      /evil\.example\/x/,
    ],
    ['a list as body', 'POST', '/workbenches?user_id=a', '[]', 400, 'Invalid', /must be a JSON object/],
    ['null as body', 'POST', '/workbenches?user_id=a', '"x"', 400, 'Invalid', /must be a JSON object/],
    ['broken JSON', 'POST', '/workbenches?user_id=a', '{"a":', 400, 'Invalid', /not valid JSON/],
    ['a prototype', 'POST', '/workbenches?user_id=a', '{"__proto__":{"image":"x"}}', 400, 'Invalid', /__proto__/],
    [
      'a body that is too large',
      'POST',
      '/workbenches?user_id=a',
      JSON.stringify({ workbench_name: 'x'.repeat(300_000) }),
      413,
      'TooLarge',
      /256 KiB/,
    ],
    [
      'a workbench that is not there',
      'GET',
      '/workbenches/wb-nothere?user_id=a',
      undefined,
      404,
      'NotFound',
      /no workbench "wb-nothere" of yours/,
    ],
    ['an id that is none', 'GET', '/workbenches/..%2f..%2fapi?user_id=a', undefined, 404, 'NotFound', /of yours/],
    [
      'an id that is not well encoded',
      'GET',
      '/workbenches/%zz?user_id=a',
      undefined,
      400,
      'Invalid',
      /not well encoded/,
    ],
    ['an unknown path', 'GET', '/nowhere?user_id=a', undefined, 404, 'NotFound', /no such path/],
    ['a method that is not there', 'PUT', '/workbenches?user_id=a', undefined, 405, 'MethodNotAllowed', /GET, POST/],
  ])('%s', async (_what, method, path, body, status, reason, message) => {
    const response = await raw(path, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as { success: boolean; error: { message: string; reason: string } };
    expect([response.status, answer.error.reason]).toEqual([status, reason]);
    expect(answer).toEqual({ success: false, error: { message: expect.stringMatching(message), reason } });
    expect(answer.error.message).toMatch(/\.$/);
    expect(answer.error.message).not.toMatch(/\.ts|node_modules| at /);
  });

  test('the description is served to whoever asks, and each path of it takes exactly the methods that it names', async () => {
    const described = (await (await raw('/openapi.json')).json()) as { paths: Record<string, object> };
    expect(Object.keys(described.paths).length).toBeGreaterThan(5);
    for (const [path, operations] of Object.entries(described.paths)) {
      const methods = Object.keys(operations).filter((name) => name !== 'parameters');
      const { status, headers } = await raw(`${path.replace('{id}', 'none')}?user_id=a`, { method: 'PUT' });
      expect([path, status, headers.get('allow')]).toEqual([path, 405, methods.join(', ').toUpperCase()]);
    }
  });

  test('a body that is not JSON is 415, an empty one of any type is none', async () => {
    const wrong = await raw('/workbenches?user_id=a', {
      method: 'POST',
      body: 'x=1',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(wrong.status).toBe(415);
    const empty = await raw('/workbenches?user_id=a', {
      method: 'POST',
      body: '',
      headers: { 'content-type': 'text/plain' },
    });
    expect(empty.status).toBe(201);
  });

  test('a body that is no gzip, though it says so, is 400', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await raw('/workbenches?user_id=a', { method: 'POST', body: '{}', headers })).status).toBe(400);
  });

  test("every request has an id: the client's own if it is harmless", async () => {
    const id = async (given?: string) =>
      (await raw('/workbenches?user_id=a', given ? { headers: { 'x-request-id': given } } : {})).headers.get(
        'x-request-id',
      );
    expect(await id('portal-42')).toBe('portal-42');
    expect(await id('x'.repeat(200))).toMatch(/^[0-9a-f-]{36}$/);
    expect(await id()).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each<[what: string, sent: string, status: number, reason: string]>([
    ['bytes that are no HTTP', '\x16\x03\x01 hello\r\n\r\n', 400, 'Invalid'],
    ['headers that are too large', `GET /workbenches HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'TooLarge'],
    ['a target that is no path', 'GET foo://x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 404, 'NotFound'],
  ])('%s are answered as everything else is', async (_what, sent, status, reason) => {
    const answer = await overTcp(sent);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ success: false, error: { reason } });
  });

  test('a stream that ends without a byte is no body', async () => {
    const headers = 'host: x\r\ntransfer-encoding: chunked\r\nconnection: close';
    expect(await overTcp(`POST /workbenches?user_id=a HTTP/1.1\r\n${headers}\r\n\r\n0\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 201 /,
    );
  });

  test('a body in another character set than UTF-8 is 415', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-16' };
    expect((await raw('/workbenches?user_id=a', { method: 'POST', body: '{}', headers })).status).toBe(415);
  });

  test('a page of another site makes nothing through the browser of somebody who has it open', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    const answer = await raw('/workbenches?user_id=mallory', { method: 'POST', headers });
    expect([answer.status, ((await answer.json()) as { error: object }).error]).toMatchObject([
      403,
      { reason: 'CrossSite' },
    ]);
    expect(await (await raw('/workbenches?user_id=mallory', { headers })).json()).toEqual({ success: true, items: [] });
  });
});

describe("another user's workbench", () => {
  test('is not there: no call reads, changes or reveals it', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    const missing = (await bob.call('GET', '/wb-nothere')).body.error!.message.replace('wb-nothere', id);
    for (const [method, path, body] of [
      ['GET', `/${id}`],
      ['POST', `/${id}/start`],
      ['POST', `/${id}/stop`],
      ['PATCH', `/${id}`, { workbench_name: 'mine' }],
      ['DELETE', `/${id}`],
    ] as const) {
      const answer = await bob.call(method, path, body);
      expect([method, answer.status, answer.body.error!.message]).toEqual([method, 404, missing]);
    }
    expect((await bob.call('GET')).body.items).toEqual([]);
    expect((await alice.get(id)).status).toBe('running');
    await cluster.kubectl(['patch', 'wb', id, '-n', 'workbenches', '--type=merge', '-p', '{"spec":{"owner":"bob"}}']);
    expect((await alice.call('POST', `/${id}/stop`)).status).toBe(404);
    expect((await bob.get(id)).user_id).toBe('bob');
  });
});

describe('PATCH', () => {
  test('renames at once; sizes and image take effect at the next start, and the item says so until then', async () => {
    const { workbench_id: id } = await alice.create({ workbench_name: 'before' });
    await alice.until(id, 'running');
    const renamed = await alice.call('PATCH', `/${id}`, { workbench_name: 'after' });
    expect(renamed.body.item).toMatchObject({ workbench_name: 'after', status: 'running' });
    expect(renamed.body.item).not.toHaveProperty('restart_required');
    const resized = await alice.call('PATCH', `/${id}`, {
      requested_memory: '128Mi',
      image: 'registry.example/lab:v2',
    });
    expect(resized.body.item).toMatchObject({
      requested_memory: '128Mi',
      requested_cpu: '100m',
      image: 'registry.example/lab:v2',
      restart_required: true,
    });
    await alice.stop(id);
    await alice.until(id, 'stopped');
    await alice.start(id);
    expect(await alice.until(id, 'running')).not.toHaveProperty('restart_required');
    const limits = await cluster.kubectl([
      'get',
      'pods',
      '-n',
      'workbenches',
      '-l',
      `workbench.h1st.ai/id=${id}`,
      '-o',
      'jsonpath={.items[*].spec.containers[0].resources.limits.memory} {.items[*].spec.containers[0].image}',
    ]);
    expect(limits).toBe('128Mi registry.example/lab:v2');
    const reset = await alice.call('PATCH', `/${id}`, { requested_memory: null, image: null, workbench_name: null });
    expect(reset.body.item).toMatchObject({ requested_memory: '64Mi', image: 'registry.example/lab:latest' });
    expect(reset.body.item).not.toHaveProperty('workbench_name');
  });

  test.each([
    [{ image: 'evil.example/x' }, 'ImageNotAllowed'],
    [{ owner: 'bob' }, 'Invalid'],
    [{ requested_cpu: '0' }, 'Invalid'],
  ])('refuses %j', async (body, reason) => {
    const { workbench_id: id } = await alice.create();
    const answer = await alice.call('PATCH', `/${id}`, body);
    expect([answer.status, answer.body.error!.reason]).toEqual([400, reason]);
  });
});

test('forty edits and starts of one workbench at once are all taken', async () => {
  const { workbench_id: id } = await alice.create();
  await alice.stop(id);
  await alice.until(id, 'stopped');
  const calls = Array.from({ length: 40 }, (_, i) =>
    i % 4 === 0
      ? alice.call('POST', `/${id}/start`)
      : alice.call('PATCH', `/${id}`, { workbench_name: `name ${i}`, requested_cpu: `${i}m` }),
  );
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(40).fill(200));
  await alice.until(id, 'running');
});

describe('DELETE', () => {
  test('says stopping until nothing is left, is safe to repeat, and then there is no such workbench', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    expect((await alice.call('DELETE', `/${id}`)).body).toEqual({ success: true });
    const next = await alice.call('GET', `/${id}`);
    expect(next.status === 404 || next.body.item!.status === 'stopping').toBe(true);
    const again = await alice.call('DELETE', `/${id}`);
    expect([200, 404]).toContain(again.status);
    await alice.untilGone(id);
    expect((await alice.call('DELETE', `/${id}`)).status).toBe(404);
    const left = await cluster.kubectl([
      'get',
      'pods,services,ingresses,wb',
      '-n',
      'workbenches',
      '-l',
      `workbench.h1st.ai/id=${id}`,
      '-o',
      'name',
    ]);
    expect(left.trim()).toBe('');
  });
});

describe('GitOps keeps spec.state', () => {
  test('start and stop are refused and name who keeps it; a manifest without state may be started and stopped', async () => {
    const manifest = (name: string, state: string) =>
      `{"apiVersion":"workbench.h1st.ai/v1","kind":"Workbench","metadata":{"name":"${name}","namespace":"workbenches"},"spec":{"owner":"alice"${state}}}`;
    await cluster.kubectl(
      ['apply', '--server-side', '--field-manager=flux', '-f', '-'],
      manifest('kept', ',"state":"Running"'),
    );
    await cluster.kubectl(['apply', '--server-side', '--field-manager=flux', '-f', '-'], manifest('free', ''));
    await alice.until('kept', 'running');
    for (const action of ['start', 'stop']) {
      const answer = await alice.call('POST', `/kept/${action}`);
      expect([answer.status, answer.body.error]).toEqual([
        409,
        { reason: 'ManagedElsewhere', message: expect.stringContaining('"flux"') },
      ]);
    }
    await alice.until('free', 'running');
    await alice.stop('free');
    await alice.until('free', 'stopped');
  });
});

describe('health and the state page', () => {
  test('livez, readyz and metrics answer on their own port, and the REST port has none of them', async () => {
    expect((await fetch(`${installation.health}/livez`)).status).toBe(200);
    expect(await (await fetch(`${installation.health}/readyz`)).text()).toBe('ok\n');
    expect((await fetch(`${installation.health}/metrics`)).headers.get('content-type')).toContain('text/plain');
    expect((await fetch(`${installation.health}/elsewhere`)).status).toBe(404);
    expect((await raw('/livez')).status).toBe(404);
    expect((await raw('/metrics')).status).toBe(404);
  });

  test('any path under /project shows the state: 503, Retry-After, a header, and nothing executable', async () => {
    const { workbench_id: id } = await alice.create();
    await alice.until(id, 'running');
    await alice.stop(id);
    await alice.until(id, 'stopped');
    for (const path of [`/project/${id}`, `/project/${id}/lab/tree?x=1`]) {
      const response = await fetch(installation.page + path);
      expect([response.status, response.headers.get('workbench-status'), response.headers.get('retry-after')]).toEqual([
        503,
        'stopped',
        '2',
      ]);
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(await response.text()).toContain('This workbench is stopped');
    }
    for (const path of [
      '/project',
      '/project/',
      '/project/nobody',
      '/project/%3Cscript%3E',
      '/',
      '/workbenches?user_id=alice',
    ]) {
      const response = await fetch(installation.page + path);
      expect([path, response.status, response.headers.get('workbench-status')]).toEqual([path, 503, 'unknown']);
      expect(await response.text()).not.toContain('<script');
    }
  });
});

test('the log names no user, no body and no query', async () => {
  const text = JSON.stringify(installation.log());
  expect(text).toContain('/workbenches');
  expect(text).not.toContain('user_id');
  expect(installation.log().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});
