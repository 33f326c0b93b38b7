/** A request to the API server in the words of RBAC and of the audit log, for whoever counts them. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface Call {
  verb: Verb;
  /** With its subresource: "workbenches/status". Never a name. */
  resource: string;
  /** HTTP status; 0: no answer. */
  code: number;
  /** Until the whole answer was there; of a watch, until it began. */
  ms: number;
}

const WRITES: Record<string, Verb> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** /api/v1 or /apis/GROUP/VERSION, the namespace, the resource, perhaps a name, perhaps a subresource. */
const PATH = /^\/(?:api|apis\/[^/]+)\/[^/]+\/namespaces\/[^/]+\/([^/]+)(\/[^/]+)?(\/[^/]+)?$/;

export function describeCall(method: string, path: string, isWatch: boolean): Pick<Call, 'verb' | 'resource'> {
  const [, resource = 'other', name, subresource = ''] = PATH.exec(path) ?? [];
  const read = isWatch ? 'watch' : name === undefined ? 'list' : 'get';
  return { verb: WRITES[method] ?? read, resource: resource + subresource };
}
