/** Every call to the outside ends within its deadline and a second, whatever is on the way, and the event loop stays free. */

import dns from 'node:dns';
import { trustOf } from '../../src/app-trust.ts';
// A module that is imported lazily is work that a call is not to blame for.
import './activity.ts';
import '../../src/providers/aws/codebuild/session.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { inlineSecret } from '../../src/config/secret.ts';
import { createBudget, createGate } from '../../src/engine/budget.ts';
import { type CallerOptions, callContext, failureOf } from '../../src/engine/call.ts';
import { startHeartbeat } from '../../src/notify/heartbeat.ts';
import { createPoster } from '../../src/notify/http.ts';
import { createReceiver } from '../../src/notify/index.ts';
import type { ReceiverOptions } from '../../src/notify/receiver.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { CallFailed, type Connection, type Service } from '../../src/providers/provider.ts';
import { ACCOUNT, connectTo as connectToAws, REGION, startWire } from '../fixtures/aws-wire.ts';
import { ARM, AUTHORITY, connectTo as connectToAzure, startAzureWire, VAULT } from '../fixtures/azure-wire.ts';
import { listAll } from '../fixtures/context.ts';
import { slowAnswers, startBlackHole, startExpiredHost, trickle, watchLoop } from '../fixtures/trickle.ts';
import { firing } from '../notify/notifications.ts';
import { startSink } from '../notify/sink.ts';

/** Scaled down: ten seconds in the daemon. */
const DEADLINE_MS = 800;
/** For what ends by itself, however busy the machine is. */
const PATIENT_MS = 10_000;
const LATE_MS = 1_000;
/** What a block of the event loop may take, ms. */
const BLOCK_MS = 100;
const never = new AbortController().signal;

afterEach(() => {
  vi.restoreAllMocks();
});

/** How a call ended, and after how long. */
interface Ended {
  readonly what: string;
  readonly reason: string;
  readonly ms: number;
}

async function timed(what: string, work: () => Promise<string>): Promise<Ended> {
  const from = performance.now();
  const reason = await work();
  return { what, reason, ms: performance.now() - from };
}

/** The engine's own way to a cloud, with the scaled deadline; tells how long each call took, ms. */
function context(
  service: string | undefined,
  connection: Connection,
  { took = () => undefined, timeoutMs = DEADLINE_MS }: { took?: (ms: number) => void; timeoutMs?: number } = {},
) {
  const monotonic = () => performance.now();
  const caller: CallerOptions = {
    budget: createBudget(1, monotonic),
    gate: createGate(16),
    timeoutMs,
    monotonic,
    observe: ({ seconds }) => took(seconds * 1_000),
  };
  const found = SERVICES.find(({ name }) => name === service) as Service | undefined;
  const scope = { account: ACCOUNT, connection, ...(found && { service: found }) };
  return callContext({ target: 't', location: REGION, service: service ?? 'sts' }, scope, caller, never);
}

function ending(connection: Connection, error: unknown): string {
  return failureOf(error, connection).reason;
}

async function identify(what: string, connection: Connection, timeoutMs = DEADLINE_MS): Promise<Ended> {
  await using _ = connection;
  return await timed(what, () =>
    connection.identify(context(undefined, connection, { timeoutMs })).then(
      () => 'answered',
      (error: unknown) => ending(connection, error),
    ),
  );
}

/** One listing, of which every call goes wrong; the longest of them counts. */
async function list(what: string, connection: Connection, service: string, location: string): Promise<Ended> {
  await using _ = connection;
  await connection.identify(context(undefined, connection, { timeoutMs: PATIENT_MS }));
  const session = connection.open(service, location);
  const took: number[] = [];
  const calls = context(service, connection, { took: (ms) => void took.push(ms) });
  const reason = await listAll(session, calls).then(
    ({ outcome }) => (outcome.failed ? ending(connection, outcome.failed) : 'answered'),
    (error: unknown) => {
      if (!(error instanceof CallFailed)) throw error;
      return ending(connection, error);
    },
  );
  // The connection is still there for the next sweep; what was given up must not go on beside that.
  await vi.waitFor(() => expect(slowAnswers()).toBe(0));
  return { what, reason, ms: Math.max(...took) };
}

function receiverOptions(change: Partial<ReceiverOptions> = {}): ReceiverOptions {
  const statusUrl = 'http://127.0.0.1:10539';
  return { timeoutMs: DEADLINE_MS, holdMs: 3_600_000, env: {}, version: '0.0.0-test', statusUrl, ...change };
}

