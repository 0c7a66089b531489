import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { addressOf, createTurns } from '../../src/web/turns.ts';
import { basic, COSTLY_HASH, get, secured } from './secured.ts';

const GOOD = basic('prometheus', 'correct horse');
const USERS = `basic_auth_users: { prometheus: "${COSTLY_HASH}" }\n`;
/** Tries this many passwords a second until it is told to stop; then says what it was answered. On a thread of its own. */
const FLOOD = `
const { parentPort, workerData } = require('node:worker_threads');
const { Agent, request } = require('node:http');
const { url, users, rate, connections } = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const statuses = {};
let sent = 0;
const started = performance.now();
const timer = setInterval(() => {
  for (const due = ((performance.now() - started) / 1000) * rate; sent < due; sent += 1) {
    const login = users[sent % users.length] + ':guess ' + sent;
    const headers = { authorization: 'Basic ' + Buffer.from(login).toString('base64') };
    request(url, { agent, headers }, (response) => {
      statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
      response.resume();
    }).on('error', () => undefined).end();
  }
}, 2);
parentPort.once('message', () => {
  clearInterval(timer);
  parentPort.postMessage(statuses);
});
`;
const RATE = 1_000;
const CONNECTIONS = 256;

describe('somebody who tries a thousand passwords a second', () => {
  it.each<[string, readonly string[], 'cold' | 'warm']>([
    ['of users that there are not', Array.from({ length: 500 }, (_, at) => `user ${at}`), 'warm'],
    ['of the user of the scraper', ['prometheus'], 'warm'],
    ['of one user that there is not, before the scraper was ever here', ['admin'], 'cold'],
  ])('%s holds up no scrape and no event loop', { timeout: 60_000 }, async (_, users, start) => {
    await using stack = new AsyncDisposableStack();
    const { url, errors } = await secured(stack, USERS);
    const scrape = async () => {
      const before = performance.now();
      expect((await get(`${url}/metrics`, { headers: GOOD })).status).toBe(200);
      return performance.now() - before;
    };
    if (start === 'warm') await scrape();

    const flood = new Worker(FLOOD, {
      eval: true,
      workerData: { url: `${url}/metrics`, users, rate: RATE, connections: CONNECTIONS },
    });
    stack.defer(async () => void (await flood.terminate()));
    const startedAt = performance.now();
    using delay = eventLoopDelay();
    const times: number[] = [];
    for (let at = 0; at < 20; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      times.push(await scrape());
    }
    flood.postMessage('stop');
    const [statuses] = await once(flood, 'message');
    const lasted = performance.now() - startedAt;
    expect(Object.keys(statuses).filter((status) => status !== '401' && status !== '429')).toEqual([]);
    // More than could ever be compared: the rest was turned away, and each connection of theirs no faster than twice a second.
    expect(statuses['429']).toBeGreaterThan(RATE / 4);
    expect(statuses['429']).toBeLessThanOrEqual(CONNECTIONS * (Math.ceil(lasted / 500) + 1));
    // Judged without the two slowest: a busy machine holds up one or the other whatever we do, and from cold the first one
    // waits for the checks under way; with the first verdict it never waits again.
    const [middle = Number.NaN, late = Number.NaN] = [10, 17].map(
      (at) => times.toSorted((a, b) => a - b)[at] ?? Number.NaN,
    );
    expect(middle).toBeLessThan(250);
    expect(late).toBeLessThan(1_000);
    expect(delay.percentile(90) / 1e6).toBeLessThan(300);
    expect(errors).toEqual([]);
  });
});

function eventLoopDelay() {
  const histogram = monitorEventLoopDelay({ resolution: 5 });
  histogram.enable();
  return histogram;
}

describe('turns', () => {
  function drained(turns: { shift(): string | undefined }): string[] {
    const order: string[] = [];
    for (let next = turns.shift(); next !== undefined; next = turns.shift()) order.push(next);
    return order;
  }

  it('go round the addresses, and at each address round its users', () => {
    const turns = createTurns<string>();
    for (const at of [1, 2, 3]) turns.push('flood', 'x', `x${at}`);
    for (const at of [1, 2]) turns.push('flood', 'y', `y${at}`);
    turns.push('good', 'a', 'a1');
    expect(drained(turns)).toEqual(['x1', 'a1', 'y1', 'x2', 'y2', 'x3']);
    expect(drained(turns)).toEqual([]);
  });

  it('turn away what there is no room for, and leave room for others', () => {
    const turns = createTurns<string>();
    const pushed = (address: string, user: string, count: number) =>
      Array.from({ length: count }, () => turns.push(address, user, user)).filter(Boolean).length;
    expect(pushed('flood', 'one', 100)).toBe(8);
    expect(Array.from({ length: 100 }, (_, at) => turns.push('flood', `user ${at}`, 'x')).filter(Boolean).length).toBe(
      56,
    );
    expect(pushed('good', 'one', 1)).toBe(1);
    for (let at = 0; at < 1_000; at += 1) pushed(`address ${at}`, 'one', 8);
    expect(drained(turns)).toHaveLength(1_024);
    expect(pushed('flood', 'one', 1)).toBe(1);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    [undefined, ''],
  ])('count %s as %s', (remote, address) => {
    expect(addressOf(remote)).toBe(address);
  });
});
