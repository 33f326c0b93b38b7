/** Names, labels, ownership and addresses: everything that says whose an object is and where it is found. */
import { hash } from 'node:crypto';
import type { KubeObject, OwnerReference } from './objects.ts';
import { API_VERSION, GROUP, KIND } from './resource.ts';
import type { Workbench } from './resource.ts';
import type { Settings } from './settings.ts';

export const LABEL_ID = `${GROUP}/id`;
export const LABEL_UID = `${GROUP}/uid`;
/** The Pod's annotation that says what the author's own fields were when it was made. */
export const ANNOTATION_STAMP = `${GROUP}/stamp`;
/** The Pod's annotation that says which image it was made with: a webhook may have put another reference in its place. */
export const ANNOTATION_IMAGE = `${GROUP}/image`;
/** The Pod's annotation that says which image was asked for, where the Pod was made with the digest that it stood for. */
export const ANNOTATION_REQUESTED = `${GROUP}/requested-image`;
/** The Pod's annotation that says that its path is taken off on the way to it. */
export const ANNOTATION_STRIPPED = `${GROUP}/path-stripped`;
/** The Pod's annotation that says what its class asked for when it was made. */
export const ANNOTATION_CLASS = `${GROUP}/class-stamp`;
export const ANNOTATION_RUN = `${GROUP}/run`;
/** The claim's annotation that says whose files are in it, to the letter. */
export const ANNOTATION_OWNER = `${GROUP}/owner`;

/** The claim's annotation that says which class its workbench is, or was, of. */
export const ANNOTATION_CLASS_NAME = `${GROUP}/class`;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Every pass asks for the same few again. */
const hashes = new Map<string, string>();
const REMEMBERED = 10_000;

/** 10 characters (50 bits) over one workbench's own history: enough, since the API server refuses a second of a name. */
export function shortHash(text: string): string {
  const known = hashes.get(text);
  if (known !== undefined) return known;
  if (hashes.size >= REMEMBERED) hashes.clear();
  const made = hashed(text);
  hashes.set(text, made);
  return made;
}

function hashed(text: string): string {
  const digest = hash('sha256', text, 'buffer');
  return [...digest.subarray(0, 10)].map((byte) => ALPHABET[byte % 32]).join('');
}

export function uidOf(workbench: Workbench): string {
  return workbench.metadata.uid ?? '';
}

/** The run that is wanted now; a spec without one is the run "". */
export function runOf(workbench: Workbench): string {
  return workbench.spec.run ?? '';
}

/** Another run, another Pod: so a start never meets its predecessor's Pod, and a repeated create is answered AlreadyExists. */
export function podName(workbench: Workbench, run = runOf(workbench)): string {
  return `${workbench.metadata.name}-${shortHash(`${uidOf(workbench)}/${run}`)}`;
}

export function serviceName(workbench: Workbench): string {
  return `${workbench.metadata.name}-${shortHash(uidOf(workbench))}`;
}

/** The claim that an author names, or the one that is made for this workbench. */
export function claimName(workbench: Workbench): string {
  return workbench.spec.storage?.claimName ?? `${workbench.metadata.name}-${shortHash(uidOf(workbench))}`;
}

/** Named by the id alone, so that the API server guarantees one object per path. */
export function ingressName(workbench: Workbench): string {
  return workbench.metadata.name;
}

/** What its Service selects by; the store finds Pods by the first, so whoever is selected is seen. */
export function selectorLabels(workbench: Workbench): Record<string, string> {
  return { [LABEL_ID]: workbench.metadata.name, [LABEL_UID]: uidOf(workbench) };
}

export function labels(workbench: Workbench): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'workbench',
    'app.kubernetes.io/managed-by': 'workbench-controller',
    ...selectorLabels(workbench),
  };
}

export function ownerReference(workbench: Workbench): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    name: workbench.metadata.name,
    uid: uidOf(workbench),
    controller: true,
    // Foreground deletion waits for the children that say so: "stopping" until nothing is left.
    blockOwnerDeletion: true,
  };
}

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Ours by UID, never by label: labels can be copied onto anybody's object. */
export function isOurs(object: KubeObject, workbench: Workbench): boolean {
  return uidOf(workbench) !== '' && controllerOf(object)?.uid === uidOf(workbench);
}

/** Left by an earlier workbench of the same name, and about to be collected. */
export function isPredecessors(object: KubeObject, workbench: Workbench): boolean {
  const owner = controllerOf(object);
  return owner?.kind === KIND && owner.name === workbench.metadata.name && owner.uid !== uidOf(workbench);
}

type Addressed = Pick<Settings, 'baseUrl' | 'workbenchDomain'>;

export function basePath(id: string, settings: Pick<Settings, 'baseUrl'>): string {
  const prefix = settings.baseUrl ? new URL(settings.baseUrl).pathname.replace(/\/$/, '') : '';
  return `${prefix}/project/${id}`;
}

/** Where a browser finds a workbench: the origin of all, or one of its own. Needs a BASE_URL. */
export function originOf(id: string, { baseUrl, workbenchDomain }: Addressed): string {
  const { protocol, origin } = new URL(baseUrl!);
  return workbenchDomain === undefined ? origin : `${protocol}//${id}.${workbenchDomain}`;
}

export function publicEndpoint(id: string, settings: Addressed): string {
  if (settings.workbenchDomain !== undefined) return `${originOf(id, settings)}${basePath(id, settings)}`;
  return `${settings.baseUrl ?? ''}/project/${id}`;
}

/** Changes exactly when an author's edit must reach the Pod; a new operator version or default changes nothing. */
export function stamp(workbench: Workbench): string {
  const { class: name, version, image, resources, env, storage } = workbench.spec;
  const author = {
    image: image ?? null,
    resources: ['cpu', 'memory', 'gpu'].map((key) => String(resources?.[key as 'cpu'] ?? '')),
    env: (env ?? []).map(({ name, value }) => [name, value]),
    // Left out where there is none: a Pod that an earlier version of this program made keeps its stamp.
    ...(name === undefined ? {} : { class: name }),
    ...(version === undefined ? {} : { version }),
    ...(storage?.claimName === undefined ? {} : { claim: storage.claimName }),
  };
  return shortHash(JSON.stringify(author));
}
