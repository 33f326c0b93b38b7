/** What kinds of workbench there are: the admin's WorkbenchClass, and what of it reaches a workbench. */
import * as z from 'zod';
import { shortHash } from './identity.ts';
import { isLess } from './quantity.ts';
import type { KubeObject } from './objects.ts';
import { envSchema, imageSchema, objectName, resourcesSchema, size, versionSchema } from './resource.ts';
import type { WorkbenchSpec } from './resource.ts';
import type { Settings, StorageSettings } from './settings.ts';

export const CLASS_KIND = 'WorkbenchClass';
export const CLASS_PLURAL = 'workbenchclasses';

const listMap = (key: string) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });

export const classSpecSchema = z.strictObject({
  description: z.string().max(1024).optional().meta({ description: 'For people.' }),
  image: imageSchema.optional().meta({
    description: "The image of a workbench that names neither an image nor a version. Absent: the installation's.",
  }),
  versions: z
    .array(z.strictObject({ name: versionSchema, image: imageSchema }))
    .max(100)
    .optional()
    .meta({ ...listMap('name'), description: 'Images that a workbench may pin by a name.' }),
  allowedImages: z.array(z.string().min(1).max(512)).max(100).optional().meta({
    description:
      'Other images that an author may choose; * matches within a path segment. Absent or empty: any tag of the repository of image.',
  }),
  imagePullSecrets: z
    .array(z.strictObject({ name: objectName('name', 'Secret') }))
    .max(10)
    .optional()
    .meta(listMap('name')),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  port: z.int().min(1024).max(65535).optional().meta({ description: 'The port that the IDE listens on, in its Pod.' }),
  command: z.array(z.string().max(4096)).min(1).max(100).optional().meta({
    description: "Instead of the image's own entry point.",
  }),
  args: z.array(z.string().max(4096)).min(1).max(100).optional().meta({
    description:
      "For the command or the image's own entry point, such as --base-path=$(WORKBENCH_BASE_PATH): Kubernetes puts in what the variable says.",
  }),
  basePath: z.enum(['Pass', 'Strip']).optional().meta({
    description:
      'Whether the IDE serves its pages under /project/<id>, which environment and args tell it, or at /, with the path taken off by the Ingress. Absent: Pass.',
  }),
  resources: z
    .strictObject({
      default: resourcesSchema.optional(),
      min: resourcesSchema.optional(),
      max: resourcesSchema.optional(),
      gpuResource: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .meta({ description: 'What gpu counts, such as nvidia.com/gpu.' }),
    })
    .optional()
    .meta({ description: 'What a workbench that names no size gets, and what one may ask for.' }),
  env: envSchema.optional().meta({ ...listMap('name'), description: "Beside the author's own, which win." }),
  nodeSelector: z.record(z.string(), z.string()).optional(),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional(),
        operator: z.enum(['Exists', 'Equal']).optional(),
        value: z.string().optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
      }),
    )
    .max(50)
    .optional(),
  runtimeClassName: objectName('runtimeClassName', 'RuntimeClass').optional(),
  readinessPath: z.string().max(1024).regex(new RegExp('^/[!-~]*$')).optional().meta({
    description:
      "Behind the workbench's own path: a GET that is answered 200–399 once the IDE is ready. Absent: the port is open.",
  }),
  storage: z
    .strictObject({
      size: size('size', '10Gi').meta({ description: 'Of a volume whose author names no size.' }),
      maxSize: size('maxSize', '100Gi').optional().meta({ description: 'The most that an author may ask for.' }),
      storageClassName: objectName('storageClassName', 'StorageClass')
        .optional()
        .meta({ description: "Absent: the cluster's default." }),
      accessMode: z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany']).optional().meta({
        description: 'Absent: ReadWriteOnce. Whichever it is, a volume serves one workbench at a time.',
      }),
      retention: z.enum(['Retain', 'Delete']).optional().meta({
        description: 'Whether a volume goes with its workbench. Absent: Retain, and its owner removes it.',
      }),
    })
    .optional()
    .meta({ description: 'A volume for each workbench, at /home/project. Absent: files live as long as the Pod.' }),
  perUser: z
    .strictObject({
      workbenches: z.int().min(0).max(100_000).optional().meta({ description: 'Whether they run or not.' }),
      running: z.int().min(0).max(100_000).optional(),
      cpu: size('cpu', '8').optional(),
      memory: size('memory', '32Gi').optional(),
      gpu: z.int().min(0).max(100_000).optional(),
      storage: size('storage', '200Gi').optional().meta({ description: 'Of all its volumes, the kept ones included.' }),
    })
    .optional()
    .meta({ description: 'How much of this class one owner may have at once, beside what the installation allows.' }),
});

