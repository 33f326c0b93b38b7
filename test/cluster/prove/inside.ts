/**
 * What a client inside the cluster does, as the objects of one: a Pod with nothing but Node speaks to the API server as
 * its ServiceAccount, and to another Pod by its Service's ClusterIP. It ends with code 0 when both answered.
 */
export function insideObjects(namespace: string, image: string): object[] {
  const meta = { name: 'inside', namespace };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...meta, name: 'proof-address' },
      spec: { selector: { app: 'proof' }, ports: [{ port: 80, targetPort: 8888 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: meta,
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: 'proof',
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'inside',
            image,
            command: ['/usr/local/bin/node', '--eval', script],
            env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt' }],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    },
  ];
}

/** Through its own Service's ClusterIP back to itself: the packet leaves the Pod and returns to it. */
export const toItself = `fetch('http://' + process.env.PROOF_ADDRESS_SERVICE_HOST + '/project/proof/version', {
  signal: AbortSignal.timeout(5000),
}).then(async (answer) => console.log(answer.status, await answer.text()));`;

const script = `
const { readFileSync } = require('node:fs');
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, PROOF_ADDRESS_SERVICE_HOST: other } = process.env;
const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
const headers = { authorization: 'Bearer ' + token };

async function get(url, options) {
  // The rules follow an object by up to a second.
  for (let tries = 0; ; tries++) {
    try {
      const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(2000) });
      console.log(url, answer.status, (await answer.text()).slice(0, 40));
      return answer.ok;
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

(async () => {
  const both = [await get('https://' + host + ':' + port + '/livez', { headers }), await get('http://' + other + '/project/proof/version')];
  if (both.includes(false)) process.exit(1);
})();
`;
