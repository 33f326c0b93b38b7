/** Paths that mean one thing to one reader and another to the next, as bytes on a socket. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const words = (written: string) => written.trim().split(/\s+/);

/** No name of a workbench or a volume, however it is read. @param id of a workbench that is there */
export function namesOfNothing(id: string): string[] {
  const around = words(`
    ${id}%00 ${id}%2f %2f${id} ..%2f${id} x%2f..%2f${id} ${id}%2f.. ${id}%2fstart ${id}%2fstatus ${id}%3fuser_id=alice ${id}%23
    ${id};x ${id};/../x ${id}%3bx ${id}%5c.. ..\\${id} ${id}\\start ${id}%20 %20${id} ${id}+ ${id}. ${id}.. ${id}%0d%0ax:y ${id}%0a
    ${id.toUpperCase()} ${id}%E2%80%8B ${id}%u002f ${id}%252f ${id}* ${id}~ ${id}, ${id}@x ${id}:x ${id}' ${id}" ${id}%00.json
  `);
  const others = words(`
    %2e%2e %2e .. . %252e%252e %c0%ae%c0%ae %c0%af %ff %ed%a0%80 % %z %u002e ; %3b \\ %5c %2f %00 %0a %20 %7f @ ~ * : :id {id} %7bid%7d
    __proto__ %5f%5fproto%5f%5f - -a a- a_b A %C3%A4 %EF%BD%81 %E2%80%AE %F0%9F%98%80 %F0%9F%98 $(id) %24%28id%29 <id> %3Cscript%3E null%00
  `);
  const bytes = ['\u0000', '\u0001', '\u007f', '\u00ff', 'a\tb', 'Ã¤'];
  const long = ['a-', '%61%2f', '%F0%9F%98%80', '../', 'A'].map((part) => part.repeat(Math.ceil(10_240 / part.length)));
  return [...around, ...others, ...bytes, ...long];
}

/** Whole targets around a workbench; who may see it would, by some of them. */
export const waysTo = (id: string): string[] =>
  words(`
    //workbenches/${id} /./workbenches/${id} /x/../workbenches/${id} /workbenches//${id} /workbenches/./${id} /workbenches/x/../${id}
    /workbenches/${id}/ /workbenches/${id}// /workbenches/${id}//start /workbenches/${id}/start/ /workbenches/${id}/start/x
    /workbenches/${id}/../${id}/start /workbenches/${id}/%73tart /%77orkbenches/${id} /workbenches%2f${id} /WORKBENCHES/${id}
    /workbenches/${id}/START /workbenches/${id}#x /workbenches/${id}?user_id /workbenches/%${id.charCodeAt(0).toString(16)}${id.slice(1)}
    /volumes/../workbenches/${id} /volumes/..%2fworkbenches%2f${id} /api/v1/namespaces/workbenches/pods /apis /healthz /metrics
    http://x/workbenches/${id} http://x:1//workbenches/${id} HTTPS://x/workbenches/${id} ${id} workbenches/${id} ?${id} \\workbenches\\${id}
  `);

export interface RawAnswer {
  status: number;
  type: string;
  body: string;
}

/** Sends these very bytes, one a character, and reads until the connection is closed. */
export async function sendRaw(base: string, method: string, target: string, headers: string[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  const lines = [`${method} ${target} HTTP/1.1`, 'host: x', 'connection: close', ...headers];
  const socket = connect(Number(port), hostname, () => socket.write(`${lines.join('\r\n')}\r\n\r\n{}`, 'latin1'));
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    type: /^content-type: (.*)$/im.exec(head)?.[1] ?? '',
    body,
  };
}
