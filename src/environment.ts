/** What the environment may say: one entry per variable, with its default and its check. */
import * as z from 'zod';
import { accessVariables } from './access-variables.ts';
import { IMAGE_REFERENCE } from './workbench/image.ts';
import {
  annotations,
  baseUrl,
  command,
  count,
  dnsLabel,
  flag,
  id,
  interval,
  isHostAndPort,
  isQualifiedName,
  most,
  objectName,
  origins,
  port,
  quantity,
  registries,
  seconds,
} from './variables.ts';

/** One entry per variable; its description is the README's (a test compares the two). */
export const environmentSchema = z.object({
  PORT: port(8999).describe('Port of the REST facade'),
  HOST: z.string().optional().describe('Address that the REST facade listens on; unset: all, of IPv6 and IPv4'),
  RESTAPI_URL_PREFIX: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*$/, 'must be empty or begin with / and not end with one, such as /api')
    .default('')
    .describe('Path that all REST calls begin with'),
  RESTAPI_RATE_LIMIT: z.coerce
    .number()
    .min(0)
    .max(100_000)
    .default(200)
    .describe('Requests a second that each user may make at each replica, counted over ten seconds; 0: any number'),
  RESTAPI_CORS_ORIGIN: origins
    .optional()
    .describe(
      'Origins whose pages may use the API from a browser, comma-separated, such as `https://portal.example`; unset: none',
    ),
  ...accessVariables,
  HEALTH_PORT: port(8998).describe('Port of `/livez`, `/readyz` and `/metrics`'),
  HEALTH_HOST: z.string().optional().describe('Address that the health port listens on; unset: all, of IPv6 and IPv4'),
  PAGE_PORT: port(8997).describe('Port of the state page, for the Ingress controller'),
  PAGE_HOST: z.string().optional().describe('Address that the state page listens on; unset: all, of IPv6 and IPv4'),
  PAGE_SERVICE: dnsLabel
    .default('workbench-controller')
    .describe("Service of the state page, in the controller's namespace, with port `PAGE_PORT`"),
  CONTROLLER_NAMESPACE: dnsLabel.default('workbench-system').describe('Namespace of the controller itself'),
  WORKBENCH_NAMESPACE: dnsLabel.default('workbenches').describe('The one namespace of workbenches that is served'),
  WORKBENCH_IMAGE: z
    .string()
    .regex(new RegExp(IMAGE_REFERENCE), 'must be an image reference')
    .default('394497726199.dkr.ecr.us-west-1.amazonaws.com/h1st/workbench:latest')
    .describe('Image of a workbench that names none; pulled at every start'),
  WB_ALLOWED_IMAGES: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((pattern) => pattern !== ''))
    .describe(
      'Images an author may choose, comma-separated; `*` matches within a path segment. Empty: any tag of the repository of `WORKBENCH_IMAGE`',
    ),
  WB_IMAGE_PULL_SECRET: objectName.optional().describe('Name of the Secret that pulls images'),
  WB_RESOLVE_IMAGES: flag(true).describe(
    'Ask the registry at each start which digest the tag stands for, and run that; where it cannot be asked, the tag is run',
  ),
  WB_REGISTRY_EVERY: z.coerce
    .number()
    .min(0)
    .max(86_400)
    .default(300)
    .describe('Seconds between two questions for newer images of what runs; 0: it is asked at starts only'),
  WB_REGISTRIES: registries
    .optional()
    .describe(
      'Where registries are reached that are not at `https://<name>`: a JSON object, such as `{"registry.local:5000":"http://10.0.0.9:5000"}`',
    ),
  WB_REGISTRY_SECRETS: flag(false).describe(
    'Read the Secrets that pull images, to ask private registries too; needs `deploy/registry-secrets`',
  ),
  BASE_URL: baseUrl
    .optional()
    .describe('Public origin of the workbenches, such as `https://cloud.example`; unset: none is known'),
  INGRESS_CLASS: objectName.optional().describe("Ingress class; unset: the cluster's default"),
  INGRESS_ANNOTATIONS: annotations.optional().describe('JSON object of annotations for every Ingress'),
  INGRESS_STRIP_ANNOTATIONS: annotations
    .optional()
    .describe(
      'JSON object of annotations with which your Ingress controller takes `/project/<id>` off, for classes with `basePath: Strip`; unset: it cannot',
    ),
  INGRESS_TLS_SECRET: objectName.optional().describe("Name of the TLS Secret of `BASE_URL`'s host"),
  ROUTE_KEEP: flag(false).describe(
    'Keep the Ingress of a stopped workbench, for Ingress controllers that reload on each change',
  ),
  WORKBENCH_PORT: count(8888, 65535).describe('Port that the IDE listens on in its Pod'),
  WB_RUN_AS_USER: id(1000).describe('User id of the IDE'),
  WB_FS_GROUP: id(1000).describe('Group id of the files'),
  WB_BOOT_COMMAND: command
    .optional()
    .describe("Command of the container (words, or a JSON list); unset: the image's own"),
  WB_DEFAULT_CPU: quantity.optional().describe('CPU of a workbench that names none; unset: no request and no limit'),
  WB_DEFAULT_RAM: quantity.optional().describe('Memory of a workbench that names none; unset: no request and no limit'),
  WB_GPU_RESOURCE: z
    .string()
    .refine(isQualifiedName, 'must be the name of a resource, such as nvidia.com/gpu')
    .default('nvidia.com/gpu')
    .describe('Resource name that `gpu` counts'),
  WB_USER_WORKBENCHES: most.optional().describe('Workbenches that one owner may have; unset: any number'),
  WB_USER_RUNNING: most.optional().describe('Workbenches that one owner may run at once; unset: any number'),
  WB_USER_CPU: quantity.optional().describe('CPU of all that one owner runs at once; unset: no limit'),
  WB_USER_RAM: quantity.optional().describe('Memory of all that one owner runs at once; unset: no limit'),
  WB_USER_GPU: most.optional().describe('GPUs of all that one owner runs at once; unset: no limit'),
  WB_USER_STORAGE: quantity
    .optional()
    .describe('Storage of all volumes of one owner, the kept ones included; unset: no limit'),
  WB_HOME_LIMIT: quantity
    .default('10Gi')
    .describe('Size limit of the emptyDir at /home/project, where its class has no storage'),
  WB_UNSCHEDULABLE_AFTER: seconds(60).describe('Seconds without a node until Pending becomes Failed'),
  WB_FORCE_DELETE_AFTER: z.coerce
    .number()
    .min(0)
    .optional()
    .describe('Seconds after which a Pod that a silent node does not confirm gone is removed by force; unset: never'),
  WB_HEADLESS_SERVICES: flag(true).describe(
    'Services without a cluster IP; `false` for Ingress controllers that need one',
  ),
  WB_VERIFY_ENDPOINT: z
    .enum(['public', 'private', 'off'])
    .optional()
    .describe(
      'What must answer before a workbench is running: its public URL, its Pod, or nothing. Unset: `public` with a `BASE_URL`, else `private`',
    ),
  WB_VERIFY_ADDRESS: z
    .string()
    .refine((text) => isHostAndPort(text), 'must be host:port')
    .optional()
    .describe("`host:port` where the Ingress is reached from inside, with the public host's name kept"),
  WB_VERIFY_COUNT: count(1, 100).describe('Matching answers in a row that are asked for'),
  WB_VERIFY_TIMEOUT: seconds(60).describe('Seconds without a match until the workbench is Failed (it clears itself)'),
  POD_NAME: z.string().optional().describe('Name of this replica, different for each; unset: the host name'),
  WB_LEASE_DURATION: interval(15).describe('Seconds without a renewal after which another replica takes over'),
  WB_LEASE_RENEW_DEADLINE: interval(10).describe(
    'Seconds after its last renewal in which a replica may act; less than `WB_LEASE_DURATION`',
  ),
  WB_LEASE_RETRY: interval(2).describe('Seconds between two renewals; less than `WB_LEASE_RENEW_DEADLINE`'),
  WB_WATCH_SILENCE: interval(75).describe(
    'Seconds without an event or a bookmark (one comes each minute) until a watch is cut and resumed',
  ),
  WB_RELIST_AFTER: interval(600).describe(
    'Seconds after which all objects are listed anew, should an event have been lost without a trace',
  ),
  WB_BLIND_AFTER: interval(300).describe(
    'Seconds without a word on a watch, while the API server answers others, until `/livez` fails',
  ),
  WB_DRAIN: z.coerce
    .number()
    .min(0)
    .max(300)
    .default(3)
    .describe(
      'Seconds after SIGTERM in which requests are still answered: who routes here hears of the end a moment late',
    ),
  WB_EVENTS_PER_SECOND: z.coerce
    .number()
    .min(0)
    .max(1_000)
    .default(5)
    .describe('Events that may be written per second in the long run, and ten times as many at once; 0: none'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least level that is logged'),
});

export type Environment = z.infer<typeof environmentSchema>;
