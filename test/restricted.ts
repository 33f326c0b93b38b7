/**
 * What must be so of every Pod of a workbench, whoever wrote what: in sentences about what is not. The restricted Pod Security
 * profile, the fields that this program has decided on, and no others; one that comes to be rendered one day fails here first.
 */
import { isDeepStrictEqual } from 'node:util';
import { isReservedEnv } from '../src/workbench/env.ts';
import type { Pod } from '../src/workbench/objects.ts';

export interface Allowed {
  image: (image: string) => boolean;
  claim: (name: string, pod: Pod) => boolean;
}

/** Set by us; the second line by the API server, the scheduler and admission. */
const POD =
  'automountServiceAccountToken enableServiceLinks restartPolicy securityContext nodeSelector tolerations runtimeClassName imagePullSecrets containers volumes ' +
  'dnsPolicy schedulerName terminationGracePeriodSeconds serviceAccountName serviceAccount priority preemptionPolicy nodeName';
const CONTAINER =
  'name image imagePullPolicy command args ports env resources readinessProbe terminationMessagePolicy securityContext volumeMounts ' +
  'terminationMessagePath';
const OURS = ['ID', 'OWNER', 'URL', 'BASE_PATH', 'PORT'].map((name) => `WORKBENCH_${name}`);
const RESERVED = [...OURS, 'WORKSPACE_PATH', 'JUPYTER_BASE_URL'];

type Json = Record<string, unknown>;

export function wrongWith(pod: Pod, allowed: Allowed): string[] {
  const problems: string[] = [];
  const must = (isSo: boolean, what: string) => {
    if (!isSo) problems.push(`${pod.metadata.name}: ${what}`);
  };
  const only = (object: object | undefined, fields: string, what: string) => {
    const others = Object.keys(object ?? {}).filter((name) => !fields.split(' ').includes(name));
    must(others.length === 0, `${what} has ${others.join(', ')}`);
  };
  const spec = pod.spec!;
  only(spec, POD, 'the Pod');
  must(spec.automountServiceAccountToken === false, 'it has a token');
  must(
    ['default', undefined].includes((spec as { serviceAccountName?: string }).serviceAccountName),
    'it has an account of its own',
  );
  must(spec.restartPolicy === 'Always' && spec.enableServiceLinks === false, 'it is not as every other');
  const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext as Json;
  only(
    spec.securityContext,
    'runAsNonRoot runAsUser fsGroup fsGroupChangePolicy seccompProfile',
    'its security context',
  );
  must(runAsNonRoot === true && Number(runAsUser) > 0, 'it may run as root');
  must(isDeepStrictEqual(seccompProfile, { type: 'RuntimeDefault' }), 'it is not confined');

  must(spec.containers.length === 1, `it has ${spec.containers.length} containers`);
  const [container] = spec.containers as [(typeof spec.containers)[number]];
  only(container, CONTAINER, 'the container');
  const confined = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  must(isDeepStrictEqual(container.securityContext, confined), 'the container may gain rights');
  must(allowed.image(container.image), `it runs ${container.image}`);
  must(container.ports.length === 1, 'it has more than one port');
  for (const port of container.ports) only(port, 'name containerPort protocol', 'the port');
  const { tcpSocket, httpGet } = container.readinessProbe as { tcpSocket?: object; httpGet?: object };
  only(tcpSocket, 'port', 'the probe');
  only(httpGet, 'path port scheme', 'the probe');
  only(container.resources, 'requests limits', 'its resources');

  for (const variable of container.env) only(variable, 'name value', `the variable ${variable.name}`);
  const names = container.env.map(({ name }) => name).filter(isReservedEnv);
  must(
    isDeepStrictEqual(names.toSorted(), RESERVED.toSorted()),
    `of the reserved variables it has ${names.join(', ')}`,
  );

  must(
    isDeepStrictEqual(container.volumeMounts, [{ name: 'home', mountPath: '/home/project' }]),
    'it mounts something else',
  );
  must(spec.volumes?.length === 1, 'it has more than one volume');
  for (const volume of spec.volumes ?? []) {
    only(volume, 'name emptyDir persistentVolumeClaim', 'the volume');
    only(volume.emptyDir, 'sizeLimit', 'the volume');
    only(volume.persistentVolumeClaim, 'claimName', 'the volume');
    const { claimName } = volume.persistentVolumeClaim ?? {};
    if (claimName !== undefined) must(allowed.claim(claimName, pod), `it mounts the claim ${claimName}`);
  }
  return problems;
}

/** A variable as its process reads it: the kubelet puts in what `$(NAME)` says, and takes `$$` for a `$`. */
export function asTheProcessReads(name: string, { spec }: Pod): string | undefined {
  const known = new Map<string, string>();
  for (const variable of spec!.containers[0]!.env) {
    // The API server leaves an empty value out.
    const { value = '' } = variable as { value?: string };
    const text = value.replaceAll(/\$\$|\$\(([^)]*)\)/g, (found, other: string | undefined) =>
      other === undefined ? '$' : (known.get(other) ?? found),
    );
    known.set(variable.name, text);
  }
  return known.get(name);
}
