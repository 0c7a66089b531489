import type { FaultEffect, Faults } from '../faults.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { RequestLog } from '../requests.ts';
import { shaped } from '../shape.ts';
import { askArm } from './arm/front.ts';
import { askAuthority } from './authority-front.ts';
import { hostRole } from './clouds.ts';
import { AzureError } from './errors.ts';
import { record, text } from './json.ts';
import type { Asked, PlaneRequest, Reply } from './plane.ts';
import { askVault } from './vault-front.ts';
import type { AzureWorld } from './world.ts';

type Parts = { readonly world: AzureWorld; readonly faults: Faults; readonly requests: RequestLog };

/** What came out of a request, before faults of the transport touch it. */
type Outcome = Reply & { readonly code: string | undefined };

const JSON_TYPE = 'application/json; charset=utf-8';

/** The front door of every host: which plane, which fault, then the plane's own answer. */
export class AzureGateway {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers one HTTP request. Never throws what a plane threw on purpose. */
  answer(request: HttpRequest): HttpAnswer {
    const { world, faults, requests } = this.#parts;
    const now = world.now();
    const date = new Date(now).toUTCString();
    const asking = `https://${request.headers.host ?? 'localhost'}${request.path}`;
    if (!URL.canParse(asking)) {
      return { status: 400, headers: { date }, body: '', manner: 'whole', delayMs: 0 };
    }
    const url = new URL(asking);
    const asked = this.#ask({
      method: request.method,
      url,
      host: url.hostname.toLowerCase(),
      headers: request.headers,
      text: request.body.toString(),
    });
    const effects = faults.hit({
      service: asked.service,
      operation: asked.operation,
      account: asked.account ?? '',
      region: asked.region ?? '',
      resource: asked.resource,
      input: { method: request.method, path: request.path },
    });
    const outcome = outcomeOf(asked, effects, url);
    const headers = { date, ...asked.headers, ...outcome.headers };
    const { 'content-type': contentType = JSON_TYPE, ...others } = headers as Record<string, string>;
    const body = outcome.body === undefined ? '' : JSON.stringify(outcome.body);
    const whole = { status: outcome.status, contentType: body === '' ? '' : contentType, body };
    const answer = shaped(whole, effects, others);
    const unanswered = answer.manner === 'silence' || answer.manner === 'reset';
    requests.add({
      at: now,
      service: asked.service,
      operation: asked.operation,
      target: `${request.method} ${url.pathname}`,
      account: asked.account,
      region: asked.region,
      resource: asked.resource,
      status: unanswered ? undefined : answer.status,
      code: outcome.code,
    });
    return answer;
  }

  #ask(request: PlaneRequest): Asked {
    const { world } = this.#parts;
    const role = hostRole(request.host);
    if (role === 'vault') return askVault(world, request);
    if (role === 'arm') return askArm(world, request);
    if (role === 'authority') return askAuthority(world, request);
    // Asked by its address, the path tells the planes apart.
    const arm = /^\/(subscriptions|providers)(\/|$)/i.test(request.url.pathname);
    return arm ? askArm(world, request) : askAuthority(world, request);
  }
}

function outcomeOf(asked: Asked, effects: readonly FaultEffect[], url: URL): Outcome {
  try {
    for (const effect of effects) {
      if (effect.kind === 'throttle') throw asked.trouble({ kind: 'throttle', retryAfterS: effect.retryAfterS ?? 1 });
      if (effect.kind === 'server-error') throw asked.trouble({ kind: 'server-error', status: effect.status });
      if (effect.kind === 'error') throw asked.trouble(effect);
    }
    const refused = effects
      .map(({ kind }) => kind)
      .find((kind) => kind === 'access-denied' || kind === 'expired-token');
    const reply = asked.answer(refused);
    if (reply.status >= 400) return { ...reply, code: codeOf(reply.body) };
    return { ...reply, body: altered(reply.body, asked, effects, url), code: undefined };
  } catch (error) {
    if (!(error instanceof AzureError)) throw error;
    return { status: error.status, body: error.body, headers: error.headers, code: error.code };
  }
}

/** The innermost code of an error's body. */
function codeOf(body: unknown): string | undefined {
  const error = record(record(body).error);
  return text(record(error.innererror).code) ?? text(error.code);
}

function altered(body: unknown, asked: Asked, effects: readonly FaultEffect[], url: URL): unknown {
  let result = body;
  for (const effect of effects) {
    const list = Array.isArray(record(result).value);
    if (effect.kind === 'token-loop' && list) result = { ...record(result), [asked.link]: url.href };
    if (effect.kind === 'empty-page' && list) result = { ...record(result), value: [], [asked.link]: url.href };
    if (effect.kind === 'rewrite') result = effect.change(JSON.parse(JSON.stringify(result ?? null)));
  }
  return result;
}
