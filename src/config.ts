/** The only reader of the environment. All of it is checked at start, and every wrong variable is named at once. */
import { parse } from 'dotenv';
import { readFileSync } from 'node:fs';
import { environmentSchema } from './environment.ts';
import type { Environment } from './environment.ts';
import type { UserLimits } from './workbench/limits.ts';
import type { Settings } from './workbench/settings.ts';

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** @throws ConfigError that names every wrong variable */
export function parseEnvironment(env: Record<string, string | undefined>): Environment {
  // An empty value is how a shell or a manifest says "unset".
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const { data, error } = environmentSchema.safeParse(present);
  const problems = (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  problems.push(...identityProblems(present));
  if (present.WB_VERIFY_ENDPOINT === 'public' && !present.BASE_URL)
    problems.push('WB_VERIFY_ENDPOINT: public needs a BASE_URL');
  // Of what is right by itself, also when something else is not.
  const known = <K extends keyof Environment>(name: K) =>
    environmentSchema.shape[name].safeParse(present[name]).data as Environment[K] | undefined;
  const namespace = known('WORKBENCH_NAMESPACE');
  if (namespace !== undefined && namespace === known('CONTROLLER_NAMESPACE'))
    problems.push('WORKBENCH_NAMESPACE: must not be the namespace of the controller itself');
  const times = [known('WB_LEASE_RETRY'), known('WB_LEASE_RENEW_DEADLINE'), known('WB_LEASE_DURATION')];
  if (times.slice(1).some((time, index) => time! <= times[index]!))
    problems.push('WB_LEASE_RETRY: must be less than WB_LEASE_RENEW_DEADLINE, and that less than WB_LEASE_DURATION');
  problems.push(...annotationProblems(known('INGRESS_ANNOTATIONS'), known('INGRESS_STRIP_ANNOTATIONS')));
  const [domain, home] = [known('WB_WORKBENCH_DOMAIN'), known('BASE_URL')];
  if (domain && home && new URL(home).host.split('.').slice(1).join('.') === domain)
    problems.push('WB_WORKBENCH_DOMAIN: a workbench could have the host of BASE_URL; take a domain below or beside it');
  if (problems.length > 0) throw new ConfigError(`The environment is not usable:\n  ${problems.join('\n  ')}`);
  return data!;
}

/** Two ways to be known at once would leave open which one counts; half a way would let nobody in. */
function identityProblems(present: Record<string, string | undefined>): string[] {
  const ways = ['RESTAPI_AUTH_STATIC_KEY', 'RESTAPI_AUTH_JWT_KEY', 'OIDC_ISSUER'].filter((name) => name in present);
  const problems: string[] = [];
  if (ways.length > 1) problems.push(`${ways.join(', ')}: only one of them can say who asks`);
  const isOidc = present.OIDC_ISSUER !== undefined;
  if (isOidc && present.OIDC_AUDIENCE === undefined) problems.push('OIDC_AUDIENCE: is needed with OIDC_ISSUER');
  for (const name of ['OIDC_AUDIENCE', 'OIDC_JWKS_URL', 'OIDC_ADMIN_ROLE', 'OIDC_CLIENT_ID'])
    if (!isOidc && name in present) problems.push(`${name}: needs an OIDC_ISSUER`);
  return [...problems, ...guardProblems(present)];
}

/** What takes the path off must not take the place of what else the Ingress controller does, the guard first of all. */
function annotationProblems(all: Record<string, string> = {}, strip: Record<string, string> = {}): string[] {
  const shared = Object.keys(strip).filter((key) => Object.hasOwn(all, key));
  const wrong = shared.filter((key) => strip[key] !== all[key] && !strip[key]!.startsWith(`${all[key]},`));
  return wrong.map(
    (key) => `INGRESS_STRIP_ANNOTATIONS: ${key} must begin with what it is in INGRESS_ANNOTATIONS, and a comma`,
  );
}

/** Half a guard would be none. */
function guardProblems(present: Record<string, string | undefined>): string[] {
  const problems: string[] = [];
  const isGuarded = present.OIDC_CLIENT_ID !== undefined;
  for (const name of ['OIDC_CLIENT_SECRET', 'WB_GUARD_KEY_FILE'])
    if (!isGuarded && name in present) problems.push(`${name}: needs an OIDC_CLIENT_ID`);
  if (present.WB_WORKBENCH_DOMAIN !== undefined && !present.BASE_URL)
    problems.push('WB_WORKBENCH_DOMAIN: needs a BASE_URL');
  if (!isGuarded) return problems;
  if (present.WB_GUARD_KEY_FILE === undefined) problems.push('WB_GUARD_KEY_FILE: is needed with OIDC_CLIENT_ID');
  const { WB_VERIFY_ENDPOINT: where } = present;
  if (where === 'private' || where === 'off')
    problems.push(`WB_VERIFY_ENDPOINT: ${where} would not notice a guard that nobody asks; leave it out`);
  // The loopback is as good as TLS to a browser, which else would not keep the session's cookie.
  if (!/^https:|^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)([:/]|$)/.test(present.BASE_URL ?? ''))
    problems.push('BASE_URL: must be there and begin with https:// where OIDC_CLIENT_ID is set');
  return problems;
}

