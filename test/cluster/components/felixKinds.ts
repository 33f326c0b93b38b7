import { create, type Access } from '../access/ask.ts';
import { until } from '../run/until.ts';

const group = 'crd.projectcalico.org';

/** Felix starts when it can list them all, though none but the first has an object here. */
const kinds = [
  'ClusterInformation',
  'FelixConfiguration',
  'BGPConfiguration',
  'GlobalNetworkPolicy',
  'GlobalNetworkSet',
  'HostEndpoint',
  'IPPool',
  'NetworkPolicy',
  'NetworkSet',
];

/** Calico's own kinds, without their schemas, and the one object by which Felix is told that the cluster is set up. */
export async function createFelixKinds(access: Access): Promise<void> {
  await Promise.all(
    kinds.map((kind) => create(access, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(kind))),
  );
  const information = {
    apiVersion: `${group}/v1`,
    kind: 'ClusterInformation',
    metadata: { name: 'default' },
    spec: { datastoreReady: true },
  };
  // The kind is served a moment after it was made.
  await until("Calico's kinds", 30, [], async () => {
    await create(access, `/apis/${group}/v1/clusterinformations`, information);
    return true;
  });
}

function definition(kind: string): unknown {
  const singular = kind.toLowerCase();
  const plural = singular.replace(/y$/, 'ie') + 's';
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular },
      scope: kind.startsWith('Network') ? 'Namespaced' : 'Cluster',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
