/** The Ingress path of a workbench: two literal paths, no regex, no rewrite, no text of a user in it. */
import { isIP } from 'node:net';
import { basePath, ingressName, labels, originOf, ownerReference, serviceName } from './identity.ts';
import type { Ingress, IngressPath, PatchOperation } from './objects.ts';
import type { Workbench } from './resource.ts';
import { isSame } from './same.ts';
import type { Settings } from './settings.ts';

/** The host that rules speak of; none when it is an address, which an Ingress cannot name. */
function ruleHost(origin: string | undefined): string | undefined {
  if (!origin) return undefined;
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  return isIP(host) || host === 'localhost' ? undefined : host;
}

/** What every Ingress of this installation has in common, the workbenches' own and the state page's. */
function ingressSpec(
  paths: IngressPath[],
  hosts: (string | undefined)[],
  settings: Settings,
): NonNullable<Ingress['spec']> {
  const named = hosts.filter((host) => host !== undefined);
  return {
    ...(settings.ingressClass ? { ingressClassName: settings.ingressClass } : {}),
    ...(settings.ingressTlsSecret
      ? { tls: [{ ...(named.length > 0 ? { hosts: named } : {}), secretName: settings.ingressTlsSecret }] }
      : {}),
    rules: hosts.map((host) => ({ ...(host ? { host } : {}), http: { paths } })),
  };
}

/** @param isStripped whether the Pod behind it serves its pages at / */
export function buildIngress(workbench: Workbench, settings: Settings, isStripped = false): Ingress {
  const annotations = { ...settings.ingressAnnotations, ...(isStripped ? settings.stripAnnotations : {}) };
  const path = basePath(workbench.metadata.name, settings);
  const backend = { service: { name: serviceName(workbench), port: { number: settings.port } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: ingressName(workbench),
      namespace: settings.namespace,
      labels: labels(workbench),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [ownerReference(workbench)],
    },
    // Two paths, since some Ingress controllers compare a Prefix by characters: `/project/a` would also take `/project/ab`.
    spec: ingressSpec(
      [
        { path, pathType: 'Exact', backend },
        { path: `${path}/`, pathType: 'Prefix', backend },
      ],
      [ruleHost(settings.baseUrl && originOf(workbench.metadata.name, settings))],
      settings,
    ),
  };
}

/** A header on each answer of the state page, by which the endpoint check tells it from a workbench. */
export const PAGE_HEADER = 'workbench-status';

export const PAGE_INGRESS = 'workbench-pages';

/**
 * Everything under /project that has no workbench's own path: the state page. It must lose against every other path;
 * by length alone Traefik would prefer this Prefix to a workbench's Exact path, so its priority is said.
 */
export function buildPageIngress(namespace: string, service: string, port: number, settings: Settings): Ingress {
  const path = basePath('', settings).replace(/\/$/, '');
  const everyHost = settings.workbenchDomain === undefined ? [] : [ruleHost(originOf('*', settings))];
  const hosts = [ruleHost(settings.baseUrl), ...everyHost];
  const backend = { service: { name: service, port: { number: port } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: PAGE_INGRESS,
      namespace,
      labels: {
        'app.kubernetes.io/name': 'workbench-controller',
        'app.kubernetes.io/managed-by': 'workbench-controller',
      },
      annotations: { ...settings.ingressAnnotations, 'traefik.ingress.kubernetes.io/router.priority': '1' },
    },
    spec: ingressSpec(
      [
        { path, pathType: 'Exact', backend },
        { path: `${path}/`, pathType: 'Prefix', backend },
      ],
      hosts,
      settings,
    ),
  };
}

/** What must change on an Ingress that somebody edited. Annotations of others (cert-manager's, say) stay. */
export function mendIngress(live: Ingress, wanted: Ingress, { stripAnnotations = {} }: Settings): PatchOperation[] {
  const patch: PatchOperation[] = [];
  // Where no class is set the API server fills in the cluster's default, once; to take it away would lose the route.
  const ingressClassName = wanted.spec?.ingressClassName ?? live.spec?.ingressClassName;
  const spec = { ...(ingressClassName ? { ingressClassName } : {}), ...wanted.spec };
  if (!isSame(live.spec, spec)) patch.push({ op: 'add', path: '/spec', value: spec });
  const others = Object.entries(live.metadata.annotations ?? {}).filter(([name]) => !(name in stripAnnotations));
  const annotations = { ...Object.fromEntries(others), ...wanted.metadata.annotations };
  if (!isSame(annotations, live.metadata.annotations ?? {})) {
    patch.push({ op: 'add', path: '/metadata/annotations', value: annotations });
  }
  return patch;
}
