/** A Workbench as people apply it: `kubectl apply -f -` reads it. */
import { API_VERSION } from '../src/workbench/resource.ts';

/** @param spec default: alice's, and all else as the installation has it */
export function manifest(name: string, spec: object = {}): string {
  return JSON.stringify({
    apiVersion: API_VERSION,
    kind: 'Workbench',
    metadata: { name },
    spec: { owner: 'alice', ...spec },
  });
}
