/** Sees every Pod of a namespace that is ever made, as it was made, by a watch of its own. */
import { Collection } from '../src/kube/collection.ts';
import { connect } from '../src/kube/connect.ts';
import { collectionPath } from '../src/kube/kinds.ts';
import { Reflector } from '../src/kube/reflector.ts';
import { createTransport } from '../src/kube/transport.ts';
import { controllerOf } from '../src/workbench/identity.ts';
import type { Pod } from '../src/workbench/objects.ts';
import { KIND } from '../src/workbench/resource.ts';

export interface Witness {
  /** Of all Workbenches, the first that was made first; those that are gone too. */
  pods: () => Pod[];
  podOf: (workbench: string) => Pod | undefined;
  stop: () => Promise<void>;
}

export async function witness(kubeconfig: string, namespace: string): Promise<Witness> {
  const seen = new Map<string, Pod>();
  const collection = new Collection<Pod>({
    onChange(pod) {
      const isWorkbenches = controllerOf(pod)?.kind === KIND;
      if (isWorkbenches && !seen.has(pod.metadata.uid!)) seen.set(pod.metadata.uid!, pod);
    },
  });
  const transport = createTransport(connect(kubeconfig), 'witness');
  const stopping = new AbortController();
  const reflector = new Reflector<Pod>({
    info: { kind: 'Pod', trim: (pod) => pod },
    path: collectionPath('Pod', namespace),
    transport,
    collection,
    signal: stopping.signal,
    onProblem: ({ error }) => {
      throw new Error('The witness has looked away', { cause: error });
    },
  });
  const ended = reflector.run();
  await reflector.synced;
  return {
    pods: () => [...seen.values()],
    podOf: (workbench) => [...seen.values()].find((pod) => controllerOf(pod)!.name === workbench),
    async stop() {
      stopping.abort();
      await ended;
      await transport.close();
    },
  };
}
