/**
 * A process that is killed between the commit of what must be told and the commit of its acknowledgement, and started
 * again on the same file: what the receiver hears in the end. Only what stands between a change and a receiver runs in it
 * (`alert-kills-child.ts`); state file, sockets and SIGKILL are real.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { StateDir } from '../store/place.ts';
import { type KillPoint, type Life, resourceOf } from './alert-kills-child.ts';

const CHILD = join(import.meta.dirname, 'alert-kills-child.ts');
const COMPILE_CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'keyvigil-compile');
const SEED = 20261122;
const CHAINS = 4;
/** Of each chain: kills right before the commit, or right after the acknowledgement. */
const BESIDE = 2;
const MOST_FLIPS = 3;
/** Generous: machines that run tests do other things too. */
const PATIENCE_MS = 20_000;

const between = fc.oneof(
  { weight: 4, arbitrary: fc.constant<KillPoint>('open') },
  { weight: 2, arbitrary: fc.constant<KillPoint>('answering') },
  { weight: 3, arbitrary: fc.constant<KillPoint>('sending') },
  { weight: 2, arbitrary: fc.constant<KillPoint>('committed') },
  { weight: 2, arbitrary: fc.constant<KillPoint>('answered') },
  { weight: 2, arbitrary: fc.constant<KillPoint>('acknowledging') },
);
const beside = fc.constantFrom<KillPoint>('uncommitted', 'acknowledged');
const round = (point: fc.Arbitrary<KillPoint>) =>
  fc.record({
    point,
    /** Whether each change ends something, if anything can end. */
    ends: fc.array(fc.boolean(), { minLength: 1, maxLength: MOST_FLIPS }),
    target: fc.nat(),
    turns: fc.integer({ min: 0, max: 60 }),
  });

/** What must be told: that a key broke, or that it is well again. */
const idOf = (key: number, status: string) => `${resourceOf(key)} ${status}`;

/** The lives of one chain of processes, and all that must be told. */
function planned(chain: number, kills: number) {
  const seed = SEED + chain;
  const rounds = [
    ...fc.sample(round(between), { numRuns: kills, seed }),
    ...fc.sample(round(beside), { numRuns: BESIDE, seed }),
  ];
  const expected: string[] = [];
  const lives: Array<Omit<Life, 'file' | 'url' | 'keys'> & { readonly status: string }> = [];
  const down: number[] = [];
  let next = 0;
  for (const { point, ends, target, turns } of rounds) {
    const was = [...down];
    // What has just broken must be heard of before it may end: it would be told in one otherwise.
    const mayEnd = [...was];
    const flips = ends.map((end) => {
      const ending = end ? mayEnd.shift() : undefined;
      if (ending !== undefined) down.splice(down.indexOf(ending), 1);
      const key = ending ?? next++;
      if (ending === undefined) down.push(key);
      return { key, status: ending === undefined ? 'firing' : 'resolved' };
    });
    expected.push(...flips.map(({ key, status }) => idOf(key, status)));
    const { key, status } = flips[target % flips.length]!;
    lives.push({ was, is: [...down], target: key, status, point, turns });
  }
  lives.push({ was: [...down], is: [...down], target: -1, status: '', turns: 0 });
  return { lives, expected, keys: next };
}

interface Heard {
  readonly id: string;
  readonly startsAt: string;
  readonly fingerprint: string;
  readonly message: string;
}

