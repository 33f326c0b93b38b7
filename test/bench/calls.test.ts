import { expect, test } from '@jest/globals';
import { isControllerWrite, isUncachedRead, seenToPostMs, spanMs, subjectOf, timeOf } from '../../bench/calls.ts';
import { dispatchedIn } from '../../bench/flow-schemas.ts';
import { cpuMsFrom } from '../../bench/processes.ts';
import type { AuditEntry } from '../../test/cluster/access/audit.ts';

function entry(over: Partial<AuditEntry>): AuditEntry {
  const at = '2026-11-24T12:00:00.000000Z';
  return { at, answered: at, verb: 'create', resource: 'pods', code: 201, requestURI: '', ...over };
}

test('times keep their microseconds', () => {
  expect(timeOf('2026-11-24T12:00:00.001500Z') - timeOf('2026-11-24T12:00:00Z')).toBeCloseTo(1.5, 3);
});

test.each([
  [{}, true],
  [{ verb: 'patch', resource: 'workbenches', subresource: 'status' }, true],
  [{ verb: 'delete', resource: 'ingresses' }, true],
  [{ resource: 'workbenches' }, false],
  [{ verb: 'patch', resource: 'workbenches' }, false],
  [{ verb: 'update', resource: 'leases' }, false],
  [{ resource: 'events' }, false],
  [{ verb: 'watch' }, false],
])('%j is a write of the controller: %s', (over, expected) => {
  expect(isControllerWrite(entry(over))).toBe(expected);
});

test.each([
  [{ verb: 'get', resource: 'workbenches' }, true],
  [{ verb: 'get', resource: 'leases' }, false],
  [{ verb: 'list', resource: 'pods' }, false],
])('%j is an uncached read: %s', (over, expected) => {
  expect(isUncachedRead(entry(over))).toBe(expected);
});

test('a span is from the first request until the last answer, in whatever order they are written down', () => {
  const late = entry({ at: '2026-11-24T12:00:02.000000Z', answered: '2026-11-24T12:00:02.250000Z' });
  const early = entry({ at: '2026-11-24T12:00:01.000000Z', answered: '2026-11-24T12:00:01.100000Z' });
  expect(spanMs([late, early])).toBeCloseTo(1_250, 3);
});

test.each([
  ['pods', 'bench-12-abcdefghij'],
  ['services', 'bench-12-abcdefghij'],
  ['ingresses', 'bench-12'],
  ['workbenches', 'bench-12'],
])('a write to %s concerns the workbench whose name it begins with', (resource, name) => {
  expect(subjectOf(entry({ resource, name }))).toBe('bench-12');
});

test('from the answer to a creation until the Pod is made; strangers and refusals do not count', () => {
  const portal = [
    entry({ resource: 'workbenches', name: 'a', answered: '2026-11-24T12:00:00.001000Z' }),
    entry({ resource: 'workbenches', name: 'b', answered: '2026-11-24T12:00:00.009000Z' }),
    entry({ resource: 'workbenches', name: 'c', code: 409 }),
  ];
  const controller = [
    entry({ name: 'a-abcdefghij', at: '2026-11-24T12:00:00.003500Z' }),
    entry({ name: 'b-abcdefghij', at: '2026-11-24T12:00:00.008000Z' }),
    entry({ name: 'c-abcdefghij' }),
    entry({ name: 'a-abcdefghij', resource: 'services' }),
  ];
  const found = seenToPostMs(portal, controller);
  expect(found).toHaveLength(2);
  expect(found[0]).toBeCloseTo(2.5, 3);
  expect(found[1]).toBe(0);
});

test('CPU time is read behind a name with spaces and brackets', () => {
  const rest = ['S', ...Array.from({ length: 10 }, () => '0'), '150', '50', '0'].join(' ');
  expect(cpuMsFrom(`12 (a) (b) ${rest}`)).toBe(2_000);
});

test("only a contender's own requests are counted as its own", () => {
  const line = (level: string, count: number) =>
    `apiserver_flowcontrol_dispatched_requests_total{flow_schema="x",priority_level="${level}"} ${count}`;
  const metrics = [line('bench-a', 3), line('bench-ab', 5), line('bench-a', 4), '# HELP'].join('\n');
  expect(dispatchedIn(metrics, 'a')).toBe(7);
});
