import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseEnvironment, readGuardKeys, settingsFrom } from '../src/config.ts';

type Env = Record<string, string | undefined>;

/** What is wrong with an environment, one line per variable. */
function problems(env: Env): string[] {
  try {
    parseEnvironment(env);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message
        .split('\n')
        .slice(1)
        .map((text) => text.trim());
    throw error;
  }
  return [];
}

test('the defaults are those of the contract', () => {
  const env = parseEnvironment({});
  expect(env).toMatchObject({
    PORT: 8999,
    HEALTH_PORT: 8998,
    PAGE_PORT: 8997,
    WORKBENCH_PORT: 8888,
    WORKBENCH_IMAGE: '394497726199.dkr.ecr.us-west-1.amazonaws.com/h1st/workbench:latest',
    CONTROLLER_NAMESPACE: 'workbench-system',
    RESTAPI_URL_PREFIX: '',
    WB_VERIFY_COUNT: 1,
    LOG_LEVEL: 'info',
  });
  expect(settingsFrom(env)).toEqual({
    namespace: 'workbenches',
    image: '394497726199.dkr.ecr.us-west-1.amazonaws.com/h1st/workbench:latest',
    allowedImages: [],
    ingressAnnotations: {},
    routeKeep: false,
    port: 8888,
    runAsUser: 1000,
    fsGroup: 1000,
    gpuResource: 'nvidia.com/gpu',
    homeLimit: '10Gi',
    unschedulableAfterMs: 60_000,
    resolvesImages: true,
    verify: 'private',
    verifyTimeoutMs: 60_000,
    headlessServices: true,
  });
});

test('an empty value is how a shell says "unset"', () => {
  const empty = Object.fromEntries(Object.keys(parseEnvironment({})).map((name) => [name, '']));
  expect(parseEnvironment({ ...empty, BASE_URL: '', OIDC_ISSUER: '', RESTAPI_AUTH_STATIC_KEY: '' })).toEqual(
    parseEnvironment({}),
  );
});

test('what is meant for other programs is of no concern', () => {
  expect(problems({ HOME: '/root', KUBERNETES_SERVICE_HOST: '10.0.0.1', WB_UNHEARD_OF: 'x' })).toEqual([]);
});

test('what two variables must be to each other is checked also where a third is wrong', () => {
  const found = problems({ PORT: 'http', WORKBENCH_NAMESPACE: 'workbench-system', WB_LEASE_RETRY: '60' });
  expect(found.map((text) => text.split(':')[0])).toEqual(['PORT', 'WORKBENCH_NAMESPACE', 'WB_LEASE_RETRY']);
});

test('every wrong variable is named at once, with what it must be', () => {
  const wrong = {
    PORT: 'http',
    WORKBENCH_NAMESPACE: 'Not_A_Label',
    WORKBENCH_IMAGE: 'https://registry.example/lab',
    BASE_URL: 'cloud.example',
    ROUTE_KEEP: 'yes',
    WB_DEFAULT_RAM: '2 GB',
    WB_RUN_AS_USER: '0',
    WB_VERIFY_ENDPOINT: 'sometimes',
    INGRESS_ANNOTATIONS: '[]',
    LOG_LEVEL: 'loud',
    RESTAPI_AUTH_STATIC_KEY: 'secret',
  };
  const found = problems(wrong);
  expect(new Set(found.map((text) => text.split(':')[0]))).toEqual(new Set(Object.keys(wrong)));
  // A value may be a secret that was put into the wrong place.
  expect(found.join()).not.toContain('secret');
});

test.each<[text: string, origins: string[] | undefined]>([
  ['https://portal.example', ['https://portal.example']],
  ['https://a.example, http://localhost:3000', ['https://a.example', 'http://localhost:3000']],
  ['*', undefined],
  ['https://*.example', undefined],
  ['https://portal.example/', undefined],
  ['https://portal.example:443', undefined],
  ['https://Portal.example', undefined],
  ['portal.example', undefined],
  ['null', undefined],
  [',', undefined],
])('the origins of pages are whole ones, as browsers say them: %s', (text, origins) => {
  if (origins) expect(parseEnvironment({ RESTAPI_CORS_ORIGIN: text }).RESTAPI_CORS_ORIGIN).toEqual(origins);
  else
    expect(problems({ RESTAPI_CORS_ORIGIN: text })).toEqual([expect.stringMatching(/^RESTAPI_CORS_ORIGIN: must be/)]);
});

