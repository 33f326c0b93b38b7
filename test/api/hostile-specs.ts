/**
 * What an author may try by a manifest: each is refused by the API server, or by the status with a reason, or it is a workbench as
 * any other. Names, texts and numbers, as they are sent; unknown fields are tried apart.
 */

const DIGEST = `sha256:${'a'.repeat(64)}`;
export const MEGABYTE = 'x'.repeat(1 << 20);

/** Where it ends: a word of the API server's refusal, a status's reason, or a Pod. */
export type End = { refused: RegExp } | { reason: string } | 'Running';
export type Attack = [what: string, spec: object, end: End];

const words = (text: string) => text.trim().split(/\s+/);
const all = (of: string, field: (value: unknown) => object, values: readonly unknown[], end: End): Attack[] =>
  values.map((value) => [`${of} ${shown(value)}`, field(value), end]);

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 70 ? `${text.slice(0, 50)}… (${text.length})` : text;
}

const NOT_PRINTABLE = ['a\nb', 'a\r\nx-a: 1', '\u0000', 'a\tb', '\u001b[2J', 'a\u0085b', 'a\u2028b', 'a\u2029b'];
const NO_TEXT = [7, true, ['a'], { a: 1 }];
const PROTOTYPES = words('__proto__ constructor prototype toString');
const LIKE_ALICE = [
  'alice ',
  ' alice',
  'Alice',
  'аlice',
  'alice\u200b',
  '\u202eecila',
  '\u2066alice\u2069',
  'ali\ud800ce',
];
const CODE = [
  "' OR 1=1 --",
  'a: b # c',
  '<script>alert(1)</script>',
  '{{7*7}}',
  '$(KUBERNETES_SERVICE_HOST)',
  '!!js/function',
];
const PATHS = words('.. * ../../etc/passwd %2e%2e%2f system:admin');
/** Odd, and nobody's but who bears it. */
export const ODD_NAMES = [...PROTOTYPES, ...LIKE_ALICE, ...CODE, ...PATHS, 'e\u0301'];

const owner = (value: unknown) => ({ owner: value });
const displayName = (value: unknown) => ({ displayName: value });
const run = (value: unknown) => ({ run: value });
const OWNERS: Attack[] = [
  ...all('the owner', owner, [...NOT_PRINTABLE, ...NO_TEXT, '', null, 'x'.repeat(254), MEGABYTE], { refused: /owner/ }),
  ...all('the owner', owner, [...ODD_NAMES, 'x'.repeat(253), '𝔁'.repeat(253)], 'Running'),
  ...all('the name for people', displayName, [...NOT_PRINTABLE, '', MEGABYTE], { refused: /displayName/ }),
  ...all('the name for people', displayName, ODD_NAMES, 'Running'),
  ...all('the run', run, [...NO_TEXT, 'x'.repeat(64), MEGABYTE], { refused: /run/ }),
  ...all('the run', run, [...ODD_NAMES, ...NOT_PRINTABLE, ''], 'Running'),
];

const image = (value: unknown) => ({ image: value });
const NO_IMAGES = words(`
  registry.example/LAB registry.example./lab https://registry.example/lab registry.example//lab registry.example/../lab
  registry.example/team/.. registry.example/team/. registry.example\\team\\a registry.example/lab@sha256:abc
  registry.example/lab@sha512:${'a'.repeat(128)} registry.example/lab@v1 registry.example/lab@${DIGEST.toUpperCase()}
  registry.example/lab:v1:v2 reɡistry.example/lab user@registry.example/lab registry.example/team/%61 [::1]:5000/lab
  registry.example/lab?x registry.example/lab#x registry.example:99999999/lab oci:/etc $(WORKBENCH_URL) @ : / *
`);
const NOT_ALLOWED = words(`
  registry.example.evil.com/lab allowed.example.evil.com/lab evil.example/registry.example/lab lab localhost/lab evil/team/a
  REGISTRY.EXAMPLE/team/a registry.example:443/team/a registry.example:5000/team/a registry-example/lab docker.io/team/a
  registry.example/team registry.example/team/a/b registry.example/team-x/a registry.example/xteam/a xregistry.example/team/a
  registryxexample/team/a registry.example/tagged registry.example/tagged:latest registry.example/tagged:av1
  registry.example/tagged@${DIGEST} registry.example/tagged:v1@${DIGEST} registry.example/lab:v1 ${DIGEST}
  registry.example/lab@${DIGEST} registry.example/lab:latest@${DIGEST}
`);
const IMAGES: Attack[] = [
  ...all('the image', image, [...NO_IMAGES, '', ' ', 'registry.example/lab:v1 ', ' registry.example/lab:v1'], {
    refused: /image/,
  }),
  ...all('the image', image, ['registry.example/lab:v1\n', MEGABYTE, 7], { refused: /image/ }),
  ...all('the image', image, NOT_ALLOWED, { reason: 'ImageNotAllowed' }),
  ...all(
    'the image',
    image,
    words('registry.example/team/a registry.example/tagged:v1 registry.example/lab:latest'),
    'Running',
  ),
  ...all('the image', image, [`registry.example/team/a:v1@${DIGEST}`, `registry.example/team/a@${DIGEST}`], 'Running'),
];

