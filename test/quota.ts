/** A quota that is in force: the API server's admission hears of a new one a moment after its making. */
import { eventually } from './eventually.ts';

type Kubectl = (args: string[], input?: string) => Promise<string>;

/** What would be refused then, in a namespace with restricted Pod Security. */
const PROBES = {
  pods: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe' },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'probe',
          image: 'registry.example/none',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  },
  services: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'probe' }, spec: { ports: [{ port: 80 }] } },
};

/** @param kubectl speaks to the namespace */
export async function quota(kubectl: Kubectl, kind: keyof typeof PROBES, hard: number): Promise<void> {
  await kubectl(['create', 'quota', 'small', `--hard=${kind}=${hard}`]);
  const probe = () =>
    kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(PROBES[kind])).catch((error: unknown) =>
      String(error),
    );
  await eventually('in force', probe, (said) => said.includes('exceeded quota'));
}
