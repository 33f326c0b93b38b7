/** The API, asked all that its own description allows and much that it does not, before a real API server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import { pythonWithSchemathesis } from '../fuzz/schemathesis.ts';
import { install } from '../installation.ts';
import type { Installation } from '../installation.ts';

const SECRET = 'a-secret-of-this-test-and-of-nobody-else';

/** As schemathesis.toml has them. */
const VOLUMES = Array.from({ length: 8 }, (_, index) => `files-${index}`);

const classNamed = (name: string, spec: object) => ({
  apiVersion: 'workbench.h1st.ai/v1',
  kind: 'WorkbenchClass',
  metadata: { name, namespace: 'workbenches' },
  spec,
});

/** One that an earlier workbench has left. */
const volume = (name: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'workbenches',
    labels: { 'app.kubernetes.io/managed-by': 'workbench-controller' },
    annotations: { 'workbench.h1st.ai/owner': 'alice' },
  },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});

const apply = (items: object[]) =>
  cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));

let python: string;
let cluster: Cluster;
let installation: Installation;

beforeAll(async () => {
  python = await pythonWithSchemathesis(elapsedReport());
  cluster = await startCluster({ nodes: 'simulated', kinds: 'crds/workbenches.yaml' });
  installation = await install(cluster, {
    env: { WB_DEFAULT_CPU: '100m', WB_DEFAULT_RAM: '64Mi', WORKBENCH_IMAGE: 'registry.example/lab:latest' },
  });
  await apply([classNamed('plain', {}), classNamed('stored', { storage: { size: '1Gi' } }), ...VOLUMES.map(volume)]);
});

afterAll(async () => {
  await installation?.end();
  await cluster?.stop();
});

/** An answer that the description tells of, such as 503, may be logged as an error. */
const defects = () =>
  installation.log().filter(({ level, msg }) => level === 'fatal' || String(msg).startsWith('Something went wrong'));

test('every answer is one that the description tells of, and nothing makes it fail', async () => {
  const { requests, operations, unreached } = await fuzz({ python, rest: installation.rest, examples: 40 });
  expect(requests).toBeGreaterThan(500);
  expect(operations).toBeGreaterThan(9);
  expect(unreached).toEqual([]);
  expect(defects()).toEqual([]);
});

test('the same holds where tokens are asked for, and without one nobody gets in', async () => {
  await installation.end();
  await installation.start({ RESTAPI_AUTH_JWT_KEY: SECRET });
  const token = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
  // The other test has removed some of them.
  await apply(VOLUMES.map(volume));
  const quick = { python, rest: installation.rest, examples: 15 };
  const { operations, unreached } = await fuzz({ ...quick, token });
  expect(unreached.length).toBeLessThan(operations / 2);
  expect((await fuzz({ ...quick, isStranger: true, phases: 'coverage,fuzzing' })).operations).toBeGreaterThan(9);
  expect(defects()).toEqual([]);
});
