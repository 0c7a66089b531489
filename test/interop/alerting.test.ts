/**
 * From the cloud to whoever is told, through two Alertmanagers and a Prometheus on the configuration that we ship. They mostly
 * wait, each in surroundings of its own, so they wait together.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Told } from '../e2e/sink.ts';
import { type Held, type Surroundings, startSurroundings } from './alerting.ts';

const LOST = 'KeyvigilKeyInaccessible';
const LIMIT_MS = 30_000;
/** Several group_intervals, and the wait of the second peer: what is silent so long is silent. */
const QUIET_MS = 5_000;
/** Twenty minutes at the scale of the test; four times what Alertmanager gives to whom it does not hear from. */
const OUTAGE_MS = 40_000;
const PEERS = 2;
const LOST_KEYS = 6;
/** Neither a multiple nor a part of how often Prometheus scrapes and evaluates. */
const APART_MS = 430;

const isOver = ({ status }: Told) => status === 'resolved';
const originOf = (origin: string) => (one: Told | Held) => one.labels.origin === origin;

/** What was told, without what the second peer told again: Alertmanager promises at least once. */
function distinct(told: readonly Told[]): string[] {
  return [...new Set(told.map(({ status, labels }) => `${status} ${labels.severity} ${labels.origin} ${labels.name}`))];
}

/** Both Alertmanagers hold both alerts of each of these keys, and that of the rules is silenced by the pushed one. */
async function twinsAreSilent(at: Surroundings, keys: readonly string[]): Promise<boolean> {
  const peers = await at.held(LOST);
  return peers.every((held) =>
    keys.every((key) => {
      const [pushed, twin] = ['push', 'rules'].map((origin) =>
        held.find((one) => originOf(origin)(one) && one.labels.name === key),
      );
      return pushed?.status.state === 'active' && twin?.status.inhibitedBy.includes(pushed.fingerprint) === true;
    }),
  );
}

test.concurrent("lost keys are told by push, their rule's twins stay silent to the end, an outage of keyvigil resolves nothing, and the ends are told", async () => {
  await using at = await startSurroundings(LOST_KEYS + 1);
  const keys = Array.from({ length: LOST_KEYS }, (_, key) => `alias/key-${key}`);
  const firing = keys.map((key) => `firing critical push ${key}`);
  const told = () => distinct(at.of(LOST)).sort();
  await at.start(true);
  await sleep(1_000);
  expect(at.of(LOST)).toEqual([]);

  for (const key of keys) at.region.kms.disable(key);
  await at.until('the alerts', LIMIT_MS, () => told().length >= LOST_KEYS);
  await at.until("the rule's twins, silenced at both", LIMIT_MS, () => twinsAreSilent(at, keys));
  await sleep(QUIET_MS);
  expect(told()).toEqual(firing);
  expect(at.of(LOST).length).toBeLessThanOrEqual(PEERS * LOST_KEYS);
  const begins = new Map(at.of(LOST).map(({ labels, startsAt }) => [labels.name, startsAt]));
  const alert = at.of(LOST).find(({ labels }) => labels.name === 'alias/key-1');
  expect(alert?.annotations.undo).toMatch(/^aws kms enable-key --key-id \S+ --region eu-west-1$/);
  expect(alert?.annotations.affected).toBe('secret prod/secret-1');

  await at.stop();
  const stoppedAt = Date.now();
  await at.until('word of the outage', LIMIT_MS, () => at.of('KeyvigilAbsent').length > 0);
  await sleep(Math.max(0, OUTAGE_MS - (Date.now() - stoppedAt)));
  expect(at.sink.told.filter(isOver)).toEqual([]);
  expect(told()).toEqual(firing);
  expect(await twinsAreSilent(at, keys)).toBe(true);

  await at.start(true);
  await at.until('the end of the outage', LIMIT_MS, () => at.of('KeyvigilAbsent').some(isOver));
  expect(told()).toEqual(firing);

  // Not all at once: each end meets another moment between two scrapes and two evaluations.
  for (const key of keys) {
    at.region.kms.enable(key);
    await sleep(APART_MS);
  }
  await at.until('the ends', LIMIT_MS, () => told().length >= 2 * LOST_KEYS);
  await at.until('nothing held', LIMIT_MS, async () => (await at.held(LOST)).every((held) => held.length === 0));
  await sleep(QUIET_MS);
  expect(told()).toEqual([...firing, ...keys.map((key) => `resolved critical push ${key}`)]);
  for (const { labels, startsAt } of at.of(LOST).filter(isOver)) expect(startsAt).toBe(begins.get(labels.name));
});

test.concurrent('who only scrapes is told by the rule alone, and of the end', async () => {
  await using at = await startSurroundings(3);
  await at.start(false);
  at.region.kms.disable('alias/key-2');
  await at.until('the alert', LIMIT_MS, () => at.of(LOST).length > 0);
  await sleep(QUIET_MS);
  expect(distinct(at.of(LOST))).toEqual(['firing critical rules alias/key-2']);
  expect(at.of(LOST).length).toBeLessThanOrEqual(PEERS);
  at.region.kms.enable('alias/key-2');
  await at.until('the end', LIMIT_MS, () => at.of(LOST).some(({ status }) => status === 'resolved'));
  expect(distinct(at.of(LOST))).toEqual(['firing critical rules alias/key-2', 'resolved critical rules alias/key-2']);
});

test.concurrent('both Alertmanagers down while 50 keys break: once they are up, all are told, since when they were lost', async () => {
  await using at = await startSurroundings(50);
  const app = await at.start(true);
  await at.stopPeers();
  const brokeAt = Date.now();
  for (let key = 0; key < 50; key += 1) at.region.kms.disable(`alias/key-${key}`);
  const lost = () => app.snapshot.keys.filter(({ reason }) => reason === 'disabled');
  await at.until('50 lost keys', LIMIT_MS, () => lost().length === 50);
  const knownAt = Date.now();
  await sleep(QUIET_MS);
  expect(at.of(LOST)).toEqual([]);
  await at.startPeers();
  const names = () =>
    new Set(
      at
        .of(LOST)
        .filter(originOf('push'))
        .map(({ labels }) => labels.name),
    );
  await at.until('all of them', 60_000, () => names().size === 50);
  for (const { startsAt } of at.of(LOST).filter(originOf('push'))) {
    expect(Date.parse(startsAt)).toBeGreaterThanOrEqual(brokeAt);
    expect(Date.parse(startsAt)).toBeLessThanOrEqual(knownAt);
  }
});
