/** What of an author's wishes this installation, or the class, does not grant. The same for a manifest and for a REST body. */
import type { WorkbenchClass } from './class.ts';
import { isReservedEnv } from './env.ts';
import { isAllowed } from './image.ts';
import { isLess } from './quantity.ts';
import type { Resources, WorkbenchSpec } from './resource.ts';
import type { Settings } from './settings.ts';

/** As a status, an Event and a REST client read it. */
export interface Refusal {
  reason: string;
  message: string;
}

/** What the API server's rules cannot know, since it depends on this installation. @param settings those of its class */
export function refusalOf(
  spec: Pick<WorkbenchSpec, 'class' | 'version' | 'image' | 'resources' | 'env' | 'storage'>,
  found: WorkbenchClass | undefined,
  settings: Settings,
): Refusal | undefined {
  if (spec.class !== undefined && !found) {
    return { reason: 'ClassMissing', message: `There is no workbench class "${spec.class}" in this installation.` };
  }
  return (
    refusalOfPath(spec, settings) ??
    refusalOfVersion(spec, found) ??
    refusalOfImage(spec, settings) ??
    refusalOfSizes(spec, settings) ??
    refusalOfStorage(spec, settings)
  );
}

function refusalOfPath({ class: name }: Pick<WorkbenchSpec, 'class'>, { stripsPath, stripAnnotations }: Settings) {
  if (!stripsPath || stripAnnotations) return undefined;
  const message = `The workbench class "${name}" needs its path taken off, which nothing here does (INGRESS_STRIP_ANNOTATIONS).`;
  return { reason: 'StripNotSupported', message };
}

function refusalOfVersion(
  { class: name, version, image }: Pick<WorkbenchSpec, 'class' | 'version' | 'image'>,
  found: WorkbenchClass | undefined,
): Refusal | undefined {
  if (version === undefined) return undefined;
  if (!found)
    return { reason: 'VersionMissing', message: 'A version can be chosen only together with a class that has it.' };
  if (image !== undefined)
    return { reason: 'VersionAndImage', message: 'Either an image or a version can be chosen, not both.' };
  const names = found.spec.versions?.map((one) => one.name) ?? [];
  if (names.includes(version)) return undefined;
  const others = names.length > 0 ? `it has ${names.join(', ')}` : 'it has none';
  return { reason: 'VersionMissing', message: `The workbench class "${name}" has no version "${version}"; ${others}.` };
}

function refusalOfImage(
  { class: name, image, env }: Pick<WorkbenchSpec, 'class' | 'image' | 'env'>,
  settings: Settings,
): Refusal | undefined {
  const reserved = env?.find((variable) => isReservedEnv(variable.name));
  if (reserved) {
    const message = `The environment variable "${reserved.name}" is reserved for the controller.`;
    return { reason: 'ReservedEnvironment', message };
  }
  if (image === undefined || isAllowed(image, settings)) return undefined;
  const whose = name === undefined ? 'this installation allows (WB_ALLOWED_IMAGES)' : `the class "${name}" allows`;
  return { reason: 'ImageNotAllowed', message: `The image "${image}" is not among those that ${whose}.` };
}

function refusalOfSizes({ class: name, resources }: Pick<WorkbenchSpec, 'class' | 'resources'>, settings: Settings) {
  const { defaultCpu, defaultMemory, defaultGpu, bounds } = settings;
  const usual: Resources = {
    ...(defaultCpu === undefined ? {} : { cpu: defaultCpu }),
    ...(defaultMemory === undefined ? {} : { memory: defaultMemory }),
    ...(defaultGpu === undefined ? {} : { gpu: defaultGpu }),
  };
  for (const what of ['cpu', 'memory', 'gpu'] as const) {
    const size = resources?.[what] ?? usual[what];
    const [least, most] = [bounds?.min?.[what], bounds?.max?.[what]];
    const than = isLess(most, size)
      ? `more than the ${most}`
      : isLess(size, least)
        ? `less than the ${least}`
        : undefined;
    if (than !== undefined)
      return { reason: 'SizeNotAllowed', message: `${what} ${size} is ${than} that the class "${name}" allows.` };
  }
  return undefined;
}

function refusalOfStorage(
  { class: name, storage }: Pick<WorkbenchSpec, 'class' | 'storage'>,
  settings: Settings,
): Refusal | undefined {
  if (storage === undefined) return undefined;
  if (!settings.storage) {
    const whose = name === undefined ? 'Only a class can offer storage' : `The class "${name}" has no storage`;
    return { reason: 'StorageNotAllowed', message: `${whose}; leave it out, or choose a class that has it.` };
  }
  const { maxSize } = settings.storage;
  if (!isLess(maxSize, storage.size)) return undefined;
  const message = `storage ${storage.size} is more than the ${maxSize} that the class "${name}" allows.`;
  return { reason: 'SizeNotAllowed', message };
}
