import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

/** One kind of request: whose, where, what. */
export interface AuditedRight {
  user: string;
  namespace: string;
  /** With its subresource: "workbenches/status". */
  resource: string;
  verb: string;
}

const USER = /"username":"([^"]*)"/;
const OBJECT = /"objectRef":(\{[^{}]*\})/;
const VERB = /"verb":"([^"]*)"/;

/** Every kind of request that a cluster's users have made, each once; requests for no resource (discovery) are left out. */
export async function summarizeAudit(log: string): Promise<AuditedRight[]> {
  const seen = new Map<string, AuditedRight>();
  for await (const line of createInterface({ input: createReadStream(log) })) {
    const [user, object, verb] = [USER, OBJECT, VERB].map((pattern) => pattern.exec(line)?.[1]);
    if (user === undefined || object === undefined || verb === undefined) continue;
    const { resource = '', subresource, namespace = '' } = JSON.parse(object) as Record<string, string>;
    const right = { user, namespace, resource: subresource ? `${resource}/${subresource}` : resource, verb };
    seen.set(Object.values(right).join(' '), right);
  }
  return [...seen.values()];
}

/**
 * Keeps the summary beyond the end of its cluster, whose log goes with it: in the folder that WB_TEST_AUDIT names, if it is
 * set. `npm test` compares the rights of the whole suite at its end.
 */
export async function keepSummary(log: string, run: string): Promise<void> {
  const folder = process.env['WB_TEST_AUDIT'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${basename(run)}.json`), JSON.stringify(await summarizeAudit(log)));
}
