/**
 * The custom resource: what an author writes (spec), what the controller answers (status).
 * The zod schema validates REST bodies; crds/workbenches.yaml says the same to the API server, and a test holds the two equal.
 * CEL rules are written beside the check they repeat, so that both refuse with the same sentence.
 */
// As a namespace: under its name `z` zod is bundled with the messages of forty languages, 7 MB of every process.
import * as z from 'zod';
import { RESERVED_ENV, isReservedEnv } from './env.ts';
import { IMAGE_REFERENCE } from './image.ts';
import type { KubeObject } from './objects.ts';
import { isPositiveQuantity } from './quantity.ts';

export const GROUP = 'workbench.h1st.ai';
export const API_VERSION = `${GROUP}/v1`;
export const KIND = 'Workbench';
export const PLURAL = 'workbenches';

export const NAME = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;
export const NAME_RULE =
  'the name must be a DNS label of at most 40 characters: a–z, 0–9 and "-", starting with a letter, ending with a letter or digit';

export const PHASES = ['Stopped', 'Starting', 'Pending', 'Provisioning', 'Running', 'Stopping', 'Failed'] as const;
export type Phase = (typeof PHASES)[number];

/** No control characters and no line or paragraph separators: such text would break tables, logs and headers. */
const CHARACTER = '[^\\p{Cc}\\p{Zl}\\p{Zp}]';
const PRINTABLE = `^${CHARACTER}+$`;
const isPrintable = (text: string) => new RegExp(PRINTABLE, 'u').test(text);

/** The same rule twice: for zod, and as CEL for the API server. */
function rule(cel: string, message: string) {
  return { 'x-kubernetes-validations': [{ rule: cel, message }] };
}

const OBJECT_NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const VERSION = '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';

/** Counted in code points, as the API server does. */
const USER = new RegExp(`^${CHARACTER}{1,253}$`, 'u');

export function isUser(text: unknown): text is string {
  return typeof text === 'string' && text.isWellFormed() && USER.test(text);
}

function person(what: 'owner' | 'user') {
  const message = `${what} must be printable text of 1 to 253 characters`;
  const bounds = { minLength: 1, maxLength: 253 };
  return z
    .string()
    .refine(isUser, message)
    .meta({ ...bounds, ...rule(`self.matches(r'${PRINTABLE}')`, message) });
}

/** Of another object. The API server reads a "/" in one as a request that it does not understand. */
export function objectName(what: string, kind: string) {
  const message = `${what} must be the name of a ${kind}: a–z, 0–9, "-" and "."`;
  return z
    .string()
    .max(253)
    .refine((name) => new RegExp(OBJECT_NAME).test(name), message)
    .meta(rule(`self.matches('${OBJECT_NAME}')`, message));
}

const DISPLAY_NAME_RULE = 'displayName must be printable text of 1 to 253 characters';
const IMAGE_RULE =
  'image must be an image reference such as registry.example/team/image:tag or …@sha256:<64 hex digits>';
const sizeRule = (what: string, example: string) => `${what} must be a positive Kubernetes quantity such as ${example}`;

/**
 * A size may be written as a number (`cpu: 2`); CEL sees it as dyn, so it is made text first. No union, so that whatever is
 * wrong with it is refused with the one sentence.
 */
export function size(what: string, example: string) {
  const message = sizeRule(what, example);
  const isSize = (value: unknown) => typeof value === 'number' || (typeof value === 'string' && value.length <= 32);
  return z
    .custom<number | string>((value) => isSize(value) && isPositiveQuantity(String(value)), message)
    .meta({
      'x-kubernetes-int-or-string': true,
      ...rule(
        "string(self).matches('^[0-9]{1,15}([.][0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$') && " +
          "quantity(string(self)).isGreaterThan(quantity('0'))",
        message,
      ),
    });
}

export const resourcesSchema = z.strictObject({
  cpu: size('cpu', '2 or 500m').optional(),
  memory: size('memory', '4Gi').optional(),
  gpu: z.int().min(0).max(64).optional(),
});

export const storageSchema = z.strictObject({
  size: size('size', '20Gi')
    .optional()
    .meta({ description: "Absent: the class's. A volume can grow, and never shrink." }),
  claimName: objectName('claimName', 'PersistentVolumeClaim')
    .optional()
    .meta({ description: "A kept volume of the same owner's. Absent: one of its own." }),
});

export const envVarSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(128)
      .refine((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name), 'name must be a C identifier such as MY_SETTING')
      .refine((name) => !isReservedEnv(name), 'this name is reserved for the controller')
      .meta({
        'x-kubernetes-validations': [
          {
            rule: "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",
            message: 'name must be a C identifier such as MY_SETTING',
          },
          { rule: `!self.matches('${RESERVED_ENV}')`, message: 'this name is reserved for the controller' },
        ],
      }),
    value: z.string().max(8192),
  })
  .meta({ description: 'One environment variable of the workbench: a plain value, never a reference to a Secret.' });