describe('who asks', () => {
  const KEY = 'k'.repeat(32);
  const BASE_URL = 'https://cloud.example';
  const GUARD = { OIDC_CLIENT_ID: 'portal', WB_GUARD_KEY_FILE: '/key', BASE_URL };
  const OIDC = { OIDC_ISSUER: 'https://id.example/realms/lab', OIDC_AUDIENCE: 'workbenches' };

  test.each<[what: string, env: Record<string, string>, problem: RegExp | undefined]>([
    ['is believed', {}, undefined],
    ['is known by a key', { RESTAPI_AUTH_STATIC_KEY: KEY }, undefined],
    ['is known by a shared secret', { RESTAPI_AUTH_JWT_KEY: KEY, OIDC_USER_CLAIM: 'email' }, undefined],
    ['is known by a provider', { ...OIDC, OIDC_JWKS_URL: 'http://id.svc/keys', OIDC_ADMIN_ROLE: 'admin' }, undefined],
    ['cannot be known in two ways', { ...OIDC, RESTAPI_AUTH_JWT_KEY: KEY }, /JWT_KEY, OIDC_ISSUER: only one/],
    ['is not known by a provider alone', { OIDC_ISSUER: OIDC.OIDC_ISSUER }, /^OIDC_AUDIENCE: is needed/],
    ['is not known by an audience alone', { OIDC_AUDIENCE: 'x' }, /^OIDC_AUDIENCE: needs an OIDC_ISSUER/],
    ['has no role without a provider', { OIDC_ADMIN_ROLE: 'x' }, /^OIDC_ADMIN_ROLE: needs an OIDC_ISSUER/],
    [
      'needs a key of some length',
      { RESTAPI_AUTH_STATIC_KEY: 'short' },
      /^RESTAPI_AUTH_STATIC_KEY: must be at least 16/,
    ],
    ['needs a key that fits into a header', { RESTAPI_AUTH_STATIC_KEY: 'k'.repeat(20) + ' ö' }, /STATIC_KEY: must be/],
    ['needs a secret of some length', { RESTAPI_AUTH_JWT_KEY: 'short' }, /^RESTAPI_AUTH_JWT_KEY: must be at least 32/],
    ['needs a URL of the provider', { ...OIDC, OIDC_ISSUER: 'id.example' }, /^OIDC_ISSUER: /],
    ['is asked by a browser, too', { ...OIDC, ...GUARD }, undefined],
    ['is asked by a browser at the loopback', { ...OIDC, ...GUARD, BASE_URL: 'http://localhost:8080' }, undefined],
    ['cannot be asked without a provider', GUARD, /^OIDC_CLIENT_ID: needs an OIDC_ISSUER/],
    ['cannot be remembered without a key', { ...OIDC, OIDC_CLIENT_ID: 'x', BASE_URL }, /^WB_GUARD_KEY_FILE: is needed/],
    ['cannot be remembered without TLS', { ...OIDC, ...GUARD, BASE_URL: 'http://cloud.example' }, /^BASE_URL: must/],
    ['cannot be remembered nowhere', { ...OIDC, ...GUARD, BASE_URL: '' }, /^BASE_URL: must/],
    [
      'is not taken at its word',
      { ...OIDC, ...GUARD, WB_VERIFY_ENDPOINT: 'off' },
      /^WB_VERIFY_ENDPOINT: off would not/,
    ],
    [
      'may be asked first where a path is taken off',
      { INGRESS_ANNOTATIONS: '{"a/m":"guard"}', INGRESS_STRIP_ANNOTATIONS: '{"a/m":"guard,strip","a/n":"x"}' },
      undefined,
    ],
    [
      'must be asked first where a path is taken off',
      { INGRESS_ANNOTATIONS: '{"a/m":"guard"}', INGRESS_STRIP_ANNOTATIONS: '{"a/m":"strip,guard"}' },
      /^INGRESS_STRIP_ANNOTATIONS: a\/m must begin with/,
    ],
    [
      'is not at the host of a workbench',
      { BASE_URL: 'https://hub.wb.example', WB_WORKBENCH_DOMAIN: 'wb.example' },
      /^WB_WORKBENCH_DOMAIN: /,
    ],
    ['has no guard by a key alone', { WB_GUARD_KEY_FILE: '/key' }, /^WB_GUARD_KEY_FILE: needs an OIDC_CLIENT_ID/],
    ['has no secret without a client', { OIDC_CLIENT_SECRET: 'x' }, /^OIDC_CLIENT_SECRET: needs an OIDC_CLIENT_ID/],
  ])('%s', (_what, env, problem) => {
    expect(problems(env)).toEqual(problem ? [expect.stringMatching(problem)] : []);
  });
});