export type ClassSpec = z.infer<typeof classSpecSchema>;

export interface WorkbenchClass extends KubeObject {
  spec: ClassSpec;
}

/** The operator's choices for one workbench: the installation's, and over them its class's. */
export function settingsFor(
  { version }: Pick<WorkbenchSpec, 'version'>,
  found: WorkbenchClass | undefined,
  settings: Settings,
): Settings {
  if (!found) return settings;
  const { spec } = found;
  const { default: usual, gpuResource, ...bounds } = spec.resources ?? {};
  const pinned = spec.versions?.find(({ name }) => name === version)?.image;
  const image = pinned ?? spec.image;
  const chosen: { [K in keyof Settings]?: Settings[K] | undefined } = {
    image,
    allowedImages: spec.allowedImages ?? (image === undefined ? undefined : []),
    pullSecrets: spec.imagePullSecrets?.map(({ name }) => name),
    pullPolicy: spec.imagePullPolicy,
    containerPort: spec.port,
    bootCommand: spec.command,
    bootArgs: spec.args,
    stripsPath: spec.basePath && spec.basePath === 'Strip',
    defaultCpu: text(usual?.cpu) ?? within(settings.defaultCpu, bounds.min?.cpu, bounds.max?.cpu),
    defaultMemory: text(usual?.memory) ?? within(settings.defaultMemory, bounds.min?.memory, bounds.max?.memory),
    defaultGpu: usual?.gpu,
    gpuResource,
    env: spec.env,
    nodeSelector: spec.nodeSelector,
    tolerations: spec.tolerations,
    runtimeClass: spec.runtimeClassName,
    readinessPath: spec.readinessPath,
    storage: spec.storage && storageOf(spec.storage),
    classStorage: text(spec.perUser?.storage),
    bounds,
  };
  const known = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
  return { ...settings, ...(known as Partial<Settings>) };
}

function storageOf({
  size,
  maxSize,
  storageClassName,
  accessMode = 'ReadWriteOnce',
  retention = 'Retain',
}: NonNullable<ClassSpec['storage']>): StorageSettings {
  return {
    size: String(size),
    accessMode,
    retention,
    ...(maxSize === undefined ? {} : { maxSize: String(maxSize) }),
    ...(storageClassName === undefined ? {} : { storageClassName }),
  };
}

/** The installation's default, as near to it as the class allows; without one, the most that it allows. */
function within(
  size: string | undefined,
  least: number | string | undefined,
  most: number | string | undefined,
): string | undefined {
  if (size === undefined || isLess(most, size)) return text(most) ?? size;
  return isLess(size, least) ? text(least) : size;
}

function text(size: number | string | undefined): string | undefined {
  return size === undefined ? undefined : String(size);
}

/** What of a class reaches a Pod, but for the image, which a Pod shows itself; changes when the next start would be another. */
export function classStamp(found: WorkbenchClass | undefined): string | undefined {
  if (!found) return undefined;
  const { description: _, image: __, versions: ___, allowedImages: ____, perUser: _____, ...spec } = found.spec;
  const { storage, basePath, ...rest } = spec;
  const { default: usual, gpuResource, ...bounds } = rest.resources ?? {};
  // A bound is a default where there is no other.
  const sizes = (['cpu', 'memory'] as const).map((what) => usual?.[what] ?? [bounds.min?.[what], bounds.max?.[what]]);
  const resources = [sizes, usual?.gpu, gpuResource];
  // Of storage only whether there is any: what else it says is for volumes that are made later.
  const strips = basePath === 'Strip' ? { basePath } : {};
  return shortHash(JSON.stringify(sorted({ ...rest, ...strips, resources, ...(storage ? { storage: true } : {}) })));
}

/** One text for one meaning: the order in which an object's keys were written does not count. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
