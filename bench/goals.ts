/** What is measured and what it is to be: the rows of the table, in its order. */

export interface Measure {
  /** By which a part of the bench reports it. */
  name: string;
  /** What tells it from its neighbours in a row. */
  label: string;
  unit: string;
  /** None: it is shown beside the goal and judged by nobody. */
  atMost?: number;
  atLeast?: number;
}

export interface Row {
  figure: string;
  goal: string;
  measures: Measure[];
}

export interface Sizes {
  /** Numbers of launches, side by side with the bare writer. */
  launches: number[];
  /** Numbers of workbenches at rest. */
  populations: number[];
}

type Limit = Pick<Measure, 'atMost' | 'atLeast'>;

function measure(name: string, label: string, unit: string, limit: Limit = {}): Measure {
  return { name, label, unit, ...limit };
}

const thousands = (n: number) => n.toLocaleString('en-US');

export function goalRows({ launches, populations }: Sizes): Row[] {
  const isSmall = (n: number) => n <= 1_000;
  return [
    {
      figure:
        'controller writes create→running / stop / start again / delete / idle hour, on simulated nodes; Events apart',
      goal: '4 / ≤3 / ≤3 / 0 / 0, and 0 uncached reads',
      measures: [
        measure('writes create', 'create', '', { atMost: 4 }),
        measure('writes stop', 'stop', '', { atMost: 3 }),
        measure('writes again', 'start again', '', { atMost: 3 }),
        measure('writes delete', 'delete', '', { atMost: 0 }),
        measure('writes idle hour', 'idle hour (by the idle minute)', '', { atMost: 0 }),
        measure('reads', 'uncached reads', '', { atMost: 0 }),
        measure('events launch', 'Events of a launch', ''),
      ],
    },
    {
      figure: 'CR seen → Pod POST, idle; at 50 launches/s',
      goal: 'p50 ≤ 3 ms; p99 ≤ 100 ms',
      measures: [
        measure('post idle p50', 'idle p50', 'ms', { atMost: 3 }),
        measure('post 50/s p99', '50/s p99', 'ms', { atMost: 100 }),
      ],
    },
    {
      figure: 'Pod Ready → status Running visible, at 50/s',
      goal: 'p50 ≤ 5 ms, p99 ≤ 30 ms',
      measures: [
        measure('running p50', 'p50', 'ms', { atMost: 5 }),
        measure('running p99', 'p99', 'ms', { atMost: 30 }),
        measure('running idle p50', 'idle p50', 'ms'),
      ],
    },
    {
      figure: `launches/s to Running at N = ${launches.map(thousands).join(' and ')}`,
      goal: '≥ 90 % of the bare writer at the same N',
      measures: launches.flatMap((n) => [
        measure(`ratio ${n}`, `N = ${thousands(n)}`, '%', { atLeast: 90 }),
        measure(`rate ours ${n}`, 'ours', '/s'),
        measure(`rate bare ${n}`, 'bare', '/s'),
      ]),
    },
    {
      figure: '409s and no-op writes per 1,000 launches',
      goal: '≤ 5',
      measures: [
        measure('waste', 'both', '', { atMost: 5 }),
        measure('conflicts', '409s', ''),
        measure('no-ops', 'no-ops', ''),
      ],
    },
    {
      figure: `memory at ${populations.map(thousands).join(' / ')} workbenches at rest, RSS`,
      goal: '≤ 100 MB at 1,000, ≤ 140 at 10,000; idle process and growth beside it',
      measures: [
        measure('memory idle', 'idle process', 'MB'),
        ...populations.map((n) =>
          measure(`memory ${n}`, `at ${thousands(n)}`, 'MB', { atMost: isSmall(n) ? 100 : 140 }),
        ),
        measure('memory growth', 'each 1,000', 'MB'),
      ],
    },
    {
      figure: 'controller CPU per launch',
      goal: '≤ 1.5 ms',
      measures: launches.map((n) => measure(`cpu ours ${n}`, `N = ${thousands(n)}`, 'ms', { atMost: 1.5 })),
    },
    {
      figure: 'REST GET one / list of 100',
      goal: '≥ 20,000 requests/s, p99 ≤ 10 ms; p99 ≤ 25 ms during 50 creates/s',
      measures: (['one', 'list'] as const).flatMap((what) => [
        measure(`rest ${what} rate`, what, 'requests/s', { atLeast: 20_000 }),
        measure(`rest ${what} p99`, 'p99', 'ms', { atMost: 10 }),
        measure(`rest ${what} busy p99`, 'p99 during 50 creates/s', 'ms', { atMost: 25 }),
      ]),
    },
    {
      figure: 'REST POST → 201',
      goal: 'one API server write + 2 ms',
      measures: [
        measure('201 extra', 'more than the write', 'ms', { atMost: 2 }),
        measure('201 rest', 'POST', 'ms'),
        measure('201 write', 'bare write', 'ms'),
      ],
    },
    {
      figure: 'POST → the page opens (real kubelet, Traefik at 50 ms throttle, image present)',
      goal: 'p50 ≤ 1.2 s, p99 ≤ 2.5 s; floor measured 1.0 s',
      measures: [measure('page p50', 'p50', 's', { atMost: 1.2 }), measure('page p99', 'p99', 's', { atMost: 2.5 })],
    },
    {
      figure: `cold restart with ${populations.map(thousands).join(' / ')}, until the first new workbench is Running`,
      goal: '≤ 1.5 s at 1,000, ≤ 5 s at 10,000, 0 other writes',
      measures: [
        ...populations.map((n) => measure(`restart ${n}`, `at ${thousands(n)}`, 's', { atMost: isSmall(n) ? 1.5 : 5 })),
        measure('restart writes', 'other writes', '', { atMost: 0 }),
      ],
    },
    {
      figure: 'failover SIGTERM / SIGKILL',
      goal: '≤ 2 s / ≤ 17 s',
      measures: [
        measure('failover SIGTERM', 'SIGTERM', 's', { atMost: 2 }),
        measure('failover SIGKILL', 'SIGKILL', 's', { atMost: 17 }),
      ],
    },
  ];
}

