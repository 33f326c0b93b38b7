import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One API call, as the API server's audit log tells it. */
export interface AuditEntry {
  /** When the request came in, and when it was answered; RFC 3339 with microseconds. */
  at: string;
  answered: string;
  verb: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  code: number;
  requestURI: string;
  userAgent?: string;
}

interface AuditEvent {
  stage: string;
  verb: string;
  requestURI: string;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  userAgent?: string;
  user: { username: string };
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
}

/** Read as a stream: the log of a scale test does not fit into one string. `start` is where a line begins, in bytes. */
export async function readAudit(log: string, user: string, start = 0): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  // Most lines are other users': they are told apart before the costly parsing.
  const mark = `"username":${JSON.stringify(user)}`;
  for await (const line of createInterface({ input: createReadStream(log, { start }) })) {
    const entry = line.includes(mark) ? parseAuditLine(line, user) : undefined;
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

export function parseAuditLine(line: string, user: string): AuditEntry | undefined {
  let event: AuditEvent;
  try {
    event = JSON.parse(line) as AuditEvent;
  } catch {
    return undefined; // The last line may be half written.
  }
  if (event.user.username !== user || event.stage !== 'ResponseComplete') return undefined;
  const { resource = '', subresource, namespace, name } = event.objectRef ?? {};
  return {
    at: event.requestReceivedTimestamp,
    answered: event.stageTimestamp,
    verb: event.verb,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    code: event.responseStatus?.code ?? 0,
    requestURI: event.requestURI,
    ...(event.userAgent === undefined ? {} : { userAgent: event.userAgent }),
  };
}
