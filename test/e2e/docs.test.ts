/** The page of the API in a real browser: shown whole under its policy, and tried out. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { serve } from '../rest/served.ts';
import type { Served } from '../rest/served.ts';
import { launchChromium, listen, newPage, photograph } from './chromium.ts';

let browser: Browser;
let served: Served;

beforeAll(async () => {
  browser = await launchChromium();
  served = await serve({ urlPrefix: '/api' });
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

test('it shows every call and tries one, and fetches nothing from elsewhere', async () => {
  served.put('genome', 'Running');
  const page = await newPage(browser);
  const { requests, complaints } = listen(page);
  await page.goto(`${served.url}/docs`);
  const operation = page.locator('#operations-default-getWorkbench');
  await operation.locator('button.opblock-summary-control').click();
  await photograph(page, 'docs');
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.locator('tr[data-param-name="id"] input').fill('genome');
  await operation.locator('tr[data-param-name="user_id"] input').fill('alice');
  await operation.getByRole('button', { name: 'Execute' }).click();
  await operation.locator('.live-responses-table').getByText('"workbench_id": "genome"').first().waitFor();
  await photograph(page, 'docs-tried');
  const shown = await page.locator('.opblock').count();
  const described = (await (await fetch(`${served.url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const operations = Object.values(described.paths).flatMap((path) =>
    Object.keys(path).filter((key) => key !== 'parameters'),
  );
  expect(shown).toBe(operations.length);
  const origin = new URL(served.url).origin;
  expect(requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:'))).toEqual([]);
  expect(requests).toContain(`${served.url}/workbenches/genome?user_id=alice`);
  expect(complaints).toEqual([]);
});
