import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { serve } from './served.ts';

/** Everything that a browser fetches to show the page, by following what the page says. */
async function browse(docs: string): Promise<{ paths: string[]; text: string }> {
  const page = await fetch(docs);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  const html = await page.text();
  const links = [...html.matchAll(/(?:src|href)="(docs[^"]+)"/g)].map(([, link]) => link!);
  expect(links.length).toBe(3);
  expect(html).not.toMatch(/https?:|style=/);
  // Inline scripts would be refused by that policy.
  expect(html.replace(/<script src="[^"]+"><\/script>/g, '')).not.toContain('<script');
  let text = '';
  for (const link of links) {
    const file = await fetch(new URL(link, docs));
    expect([link, file.status]).toEqual([link, 200]);
    expect(file.headers.get('content-type')).toMatch(link.endsWith('.css') ? /^text\/css/ : /javascript/);
    text += await file.text();
  }
  const [, description] = /url: '([^']+)'/.exec(text)!;
  expect((await fetch(new URL(description!, docs))).status).toBe(200);
  return { paths: links, text };
}

describe('the page of the API', () => {
  test.each(['', '/api/v1'])('is there under the prefix "%s", with all of its files', async (urlPrefix) => {
    const served = await serve({ urlPrefix });
    try {
      const { text } = await browse(`${served.url}/docs`);
      expect(text.length).toBeGreaterThan(1_000_000);
      // Behind a slash, its relative addresses would lead elsewhere.
      const behind = await fetch(`${served.url}/docs/`);
      expect(new URL(behind.url).pathname).toBe(`${urlPrefix}/docs`);
    } finally {
      await served.close();
    }
  });

  test.each(['/docs/package.json', '/docs/..%2fpackage.json', '/docs/swagger-ui-bundle.js.map', '/docs/x'])(
    'no other file is served: %s',
    async (path) => {
      const served = await serve();
      const { status } = await fetch(served.url + path);
      await served.close();
      expect(status).toBe(404);
    },
  );
});

describe('the bundle, as the image has it', () => {
  let folder: string;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'));
    await promisify(execFile)('npm', ['run', '--silent', 'build']);
    cpSync('dist', folder, { recursive: true });
  });
  afterAll(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('brings the page and its files along, and needs neither a cluster nor node_modules to show them', async () => {
    // What the image copies is the whole folder.
    expect(readFileSync('Dockerfile', 'utf8')).toContain('COPY --from=build /build/dist /app\n');
    const kubeconfig = join(folder, 'kubeconfig');
    const cluster = { name: 'none', cluster: { server: 'http://127.0.0.1:9' } };
    const context = { name: 'none', context: { cluster: 'none', user: 'none' } };
    const users = [{ name: 'none', user: {} }];
    writeFileSync(
      kubeconfig,
      JSON.stringify({ clusters: [cluster], contexts: [context], users, 'current-context': 'none' }),
    );
    const ports = { PORT: '0', HEALTH_PORT: '0', PAGE_PORT: '0', HOST: '127.0.0.1', WB_DRAIN: '0' };
    child = spawn(process.execPath, [join(folder, 'main.mjs')], {
      cwd: folder,
      env: { KUBECONFIG: kubeconfig, RESTAPI_URL_PREFIX: '/api', ...ports },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let port: number | undefined;
    for await (const line of createInterface({ input: child.stdout! })) {
      ({ port } = JSON.parse(line) as { port?: number });
      if (port !== undefined) break;
    }
    child.stdout!.resume();
    await browse(`http://127.0.0.1:${port}/api/docs`);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });
});
