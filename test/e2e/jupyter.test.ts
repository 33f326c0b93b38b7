/** A real JupyterLab in a real browser, and what that browser shows while a workbench does not run. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { client } from '../client.ts';
import type { Client } from '../client.ts';
import { eventually } from '../eventually.ts';
import { pushJupyterImage } from '../images/pushJupyter.ts';
import { glance } from './browser.ts';
import { launchChromium, listen, look, newPage, openOnce, photograph } from './chromium.ts';
import { installForReal } from './installation.ts';
import type { RealInstallation } from './installation.ts';

let world: RealInstallation;
let alice: Client;
let browser: Browser;
let jupyter: { image: string; requested_memory: string };
/** One workbench for each state page. */
let ids: Record<string, string>;

beforeAll(async () => {
  browser = await launchChromium();
  world = await installForReal({
    WB_ALLOWED_IMAGES: 'localhost:*/workbench, localhost:*/jupyter',
    WB_HOME_LIMIT: '256Mi',
  });
  alice = client(world.rest, 'alice');
  const registry = world.cluster.registry!;
  const [stopped, failed] = [await alice.create(), await alice.create({ image: `${registry}/workbench:nope` })];
  ids = { stopped: stopped.workbench_id, failed: failed.workbench_id, unknown: 'nobody' };
  await alice.stop(stopped.workbench_id);
  const { image } = await pushJupyterImage({ registry });
  jupyter = { image, requested_memory: '1Gi' };
}, 1_800_000);

afterAll(async () => {
  await browser?.close();
  await world?.teardown();
});

const heading = (page: Page, text: string) => page.getByRole('heading', { level: 1, name: text, exact: true });
const launcher = (page: Page) => page.locator('.jp-LauncherCard[data-category="Notebook"]').first();

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await act();
  process.stderr.write(`JupyterLab, ${what}: ${Math.round(performance.now() - started)} ms\n`);
  return result;
}

async function untilStatePage(url: string, state: string): Promise<void> {
  await eventually(
    `the page that says ${state}`,
    () => glance(url),
    (page) => page.state === state,
  );
}

/** Opens a notebook from the launcher, runs one cell, and resolves with what it printed and the socket that it went over. */
async function runCell(page: Page, code: string): Promise<{ printed: string; socket: string }> {
  const connected = page.waitForEvent('websocket', (socket) => socket.url().includes('/api/kernels/'));
  await launcher(page).click();
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor();
  const editor = page.locator('.jp-Notebook .jp-Cell .cm-content').first();
  const output = page.locator('.jp-OutputArea-output').first();
  // While it opens a notebook JupyterLab takes the focus for itself and may draw the cell anew, and what is typed then is lost.
  await eventually(
    'printed',
    async () => {
      await editor.fill(code);
      await editor.press('Control+Enter');
      await output.waitFor({ timeout: 3_000 }).catch(() => undefined);
      return output.count();
    },
    (count) => count > 0,
  ).catch(async (error: unknown) => {
    await photograph(page, 'no-output');
    process.stderr.write(`${await page.locator('body').innerText()}\n`);
    throw error;
  });
  const printed = await output.innerText();
  return { printed: printed.trim(), socket: (await connected).url() };
}

test('JupyterLab opens when it is called running and runs a cell; stopped, its address says so, and opens it by itself once it is started again', async () => {
  const { workbench_id: id, public_endpoint: url } = await timed('POST → running, with the pull', async () => {
    const created = await alice.create(jupyter);
    return alice.until(created.workbench_id, 'running');
  });
  const page = await newPage(browser);
  // A notebook that is not saved asks before it is left.
  page.on('dialog', (dialog) => void dialog.accept());
  await timed('URL → launcher', async () => {
    await page.goto(url);
    await launcher(page).waitFor();
  });
  expect(page.url()).toBe(`${url}/lab`);
  await photograph(page, 'launcher');
  const { printed, socket } = await timed('launcher → output of a cell', () => runCell(page, 'print(6*7)'));
  expect(printed).toBe('42');
  expect(socket).toContain(`${url.replace('http', 'ws')}/api/kernels/`);
  await photograph(page, 'notebook');

  await timed('stop → stopped', async () => {
    await alice.stop(id);
    await alice.until(id, 'stopped');
  });
  await untilStatePage(url, 'stopped');
  await page.goto(url);
  await heading(page, 'This workbench is stopped').waitFor();

  // Nobody reloads: the page itself looks again, at the same address.
  await timed('start → launcher, by itself', async () => {
    await alice.start(id);
    await launcher(page).waitFor();
  });
  expect(page.url()).toBe(`${url}/lab`);
  await page.close();
});

describe('the page of a workbench that does not run', () => {
  const address = (state: string) => `${world.cluster.ingressUrl}/project/${ids[state]}`;

  beforeAll(async () => {
    for (const state of Object.keys(ids)) await untilStatePage(address(state), state);
  });

  test.each([
    ['stopped', 'This workbench is stopped', 'Start it, and it opens here by itself.'],
    ['failed', 'This workbench cannot run', 'Check that the image is pushed'],
    ['unknown', 'There is no workbench here', 'Its address may be mistyped'],
  ])(
    '%s: says so and what to do, to a phone and by night, from one file without a script',
    async (state, title, todo) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await newPage(browser, { colorScheme });
        const heard = listen(page);
        const url = address(state);
        const response = await openOnce(page, url);
        await heading(page, title).waitFor();
        expect(await page.getByText(todo).count()).toBe(1);
        expect(await page.getByText(/^This page looks again every \d+ seconds\.$/).count()).toBe(1);
        expect(response!.headers()).toMatchObject({
          'workbench-status': state,
          'content-security-policy': expect.stringMatching(
            /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
          ),
        });
        for (const [size, width] of Object.entries({ phone: 360, desk: 1100 })) {
          await page.setViewportSize({ width, height: 640 });
          const seen = {
            texts: expect.any(Number),
            faint: [],
            isDark: colorScheme === 'dark',
            isTooWide: false,
            lang: 'en',
          };
          expect([size, await look(page)]).toEqual([size, seen]);
          await photograph(page, `${state}-${size}-${colorScheme}`);
        }
        expect(new Set(heard.requests)).toEqual(new Set([url]));
        expect(heard.complaints).toEqual([]);
        await page.close();
      }
    },
  );

  test('a failure names its reason and has the sentence that the status has', async () => {
    const { status_reason: reason, status_message: message } = await alice.get(ids.failed!);
    expect(reason).toBe('ImagePullBackOff');
    const page = await newPage(browser);
    await openOnce(page, address('failed'));
    const why = page.getByRole('definition').first();
    expect(await why.innerText()).toBe(`${String(reason)}\n${String(message)}`);
    await page.close();
  });
});
