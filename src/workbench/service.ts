/** The Service of a workbench: a stable name for its one Pod, selected by the UID of the Workbench. */
import { labels, ownerReference, selectorLabels, serviceName } from './identity.ts';
import type { PatchOperation, Service } from './objects.ts';
import type { Workbench } from './resource.ts';
import { isSame } from './same.ts';
import type { Settings } from './settings.ts';

export function buildService(workbench: Workbench, settings: Settings): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: serviceName(workbench),
      namespace: settings.namespace,
      labels: labels(workbench),
      ownerReferences: [ownerReference(workbench)],
    },
    spec: {
      ...(settings.headlessServices ? { clusterIP: 'None' } : {}),
      selector: selectorLabels(workbench),
      ports: [{ name: 'http', port: settings.port, targetPort: 'http', protocol: 'TCP' }],
    },
  };
}

/** What must change on a Service that somebody edited; nothing when it is as we made it. clusterIP cannot be changed. */
export function mendService(live: Service, wanted: Service): PatchOperation[] {
  const patch: PatchOperation[] = [];
  if (!isSame(live.spec?.selector, wanted.spec?.selector)) {
    patch.push({ op: 'add', path: '/spec/selector', value: wanted.spec?.selector });
  }
  if (!isSame(live.spec?.ports, wanted.spec?.ports)) {
    patch.push({ op: 'add', path: '/spec/ports', value: wanted.spec?.ports });
  }
  return patch;
}
