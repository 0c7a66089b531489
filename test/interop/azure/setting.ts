/** A sandbox, arranged as the Azure of a recording was, and asked the same. */
import type { Application, Subscription, Vault } from '../../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { ask, tokenOf } from '../../sandbox/azure-clients.ts';
import type { Given } from './compare.ts';
import { type Exchange, exchangesOf, type RecordedRequest } from './recordings.ts';
import { ARM, SUBSCRIPTION } from './replay.ts';

const START = Date.UTC(2026, 0, 1);
/** Of the years of the recordings that do not tell. */
const UNTOLD_VERSION = '7.1';

const SCOPE = `/subscriptions/${SUBSCRIPTION}`;

/** How the world is before an exchange, and what the recording does not have of its request. */
export interface Step {
  /** ms that pass before it. */
  readonly wait?: number;
  readonly given?: (setting: Setting) => unknown;
  readonly path?: string;
  readonly body?: (setting: Setting) => unknown;
}

export interface Scenario {
  /** The world before the first exchange. */
  readonly given: (setting: Setting) => unknown;
  /** By number of the exchange. */
  readonly steps?: Readonly<Record<number, Step>>;
}

export interface Setting {
  readonly sandbox: Sandbox;
  readonly subscription: Subscription;
  /** One request of the owner over the wire; JSON bodies. */
  send(method: string, host: string, path: string, body?: unknown): Promise<Given>;
  wait(ms: number): void;
}

/** What the sandbox answers to each request of a recording; undefined where no answer leads to the request. */
export async function answersOf(
  name: string,
  { given, steps = {} }: Scenario,
): Promise<readonly (Given | undefined)[]> {
  const clock = { now: START };
  await using sandbox = await startSandbox({ now: () => clock.now });
  const subscription = sandbox.azure.subscription(SUBSCRIPTION);
  const setting: Setting = {
    sandbox,
    subscription,
    send: (method, host, path, body) => send(setting, subscription.owner, { method, host, path, body }),
    wait(ms) {
      clock.now += ms;
    },
  };
  await given(setting);
  const exchanges = exchangesOf(name);
  const answers: (Given | undefined)[] = [];
  for (const [index, { request, response }] of exchanges.entries()) {
    const step = steps[index] ?? {};
    setting.wait(step.wait ?? 0);
    await step.given?.(setting);
    // Published examples have subscriptions of their own, some of them none that there could be.
    const path = (step.path ?? followed(exchanges, answers, request))?.replace(/^\/subscriptions\/[^/]+/, SCOPE);
    const body = step.body ? step.body(setting) : request.body;
    const who = response.status === 401 ? undefined : subscription.owner;
    answers.push(path === undefined ? undefined : await send(setting, who, { ...request, path, body }));
  }
  return answers;
}

/** The path to ask: where the recording follows a link of an answer before, the link that the sandbox gave instead. */
function followed(
  exchanges: readonly Exchange[],
  answers: readonly (Given | undefined)[],
  { host, path }: RecordedRequest,
): string | undefined {
  const from = exchanges.findIndex(({ response }) => linkOf(response) === `https://${host}${path}`);
  if (from === -1 || from >= answers.length) return path;
  const link = answers[from] && linkOf(answers[from]);
  if (link === undefined) return undefined;
  const { pathname, search } = new URL(link);
  return pathname + search;
}

function linkOf({ body, headers }: Given): string | undefined {
  const { nextLink } = (body || {}) as { nextLink?: string };
  return nextLink ?? headers.location;
}

async function send(
  { sandbox, subscription }: Pick<Setting, 'sandbox' | 'subscription'>,
  who: Application | undefined,
  { method, host, path, body }: RecordedRequest,
): Promise<Given> {
  const url = new URL(path, `https://${host}`);
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', UNTOLD_VERSION);
  const audience = host === ARM ? `https://${ARM}` : 'https://vault.azure.net';
  const token = who && (await tokenOf(sandbox, subscription, who, audience));
  const { status, headers, text, json } = await ask(sandbox, url.href, {
    method,
    ...(token === undefined ? {} : { token }),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status, headers, body: text === '' ? '' : json };
}

/** The vault of a recording, by its host; made as old vaults are where that is said. */
export function vaultAt(
  { subscription }: Setting,
  host: string,
  options: Parameters<Subscription['vault']>[1] = {},
): Vault {
  const [name = ''] = host.split('.');
  return subscription.vault(name, { purgeProtection: false, ...options });
}
