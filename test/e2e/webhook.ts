/** A mutating webhook for Pods, as a service mesh brings one: it runs in the test, and the API server asks it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../eventually.ts';

const NAME = 'meddler.example.com';

export interface Webhook {
  /** May be called again. */
  remove: () => Promise<void>;
}

/** Applies this JSON Patch to every new Pod; resolves when the API server has begun to ask. */
export async function mutatingWebhook(cluster: Cluster, patch: object[]): Promise<Webhook> {
  const { cert, key } = await selfSigned(cluster.dir);
  let asked = 0;
  const server = createServer({ cert, key }, (request, answer) => {
    void json(request).then((review) => {
      asked += 1;
      const { uid } = (review as { request: { uid: string } }).request;
      const response = {
        uid,
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      };
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        name: NAME,
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          caBundle: Buffer.from(cert).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(configuration));
  const probe = async () => {
    const image = ['run', 'probe', '-n', 'default', '--image=none.example/none', '--dry-run=server'];
    await cluster.kubectl(image).catch(() => undefined);
    return asked;
  };
  await eventually('asked by the API server', probe, (times) => times > 0);
  return {
    async remove() {
      await cluster.kubectl(['delete', 'mutatingwebhookconfiguration', NAME, '--ignore-not-found']);
      server.close();
      server.closeAllConnections();
    },
  };
}

async function selfSigned(parent: string): Promise<{ cert: string; key: string }> {
  const dir = mkdtempSync(join(parent, 'webhook-'));
  const [cert, key] = [join(dir, 'tls.crt'), join(dir, 'tls.key')];
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '1'];
  const names = ['-subj', `/CN=${NAME}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...how, ...names, '-out', cert, '-keyout', key]);
  const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(dir, { recursive: true });
  return pair;
}
