import { stringify } from 'yaml';
import { create, type Access } from '../access/ask.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

export const KWOK_USER = 'system:kwok';

export const simulatedNodeNames = [0, 1, 2, 3, 4].map((index) => `simulated-${index}`);

/** Plays the kubelets of the simulated nodes. Pods get addresses in 10.0.0.0/8 that lead nowhere: never send to one. */
export function startKwok(run: RunDirectory, binary: string, kubeconfig: string): Component {
  const config = run.write(
    'kwok.yaml',
    stringify({
      apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
      kind: 'KwokConfiguration',
      // Four at a time, the default, is the bottleneck of a launch of hundreds.
      options: { podPlayStageParallelism: 64 },
    }),
  );
  return startComponent(run, {
    name: 'kwok',
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--config=${config}`,
      '--manage-all-nodes=true',
      '--cidr=10.0.0.0/8',
      '--node-ip=127.0.0.1',
      // Without leases the control plane gives the nodes up after 40 s, and every workbench on them is rightly called lost.
      '--node-lease-duration-seconds=40',
    ],
  });
}

/**
 * kwok plays a stage by a Pod's name alone, and sometimes twice. The second removal would take the successor that has the same
 * name, and the second "it runs" would overwrite what a test has said of the Pod since. A kubelet knows which Pod it means and
 * how that is; so this API server refuses kwok the removal of what is not terminating, and word of a Pod that has an address.
 */
export async function refuseRepeatedStages(access: Access): Promise<void> {
  const name = 'kwok-plays-each-stage-once';
  const policies = '/apis/admissionregistration.k8s.io/v1';
  await create(access, `${policies}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['pods'] },
          { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/status'] },
        ],
      },
      matchConditions: [{ name: 'kwok', expression: `request.userInfo.username == '${KWOK_USER}'` }],
      validations: [
        {
          expression: "request.operation != 'DELETE' || has(oldObject.metadata.deletionTimestamp)",
          message: 'this Pod is not terminating',
        },
        {
          expression: "request.operation != 'UPDATE' || !has(oldObject.status.podIP)",
          message: 'this Pod has been said to run',
        },
      ],
    },
  });
  await create(access, `${policies}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  });
}

/** A handful of nodes with room for any number of Pods: their number is not what these clusters are for. */
export async function createSimulatedNodes(access: Access): Promise<void> {
  const room = { cpu: '100k', memory: '1Pi', pods: '1M', 'ephemeral-storage': '1Pi' };
  for (const name of simulatedNodeNames) {
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
    await create(access, '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
      status: { capacity: room, allocatable: room },
    });
  }
}
