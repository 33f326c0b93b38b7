/**
 * An HTTPS hop between the controllers of one stage and the API server that understands the requests: it keeps a record of them,
 * and does to them what the rules say. It shows the API server's own certificate, so the controller's kubeconfig needs no other
 * CA, and speaks upstream as the controller's user.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as ask } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { connect } from '../../src/kube/connect.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { callOf, isWrite } from './calls.ts';
import type { Call } from './calls.ts';
import type { Play, Recorded } from './play.ts';
import { refusal } from './refusal.ts';
import type { Action } from './rules.ts';
import { passEvents } from './stream.ts';

export interface FaultProxy {
  /** https://127.0.0.1:PORT */
  url: string;
  /** From now on requests and events are these plays'. */
  play: (plays: readonly Play[]) => void;
  /** The resources of the namespace that are being watched, by watches that tell all. */
  watched: () => Set<string>;
  /** The controller is dead: whoever comes now has no Lease yet. */
  died: () => void;
  close: () => Promise<void>;
}

export interface FaultProxyOptions {
  cluster: Cluster;
  user: string;
  /** Requests for other namespaces pass unseen: the page route's own may come at any time. */
  namespace: string;
  /** A play has come to the moment at which the controller is to be killed. */
  crash: (play: Play) => void;
  /** Ends the controller in good order; resolves when another is up. */
  end: () => Promise<void>;
  /** Stops the controller for so long; resolves when it goes on. */
  stop: (ms: number) => Promise<void>;
  /** A write is about to be passed on. `hasLease`: by what was last passed on of the Lease, somebody here may write now. */
  onWrite: (call: Call, hasLease: boolean) => void;
}

