/** Which image a start is to ask the registry for, and whether what runs is the newest of its tag. */
import { digestOf } from './image.ts';
import type { ImageSource } from './image.ts';
import { runOf } from './identity.ts';
import type { Pod } from './objects.ts';
import { container } from './phase.ts';
import { askedImage, imageToRun, requestedBy, requestedImage } from './pod.ts';
import type { Resolution } from './pod.ts';
import type { Workbench } from './resource.ts';
import type { Settings } from './settings.ts';

/** What the registry is to be asked for before a Pod is made. @param settings those of its class, here as below */
export function imageToResolve(
  workbench: Workbench,
  settings: Settings,
  resolution: Resolution | undefined,
): ImageSource | undefined {
  const image = imageToRun(workbench, settings, resolution);
  const isKnown = digestOf(image) !== undefined || resolution?.image === image;
  return isKnown ? undefined : sourceOf(image, settings);
}

/** What runs, as long as another digest may one day be behind its tag. */
export function imageToFollow(pod: Pod, workbench: Workbench, settings: Settings): ImageSource | undefined {
  const requested = current(pod, workbench, settings);
  return requested === undefined ? undefined : sourceOf(requested, settings);
}

/** @returns false: it is the newest, or cannot become older; undefined: nobody knows yet. */
export function newerImageThan(
  pod: Pod,
  workbench: Workbench,
  newest: string | undefined,
  settings: Settings,
): { reason: string; message: string } | false | undefined {
  const requested = current(pod, workbench, settings);
  if (requested === undefined || !settings.resolvesImages) return false;
  const runs = [askedImage(pod), container(pod)?.imageID].map(digestOf).filter((digest) => digest !== undefined);
  if (newest === undefined || runs.length === 0) return undefined;
  if (runs.includes(newest)) return false;
  return { reason: 'Pushed', message: `"${requested}" is ${newest} by now; the next start runs it.` };
}

/** The reference that it runs and would run again; another one, or a digest, has nothing newer. */
function current(pod: Pod, workbench: Workbench, settings: Settings): string | undefined {
  const { run, image } = workbench.status ?? {};
  const requested = requestedBy(pod, run === runOf(workbench) ? image : undefined);
  return requested === requestedImage(workbench, settings) && !digestOf(requested) ? requested : undefined;
}

function sourceOf(image: string, { pullSecrets, resolvesImages }: Settings): ImageSource | undefined {
  return resolvesImages ? { image, ...(pullSecrets ? { secrets: pullSecrets } : {}) } : undefined;
}
