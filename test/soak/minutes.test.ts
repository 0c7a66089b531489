/**
 * Some minutes of the daemon as a process of its own, on the real clock, while its cloud fails in every way, its configuration
 * is read again and again, and clients abuse it. `SOAK_MINUTES` changes how many.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { createPlace, listening, logLines, startCli } from '../cli/child.ts';
import { seeded } from './seeded.ts';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 4);
const ACCOUNT = '111111111111';
const KEYS = 40;
const TICK_MS = 500;
/** The sweeps before are of the start: modules load, caches fill. */
const WARM_MS = 30_000;

const EFFECTS: readonly FaultEffect[] = [
  { kind: 'throttle' },
  { kind: 'server-error' },
  { kind: 'reset' },
  { kind: 'cut' },
  { kind: 'silence' },
  { kind: 'stall' },
  { kind: 'body', body: 'html' },
  { kind: 'body', body: 'truncated' },
  { kind: 'token-loop' },
  { kind: 'expired-token' },
  { kind: 'slow', ms: 1_500 },
];

interface Reading {
  readonly rssMib: number;
  readonly descriptors: number;
}

function reading(pid: number): Reading {
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { rssMib: Number(rss) / 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** Clients that never finish what they begin. */
function slowloris(url: string): void {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '));
  socket.on('error', () => undefined);
  setTimeout(() => socket.destroy(), 5_000).unref();
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

it(`${MINUTES} minutes of faults, reloads and abuse`, async () => {
  const random = seeded(7);
  await using sandbox = await startSandbox({ seed: 11 });
  const { kms, secrets } = sandbox.aws.account(ACCOUNT).region('eu-west-1');
  const keys = Array.from({ length: KEYS }, () => kms.createKey().arn);
  for (const [at, arn] of keys.entries()) secrets.create({ Name: `app-${at}`, SecretString: 'x', KmsKeyId: arn });
  using place = createPlace(sandbox.aws.account(ACCOUNT).credentials);
  const config = (warn: number) => `listen: "127.0.0.1:0"
schedule: "*/2 * * * * *"
policy: { expiryWarning: ${warn}d }
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }]
`;
  place.file('keyvigil.yml', config(30));
  // With room to spare, garbage that nobody had to collect yet would look like growth.
  await using child = startCli(['serve'], place, { NODE_OPTIONS: '--max-old-space-size=80 --max-semi-space-size=4' });
  const url = await listening(child);
  const readings: Reading[] = [];
  const scrapes: number[] = [];
  const until = performance.now() + MINUTES * 60_000;
  const warm = performance.now() + WARM_MS;
  for (let at = 0; performance.now() < until; at += 1) {
    const effect = EFFECTS[Math.floor(random() * EFFECTS.length)];
    using _fault = random() < 0.6 && effect ? sandbox.faults.add(effect, { probability: random() }) : undefined;
    if (at % 10 === 0) {
      place.file('keyvigil.yml', at % 30 === 0 ? 'targets: [' : config(30 + (at % 60)));
      child.signal('SIGHUP');
    }
    for (let client = 0; client < 5; client += 1) slowloris(url);
    const asked = performance.now();
    const answer = await fetch(`${url}/metrics`);
    await answer.text();
    scrapes.push(performance.now() - asked);
    expect(answer.status).toBe(200);
    if (performance.now() > warm) readings.push(reading(child.pid));
    await sleep(TICK_MS);
  }
  sandbox.faults.clear();
  place.file('keyvigil.yml', config(30));
  child.signal('SIGHUP');
  const page = await child.until(
    'every key to be seen well again',
    async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const well = text.match(/^keyvigil_key_accessible\{.*\} 1$/gm)?.length;
      return well === KEYS * 2 && !text.includes('keyvigil_key_blind{') ? text : undefined;
    },
    60_000,
  );
  const third = Math.floor(readings.length / 3);
  const [begin, end] = [readings.slice(0, third), readings.slice(-third)];
  const rss = [mean(begin.map(({ rssMib }) => rssMib)), mean(end.map(({ rssMib }) => rssMib))] as const;
  const fds = [mean(begin.map((one) => one.descriptors)), mean(end.map((one) => one.descriptors))] as const;
  const sorted = scrapes.toSorted((a, b) => a - b);
  console.table({
    'RSS MiB': { begin: rss[0], end: rss[1] },
    descriptors: { begin: fds[0], end: fds[1] },
    'scrape ms (median, worst)': { begin: sorted[Math.floor(sorted.length / 2)], end: sorted.at(-1) },
    'reloads taken, refused': {
      begin: logLines(child).filter(({ outcome }) => outcome === 'applied').length,
      end: logLines(child).filter(({ msg }) => String(msg).includes('was not taken')).length,
    },
  });
  // No key was ever touched: whatever went wrong on the way, none may have been believed lost.
  expect(logLines(child).filter(({ msg }) => msg === 'key became inaccessible')).toEqual([]);
  expect(logLines(child).filter(({ msg }) => msg === 'unexpected error')).toEqual([]);
  expect(page).toContain('keyvigil_store_up 1');
  expect(rss[1]).toBeLessThan(rss[0] * 1.2 + 20);
  expect(fds[1]).toBeLessThan(fds[0] + 20);
  child.signal('SIGTERM');
  expect(await child.until('the end', () => child.ending, 10_000)).toBe(0);
});
