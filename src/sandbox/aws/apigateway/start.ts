import { createSecureContext, type SecureContext } from 'node:tls';
import { type HttpAnswer, type HttpRequest, serveHttp } from '../../http.ts';
import { type Authority, type Certificate, makeAuthority } from '../../tls.ts';
import { serveNames } from './dns.ts';
import type { Gateways, NameService } from './state.ts';

/** Where APIs are called: the same AWS behind TLS, and the name server that knows their names. */
export type ApiFront = {
  /** `https://127.0.0.1:PORT`: every API by its Host and server name, and everything else of AWS too. */
  readonly url: string;
  /** The authority of its certificates, PEM. */
  readonly ca: string;
  /** `127.0.0.1:PORT` of the name server. */
  readonly nameServer: string;
  /** What the name server does from now on. */
  readonly answerNames: (how: NameService) => void;
};

/** The address that the name server gives to every name: of a range that AWS publishes as its own. Nobody here connects to it. */
const ANYWHERE = '3.5.140.1';
const DAY_MS = 86_400_000;
/** Long ago for every clock. */
const EXPIRED = { from: Date.UTC(2001, 0), until: Date.UTC(2001, 0) + 30 * DAY_MS };

/** Starts both on `host` (loopback) on free ports. Throws what listening throws. */
export async function startApiFront(options: {
  readonly host: string;
  readonly gateways: Gateways;
  readonly answer: (request: HttpRequest) => HttpAnswer;
}): Promise<ApiFront & AsyncDisposable> {
  const { host, gateways } = options;
  const authority = makeAuthority();
  const stranger = makeAuthority();
  const contexts = new Map<string, SecureContext>();

  function contextOf(name: string): SecureContext {
    const api = gateways.at(name);
    const state = api?.certificate ?? 'good';
    const key = `${state} ${name}`;
    const context = contexts.get(key) ?? createSecureContext(certificateOf(name, state, { authority, stranger }));
    contexts.set(key, context);
    return context;
  }

  await using starting = new AsyncDisposableStack();
  const server = starting.use(
    await serveHttp(
      {
        host,
        port: 0,
        tls: {
          ...authority.issue(['localhost'], [host]),
          SNICallback: (name, done) => done(null, contextOf(name.toLowerCase())),
        },
      },
      options.answer,
    ),
  );
  const names = starting.use(await serveNames(gateways, host, [ANYWHERE]));
  const running = starting.move();
  return {
    url: server.url,
    ca: authority.ca,
    nameServer: names.address,
    answerNames: (how) => {
      gateways.nameService = how;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function certificateOf(
  name: string,
  state: string,
  { authority, stranger }: { readonly authority: Authority; readonly stranger: Authority },
): Certificate {
  if (state === 'expired') return authority.issue([name], [], EXPIRED);
  if (state === 'other-host') return authority.issue(['somebody-else.example.com']);
  return state === 'untrusted' ? stranger.issue([name]) : authority.issue([name]);
}