describe('the key of the guard', () => {
  const folder = mkdtempSync(join(tmpdir(), 'guard-key-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (text: string) => {
    writeFileSync(join(folder, 'key'), text);
    return join(folder, 'key');
  };

  test('is the first line of its file, and former ones are those behind it', () => {
    expect(readGuardKeys(file(`${'a'.repeat(64)}\n`))).toEqual(['a'.repeat(64)]);
    expect(readGuardKeys(file(`${'b'.repeat(32)}\n\n${'a'.repeat(32)}`))).toEqual(['b'.repeat(32), 'a'.repeat(32)]);
  });

  test('is missed in a sentence, and never shown', () => {
    expect(() => readGuardKeys(join(folder, 'none'))).toThrow(/^WB_GUARD_KEY_FILE: ENOENT/);
    for (const text of ['', '\n', 'short', `${'a'.repeat(32)}\nshort`])
      expect(() => readGuardKeys(file(text))).toThrow(
        /^WB_GUARD_KEY_FILE: must hold a key of at least 32 characters, such/,
      );
  });
});

describe('a value that can be used', () => {
  test.each<[name: string, value: string, read: unknown]>([
    ['PORT', '0', 0],
    ['PORT', '65535', 65_535],
    ['BASE_URL', 'https://cloud.example', 'https://cloud.example'],
    ['BASE_URL', 'https://cloud.example/', 'https://cloud.example'],
    ['BASE_URL', 'https://Cloud.Example/ide//', 'https://cloud.example/ide'],
    ['BASE_URL', 'http://[2001:db8::7]:8080', 'http://[2001:db8::7]:8080'],
    ['RESTAPI_URL_PREFIX', '/api/v1', '/api/v1'],
    ['ROUTE_KEEP', 'true', true],
    ['WB_HEADLESS_SERVICES', 'false', false],
    ['WB_ALLOWED_IMAGES', 'a/b, c/*  d:v1,', ['a/b', 'c/*', 'd:v1']],
    ['WB_FORCE_DELETE_AFTER', '0', 0],
    ['WB_VERIFY_ADDRESS', 'traefik.ingress.svc:80', 'traefik.ingress.svc:80'],
    ['WB_VERIFY_ADDRESS', '[::1]:443', '[::1]:443'],
    ['WB_SESSION_HOURS', '0.5', 0.5],
    ['INGRESS_ANNOTATIONS', '{"a.example/b":"c"}', { 'a.example/b': 'c' }],
    ['INGRESS_ANNOTATIONS', '{}', {}],
    ['WB_BOOT_COMMAND', 'jupyter lab --no-browser', ['jupyter', 'lab', '--no-browser']],
    ['WB_BOOT_COMMAND', '  start  ', ['start']],
    ['WB_BOOT_COMMAND', '["sh","-c","exec lab --dir \'a b\'"]', ['sh', '-c', "exec lab --dir 'a b'"]],
  ])('%s=%s', (name, value, read) => {
    expect(parseEnvironment({ [name]: value })[name as 'PORT']).toEqual(read);
  });
});

describe('a value that cannot', () => {
  test.each([
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', '-1'],
    ['WORKBENCH_PORT', '0'],
    ['RESTAPI_URL_PREFIX', 'api'],
    ['RESTAPI_URL_PREFIX', '/api/'],
    ['BASE_URL', 'ftp://cloud.example'],
    ['BASE_URL', 'https://cloud.example/?x=y'],
    ['BASE_URL', 'https://cloud.example/#x'],
    ['BASE_URL', 'https://bob:pw@cloud.example'],
    ['BASE_URL', 'https://cloud.example/?'],
    ['BASE_URL', 'https://cloud.example/#'],
    ['BASE_URL', 'https://:pw@cloud.example'],
    ['BASE_URL', 'javascript:alert(1)'],
    ['ROUTE_KEEP', '1'],
    ['WB_RUN_AS_USER', '0'],
    ['WB_DEFAULT_CPU', '0'],
    ['WB_UNSCHEDULABLE_AFTER', '-1'],
    ['WB_UNSCHEDULABLE_AFTER', '86401'],
    ['WB_VERIFY_COUNT', '0'],
    ['WB_VERIFY_ADDRESS', 'traefik'],
    ['WB_SESSION_HOURS', '0'],
    ['WB_VERIFY_ADDRESS', 'traefik:65536'],
    ['WB_VERIFY_ADDRESS', 'http://traefik:80'],
    ['BASE_URL', 'https://cloud_example'],
    ['INGRESS_CLASS', 'Traefik_1'],
    ['INGRESS_TLS_SECRET', 'a b'],
    ['WB_IMAGE_PULL_SECRET', '-x'],
    ['WB_GPU_RESOURCE', 'a b'],
    ['WB_USER_RUNNING', '-1'],
    ['WB_USER_CPU', 'much'],
    ['INGRESS_ANNOTATIONS', '{"bad key!":"x"}'],
    ['INGRESS_ANNOTATIONS', 'a=b'],
    ['INGRESS_ANNOTATIONS', '{"a":1}'],
    ['INGRESS_ANNOTATIONS', '"text"'],
    ['INGRESS_ANNOTATIONS', 'null'],
    ['WB_BOOT_COMMAND', '["jupyter"'],
    ['WB_BOOT_COMMAND', '[]'],
    ['WB_BOOT_COMMAND', '["jupyter",""]'],
    ['WB_BOOT_COMMAND', '["jupyter",7]'],
  ])('%s=%s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(`^${name}: `)]);
  });
});

