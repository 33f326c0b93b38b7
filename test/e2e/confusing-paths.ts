/** Addresses that an Ingress controller, the guard and a workbench might each read in their own way. */

/** Each a way to say "up", "here", "/" or nothing at all. */
const UP = [
  '..',
  '%2e%2e',
  '.%2e',
  '%2E.',
  '..;',
  '..;x=y',
  '%252e%252e',
  '..%00',
  '%c0%ae%c0%ae',
  '..\\',
  '%u002e%u002e',
];
const SLASH = ['/', '%2f', '%2F', '\\', '%5c', '//', '/./', '/%2e/', ';/', '%252f', '/;/', '%c0%af', '\u00a0/'];
const NOISE = [
  '',
  ';',
  ';a=b',
  '%00',
  '%20',
  '%09',
  '.',
  '%2e',
  '~',
  '%23',
  '#',
  '?',
  '%3f',
  '*',
  '|',
  '"',
  '<',
  '%0d%0ax:y',
  '\u00e9',
];

/** @param own an id of whoever asks. @param other one that they must not reach */
export function confusingPaths(own: string, other: string): string[] {
  const climbs = UP.flatMap((up) => SLASH.map((slash) => `/project/${own}/${up}${slash}${other}`));
  const hidden = UP.flatMap((up) =>
    SLASH.map((slash) => `/project/${own}/x${slash}${up}${slash}${up}${slash}${other}`),
  );
  const above = UP.flatMap((up) => [
    `/${up}/project/${other}`,
    `/project/${up}/project/${other}`,
    `/x/${up}/project/${other}/`,
  ]);
  const joined = SLASH.flatMap((slash) => [
    `/project${slash}${other}`,
    `${slash}project/${other}`,
    `/project/${own}${slash}${other}`,
    `/project/${own}${slash}${slash}${other}/`,
    `/project${slash}${slash}${own}${slash}lab`,
  ]);
  const noisy = NOISE.flatMap((noise) => [
    `/project/${other}${noise}`,
    `/project/${own}${noise}`,
    `/project/${own}${noise}/${other}`,
    `/project/${noise}${other}`,
    `/project${noise}/${other}`,
    `/${noise}project/${other}`,
    `/project/${own}/${noise}/../../${other}`,
  ]);
  const cased = [
    `/PROJECT/${other}`,
    `/Project/${own}`,
    `/project/${other.toUpperCase()}`,
    `/project/${own.toUpperCase()}`,
  ];
  const encoded = Array.from(other, (letter, index) => {
    const code = `%${letter.charCodeAt(0).toString(16)}`;
    return `/project/${other.slice(0, index)}${code}${other.slice(index + 1)}`;
  });
  const prefixes = [`/project/${own}${other}`, `/project/${own.slice(0, -1)}`, `/project/${own}-`, `/project/${own}.`];
  const absolute = ['http://cloud.example', 'http://127.0.0.1', 'https://x@y'].map(
    (origin) => `${origin}/project/${other}`,
  );
  const long = [
    `/project/${own}/${'a/../'.repeat(50)}../../${other}`,
    `/project/${'a'.repeat(5_000)}`,
    `/project/${own}/${'%2e'.repeat(1_000)}`,
  ];
  const plain = [
    '',
    '/',
    '/lab',
    '/lab/tree/a%20b',
    '/a%2Fb',
    '//x',
    '/x;y=z',
    '/?/../..',
    '?a=/project/x',
    '/%7e',
  ].map((tail) => `/project/${own}${tail}`);
  const guards = ['-', '-/', '-/callback', '-/login', '-/enter', '-/logout', '-/else', `-/../${other}`].map(
    (own_) => `/project/${own_}`,
  );
  return [
    ...new Set([climbs, hidden, above, joined, noisy, cased, encoded, prefixes, absolute, long, plain, guards].flat()),
  ];
}