const variable = (name: unknown) => ({ env: [{ name, value: 'mallory' }] });
const value = (text: unknown) => ({ env: [{ name: 'MINE', value: text }] });
const many = (count: number, text: string) => Array.from({ length: count }, (_, i) => ({ name: `A${i}`, value: text }));
const RESERVED = words(`
  WORKBENCH_ID WORKBENCH_OWNER WORKBENCH_URL WORKBENCH_BASE_PATH WORKBENCH_PORT WORKBENCH_ WORKBENCH_ANYTHING
  WORKSPACE_PATH JUPYTER_BASE_URL KUBERNETES_SERVICE_HOST KUBERNETES_
`);
const NO_VARIABLES = ['', 'A=B', 'A B', 'A\n', 'A\u0000', '1A', 'a-b', 'a.b', 'É', 'ＷORKBENCH_ID', 'A\u200b', '$(A)'];
const REFERENCES = words('$(WORKBENCH_OWNER) $$(WORKBENCH_URL) $ $( $((MINE)) $$$$(A');
const ENV: Attack[] = [
  ...all('the variable', variable, RESERVED, { refused: /reserved/ }),
  ...all('the variable', variable, [...NO_VARIABLES, 'x'.repeat(129), MEGABYTE], { refused: /env/ }),
  // Its process is the author's own anyway.
  ...all(
    'the variable',
    variable,
    [...PROTOTYPES, ...words('workbench_id Workbench_Owner LD_PRELOAD PATH')],
    'Running',
  ),
  ...all('the value', value, [...NO_TEXT, { secretKeyRef: {} }, 'x'.repeat(8193), MEGABYTE], { refused: /env/ }),
  ...all('the value', value, [...ODD_NAMES, ...NOT_PRINTABLE, ...REFERENCES, '', 'x'.repeat(8192)], 'Running'),
  ['a hundred and one variables', { env: many(101, 'x') }, { refused: /must have at most 100 items/ }],
  ['a hundred variables', { env: many(100, 'x') }, 'Running'],
  // Written out for the kubelet it is twice as long, and more than the cluster's store takes.
  ['a hundred variables of dollars alone', { env: many(100, '$'.repeat(8192)) }, { reason: 'Refused' }],
  ['one variable twice', { env: [...many(1, 'a'), ...many(1, 'b')] }, { refused: /Duplicate/ }],
];

const size = (what: string) => (wanted: unknown) => ({ resources: { [what]: wanted } });
const NO_SIZES = [
  '',
  ' ',
  '1 ',
  '1\n',
  -1,
  0,
  1e99,
  true,
  MEGABYTE,
  ...words('-1 0 NaN Infinity 1e99 1E3 1Ei 0x10 ١ +1'),
];
const SIZES: Attack[] = [
  ...all('cpu', size('cpu'), [...NO_SIZES, 1.5, ['1'], '9'.repeat(33)], { refused: /cpu/ }),
  ...all('memory', size('memory'), [...NO_SIZES, 1e21, 9_007_199_254_740_992, { a: 1 }], { refused: /memory/ }),
  ...all('gpu', size('gpu'), [-1, 65, 1.5, 1e99, 9_007_199_254_740_992, '1', true, MEGABYTE], { refused: /gpu/ }),
  ['cpu as nobody has it', { resources: { cpu: '999999999999999' } }, { reason: 'Unschedulable' }],
  ['memory as nobody has it', { resources: { memory: '999999999999Pi' } }, { reason: 'Unschedulable' }],
  ['a GPU that nobody has', { resources: { gpu: 64 } }, { reason: 'Unschedulable' }],
];

const field = (name: string) => (wanted: unknown) => ({ [name]: wanted });
const claim = (claimName: unknown) => ({ class: 'files', storage: { claimName } });
const NO_NAMES = ['', 'A', 'a/b', 'a\n', 'файл', MEGABYTE, '../files', '__proto__'];
const OTHERS_CLAIMS = words('of-alice of-nobody labelled the-secret constructor kube-root-ca.crt');
const CHOICES: Attack[] = [
  ...all('the class', field('class'), [...NO_NAMES, 7], { refused: /class/ }),
  ...all('the class', field('class'), words('constructor prototype elsewhere a..b'), { reason: 'ClassMissing' }),
  ...all('the version', field('version'), ['__proto__', '', '../v1', 'v1 ', 'v1\n', MEGABYTE], { refused: /version/ }),
  ...all('the version', field('version'), ['constructor', 'v1'], { reason: 'VersionMissing' }),
  ['a version that no class names', { class: 'files', version: 'constructor' }, { reason: 'VersionMissing' }],
  ...all('the state', field('state'), ['running', 'Deleted', '', 1, MEGABYTE], { refused: /state/ }),
  ['storage without a class', { storage: { size: '1Gi' } }, { reason: 'StorageNotAllowed' }],
  ...all('the claim', claim, NO_NAMES, { refused: /claimName/ }),
  ...all('the claim', claim, OTHERS_CLAIMS, { reason: 'VolumeMissing' }),
];

const share = (user: unknown, permission: unknown = 'read') => ({ shares: [{ user, permission }] });
const shares = (count: number) => Array.from({ length: count }, (_, i) => ({ user: `u${i}`, permission: 'read' }));
const SHARES: Attack[] = [
  ...all('the recipient', share, [...NOT_PRINTABLE, ...NO_TEXT, '', 'x'.repeat(254), MEGABYTE], { refused: /shares/ }),
  ...all('the recipient', (user) => share(`${String(user)}!`), ODD_NAMES, 'Running'),
  ...all('the right', (right) => share('eve', right), ['', 'owner', 'Read', 'read ', 7, MEGABYTE], {
    refused: /shares/,
  }),
  ['a hundred and one shares', { shares: shares(101) }, { refused: /must have at most 100 items/ }],
  ['one recipient twice', { shares: [...shares(1), ...shares(1)] }, { refused: /Duplicate/ }],
];

export const ATTACKS: Attack[] = [...OWNERS, ...IMAGES, ...ENV, ...SIZES, ...CHOICES, ...SHARES];
