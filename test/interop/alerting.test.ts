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
/** Twenty minutes at the scale of the test are 40 s; this is twice what Alertmanager gives to whom it does not hear from. */
const OUTAGE_MS = 20_000;
const PEERS = 2;

const originOf = (origin: string) => (one: Told | Held) => one.labels.origin === origin;

/** What was told, without what the second peer told again: Alertmanager promises at least once. */
function distinct(told: readonly Told[]): string[] {
  return [...new Set(told.map(({ status, labels }) => `${status} ${labels.severity} ${labels.origin} ${labels.name}`))];
}

async function twinIsSilent(at: Surroundings): Promise<boolean> {
  const peers = await at.held(LOST);
  return peers.every((held) => {
    const pushed = held.find(originOf('push'));
    const twin = held.find(originOf('rules'));
    return pushed?.status.state === 'active' && twin?.status.inhibitedBy.includes(pushed.fingerprint) === true;
  });
}

test.concurrent("a lost key is told by push, its rule's twin is silent, an outage of keyvigil resolves nothing, and the end is told", async () => {
  await using at = await startSurroundings(3);
  await at.start(true);
  await sleep(1_000);
  expect(at.of(LOST)).toEqual([]);

  at.region.kms.disable('alias/key-1');
  await at.until('the alert', LIMIT_MS, () => at.of(LOST).length > 0);
  await at.until("the rule's twin, silenced at both", LIMIT_MS, () => twinIsSilent(at));
  await sleep(QUIET_MS);
  expect(distinct(at.of(LOST))).toEqual(['firing critical push alias/key-1']);
  expect(at.of(LOST).length).toBeLessThanOrEqual(PEERS);
  const [alert] = at.of(LOST);
  expect(alert?.annotations.undo).toMatch(/^aws kms enable-key --key-id \S+ --region eu-west-1$/);
  expect(alert?.annotations.affected).toBe('secret prod/secret-1');

  await at.stop();
  const stoppedAt = Date.now();
  await at.until('word of the outage', LIMIT_MS, () => at.of('KeyvigilAbsent').length > 0);
  await sleep(Math.max(0, OUTAGE_MS - (Date.now() - stoppedAt)));
  expect(at.sink.told.filter(({ status }) => status === 'resolved')).toEqual([]);
  expect(distinct(at.of(LOST))).toEqual(['firing critical push alias/key-1']);
  expect(await twinIsSilent(at)).toBe(true);

  await at.start(true);
  const isOver = ({ status }: Told) => status === 'resolved';
  await at.until('the end of the outage', LIMIT_MS, () => at.of('KeyvigilAbsent').some(isOver));
  expect(distinct(at.of(LOST))).toEqual(['firing critical push alias/key-1']);

  // From the pushed end to the next scrape and evaluation nothing silences the twin: it may be told in between, which is not
  // judged here.
  at.region.kms.enable('alias/key-1');
  await at.until('the end', LIMIT_MS, () => at.of(LOST).filter(originOf('push')).some(isOver));
  const ended = at.of(LOST).filter(originOf('push')).find(isOver);
  expect(ended?.startsAt).toBe(alert?.startsAt);
  await at.until('nothing held', LIMIT_MS, async () => (await at.held(LOST)).every((held) => held.length === 0));
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
