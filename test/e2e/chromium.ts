/** A person's browser: Debian's Chromium without a window, and what it says about a page. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { requirePackages } from '../cluster/machine/packages.ts';
import { elapsedReport } from '../cluster/run/elapsedReport.ts';

const list = new URL('debian-packages.txt', import.meta.url);

export async function launchChromium(): Promise<Browser> {
  await requirePackages(list, 'A test in a browser', elapsedReport());
  return chromium.launch({ executablePath: '/usr/bin/chromium' });
}

/** ms; a busy machine is no answer. */
const PATIENCE_MS = 120_000;

/** For a person who has been nowhere yet. */
export async function newPage(browser: Browser, options?: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}

/** Opens a page that will not reload itself: what it shows stays. */
export async function openOnce(page: Page, url: string): ReturnType<Page['goto']> {
  let opened = false;
  await page.route('**', async (route) => {
    if (opened) return route.abort('aborted');
    opened = true;
    return route.continue();
  });
  return page.goto(url);
}

/** Everything that the page asked for and complained of since now; the 503 of the state page itself is no complaint. */
export function listen(page: Page): { requests: string[]; complaints: string[] } {
  const heard = { requests: [] as string[], complaints: [] as string[] };
  page.on('request', (request) => heard.requests.push(request.url()));
  page.on('pageerror', (error) => heard.complaints.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (!/^Failed to load resource: .* 503 /.test(text)) heard.complaints.push(text);
  });
  return heard;
}

/** Where WB_TEST_SCREENSHOTS names a folder, what the page looks like goes there, for a person to look at. */
export async function photograph(page: Page, name: string): Promise<void> {
  const folder = process.env.WB_TEST_SCREENSHOTS;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

export interface Look {
  texts: number;
  /** Texts that are hard to read on what is behind them, each with its contrast. */
  faint: string[];
  isDark: boolean;
  /** It must be scrolled sideways. */
  isTooWide: boolean;
  lang: string;
}

export function look(page: Page): Promise<Look> {
  return page.evaluate<Look>(readFileSync(new URL('look.js', import.meta.url), 'utf8'));
}
