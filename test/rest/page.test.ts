import { describe, expect, test } from '@jest/globals';
import { idFromPath, renderPage } from '../../src/rest/page.ts';
import { adviceFor } from '../../src/workbench/reasons.ts';
import { settings } from '../workbench/sample.ts';

describe('the id in a path', () => {
  test.each([
    ['/project/genome', 'genome'],
    ['/project/genome/', 'genome'],
    ['/project/genome/lab/tree?token=x', 'genome'],
    ['/project/genome?x=/project/other', 'genome'],
    ['/project/genome#x', 'genome'],
    ['/project/genome/../other', 'genome'],
    [`/project/${'a'.repeat(40)}`, 'a'.repeat(40)],
  ])('%s is %s', (url, id) => {
    expect(idFromPath(url, settings)).toBe(id);
  });

  test('is looked for under the path of BASE_URL', () => {
    const under = { baseUrl: 'https://cloud.example/ide' };
    expect(idFromPath('/ide/project/genome/lab', under)).toBe('genome');
    expect(idFromPath('/project/genome', under)).toBeUndefined();
    expect(idFromPath('/idexproject/genome', under)).toBeUndefined();
    expect(idFromPath('/project/genome', {})).toBe('genome');
  });
});

describe('a path that is not plainly an id names no workbench', () => {
  test.each([
    '',
    '/',
    '*',
    '/project',
    '/project/',
    '/project//genome',
    '//project/genome',
    '/projectgenome',
    '/projects/genome',
    '/Project/genome',
    '/x/project/genome',
    '/project/Genome',
    '/project/-genome',
    '/project/genome-',
    '/project/1genome',
    '/project/gen_ome',
    '/project/genome.lab',
    '/project/genome;x=y',
    '/project/genome%2f..%2fother',
    '/project/%67enome',
    '/project/genome%00',
    '/project/genome\u0000',
    '/project/genome\n',
    '/project/génome',
    '/project/..',
    '/project/../../etc/passwd',
    '/project/..%2f..%2fetc',
    '/project/\\genome',
    '/project/<script>alert(1)</script>',
    '/project/__proto__',
    '/project/${jndi:ldap://evil}',
    'http://evil.example/project/genome',
    `/project/${'a'.repeat(41)}`,
    `/project/${'a'.repeat(100_000)}`,
    `/project/${'a-'.repeat(100_000)}`,
    '?/project/genome',
    '#/project/genome',
  ])('%j', (url) => {
    expect(idFromPath(url.slice(0, 200_000), settings)).toBeUndefined();
  });

  test('constructor is an id like any other', () => {
    expect(idFromPath('/project/constructor', settings)).toBe('constructor');
  });
});

test('a reason that is a word of JavaScript has no advice, and does no harm', () => {
  for (const reason of ['constructor', '__proto__', 'toString', '']) expect(adviceFor(reason)).toBeUndefined();
  expect(adviceFor('Unschedulable')).toMatchObject({ todo: expect.stringContaining('nodes') });
});

describe('the page', () => {
  const render = (more: Partial<Parameters<typeof renderPage>[0]> = {}) =>
    renderPage({ state: 'failed', title: 'This workbench cannot run', text: 'Soon.', ...more });

  test('says what is going on, and of which workbench', () => {
    expect(render()).toContain('<h1>This workbench cannot run</h1><p>Soon.</p>');
    expect(render()).toContain('<title>This workbench cannot run</title>');
    expect(render({ id: 'genome' })).toContain('<title>This workbench cannot run – genome</title>');
    expect(render({ id: 'genome' })).toContain('<p class="id"><code>genome</code></p>');
  });

  test('says why, and what to do, as far as that is known', () => {
    expect(render()).not.toContain('<dl>');
    expect(render({ message: 'No node.' })).toContain('<dl><dt>Why</dt><dd>No node.</dd></dl>');
    expect(render({ reason: 'Unschedulable', message: 'No node.', todo: 'Ask for less.' })).toContain(
      '<dl><dt>Why</dt><dd><code>Unschedulable</code><br>No node.</dd><dt>What to do</dt><dd>Ask for less.</dd></dl>',
    );
  });

  test.each([
    ['starting', 2],
    ['stopped', 2],
    // Long enough to read, select and copy a message.
    ['failed', 10],
  ])('looks again by itself when it is %s, and says how often', (state, seconds) => {
    expect(render({ state })).toContain(`<meta http-equiv="refresh" content="${seconds}">`);
    expect(render({ state })).toContain(`This page looks again every ${seconds} seconds.`);
  });

  test.each([
    '<script>alert(1)</script>',
    '</p><img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '&lt;b&gt;',
  ])('shows %s as text', (hostile) => {
    const shown = /<dd><code>(.*?)<\/code><br>(.*?)<\/dd><dt>What to do<\/dt><dd>(.*?)<\/dd>/.exec(
      render({ reason: hostile, message: hostile, todo: hostile }),
    )!;
    for (const text of shown.slice(1)) {
      expect(text).not.toMatch(/[<>"']/);
      const read = text.replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)));
      expect(read).toBe(hostile);
    }
  });

  test('holds no script, and loads nothing from anywhere', () => {
    expect(render({ id: 'genome', reason: 'x', message: 'x', todo: 'x' })).not.toMatch(
      /<script|src=|href=|url\(|@import/,
    );
  });
});