export const envSchema = z.array(envVarSchema).max(100);

export const imageSchema = z
  .string()
  .min(1)
  .max(512)
  .refine((image) => new RegExp(IMAGE_REFERENCE).test(image), IMAGE_RULE)
  .meta(rule(`self.matches('${IMAGE_REFERENCE}')`, IMAGE_RULE));

const VERSION_RULE = 'a version must be a word of at most 63 letters, digits, "-", "_" and "."';
export const versionSchema = z
  .string()
  .max(63)
  .refine((name) => new RegExp(VERSION).test(name), VERSION_RULE)
  .meta(rule(`self.matches('${VERSION}')`, VERSION_RULE));

export const PERMISSIONS = ['read', 'read-write'] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const MOST_SHARES = 100;

export const shareSchema = z.strictObject({
  user: person('user'),
  permission: z.enum(PERMISSIONS).meta({ description: 'read: see and open it. read-write: start and stop it, too.' }),
});

export const specSchema = z.strictObject({
  owner: person('owner').describe('Whose workbench this is.'),
  displayName: z
    .string()
    .min(1)
    .max(253)
    .refine(isPrintable, DISPLAY_NAME_RULE)
    .meta({ description: 'A name for people.', ...rule(`self.matches(r'${PRINTABLE}')`, DISPLAY_NAME_RULE) })
    .optional(),
  state: z
    .enum(['Running', 'Stopped'])
    .default('Running')
    .meta({ description: 'The wanted state. Absent means Running.' }),
  run: z.string().max(63).optional().meta({
    description: 'Opaque: a value that the Pod was not made for means one fresh start with the newest image.',
  }),
  class: objectName('class', 'WorkbenchClass')
    .optional()
    .meta({ description: "An admin's WorkbenchClass. Absent: the defaults of the installation." }),
  version: versionSchema
    .optional()
    .meta({ description: "One of the class's versions. Absent: the image of the class, which the admin moves on." }),
  image: imageSchema.optional().meta({
    description:
      "Absent: the image of the class, or the installation's WORKBENCH_IMAGE. Another one only if it is allowed.",
  }),
  resources: resourcesSchema.optional().meta({ description: 'Requests = limits. gpu counts whole devices.' }),
  env: envSchema.optional().meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  storage: storageSchema.optional().meta({ description: 'Of the volume at /home/project, if its class has storage.' }),
  shares: z
    .array(shareSchema)
    .max(MOST_SHARES)
    .optional()
    .meta({
      description: 'Whom its owner lets in. A change of it restarts nobody.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['user'],
    }),
});

/** What an author may write; `state` is optional because manifests that REST may start and stop leave it out. */
export type WorkbenchSpec = Omit<z.infer<typeof specSchema>, 'state'> & { state?: 'Running' | 'Stopped' };
export type Share = z.infer<typeof shareSchema>;
export type Resources = z.infer<typeof resourcesSchema>;

const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastTransitionTime: z.string().optional().meta({ format: 'date-time' }),
  observedGeneration: z.int().optional().meta({ format: 'int64' }),
});

/** Written by the controller alone. */
export const statusSchema = z.object({
  phase: z.enum(PHASES).optional(),
  reason: z.string().optional().meta({ description: 'One CamelCase word: why the phase is not the wanted one.' }),
  message: z.string().optional().meta({ description: 'One sentence for a person.' }),
  conditions: z
    .array(conditionSchema)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  observedGeneration: z.int().optional().meta({ format: 'int64' }),
  publicEndpoint: z.string().optional(),
  run: z.string().optional().meta({ description: 'The run that podUID, image and startedAt speak of.' }),
  podUID: z.string().optional(),
  image: z
    .object({
      requested: z.string().optional(),
      digest: z.string().optional(),
      unproven: z.boolean().optional().meta({
        description: 'No Pod of this run has been ready yet: a new one asks what the tag stands for by then.',
      }),
    })
    .optional(),
  startedAt: z.string().optional().meta({ format: 'date-time' }),
  readyAt: z
    .string()
    .optional()
    .meta({ format: 'date-time', description: 'When this Pod was first ready; from then on no edit takes it away.' }),
  verifiedAt: z
    .string()
    .optional()
    .meta({ format: 'date-time', description: 'When the public endpoint was last found to lead to this Pod.' }),
  guarded: z.boolean().optional().meta({ description: 'It was found to keep out who has not logged in, too.' }),
});

export type WorkbenchStatus = z.infer<typeof statusSchema>;

export interface Workbench extends KubeObject {
  spec: WorkbenchSpec;
  status?: WorkbenchStatus;
}
