import { describe, expect, test } from '@jest/globals';
import { pageOf } from '../../src/rest/page-of.ts';
import { listQuery, oneQuery, parseQuery, placeIn, tokenOf } from '../../src/rest/query.ts';
import type { Item } from '../../src/rest/shapes.ts';

const item = (id: string, second: number, more: Partial<Item> = {}): Item => ({
  user_id: 'alice',
  workbench_id: id,
  status: 'running',
  public_endpoint: '',
  image: '',
  created_at: `2026-11-28T12:00:0${second}Z`,
  ...more,
});
const ids = ({ items }: { items: Item[] }) => items.map(({ workbench_id: id }) => id);

/** In the order of birth; two are of the same second. */
const all = [item('d', 0), item('b', 1), item('c', 1, { status: 'failed' }), item('a', 2, { class: 'gpu' })];

describe('a page of a list', () => {
  test('without anything asked for it is all of them', () => {
    expect(pageOf(all, {})).toEqual({ items: all });
  });

  test.each<[query: object, wanted: string[]]>([
    [{ status: ['running'] }, ['d', 'b', 'a']],
    [{ status: ['running', 'failed'] }, ['d', 'b', 'c', 'a']],
    [{ class: 'gpu' }, ['a']],
    [{ class: 'gpu', status: ['failed'] }, []],
  ])('%j', (query, wanted) => {
    expect(pageOf(all, query)).toEqual({ items: all.filter(({ workbench_id: id }) => wanted.includes(id)) });
  });

  test.each([1, 2, 3, 4, 5])(
    'in pages of %d everything comes once, in order, and the last page says that it is',
    (limit) => {
      const seen: string[] = [];
      let token: string | undefined;
      do {
        const page = pageOf(all, { limit, continue: token });
        expect(page.items.length).toBeGreaterThan(0);
        seen.push(...ids(page));
        token = page.continue;
      } while (token !== undefined);
      expect(seen).toEqual(['d', 'b', 'c', 'a']);
    },
  );

  test('what is made or deleted between two pages moves nothing', () => {
    const { continue: token } = pageOf(all, { limit: 2 });
    const later = [...all.filter(({ workbench_id: id }) => id !== 'b'), item('e', 3)];
    expect(ids(pageOf(later, { limit: 5, continue: token }))).toEqual(['c', 'a', 'e']);
  });
});

describe('what stands behind the question mark', () => {
  test('is read, and what is not known is ignored', () => {
    const query = { status: 'running,failed', class: 'gpu', limit: '50', colour: 'red', user_id: 'alice' };
    expect(parseQuery(listQuery, query)).toEqual({ status: ['running', 'failed'], class: 'gpu', limit: 50 });
    expect(parseQuery(listQuery, { status: ['running', 'failed,stopped'] })).toEqual({
      status: ['running', 'failed', 'stopped'],
    });
    expect(parseQuery(oneQuery, {})).toEqual({ timeout: 60 });
    expect(parseQuery(oneQuery, { wait: 'running', timeout: '0' })).toEqual({ wait: ['running'], timeout: 0 });
  });

  test.each<[schema: typeof listQuery | typeof oneQuery, query: Record<string, unknown>, message: RegExp]>([
    [listQuery, { status: 'up' }, /^status: must be one of stopped, starting, .*, or several/],
    [listQuery, { status: '' }, /^status: must be one of/],
    [listQuery, { status: 'running,' }, /^status: must be one of/],
    [listQuery, { status: ['running', 'up'] }, /^status: must be one of/],
    [listQuery, { limit: ['1', '2'] }, /^limit: must be there once\.$/],
    [listQuery, { class: ['a', 'b'] }, /^class: must be there once\.$/],
    [listQuery, { continue: ['a', 'b'] }, /^continue: must be there once\.$/],
    [listQuery, { class: 'No Class' }, /^class: must be the name of a WorkbenchClass/],
    [listQuery, { limit: '0' }, /^limit: must be at least 1\.$/],
    [listQuery, { limit: '501' }, /^limit: must be at most 500\.$/],
    [listQuery, { limit: '-1' }, /^limit: must be a whole number from 1 to 500\.$/],
    [listQuery, { limit: '5.5' }, /^limit: must be a whole number/],
    [listQuery, { limit: '1e2' }, /^limit: must be a whole number/],
    [listQuery, { limit: '' }, /^limit: must be a whole number/],
    [oneQuery, { wait: 'Running' }, /^wait: must be one of/],
    [oneQuery, { wait: 'running', timeout: '301' }, /^timeout: must be at most 300\.$/],
    [oneQuery, { timeout: 'soon' }, /^timeout: must be a whole number from 0 to 300\.$/],
  ])('%# %j is refused with a sentence', (schema, query, message) => {
    expect(() => parseQuery<unknown>(schema, query)).toThrow(message);
  });

  test('a place survives its token, and no other token is one', () => {
    const place = { bornAt: '2026-11-28T12:00:00Z', id: 'wb-a' };
    expect(placeIn(tokenOf(place))).toEqual(place);
    for (const token of ['', 'x', tokenOf({ ...place, bornAt: 'now' }), tokenOf({ ...place, id: '../x' })])
      expect(() => placeIn(token)).toThrow(/^continue: must be what an answer has said/);
  });
});
