import { requirePackages } from '../cluster/machine/packages.ts';

const list = new URL('debian-packages.txt', import.meta.url);

/** Installs what building an image needs and the machine lacks; `--no-install` forbids it. */
export function installBuildTools(report: (line: string) => void, install?: boolean): Promise<void> {
  return requirePackages(list, 'Building an image', report, install);
}
