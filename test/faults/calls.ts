/** A request to the API server, in the words of its audit log and of RBAC. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface Call {
  verb: Verb;
  resource: string;
  subresource?: string;
  namespace?: string;
  /** Also of a create, from its body. */
  name?: string;
  /** Of a Workbench that is created. */
  owner?: string;
}

const WRITES: Partial<Record<string, Verb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** /api/v1 or /apis/GROUP/VERSION, then perhaps a namespace, a resource, perhaps a name and a subresource. */
const PATH = /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

export function callOf(method: string, url: string, body: string): Call {
  const { pathname, searchParams } = new URL(url, 'https://api');
  const [, namespace, resource = pathname, inPath, subresource] = PATH.exec(pathname) ?? [];
  const created = method === 'POST' ? (JSON.parse(body) as Created) : undefined;
  const name = inPath ?? created?.metadata?.name;
  const owner = resource === 'workbenches' ? created?.spec?.owner : undefined;
  const read = searchParams.get('watch') === 'true' ? 'watch' : name === undefined ? 'list' : 'get';
  return {
    verb: WRITES[method] ?? read,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
  };
}

interface Created {
  metadata?: { name?: string };
  spec?: { owner?: string };
}

export function isWrite({ verb }: Call): boolean {
  return Object.values(WRITES).includes(verb);
}

/** "patch workbenches/status" */
export function textOf({ verb, resource, subresource }: Pick<Call, 'verb' | 'resource' | 'subresource'>): string {
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** The Workbench that an object belongs to, by its name: children are called after it, with a hash behind. */
export function workbenchOf(name: string): string {
  return name.replace(/-[a-z2-7]{10}$/, '');
}
