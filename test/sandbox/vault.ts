import { answerKeys, routeOf } from '../../src/sandbox/azure/vault/operations.ts';
import { VaultKeys, type VaultKeysOptions, type VaultSettings } from '../../src/sandbox/azure/vault/state.ts';
import { seeded } from '../../src/sandbox/random.ts';

export const DAY = 86_400_000;
export const HOST = 'contoso.vault.azure.net';
/** When every test vault begins. */
export const START = Date.UTC(2026, 0, 15);

/** A body as it came back: any field may be asked for. */
// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, which the assertions pin
export type Body = any;

/** The keys of a vault without a server around them, with a clock that stands until it is moved. */
export function testVault(settings: Partial<VaultSettings> = {}, options: Partial<VaultKeysOptions> = {}) {
  const clock = { now: START };
  const changes: string[] = [];
  const state = { host: HOST, hsm: false, softDelete: true, purgeProtection: false, retentionDays: 90, ...settings };
  const keys = new VaultKeys({
    settings: () => state,
    random: seeded(1),
    now: () => clock.now,
    changed: (name) => changes.push(name),
    ...options,
  });
  function ask(method: string, target: string, body?: unknown): { status: number; body: Body } {
    const { pathname, searchParams } = new URL(target, `https://${HOST}`);
    const route = routeOf(method, pathname);
    if (!route) throw new Error(`${method} ${pathname} leads nowhere`);
    if (!searchParams.has('api-version')) searchParams.set('api-version', '2025-07-01');
    return answerKeys(keys, route, { query: searchParams, body, base: `https://${HOST}` });
  }
  return { keys, clock, changes, settings: state, ask };
}

/** What a call of the model is refused with. */
export function refusal(call: () => unknown): { status: number; code: string; inner?: string; message: string } {
  try {
    call();
  } catch (error) {
    const { status, code, inner, message } = error as Error & { status: number; code: string; inner?: string };
    if (status === undefined) throw error;
    return { status, code, message, ...(inner === undefined ? {} : { inner }) };
  }
  throw new Error('the call was expected to be refused');
}

/** Status and codes of a refused request. */
export function codes(answer: { status: number; body: Body }): readonly unknown[] {
  const error = answer.body?.error;
  return [answer.status, error?.code, error?.innererror?.code];
}
