import { stringify } from 'yaml';
import { startComponent, type Component } from '../run/component.ts';
import type { RunDirectory } from '../run/runDirectory.ts';

/** Debian's image registry, plain HTTP on the loopback, empty at every start. */
export function startRegistry(run: RunDirectory, port: number): Component {
  const config = run.write(
    'registry.yaml',
    stringify({
      version: '0.1',
      log: { level: 'warn', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: run.path('registry') }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  return startComponent(run, { name: 'registry', command: 'docker-registry', args: ['serve', config] });
}
