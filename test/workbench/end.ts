/** What a world has come to, in a form in which two of them can be compared: without times, nodes and digests. */
import { isDeepStrictEqual } from 'node:util';
import type { Kind, KindTypes } from '../../src/kube/kinds.ts';
import { ANNOTATION_IMAGE, ANNOTATION_REQUESTED, controllerOf } from '../../src/workbench/identity.ts';
import type { Claim, Ingress, Pod, Service } from '../../src/workbench/objects.ts';
import { isReady } from '../../src/workbench/phase.ts';
import type { Workbench } from '../../src/workbench/resource.ts';
import { isLeaving } from '../../src/workbench/steps.ts';
import { digestFor } from './world.ts';

export interface End {
  status?: unknown;
  Pod?: unknown;
  Service?: unknown;
  Ingress?: unknown;
  Claim?: unknown;
}

/** Where objects are listed: a world, or what was read of a real one. */
export interface Lists {
  list: <K extends Kind>(kind: K) => KindTypes[K][];
}

export function endOf(lists: Lists, name: string): End {
  const workbench = lists.list('Workbench').find(({ metadata }) => metadata.name === name);
  const pods = lists.list('Pod').toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const [service] = lists.list('Service');
  const [ingress] = lists.list('Ingress');
  const [claim] = lists.list('PersistentVolumeClaim');
  return {
    ...(workbench ? { status: statusOf(workbench, pods) } : {}),
    ...(pods.length > 0 ? { Pod: pods.map((pod) => podOf(pod, workbench)) } : {}),
    ...(service ? { Service: childOf(service) } : {}),
    ...(ingress ? { Ingress: childOf(ingress) } : {}),
    ...(claim ? { Claim: childOf(claim) } : {}),
  };
}

function statusOf({ status, metadata }: Workbench, pods: Pod[]): unknown {
  const { phase, reason, message, conditions, publicEndpoint, run, podUID, image, observedGeneration } = status ?? {};
  return {
    phase,
    reason,
    message,
    publicEndpoint,
    run,
    // Without a Pod it is what the last one of this run had, and may be kept for the next.
    ...(podUID ? { image: image?.requested } : {}),
    conditions: conditions?.map((one) => [one.type, one.status, one.reason, one.message]),
    isCurrent: observedGeneration === metadata.generation,
    hasPod: podUID === undefined ? 'none is named' : pods.some((pod) => pod.metadata.uid === podUID),
  };
}

function childOf(object: Pod | Service | Ingress | Claim): object {
  // The API server leaves out what is empty.
  const { name, labels = {}, annotations = {} } = object.metadata;
  return { name, labels, annotations, owner: controllerOf(object), isLeaving: isLeaving(object), spec: object.spec };
}

/** A replacement runs the digest that its run had: the same image by another name. */
function podOf(pod: Pod, workbench: Workbench | undefined): unknown {
  const requested = workbench?.status?.image?.requested ?? '';
  const { nodeName: _, containers, ...spec } = pod.spec!;
  const named = (image: string) => (image.endsWith(`@${digestFor(requested)}`) ? requested : image);
  const { [ANNOTATION_IMAGE]: asked, [ANNOTATION_REQUESTED]: _noted, ...annotations } = pod.metadata.annotations ?? {};
  const metadata = { ...pod.metadata, annotations: { ...annotations, ...(asked ? { asked: named(asked) } : {}) } };
  const containersAsNamed = containers.map((one) => ({ ...one, image: named(one.image) }));
  return { ...childOf({ ...pod, metadata }), spec: { ...spec, containers: containersAsNamed }, isReady: isReady(pod) };
}

/** Where two ends differ, one line for each place. */
export function differences(seen: unknown, wanted: unknown, path = ''): string[] {
  if (isDeepStrictEqual(seen, wanted)) return [];
  if (!isObject(seen) || !isObject(wanted))
    return [`${path.slice(1)}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`];
  const keys = new Set([...Object.keys(seen), ...Object.keys(wanted)]);
  return [...keys].flatMap((key) => differences(seen[key], wanted[key], `${path}.${key}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