/** @returns what closes first. @throws ConfigError */
export function readGuardKeys(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`WB_GUARD_KEY_FILE: ${(error as Error).message}`);
  }
  const keys = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  if (keys.length > 0 && keys.every((key) => key.length >= 32)) return keys;
  throw new ConfigError(
    'WB_GUARD_KEY_FILE: must hold a key of at least 32 characters, such as of "openssl rand -hex 32"',
  );
}

/** The process's environment over the `.env` in the working directory. */
export function readEnvironment(): Environment {
  let file: Record<string, string> = {};
  try {
    file = parse(readFileSync('.env'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new ConfigError(`.env could not be read: ${(error as Error).message}`);
  }
  return parseEnvironment({ ...file, ...process.env });
}

export function settingsFrom(env: Environment): Settings {
  const optional = {
    pullSecrets: env.WB_IMAGE_PULL_SECRET === undefined ? undefined : [env.WB_IMAGE_PULL_SECRET],
    baseUrl: env.BASE_URL,
    workbenchDomain: env.WB_WORKBENCH_DOMAIN,
    isGuarded: env.OIDC_CLIENT_ID === undefined ? undefined : true,
    ingressClass: env.INGRESS_CLASS,
    ingressTlsSecret: env.INGRESS_TLS_SECRET,
    stripAnnotations: env.INGRESS_STRIP_ANNOTATIONS,
    bootCommand: env.WB_BOOT_COMMAND,
    defaultCpu: env.WB_DEFAULT_CPU,
    defaultMemory: env.WB_DEFAULT_RAM,
    userLimits: userLimits(env),
    forceDeleteAfterMs: env.WB_FORCE_DELETE_AFTER === undefined ? undefined : env.WB_FORCE_DELETE_AFTER * 1000,
  };
  return {
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Settings>),
    namespace: env.WORKBENCH_NAMESPACE,
    image: env.WORKBENCH_IMAGE,
    allowedImages: env.WB_ALLOWED_IMAGES,
    ingressAnnotations: env.INGRESS_ANNOTATIONS ?? {},
    routeKeep: env.ROUTE_KEEP,
    port: env.WORKBENCH_PORT,
    runAsUser: env.WB_RUN_AS_USER,
    fsGroup: env.WB_FS_GROUP,
    gpuResource: env.WB_GPU_RESOURCE,
    homeLimit: env.WB_HOME_LIMIT,
    unschedulableAfterMs: env.WB_UNSCHEDULABLE_AFTER * 1000,
    resolvesImages: env.WB_RESOLVE_IMAGES,
    verify: env.WB_VERIFY_ENDPOINT ?? (env.BASE_URL ? 'public' : 'private'),
    verifyTimeoutMs: env.WB_VERIFY_TIMEOUT * 1000,
    headlessServices: env.WB_HEADLESS_SERVICES,
  };
}

function userLimits(env: Environment): UserLimits | undefined {
  const limits = {
    workbenches: env.WB_USER_WORKBENCHES,
    running: env.WB_USER_RUNNING,
    cpu: env.WB_USER_CPU,
    memory: env.WB_USER_RAM,
    gpu: env.WB_USER_GPU,
    storage: env.WB_USER_STORAGE,
  };
  const known = Object.entries(limits).filter(([, most]) => most !== undefined);
  return known.length > 0 ? (Object.fromEntries(known) as UserLimits) : undefined;
}