export async function faultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { cluster, namespace } = options;
  const connection = connect(await cluster.userKubeconfig(options.user));
  const { tls } = await connection.credentials();
  // Made once: by itself each connection would read the certificates anew.
  const agent = new Agent({ secureContext: createSecureContext(tls), keepAlive: true });
  const pki = (file: string) => readFileSync(join(cluster.dir, 'pki', `kube-apiserver.${file}`));
  let plays: readonly Play[] = [];
  let isOut = false;
  let heldUntil = 0;
  /** Grows with each death: what a dead one asked for gives its successor nothing. */
  let life = 0;
  const streams = new Map<ServerResponse, string>();
  const pulse = startPulse();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const call = callOf(request.method!, request.url!, body);
    const isOurs = call.namespace === namespace && call.resource !== 'events';
    const owner = isOurs ? plays.find((play) => play.owns(call.name, call.owner)) : undefined;
    if (owner?.dying) {
      await owner.dying.promise;
      throw new Error('the controller is dead');
    }
    const [play, action] = fateOf(call, owner, isOurs);
    const entry = play?.note({ ...call, ...(action ? { fault: action } : {}) }) ?? { ...call, at: 0 };
    if (isOurs && isWrite(call)) options.onWrite(call, pulse.since() < heldUntil);
    await pass(request, response, body, entry, play);
  }

  /** What is about no workbench (a list, a watch, the Lease) is whosever rule asks for it. */
  function fateOf(call: Call, owner: Play | undefined, isOurs: boolean): [Play | undefined, Action | undefined] {
    if (owner) return [owner, owner.next(call)];
    if (!isOurs && call.resource !== 'leases') return [undefined, undefined];
    for (const play of plays) {
      const action = play.next(call);
      if (action) return [play, action];
    }
    return [undefined, undefined];
  }

  async function pass(
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
    entry: Recorded,
    play: Play | undefined,
  ): Promise<void> {
    const action = entry.fault;
    if (action && (await befall('before', action, play!, request, response))) return;
    const isWatch = entry.verb === 'watch';
    const [sent, of] = [performance.now(), life];
    const answer = await forward(request, response, body, isWatch);
    entry.code = answer.statusCode!;
    if (entry.resource === 'leases' && isWrite(entry) && entry.code < 300 && of === life)
      heldUntil = sent + leaseMs(body);
    if (action && (await befall('after', action, play!, request, response))) {
      answer.resume();
      return;
    }
    response.writeHead(answer.statusCode!, endToEnd(answer.headers));
    // A watch has an answer long before it has anything to say.
    response.flushHeaders();
    if (action?.do === 'truncate') await cutInHalf(answer, response);
    else if (isWatch && answer.statusCode === 200 && entry.namespace === namespace) {
      streams.set(response, entry.resource);
      response.once('close', () => streams.delete(response));
      const onDeaf = () => void streams.delete(response);
      await passEvents(answer, response, { resource: entry.resource, plays: () => plays, befall: strike, onDeaf });
    } else await pipeline(answer, response);
  }

  /** @returns whether that was the end of it */
  async function befall(
    when: 'before' | 'after',
    action: Action,
    play: Play,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    if (action.do === 'status') {
      if (when === 'before') refuse(response, action.code, action.retryAfterS);
      return when === 'before';
    }
    if (action.do === 'end' && when === 'before') void options.end();
    if (action.do === 'stop' || action.do === 'outage') {
      if (when === 'before') await strike(action, play);
      return action.do === 'outage';
    }
    if (!('when' in action) || action.when !== when) return false;
    if (action.do === 'delay') {
      await delay(action.ms);
      return false;
    }
    if (action.do === 'crash') await strike(action, play);
    request.socket.destroy();
    return true;
  }

  /** What befalls the controller, or its whole connection. */
  async function strike(action: Action, play: Play): Promise<void> {
    if (action.do === 'crash') {
      options.crash(play);
      await play.dying?.promise;
    } else if (action.do === 'stop') {
      await options.stop(action.ms);
    } else if (action.do === 'outage') {
      isOut = true;
      server.closeAllConnections();
      await delay(action.ms);
      isOut = false;
    }
  }

  /** A write goes on when whoever sent it is dead: it was sent. A watch ends with its reader. */
  async function forward(
    { method, url, headers }: IncomingMessage,
    response: ServerResponse,
    body: string,
    isWatch: boolean,
  ): Promise<IncomingMessage> {
    const target = new URL(url!, connection.server);
    // It is for the rules to say when a watch ends.
    if (isWatch) target.searchParams.delete('timeoutSeconds');
    const call = ask(target, { method: method!, headers: { ...endToEnd(headers), host: target.host }, agent });
    // After the answer has begun, its stream tells what is wrong.
    call.on('error', () => undefined);
    if (isWatch) response.once('close', () => call.destroy());
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return answer;
  }

  const server = createServer({ cert: pki('crt'), key: pki('key') }, (request, response) => {
    // Either side may go at any moment: that is what this is for.
    response.on('error', () => undefined);
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.on('connection', (socket) => {
    if (isOut) socket.destroy();
  });
  // An idle connection that the server ends may be chosen for a request at the same moment: a fault that no rule asked for.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play: (next) => void (plays = next),
    watched: () => new Set(streams.values()),
    died() {
      life += 1;
      heldUntil = 0;
    },
    async close() {
      const closed = once(server, 'close');
      pulse.stop();
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

const PULSE_MS = 50;

/** Since when what comes in now may have been there: this process, too, may have stood still for a while. */
function startPulse(): { since: () => number; stop: () => void } {
  let [before, last] = [performance.now(), performance.now()];
  const timer = setInterval(() => ([before, last] = [last, performance.now()]), PULSE_MS);
  return { since: () => before, stop: () => clearInterval(timer) };
}

/** How long nobody else may take a Lease that was written so. */
function leaseMs(body: string): number {
  const { spec } = JSON.parse(body) as { spec: { holderIdentity: string; leaseDurationSeconds: number } };
  return spec.holderIdentity === '' ? 0 : spec.leaseDurationSeconds * 1000;
}

function refuse(response: ServerResponse, code: number, retryAfterS: number | undefined): void {
  const retryAfter = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  response.writeHead(code, { 'content-type': 'application/json', ...retryAfter }).end(JSON.stringify(refusal(code)));
}

async function cutInHalf(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const whole = await text(answer);
  await new Promise((resolve) => response.write(whole.slice(0, whole.length / 2), resolve));
  response.destroy();
}

/** Without what belongs to one connection only. */
function endToEnd(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...others } = headers;
  return others;
}
