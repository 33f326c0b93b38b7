/** The part of a list that is asked for. */
import type { ListQuery, Place } from './query.ts';
import { placeIn, tokenOf } from './query.ts';
import type { Item } from './shapes.ts';

export interface Page {
  items: Item[];
  /** Where the next page begins; absent: this is the last one. */
  continue?: string;
}

/**
 * What is made or deleted between two pages moves nothing: the next one begins after the last that was seen, whether that is
 * still there or not. @param items in the order of birth
 */
export function pageOf(items: Item[], query: ListQuery): Page {
  const { status, class: name, limit = Infinity, continue: token } = query;
  const after = token === undefined ? undefined : placeIn(token);
  const wanted = items.filter(
    (item) =>
      (status === undefined || status.includes(item.status)) &&
      (name === undefined || item.class === name) &&
      (after === undefined || isAfter(item, after)),
  );
  if (wanted.length <= limit) return { items: wanted };
  const page = wanted.slice(0, limit);
  const { created_at: bornAt = '', workbench_id: id } = page.at(-1)!;
  return { items: page, continue: tokenOf({ bornAt, id }) };
}

function isAfter({ created_at: bornAt = '', workbench_id: id }: Item, place: Place): boolean {
  return bornAt === place.bornAt ? id > place.id : bornAt > place.bornAt;
}
