/** What people with kubectl, and the cluster itself, do to objects beside the controller's back. */
import { collectionPath, objectPath } from '../../src/kube/kinds.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { newName } from '../../src/rest/new-name.ts';
import type { KubeObject } from '../../src/workbench/objects.ts';
import { API_VERSION, KIND } from '../../src/workbench/resource.ts';
import type { WorkbenchSpec } from '../../src/workbench/resource.ts';
import type { Observer, Seen } from '../observer.ts';
import type { Play } from './play.ts';

export interface Hands {
  newName: () => string;
  /** A manifest is applied. Resolves when everybody could have seen it. */
  make: (name: string, spec: Partial<WorkbenchSpec>) => Promise<void>;
  /** Anything else, whole. */
  makeOther: (kind: Kind, object: object) => Promise<void>;
  /** A merge patch of the Workbench, or of its one child of this kind. */
  edit: (kind: Kind, id: string, patch: object, subresource?: 'status') => Promise<KubeObject>;
  remove: (kind: Kind, id: string) => Promise<void>;
  /** What there is of a workbench. */
  view: (id: string) => Seen[];
  /** Resolves when it is so. */
  until: (what: string, id: string, isSo: () => boolean) => Promise<void>;
  /** Resolves when the status has this phase, and for a failure this reason, at the generation that is there. */
  untilPhase: (id: string, phase: string, reason?: string) => Promise<void>;
}

const PATIENCE_MS = 120_000;

export function hands(transport: Transport, observer: Observer, namespace: string, play: Play): Hands {
  function nameOf(kind: Kind, id: string): string {
    const found = observer.view(id).find((object) => object.kind === kind && !object.metadata.deletionTimestamp);
    if (!found) throw new Error(`${id} has no ${kind}`);
    return found.metadata.name;
  }

  async function until(what: string, id: string, isSo: () => boolean): Promise<void> {
    if (!(await observer.until(isSo, PATIENCE_MS)))
      throw new Error(`${id} was not ${what}; there is ${JSON.stringify(observer.view(id))}`);
  }

  const post = (kind: Kind, body: object) =>
    transport.call<KubeObject>('POST', collectionPath(kind, namespace), { body });

  return {
    newName,
    async make(name, spec) {
      play.ids.add(name);
      const body = { apiVersion: API_VERSION, kind: KIND, metadata: { name }, spec: { owner: play.user, ...spec } };
      const { metadata } = await post('Workbench', body);
      await until('made', name, () => observer.workbench(name)?.metadata.uid === metadata.uid);
    },
    makeOther: async (kind, object) => void (await post(kind, object)),
    async edit(kind, id, body, subresource) {
      const path = objectPath(kind, namespace, nameOf(kind, id)) + (subresource ? `/${subresource}` : '');
      return transport.call<KubeObject>('PATCH', path, { body, contentType: 'application/merge-patch+json' });
    },
    async remove(kind, id) {
      await transport.call('DELETE', objectPath(kind, namespace, nameOf(kind, id)));
    },
    view: (id) => observer.view(id),
    until,
    untilPhase: (id, phase, reason) =>
      until([phase, reason].join(' '), id, () => {
        const { metadata, status } = observer.workbench(id) ?? {};
        return (
          status?.phase === phase &&
          status.observedGeneration === metadata?.generation &&
          (reason === undefined || status.reason === reason)
        );
      }),
  };
}