/** What helps to understand the figures above, and has no goal of its own. */
export function contextRows({ launches, populations }: Sizes): Row[] {
  return [
    {
      figure:
        'the same at 15 launches/s, with which the cluster keeps up: CR seen → Pod POST; Pod Ready → Running visible',
      goal: '',
      measures: [
        measure('post steady p99', 'POST p99', 'ms'),
        measure('running steady p50', 'Running p50', 'ms'),
        measure('running steady p99', 'p99', 'ms'),
      ],
    },
    {
      figure: 'Pods that are not up yet when the bare writer has written its last; ours waits for each',
      goal: '',
      measures: launches.map((n) => measure(`unready bare ${n}`, `N = ${thousands(n)}`, '')),
    },
    {
      figure:
        'CPU of a launch, everybody’s, until all Pods and EndpointSlices are up: what the bare writer takes of ours',
      goal: '',
      measures: launches.map((n) => measure(`effort ${n}`, `N = ${thousands(n)}`, '%')),
    },
    {
      figure: 'Services whose EndpointSlices the controller manager still has to write when the last write is done',
      goal: '',
      measures: launches.flatMap((n) => [
        measure(`unrouted ours ${n}`, `ours at N = ${thousands(n)}`, ''),
        measure(`unrouted bare ${n}`, 'bare', ''),
      ]),
    },
    {
      figure:
        'control plane CPU per launch until all Pods and EndpointSlices are up (etcd, API server, scheduler, controller manager, nodes)',
      goal: '',
      measures: launches.flatMap((n) => [
        measure(`plane ours ${n}`, `ours at N = ${thousands(n)}`, 'ms'),
        measure(`plane bare ${n}`, 'bare', 'ms'),
      ]),
    },
    {
      figure: "the bare writer's own CPU per launch: four requests and nothing else",
      goal: '',
      measures: launches.map((n) => measure(`cpu bare ${n}`, `N = ${thousands(n)}`, 'ms')),
    },
    {
      figure: 'calls to the API server per launch, as it counts them',
      goal: '',
      measures: launches.flatMap((n) => [
        measure(`calls ours ${n}`, `ours at N = ${thousands(n)}`, ''),
        measure(`calls bare ${n}`, 'bare', ''),
      ]),
    },
    {
      figure: 'REST GET one / list of 100 beside a bare node:http server that sends the same bytes',
      goal: '',
      measures: (['one', 'list'] as const).flatMap((what) => [
        measure(`rest ${what} ratio`, what, '%'),
        measure(`rest ${what} cpu`, 'CPU of a request', 'µs'),
        measure(`rest ${what} bare`, 'bare', 'requests/s'),
      ]),
    },
    {
      figure: 'list of an owner with 100 / with all of them, one request at a time',
      goal: '',
      measures: populations.flatMap((n) => [
        measure(`list 100 ${n}`, `100 of ${thousands(n)}`, 'ms'),
        measure(`list all ${n}`, 'all', 'ms'),
      ]),
    },
    {
      figure: 'memory after a restart, RSS',
      goal: '',
      measures: populations.map((n) => measure(`memory restarted ${n}`, `at ${thousands(n)}`, 'MB')),
    },
    {
      figure: 'a storm of creates at once: a third user’s small request before / during',
      goal: '',
      measures: [
        measure('storm before p99', 'before, p99', 'ms'),
        measure('storm during p50', 'during, p50', 'ms'),
        measure('storm during p99', 'p99', 'ms'),
        measure('storm creates', 'accepted', 'creates/s'),
        measure('storm in flight', 'Pods on their way, at most', ''),
        measure('storm seconds', 'until all run', 's'),
        measure('storm refused', 'requests refused (429)', ''),
      ],
    },
  ];
}
