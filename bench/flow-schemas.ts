/**
 * A FlowSchema and a priority level for each contender, equal in all but the name: the API server then neither lets one wait
 * behind the other's leftovers, nor counts them together.
 */
const API = 'flowcontrol.apiserver.k8s.io/v1';

export function flowSchemaOf(user: string): object[] {
  const metadata = { name: `bench-${user}` };
  return [
    {
      apiVersion: API,
      kind: 'PriorityLevelConfiguration',
      metadata,
      spec: {
        type: 'Limited',
        limited: {
          // As much as workload-high and workload-low have together: the seats are not what is measured.
          nominalConcurrencyShares: 140,
          limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
        },
      },
    },
    {
      apiVersion: API,
      kind: 'FlowSchema',
      metadata,
      spec: {
        priorityLevelConfiguration: metadata,
        matchingPrecedence: 500,
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: user } }],
            resourceRules: [
              { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true },
            ],
            nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          },
        ],
      },
    },
  ];
}

/** Requests that were let through for this user's priority level, from the API server's own /metrics. */
export function dispatchedIn(metrics: string, user: string): number {
  const lines = metrics
    .split('\n')
    .filter((line) => line.startsWith('apiserver_flowcontrol_dispatched_requests_total{'));
  const ours = lines.filter((line) => line.includes(`priority_level="bench-${user}"`));
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
