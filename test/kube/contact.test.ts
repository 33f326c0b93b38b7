import { expect, test } from '@jest/globals';
import { Contact } from '../../src/kube/contact.ts';

const MINUTE = 60_000;

/** Who is blind when the API server has answered somebody at these minutes, and these kinds last at those; the limit is 5. */
function blind(answers: number[], watches: Record<string, number>): string[] {
  const contact = new Contact(5 * MINUTE);
  for (const minute of answers) contact.answered(minute * MINUTE);
  return contact.blind(Object.entries(watches).map(([kind, minute]) => ({ kind, lastAnsweredAt: minute * MINUTE })));
}

const minutes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a watch of which nothing comes, while the API server answers others, is blind after the limit and not before', () => {
  expect(blind(minutes(0, 29), { Pod: 24.5, Service: 29 })).toEqual([]);
  expect(blind(minutes(0, 30), { Pod: 24.5, Service: 29 })).toEqual(['Pod']);
});

test('one that never began is blind as well', () => {
  expect(blind(minutes(0, 6), { Pod: 0 })).toEqual(['Pod']);
});

test('an API server that answers nobody makes nobody blind', () => {
  expect(blind(minutes(0, 10), { Pod: 10, Ingress: 9 })).toEqual([]);
});

test('when it comes back, the watches have the whole limit to follow', () => {
  expect(blind([...minutes(0, 10), 60], { Pod: 10, Service: 10 })).toEqual([]);
  expect(blind([...minutes(0, 10), ...minutes(60, 65)], { Pod: 10, Service: 61 })).toEqual([]);
  expect(blind([...minutes(0, 10), ...minutes(60, 66)], { Pod: 10, Service: 61 })).toEqual(['Pod']);
});
