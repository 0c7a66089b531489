/**
 * Whether anything is under way in this process: requests to the cloud and the connections and names that they need, and
 * messages to the store's thread. A simulated
 * clock may only go on when nothing is, or real work would seem to take minutes.
 */
import { channel } from 'node:diagnostics_channel';
import { Resolver } from 'node:dns/promises';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';

// Loaded before any clock is faked: a module that is imported lazily takes real time.
import '../../src/providers/aws/connection.ts';
import '../../src/providers/aws/kms/session.ts';
import '../../src/providers/aws/mediaconnect/session.ts';
import '../../src/providers/aws/secrets-manager/session.ts';
import '../../src/providers/aws/speke/session.ts';
import '../../src/providers/azure/connection.ts';
import '../../src/providers/azure/key-vault/session.ts';
import '../../src/providers/azure/media-services/session.ts';

/** Turns of the event loop after the last activity in which an answer may still lead to the next question. */
const CALM_TURNS = 25;
/** What hangs elsewhere (a name server, a proxy's other side) is taken for rest after so much real time without any change. */
const HUNG_MS = 40;

export interface Activity extends Disposable {
  /** Requests and messages that are not answered yet, but for those that a server of this process holds back on purpose. */
  readonly pending: number;
  /** Changes with everything that starts or ends. */
  readonly changes: number;
}

export function watchActivity(): Activity {
  const requests = new Set<unknown>();
  let messages = 0;
  let changes = 0;
  const started = (one: unknown) => {
    requests.add(one);
    changes += 1;
  };
  const ended = (one: unknown) => {
    if (requests.delete(one)) changes += 1;
  };
  const begin = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    started(request);
    // An answer that is not read to its end finishes nothing else.
    request.once('close', () => ended(request));
  };
  const end = (message: unknown) => ended((message as { request: ClientRequest }).request);
  // What is asked at a port of ours and not answered yet. The sandbox answers at once, or not before a timer says so.
  const asked = new Map<number | undefined, { request: IncomingMessage; response: ServerResponse }>();
  const ask = (message: unknown) => {
    const exchange = message as { request: IncomingMessage; response: ServerResponse };
    const { remotePort } = exchange.request.socket;
    asked.set(remotePort, exchange);
    exchange.response.once('close', () => asked.get(remotePort) === exchange && asked.delete(remotePort));
  };
  const isHeld = (one: unknown) => {
    const port =
      one !== null && typeof one === 'object' && 'socket' in one ? (one.socket as Socket)?.localPort : undefined;
    const exchange = asked.get(port);
    return port !== undefined && exchange?.request.complete === true && !exchange.response.writableEnded;
  };
  const channels = [
    [channel('http.server.request.start'), ask],
    [channel('http.client.request.start'), begin],
    [channel('http.client.response.finish'), end],
    [channel('http.client.request.error'), end],
  ] as const;
  for (const [at, listener] of channels) at.subscribe(listener);

  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (this: Socket, ...args: Parameters<typeof connect>) {
    const connecting = {};
    started(connecting);
    for (const event of [this instanceof TLSSocket ? 'secureConnect' : 'connect', 'close']) {
      this.once(event, () => ended(connecting));
    }
    return connect.apply(this, args);
  } as typeof connect;

  const { resolve4, resolve6 } = Resolver.prototype;
  const counted = (resolve: (name: string) => Promise<string[]>) =>
    function (this: Resolver, name: string) {
      const asking = {};
      started(asking);
      return resolve.call(this, name).finally(() => ended(asking));
    };
  Object.assign(Resolver.prototype, { resolve4: counted(resolve4), resolve6: counted(resolve6) });

  const { postMessage, emit } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof postMessage>) {
    messages += 1;
    changes += 1;
    return postMessage.apply(this, args);
  };
  Worker.prototype.emit = function (this: Worker, ...args: Parameters<typeof emit>) {
    if (args[0] === ('message' as string)) {
      messages = Math.max(0, messages - 1);
      changes += 1;
    }
    return emit.apply(this, args);
  };

  return {
    get pending() {
      let held = 0;
      for (const one of requests) if (isHeld(one)) held += 1;
      return requests.size - held + messages;
    },
    get changes() {
      return changes;
    },
    [Symbol.dispose]() {
      for (const [at, listener] of channels) at.unsubscribe(listener);
      Object.assign(Worker.prototype, { postMessage, emit });
      Object.assign(Socket.prototype, { connect });
      Object.assign(Resolver.prototype, { resolve4, resolve6 });
    },
  };
}

/**
 * Resolves when nothing is under way, or only what hangs.
 * @param restMs real time that must pass without any change: for a start, where modules and threads are still loading
 */
export async function settle(activity: Activity, restMs = 0): Promise<void> {
  let calm = 0;
  let { changes } = activity;
  let changedAt = performance.now();
  while (calm < CALM_TURNS) {
    await new Promise((resolve) => setImmediate(resolve));
    if (activity.changes !== changes) {
      ({ changes } = activity);
      changedAt = performance.now();
      calm = 0;
    } else if (performance.now() - changedAt > (activity.pending === 0 ? restMs : HUNG_MS)) {
      calm += 1;
    }
  }
}
