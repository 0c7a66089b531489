import type { Random } from './random.ts';
import { type Revocable, revocable } from './revocable.ts';

/** What a fault sees of a request. */
export type FaultCall = {
  readonly service: string;
  readonly operation: string;
  readonly account: string;
  readonly region: string;
  /** The key, secret or role as the request names it. */
  readonly resource: string | undefined;
  readonly input: Readonly<Record<string, unknown>>;
};

/** Which requests a fault hits. Everything that is left out matches everything. */
export type FaultScope = {
  readonly service?: string;
  readonly operation?: string | readonly string[];
  readonly account?: string;
  readonly region?: string;
  /** A part of the name, id or ARN that the request names. */
  readonly resource?: string;
  readonly when?: (call: FaultCall) => boolean;
  /** After so many hits the fault is over. */
  readonly times?: number;
  /** 0..1, drawn from the sandbox's seeded generator for every request that matches. */
  readonly probability?: number;
};

/** What goes wrong. */
export type FaultEffect =
  /** The service's own throttling error; Azure says Retry-After with it: `retryAfterS` seconds, 1 unless given. */
  | { readonly kind: 'throttle'; readonly retryAfterS?: number }
  /** AccessDenied with the cloud's text. */
  | { readonly kind: 'access-denied' }
  | { readonly kind: 'expired-token' }
  /** Any error of the service's protocol; `status` is 400 unless given. */
  | { readonly kind: 'error'; readonly code: string; readonly message?: string; readonly status?: number }
  /** The service's own internal error; `status` is 500 unless given. */
  | { readonly kind: 'server-error'; readonly status?: number }
  /** Something else than the protocol's body: a proxy's page, an XML error, nothing, or the first half of the true answer. */
  | { readonly kind: 'body'; readonly body: 'xml' | 'html' | 'empty' | 'truncated'; readonly status?: number }
  /** Headers and half of the body, then nothing until the client or the sandbox closes the socket. */
  | { readonly kind: 'stall' }
  /** Headers and half of the body, then the connection is closed. */
  | { readonly kind: 'cut' }
  /** The request is read and never answered. */
  | { readonly kind: 'silence' }
  /** The connection is reset instead of an answer. */
  | { readonly kind: 'reset' }
  /** The answer comes `ms` later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** AWS only: reads see the state of `ms` ago; without `ms`, the state before the object's last change. */
  | { readonly kind: 'stale'; readonly ms?: number }
  /** The token of a page leads to the same page again. */
  | { readonly kind: 'token-loop' }
  /** A page without items, with a token. */
  | { readonly kind: 'empty-page' }
  /** The true answer, changed: an enum value nobody knows, a field that is missing. Gets and returns the parsed body. */
  | { readonly kind: 'rewrite'; readonly change: (answer: unknown) => unknown };

/** A fault that is active. */
export type Fault = Revocable & {
  /** How often it hit so far. */
  readonly hits: () => number;
};

type Active = { readonly effect: FaultEffect; readonly scope: FaultScope; hits: number };

/** Effects that can stand together with any other one; of the rest the first that matches wins. */
const COMPATIBLE: ReadonlySet<FaultEffect['kind']> = new Set(['slow', 'stale', 'rewrite', 'token-loop', 'empty-page']);

/** The faults of a sandbox, in the order in which they were added. */
export class Faults {
  readonly #active = new Set<Active>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Starts a fault: `effect` on the requests of `scope`, until it is removed or its `times` are used up. */
  add(effect: FaultEffect, scope: FaultScope = {}): Fault {
    const active: Active = { effect, scope, hits: 0 };
    this.#active.add(active);
    return { hits: () => active.hits, ...revocable(() => this.#active.delete(active)) };
  }

  /** Ends every fault. */
  clear(): void {
    this.#active.clear();
  }

  /** The effects that hit this request; counts and draws for each of them. Called once per request. */
  hit(call: FaultCall): readonly FaultEffect[] {
    const effects: FaultEffect[] = [];
    let decided = false;
    for (const active of this.#active) {
      const { effect, scope } = active;
      const compatible = COMPATIBLE.has(effect.kind);
      if ((decided && !compatible) || !matches(scope, call)) continue;
      if (scope.probability !== undefined && this.#random.next() >= scope.probability) continue;
      active.hits += 1;
      if (scope.times !== undefined && active.hits >= scope.times) this.#active.delete(active);
      if (!compatible) decided = true;
      effects.push(effect);
    }
    return effects;
  }
}

function matches(scope: FaultScope, call: FaultCall): boolean {
  if (scope.service !== undefined && scope.service !== call.service) return false;
  if (scope.account !== undefined && scope.account !== call.account) return false;
  if (scope.region !== undefined && scope.region !== call.region) return false;
  if (scope.resource !== undefined && !call.resource?.includes(scope.resource)) return false;
  if (typeof scope.operation === 'string' && scope.operation !== call.operation) return false;
  if (Array.isArray(scope.operation) && !scope.operation.includes(call.operation)) return false;
  return scope.when?.(call) ?? true;
}