/** One batch to each type of receiver. */
function deliveries(url: string, options = receiverOptions()): Promise<Ended>[] {
  const secret = inlineSecret('secret');
  const kinds = {
    alertmanager: { urls: [url] },
    pagerduty: { url, routingKey: secret },
    slack: { url: inlineSecret(url) },
    webhook: { url: inlineSecret(url), secret },
  };
  return Object.entries(kinds).map(([type, config]) =>
    timed(type, async () => {
      await using receiver = createReceiver({ name: 'one', type: type as 'webhook', options: config }, options);
      const delivery = await receiver.send([firing()], never);
      return delivery.outcome === 'accepted' ? 'answered' : delivery.reason;
    }),
  );
}

/** Two beats, so that the first did not keep the second. */
function heartbeat(url: string, options = receiverOptions()): Promise<Ended> {
  return timed('heartbeat', async () => {
    await using poster = createPoster(options);
    const { promise, resolve } = Promise.withResolvers<string>();
    let asked = 0;
    await using _beating = startHeartbeat({
      url,
      everyMs: 1,
      poster: {
        ...poster,
        async post(post, signal) {
          asked += 1;
          const delivery = await poster.post(post, signal);
          resolve(delivery.outcome === 'accepted' ? 'answered' : `${delivery.reason} ${asked}`);
          return delivery;
        },
      },
      now: () => Date.now(),
      vitals: () => ({ oldestReadAt: Date.now(), newestReadAt: Date.now(), readWithinMs: 60_000 }),
      onChange: () => undefined,
    });
    return (await promise).replace(' 1', '');
  });
}

/** Waits for all, and holds them to the deadline. */
async function ends(
  calls: readonly Promise<Ended>[],
  figure: string,
  deadlineMs = DEADLINE_MS,
): Promise<Readonly<Record<string, string>>> {
  using loop = watchLoop();
  const ended = await Promise.all(calls);
  const longest = Math.max(...ended.map(({ ms }) => ms));
  console.info(
    `${figure}: ${ended.length} calls, the last ended ${Math.round(longest)} ms after its start (deadline ${deadlineMs} ms); ` +
      `longest block of the event loop ${Math.round(loop.longestMs)} ms of processor`,
  );
  for (const { what, ms } of ended)
    expect([what, ms <= deadlineMs + LATE_MS ? 'in time' : ms]).toEqual([what, 'in time']);
  expect(loop.longestMs).toBeLessThan(BLOCK_MS);
  return Object.fromEntries(ended.map(({ what, reason }) => [what, reason]));
}

describe.each(['slow-head', 'slow-body', 'silence'] as const)(
  'a server that sends one byte now and then (%s)',
  (how) => {
    it('is no reason to wait, for AWS', async () => {
      await using wire = await startWire();
      await using deaf = await startWire();
      deaf.on('GetCallerIdentity', { ending: how });
      for (const operation of ['ListKeys', 'ListAliases', 'ListSecrets', 'ListProjects'])
        wire.on(operation, { ending: how });
      const options = { callTimeoutMs: DEADLINE_MS };
      const services = ['kms', 'secrets-manager', 'codebuild'];
      const reasons = await ends(
        [
          identify('sts', await connectToAws(deaf, { kms: {} }, {}, options)),
          ...services.map(async (service) =>
            list(service, await connectToAws(wire, { [service]: {} }, {}, options), service, REGION),
          ),
        ],
        `AWS, ${how}`,
      );
      expect(reasons).toEqual({ sts: 'timeout', kms: 'timeout', 'secrets-manager': 'timeout', codebuild: 'timeout' });
    });

    it('is no reason to wait, for Azure', async () => {
      await using wire = await startAzureWire();
      await using deaf = await startAzureWire();
      deaf.on('GET', AUTHORITY, /./, { ending: how });
      deaf.on('POST', AUTHORITY, /./, { ending: how });
      wire.on('GET', ARM, /./, { ending: how });
      wire.on('GET', VAULT, /./, { ending: how });
      const options = { callTimeoutMs: DEADLINE_MS };
      const services = { 'key-vault': {}, 'media-services': {} };
      const reasons = await ends(
        [
          identify('authority', await connectToAzure(deaf, { 'key-vault': {} }, {}, options)),
          ...Object.keys(services).map(async (service) =>
            list(service, await connectToAzure(wire, services, {}, options), service, 'global'),
          ),
        ],
        `Azure, ${how}`,
      );
      expect(reasons).toEqual({ authority: 'timeout', 'key-vault': 'timeout', 'media-services': 'timeout' });
    });

    it('is no reason to wait, for receivers and the heartbeat', async () => {
      await using sink = await startSink((response) => {
        if (how !== 'silence') trickle(response, how === 'slow-head' ? 'head' : 'body');
      });
      const reasons = await ends([...deliveries(sink.url), heartbeat(sink.url)], `receivers, ${how}`);
      expect(new Set(Object.values(reasons))).toEqual(new Set(['timeout']));
    });
  },
);

