import { canInstallPackages, missingPackages } from './packages.ts';
import { nodeLockHeld } from './nodeLock.ts';

/** Why a real node cannot be started here, in one sentence; undefined when it can. */
export function whyNoRealNode({ install = true }: { install?: boolean } = {}): string | undefined {
  if (process.platform !== 'linux')
    return 'A real node needs Linux: run this in a Debian machine, or use simulated nodes.';
  if (process.getuid?.() !== 0)
    return 'A real node needs root (namespaces, mounts, a bridge): run this as root, or use simulated nodes.';
  const missing = missingPackages();
  if (missing.length > 0 && !install) {
    return `A real node needs the packages ${missing.join(', ')}: install them, or leave --no-install out.`;
  }
  if (missing.length > 0 && !canInstallPackages()) {
    return `A real node needs ${missing.join(', ')} and there is no apt-get here: use Debian or Ubuntu, or simulated nodes.`;
  }
  return nodeLockHeld();
}