/** The receiver of one chain. */
async function startReceiver() {
  const stack = new AsyncDisposableStack();
  /** Every request that came in whole, answered or not: whoever pages on arrival has paged. */
  const heard: Heard[] = [];
  const accepted = new Set<string>();
  let trap: { readonly id: string; readonly point: 'open' | 'answering'; readonly kill: () => void } | undefined;
  let cut = 0;

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { alerts } = JSON.parse(body) as {
      alerts: [{ status: string; startsAt: string; fingerprint: string; labels: Record<string, string> }];
    };
    const [{ status, startsAt, fingerprint, labels }] = alerts;
    const id = `${labels.resource} ${status}`;
    heard.push({ id, startsAt, fingerprint, message: String(request.headers['webhook-id']) });
    if (trap?.id !== id) {
      accepted.add(id);
      response.end('ok');
      return;
    }
    const { point, kill } = trap;
    trap = undefined;
    if (point === 'open') {
      kill();
    } else {
      response.writeHead(200, { 'content-length': 2 });
      response.write('o', kill);
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
    request.on('error', () => undefined);
    response.on('close', () => {
      if (!response.writableFinished) cut += 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    heard,
    accepted,
    /** Requests whose sender died before it had an answer. */
    get cut() {
      return cut;
    },
    set trap(next: typeof trap) {
      trap = next;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Runs all lives of a chain, one after the other, on one file. */
async function runChain(chain: number, count: number) {
  await using place = new StateDir();
  await using receiver = await startReceiver();
  const { lives, expected, keys } = planned(chain, count);
  const kills = new Map<KillPoint, number>();
  for (const { status, ...life } of lives) {
    const argument: Life = { ...life, file: place.file, url: receiver.url, keys };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(argument)], {
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE },
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: PATIENCE_MS,
    });
    const exit = once(child, 'exit');
    const { point, target } = life;
    if (point === 'open' || point === 'answering') {
      receiver.trap = { id: idOf(target, status), point, kill: () => void child.kill('SIGKILL') };
    }
    expect([chain, life, ...(await exit)]).toEqual([chain, life, ...(point ? [null, 'SIGKILL'] : [0, null])]);
    if (point) kills.set(point, (kills.get(point) ?? 0) + 1);
  }
  const store = await place.open();
  await using _ = store;
  const { notifications } = await store.load();
  const events = await store.events({ after: 0, limit: 100_000 });
  return {
    kills,
    cut: receiver.cut,
    expected,
    heard: receiver.heard,
    accepted: receiver.accepted,
    queued: notifications.filter(({ queuedAt }) => queuedAt !== undefined).length,
    transitions: events.filter(({ type }) => type === 'transition').length,
  };
}

/**
 * Kills so often between commit and acknowledgement (a multiple of four), in four chains side by side, prints what came of
 * it, and expects that nothing is lost, and that each thing is repeated once at most, under the same key, in the same words.
 */
export async function killSenders(kills: number): Promise<void> {
  const started = performance.now();
  const chains = await Promise.all(Array.from({ length: CHAINS }, (_, chain) => runChain(chain, kills / CHAINS)));
  const at: Partial<Record<KillPoint, number>> = {};
  let [inFlight, told, lostOnes, repeated] = [0, 0, 0, 0];
  for (const { kills: some, cut, expected, heard, accepted } of chains) {
    for (const [point, count] of some) at[point] = (at[point] ?? 0) + count;
    inFlight += cut;
    told += expected.length;
    lostOnes += expected.filter((id) => !accepted.has(id)).length;
    repeated += heard.length - new Set(heard.map(({ id }) => id)).size;
  }
  const { uncommitted = 0, acknowledged = 0, ...middle } = at;
  const count = Object.values(middle).reduce((sum, some) => sum + some, 0);
  const seconds = Math.round((performance.now() - started) / 1_000);
  const others = `${uncommitted} before the commit, ${acknowledged} after the acknowledgement`;
  const points = Object.entries(middle).map(([point, some]) => `${point} ${some}`);
  console.info(
    `${count} kills between commit and acknowledgement (${points.join(', ')}), ${inFlight} of them with a request in flight; ` +
      `${others}; ${told} things to tell: ${lostOnes} lost, ${repeated} heard twice; ${seconds} s`,
  );

  expect(count).toBe(kills);
  expect(uncommitted + acknowledged).toBe(CHAINS * BESIDE);
  expect(inFlight).toBeGreaterThanOrEqual(kills / 4);
  expect(lostOnes).toBe(0);
  for (const { expected, heard, queued, transitions } of chains) {
    const byId = Map.groupBy(heard, ({ id }) => id);
    expect([...byId.keys()].sort()).toEqual(expected.toSorted());
    for (const [id, all] of byId) {
      expect([id, all.length <= 2]).toEqual([id, true]);
      for (const again of all) expect(again).toEqual(all[0]);
    }
    // The end of something is never heard of before its beginning, nor under another key.
    const firing = new Map<string, Heard>();
    for (const one of heard) {
      if (one.id.endsWith(' firing')) firing.set(one.fingerprint, one);
      else expect(firing.get(one.fingerprint)?.startsAt).toBe(one.startsAt);
    }
    expect(queued).toBe(0);
    expect(transitions).toBe(expected.length);
  }
  expect(repeated).toBeLessThanOrEqual(count - (at.committed ?? 0));
}