it('a port that nobody answers: all calls end in time', async () => {
  await using hole = await startBlackHole();
  await using wire = await startAzureWire();
  const url = `http://127.0.0.1:${hole.port}`;
  const options = { callTimeoutMs: DEADLINE_MS };
  const env = { ...wire.env, HTTPS_PROXY: url };
  const reasons = await ends(
    [
      identify('sts', await connectToAws({ url }, { kms: {} }, {}, options)),
      identify('authority', await connectToAzure(wire, { 'key-vault': {} }, {}, { ...options, env })),
      ...deliveries(url),
      heartbeat(url),
    ],
    'black hole',
  );
  expect(new Set(Object.values(reasons))).toEqual(new Set(['timeout']));
});

it('a certificate that has expired: nothing is asked, and it is no timeout', async () => {
  await using host = await startExpiredHost();
  await using wire = await startAzureWire();
  const url = `https://127.0.0.1:${host.port}`;
  const trust = trustOf(host.ca);
  const options = { callTimeoutMs: PATIENT_MS, trust };
  const endpoints = { arm: url, authority: url, vaultSuffix: 'vault.azure.net' };
  const env = { ...wire.env, NO_PROXY: '127.0.0.1' };
  const patient = receiverOptions({ trust, timeoutMs: PATIENT_MS });
  const reasons = await ends(
    [
      identify('sts', await connectToAws({ url }, { kms: {} }, {}, options), PATIENT_MS),
      identify(
        'authority',
        await connectToAzure(wire, { 'key-vault': {} }, { endpoints }, { ...options, env }),
        PATIENT_MS,
      ),
      ...deliveries(url, patient),
      heartbeat(url, patient),
    ],
    'expired certificate',
    PATIENT_MS,
  );
  expect(new Set(Object.values(reasons))).toEqual(new Set(['network']));
  expect(host.requests).toBe(0);
});

describe('a name', () => {
  const url = 'http://nobody.invalid:8080';
  const real = dns.lookup;

  /** Lets names, not addresses, be looked up so. */
  function namesLookUp(how: (host: string, done: (error: Error) => void) => void): void {
    const lookup = (host: string, ...rest: unknown[]) => {
      if (/[a-z]/.test(host)) how(host, rest.at(-1) as (error: Error) => void);
      else Reflect.apply(real, dns, [host, ...rest]);
    };
    vi.spyOn(dns, 'lookup').mockImplementation(lookup as never);
  }

  async function all(figure: string, timeoutMs: number): Promise<Readonly<Record<string, string>>> {
    await using wire = await startAzureWire();
    const options = { callTimeoutMs: timeoutMs };
    const env = { ...wire.env, HTTPS_PROXY: '' };
    return await ends(
      [
        identify('sts', await connectToAws({ url }, { kms: {} }, {}, options), timeoutMs),
        identify('authority', await connectToAzure(wire, { 'key-vault': {} }, {}, { ...options, env }), timeoutMs),
        ...deliveries(url, receiverOptions({ timeoutMs })),
        heartbeat(url, receiverOptions({ timeoutMs })),
      ],
      figure,
      timeoutMs,
    );
  }

  it('that does not resolve is told as such, in time', async () => {
    namesLookUp((host, done) => {
      process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }));
    });
    expect(new Set(Object.values(await all('no such name', PATIENT_MS)))).toEqual(new Set(['dns']));
  });

  it('whose server never answers is not waited for longer', async () => {
    namesLookUp(() => undefined);
    expect(new Set(Object.values(await all('name server that hangs', DEADLINE_MS)))).toEqual(new Set(['timeout']));
  });
});
