import { stringify } from 'yaml';

export interface KubeconfigParts {
  server: string;
  user: string;
  ca: string;
  cert: string;
  key: string;
}

/** Everything inside one file: it can be copied elsewhere and outlives the directory of the certificates. */
export function renderKubeconfig({ server, user, ca, cert, key }: KubeconfigParts): string {
  const data = (text: string): string => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'workbench',
      contexts: [{ name: 'workbench', context: { cluster: 'workbench', user } }],
      clusters: [{ name: 'workbench', cluster: { server, 'certificate-authority-data': data(ca) } }],
      users: [{ name: user, user: { 'client-certificate-data': data(cert), 'client-key-data': data(key) } }],
    },
    { lineWidth: 0 },
  );
}
