import { describe, expect, test } from '@jest/globals';
import { publicEndpoint } from '../../src/workbench/identity.ts';
import { buildIngress, buildPageIngress, mendIngress } from '../../src/workbench/ingress.ts';
import type { Ingress } from '../../src/workbench/objects.ts';
import type { Settings } from '../../src/workbench/settings.ts';
import { settings, workbench } from './sample.ts';

const { baseUrl: _, ...nameless } = settings;
const build = (more: Partial<Settings> = {}) => buildIngress(workbench(), { ...settings, ...more });
const rule = (ingress: Ingress) => ingress.spec!.rules![0]!;
const paths = (ingress: Ingress) => rule(ingress).http.paths.map(({ path, pathType }) => `${pathType} ${path}`);

describe("a workbench's Ingress", () => {
  test('has two literal paths, so that no other id is caught by it', () => {
    expect(paths(build())).toEqual(['Exact /project/genome', 'Prefix /project/genome/']);
  });

  test('is named by the id alone, and leads to its own Service', () => {
    const ingress = build({ port: 8080 });
    expect(ingress.metadata).toMatchObject({ name: 'genome', namespace: 'workbenches' });
    for (const { backend } of rule(ingress).http.paths) {
      expect(backend.service).toEqual({ name: expect.stringMatching(/^genome-[a-z2-7]{10}$/), port: { number: 8080 } });
    }
  });

  test("holds no text of a person's", () => {
    const text = 'mallory"; return 200;';
    const ingress = buildIngress(workbench({ owner: text, displayName: text, run: text }), settings);
    expect(JSON.stringify(ingress)).not.toContain('mallory');
  });
});

describe('the host of its rule', () => {
  test.each<[baseUrl: string, host: string | undefined, path: string]>([
    ['https://cloud.example', 'cloud.example', '/project/genome'],
    ['https://cloud.example:8443', 'cloud.example', '/project/genome'],
    ['https://cloud.example/ide', 'cloud.example', '/ide/project/genome'],
    ['https://cloud.example/a/b', 'cloud.example', '/a/b/project/genome'],
    ['http://192.0.2.7', undefined, '/project/genome'],
    ['http://192.0.2.7:8080/ide', undefined, '/ide/project/genome'],
    ['http://[2001:db8::7]:8080', undefined, '/project/genome'],
    ['http://localhost:8080', undefined, '/project/genome'],
  ])('of %s is %s', (baseUrl, host, path) => {
    const ingress = build({ baseUrl });
    expect(rule(ingress).host).toBe(host);
    expect('host' in rule(ingress)).toBe(host !== undefined);
    expect(paths(ingress)).toEqual([`Exact ${path}`, `Prefix ${path}/`]);
  });

  test('is absent where no BASE_URL is known', () => {
    const ingress = buildIngress(workbench(), nameless);
    expect(rule(ingress).host).toBeUndefined();
    expect(paths(ingress)).toEqual(['Exact /project/genome', 'Prefix /project/genome/']);
  });
});

describe('where each workbench has a host of its own', () => {
  const inHosts = { ...settings, workbenchDomain: 'wb.example:8443', ingressTlsSecret: 'tls' };

  test('its Ingress is at that host, with the path that it always has', () => {
    const ingress = build(inHosts);
    expect(rule(ingress).host).toBe('genome.wb.example');
    expect(ingress.spec!.tls).toEqual([{ hosts: ['genome.wb.example'], secretName: 'tls' }]);
    expect(paths(ingress)).toEqual(['Exact /project/genome', 'Prefix /project/genome/']);
    expect(publicEndpoint('genome', inHosts)).toBe('https://genome.wb.example:8443/project/genome');
  });

  test('the state page is at all of them, and at home', () => {
    const { spec } = buildPageIngress('system', 'controller', 8997, inHosts);
    expect(spec!.rules!.map(({ host }) => host)).toEqual(['cloud.example', '*.wb.example']);
    expect(spec!.tls).toEqual([{ hosts: ['cloud.example', '*.wb.example'], secretName: 'tls' }]);
  });
});

describe('what the admin chose', () => {
  test.each<[what: string, more: Partial<Settings>, expected: object | undefined]>([
    ['TLS for the host', { ingressTlsSecret: 'tls' }, [{ hosts: ['cloud.example'], secretName: 'tls' }]],
    ['TLS for an address', { ingressTlsSecret: 'tls', baseUrl: 'https://192.0.2.7' }, [{ secretName: 'tls' }]],
    ['no TLS', {}, undefined],
  ])('%s', (_what, more, expected) => {
    expect(build(more).spec!.tls).toEqual(expected);
  });

  test('the class, or none for the default of the cluster', () => {
    const { ingressClass: _class, ...classless } = settings;
    expect(build().spec!.ingressClassName).toBe('traefik');
    expect(buildIngress(workbench(), classless).spec).not.toHaveProperty('ingressClassName');
  });

  test('annotations, or none at all', () => {
    expect(build({ ingressAnnotations: { 'a.example/b': 'c' } }).metadata.annotations).toEqual({ 'a.example/b': 'c' });
    expect(build().metadata).not.toHaveProperty('annotations');
  });
});

describe("the state page's Ingress", () => {
  const page = (more: Partial<Settings> = {}) =>
    buildPageIngress('workbench-system', 'workbench-controller', 8997, { ...settings, ...more });

  test('takes everything else under /project, at the lowest priority', () => {
    expect(paths(page())).toEqual(['Exact /project', 'Prefix /project/']);
    expect(paths(page({ baseUrl: 'https://cloud.example/ide' }))).toEqual([
      'Exact /ide/project',
      'Prefix /ide/project/',
    ]);
    expect(page({ ingressAnnotations: { a: 'b' } }).metadata.annotations).toEqual({
      a: 'b',
      'traefik.ingress.kubernetes.io/router.priority': '1',
    });
  });

  test("has the host, class and TLS of the workbenches' own", () => {
    const { rules: [{ http: _http, ...own } = { http: { paths: [] } }] = [], ...rest } = build({
      ingressTlsSecret: 'tls',
    }).spec!;
    expect(page({ ingressTlsSecret: 'tls' }).spec).toMatchObject({ ...rest, rules: [own] });
  });
});

describe('an Ingress that somebody edited', () => {
  const wanted = build({ ingressAnnotations: { 'a.example/b': 'c' } });
  const live = (more: Partial<Ingress>, annotations?: Record<string, string>): Ingress => ({
    ...wanted,
    metadata: { ...wanted.metadata, ...(annotations ? { annotations } : {}) },
    ...more,
  });
  test.each([
    ['as we made it', live({}), []],
    ['with an annotation of another', live({}, { 'a.example/b': 'c', 'cert-manager.io/x': 'y' }), []],
    [
      'without an annotation of ours',
      live({}, { 'cert-manager.io/x': 'y' }),
      [
        {
          op: 'add',
          path: '/metadata/annotations',
          value: { 'cert-manager.io/x': 'y', 'a.example/b': 'c' },
        },
      ],
    ],
    ['with another spec', live({ spec: { rules: [] } }), [{ op: 'add', path: '/spec', value: wanted.spec }]],
  ])('%s is mended by exactly what it lacks', (_what, seen, patch) => {
    expect(mendIngress(seen, wanted, settings)).toEqual(patch);
  });
});
