import { request } from 'node:http';
import { create, type Access } from '../access/ask.ts';
import { bridge } from '../machine/bridge.ts';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

export interface TraefikSettings {
  kubeconfig: string;
  port: number;
  /** How long it gathers changes before it acts on them; its own default (2 s) when not given. */
  throttle: string | undefined;
  middlewares: Record<string, object> | undefined;
}

/** What an administrator of Traefik would offer to an Ingress, which names it in an annotation. */
const MIDDLEWARES = { 'strip-project': { stripPrefixRegex: { regex: ['^/project/[^/]+'] } } };

/** With this annotation the Ingress takes `/project/<id>` off its requests. */
export const STRIP_ANNOTATIONS = { 'traefik.ingress.kubernetes.io/router.middlewares': 'strip-project@file' };

/** Routes to the Pods' addresses itself, not through ClusterIPs. */
export function startTraefik(
  run: RunDirectory,
  binary: string,
  { kubeconfig, port, throttle, middlewares }: TraefikSettings,
): Component {
  const own = run.write('traefik.json', JSON.stringify({ http: { middlewares: { ...MIDDLEWARES, ...middlewares } } }));
  return startComponent(run, {
    name: 'traefik',
    command: binary,
    env: { KUBECONFIG: kubeconfig },
    args: [
      `--entryPoints.web.address=127.0.0.1:${port}`,
      // The same from inside: a controller that runs as a Pod asks the public URL here.
      `--entryPoints.pods.address=${bridge.address}:${port}`,
      '--providers.kubernetesingress=true',
      '--providers.kubernetesingress.ingressclass=traefik',
      `--providers.file.filename=${own}`,
      '--providers.file.watch=false',
      '--global.sendAnonymousUsage=false',
      '--global.checkNewVersion=false',
      ...(throttle === undefined ? [] : [`--providers.providersThrottleDuration=${throttle}`]),
    ],
  });
}

/** Without this object Traefik ignores every Ingress of the class and answers 404. */
export function createIngressClass(access: Access): Promise<void> {
  return create(access, '/apis/networking.k8s.io/v1/ingressclasses', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'traefik' },
    spec: { controller: 'traefik.io/ingress-controller' },
  });
}

/** Whether a plain HTTP server answers there at all; which code does not matter. */
export function answers(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const call = request(url, { timeout: 2000, agent: false }, (response) => {
      response.resume();
      resolve(true);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer from ${url}`)));
    call.on('error', reject);
    call.end();
  });
}