describe('what must answer before a workbench is running', () => {
  test.each<[env: Env, verify: string]>([
    [{}, 'private'],
    [{ BASE_URL: 'https://cloud.example' }, 'public'],
    [{ BASE_URL: 'https://cloud.example', WB_VERIFY_ENDPOINT: 'off' }, 'off'],
    [{ BASE_URL: 'https://cloud.example', WB_VERIFY_ENDPOINT: 'private' }, 'private'],
  ])('%j: %s', (env, verify) => {
    expect(settingsFrom(parseEnvironment(env)).verify).toBe(verify);
  });

  test('cannot be a public URL that nobody knows', () => {
    expect(problems({ WB_VERIFY_ENDPOINT: 'public' })).toEqual(['WB_VERIFY_ENDPOINT: public needs a BASE_URL']);
  });
});

test('seconds become milliseconds, and zero is not "unset"', () => {
  const env = { WB_UNSCHEDULABLE_AFTER: '1.5', WB_VERIFY_TIMEOUT: '0', WB_FORCE_DELETE_AFTER: '0' };
  expect(settingsFrom(parseEnvironment(env))).toMatchObject({
    unschedulableAfterMs: 1_500,
    verifyTimeoutMs: 0,
    forceDeleteAfterMs: 0,
  });
});
