/** Server-sent events as they come, read from an open response. */
export interface ServerEvent {
  id?: string;
  event?: string;
  /** Parsed. */
  data: Record<string, unknown>;
}

export interface Events {
  response: Response;
  /** The next one; undefined: the stream has ended. */
  next: () => Promise<ServerEvent | undefined>;
  /** All that has come, comments and `retry` included. */
  text: () => string;
  close: () => void;
}

export async function openEvents(url: string, headers: Record<string, string> = {}): Promise<Events> {
  const closing = new AbortController();
  const response = await fetch(url, { headers, signal: closing.signal });
  const chunks = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let all = '';
  let read = 0;
  return {
    response,
    async next() {
      for (;;) {
        const end = all.indexOf('\n\n', read);
        if (end >= 0) {
          const event = parse(all.slice(read, end));
          read = end + 2;
          if (event) return event;
          continue;
        }
        const { done, value } = await chunks.read();
        if (done) return undefined;
        all += value;
      }
    },
    text: () => all,
    close: () => closing.abort(),
  };
}

function parse(block: string): ServerEvent | undefined {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.split(':')[0]!, line.replace(/^\w*: ?/, '')]),
  );
  if (fields.data === undefined) return undefined;
  const { id, event, data } = fields;
  return {
    ...(id === undefined ? {} : { id }),
    ...(event === undefined ? {} : { event }),
    data: JSON.parse(data) as Record<string, unknown>,
  };
}
