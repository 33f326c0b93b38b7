/**
 * What a browser sees under /project while no workbench serves there: its state, why, and a page that opens by itself.
 * From the store only, and on a listener of its own that serves nothing else.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Store } from '../kube/store.ts';
import { basePath } from '../workbench/identity.ts';
import { PAGE_HEADER } from '../workbench/ingress.ts';
import { adviceFor } from '../workbench/reasons.ts';
import { NAME } from '../workbench/resource.ts';
import type { Settings } from '../workbench/settings.ts';
import { phaseNow } from './view.ts';

/** Only what holds without knowing fonts, scripts or a width; every pair of colours is of a contrast of 4.5 at least. */
const STYLE = `
:root{color-scheme:light dark;--ink:light-dark(#1b2330,#e8ebf0);--soft:light-dark(#556070,#a3adba);--line:light-dark(#d9dee5,#2d3642);
--card:light-dark(#fff,#1a2029);--tint:light-dark(#f3f5f8,#11161d);--mark:light-dark(#6b7685,#8b96a5)}
.going{--mark:light-dark(#1d63d8,#6ea8ff)}
.failed{--mark:light-dark(#c22a2a,#ff7b72)}
body{margin:0;font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:var(--tint)}
main{box-sizing:border-box;max-width:38rem;margin:12vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);
border-top:4px solid var(--mark);border-radius:.5rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:0}
p,dl,dd{margin:.5rem 0 0}
dl{margin-top:1.5rem;padding-top:.75rem;border-top:1px solid var(--line)}
dt{margin-top:.75rem;font-size:.875rem;font-weight:600;color:var(--soft)}
dd{margin-top:.125rem}
code{font:.9375em/1.55 ui-monospace,Menlo,Consolas,monospace}
.id{margin:0 0 .75rem;color:var(--soft)}
.again{margin-top:1.5rem;font-size:.875rem;color:var(--soft)}
.going .again::before{content:"";display:inline-block;width:.6em;height:.6em;margin-right:.5em;border-radius:50%;background:var(--mark)}
@media (prefers-reduced-motion:no-preference){.going .again::before{animation:beat 2s ease-in-out infinite}}
@keyframes beat{50%{opacity:.25}}
@media (max-width:40rem){body{background:var(--card)}main{margin:0;padding:1.5rem 1.25rem;border-width:4px 0 0;border-radius:0}}
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const REFRESH_SECONDS = 2;
/** Time to read the message, and to select and copy it, before the page is made anew. */
const FAILED_REFRESH_SECONDS = 10;

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

interface PageText {
  /** The header's value, which the endpoint check looks for. */
  state: string;
  /** The workbench's id, when the path is of one. */
  id?: string;
  title: string;
  text: string;
  /** The status's own word and sentence, and what to do about it. */
  reason?: string;
  message?: string;
  todo?: string;
}

const OPENS = 'It opens here by itself.';

const TEXTS: Record<string, [title: string, text: string]> = {
  stopped: ['This workbench is stopped', 'Start it, and it opens here by itself.'],
  starting: ['This workbench is starting', OPENS],
  pending: ['This workbench is waiting', OPENS],
  provisioning: ['This workbench is almost there', OPENS],
  running: ['This workbench is opening', OPENS],
  stopping: ['This workbench is stopping', 'Its programs are being ended.'],
  failed: ['This workbench cannot run', 'It opens here by itself when the cause is gone.'],
  unknown: ['There is no workbench here', 'Its address may be mistyped, or it was deleted.'],
};

/** What leads to another state without anybody's doing. */
const GOING = new Set(['starting', 'pending', 'provisioning', 'running', 'stopping']);

/** "/project/a/lab?x" → "a"; undefined for anything that is not plainly an id. */
export function idFromPath(url: string, settings: Pick<Settings, 'baseUrl'>): string | undefined {
  const prefix = basePath('', settings);
  const path = url.split(/[?#]/)[0]!;
  if (!path.startsWith(prefix)) return undefined;
  const id = path.slice(prefix.length).split('/')[0]!;
  return NAME.test(id) ? id : undefined;
}

function pageText(id: string | undefined, store: Pick<Store, 'collections'>): PageText {
  const workbench = id === undefined ? undefined : store.collections.Workbench.get(id);
  const now = workbench ? phaseNow(workbench) : undefined;
  const state = now?.phase.toLowerCase() ?? 'unknown';
  const [title, text] = TEXTS[state] ?? TEXTS.unknown!;
  const page = { state, title, text, ...(id === undefined ? {} : { id }) };
  const { reason, message } = workbench?.status ?? {};
  if (!message || now?.isStale) return page;
  const todo = adviceFor(reason)?.todo.replaceAll('`', '');
  // To wait is what the page is for.
  return { ...page, ...(reason ? { reason } : {}), message, ...(todo && todo !== 'Wait.' ? { todo } : {}) };
}

function refreshSeconds(state: string): number {
  return state === 'failed' ? FAILED_REFRESH_SECONDS : REFRESH_SECONDS;
}

/** @param again seconds until it looks again; null: it does not */
export function renderPage(page: PageText, again: number | null = refreshSeconds(page.state)): string {
  const { state, id, title, text, reason, message, todo } = page;
  const why = [reason ? `<code>${escapeHtml(reason)}</code>` : '', message ? escapeHtml(message) : ''];
  const rows = [
    ['Why', why.filter((part) => part !== '').join('<br>')],
    ['What to do', todo ? escapeHtml(todo) : ''],
  ].filter(([, value]) => value !== '');
  const list = rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('');
  const name = id === undefined ? '' : escapeHtml(id);
  const refresh = again === null ? '' : `<meta http-equiv="refresh" content="${again}">`;
  const looks = again === null ? '' : `<p class="again">This page looks again every ${again} seconds.</p>`;
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    `${refresh}<title>${title}${name && ` – ${name}`}</title>` +
    `<style>${STYLE}</style></head><body><main class="${GOING.has(state) ? 'going' : state}">` +
    `${name && `<p class="id"><code>${name}</code></p>`}<h1>${title}</h1><p>${escapeHtml(text)}</p>${list && `<dl>${list}</dl>`}` +
    `${looks}</main></body></html>\n`
  );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Something else that is said to whoever opens a workbench: that they may not, say. */
export interface Notice extends Pick<PageText, 'state' | 'title' | 'text' | 'reason'> {
  status: number;
}

export function createPages(store: Pick<Store, 'collections'>) {
  return {
    /** @param id undefined: of no workbench */
    state(request: IncomingMessage, response: ServerResponse, id: string | undefined): void {
      const page = pageText(id, store);
      const retryAfter = String(refreshSeconds(page.state));
      response.writeHead(503, { ...HEADERS, 'retry-after': retryAfter, [PAGE_HEADER]: page.state });
      response.end(request.method === 'HEAD' ? undefined : renderPage(page));
    },
    notice(request: IncomingMessage, response: ServerResponse, { status, ...page }: Notice): void {
      response.writeHead(status, { ...HEADERS, [PAGE_HEADER]: page.state });
      response.end(request.method === 'HEAD' ? undefined : renderPage(page, null));
    },
  };
}

/** The page of whatever is asked for, for whoever asks. */
export function openPages(store: Pick<Store, 'collections'>, settings: Settings): RequestListener {
  const pages = createPages(store);
  return (request, response) => pages.state(request, response, idFromPath(request.url ?? '', settings));
}
