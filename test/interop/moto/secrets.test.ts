/** What happens to a secret, on moto: side by side, each in a region of its own. See cloud.ts for what moto cannot show. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, startCloud } from './cloud.ts';
import { type Daemon, eventually, startDaemon, target } from './daemon.ts';

const DAY_MS = 86_400_000;
const NAME = 'prod/app';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

function daemonIn(region: string): Promise<Daemon> {
  return startDaemon(cloud, { targets: target('prod', cloud.url, { regions: [region] }) });
}

/** What was told after first sight. */
async function news(daemon: Daemon) {
  return (await daemon.events()).filter(({ type }) => type !== 'first_seen');
}

test.concurrent('a new value is the event new_version, once, and counted once', async () => {
  const region = await cloud.region('eu-west-1');
  const resource = await region.createSecret(NAME);
  await using daemon = await daemonIn('eu-west-1');
  const { version: from } = await daemon.key(NAME);
  expect((await daemon.metrics()).value('keyvigil_key_version_detected_timestamp_seconds', { resource })).toBe(
    undefined,
  );

  const to = await region.putValue(NAME);
  await eventually(async () => expect((await daemon.key(NAME)).version).toBe(to));
  await daemon.sweeps(2);
  expect(await news(daemon)).toMatchObject([{ type: 'new_version', resource, from, to, version: to }]);
  const page = await daemon.metrics();
  expect(page.value('keyvigil_key_version_changes_total', { resource })).toBe(1);
  expect(page.value('keyvigil_key_version_detected_timestamp_seconds', { resource })).toBeGreaterThan(0);
  expect((await daemon.key(NAME)).health).toBe('accessible');
});

test.concurrent('AWSPENDING that lingers is seen but no new version; its promotion is one, and the way back a rollback', async () => {
  const region = await cloud.region('eu-central-1');
  const resource = await region.createSecret(NAME);
  await using daemon = await daemonIn('eu-central-1');
  const before = String((await daemon.key(NAME)).version);

  const pending = await region.putValue(NAME, ['AWSPENDING']);
  await eventually(async () => {
    const { attributes } = await daemon.detail(resource);
    expect(attributes.pendingSince).toEqual(expect.any(Number));
  });
  await daemon.sweeps(2);
  expect((await daemon.key(NAME)).version).toBe(before);
  expect(await news(daemon)).toEqual([]);

  await region.moveCurrent(NAME, before, pending);
  await eventually(async () => expect((await daemon.key(NAME)).version).toBe(pending));
  // AWSPENDING stays on what is current by now: finished, not stuck.
  expect((await daemon.detail(resource)).attributes).not.toHaveProperty('pendingSince');
  await region.moveCurrent(NAME, pending, before);
  await eventually(async () => expect((await daemon.key(NAME)).version).toBe(before));
  await daemon.sweeps(2);
  expect(await news(daemon)).toMatchObject([
    { type: 'new_version', resource, from: before, to: pending },
    { type: 'rolled_back', resource, from: pending, to: before },
  ]);
  expect((await daemon.metrics()).value('keyvigil_key_version_changes_total', { resource })).toBe(2);
});

test.concurrent('a scheduled deletion is a loss with a deadline, and a restore takes both back', async () => {
  const region = await cloud.region('us-east-1');
  const resource = await region.createSecret(NAME);
  await region.createSecret('prod/other');
  await using daemon = await daemonIn('us-east-1');

  await region.deleteSecret(NAME);
  await eventually(async () =>
    expect(await daemon.key(NAME)).toMatchObject({ health: 'inaccessible', reason: 'pending_deletion' }),
  );
  const lost = await daemon.metrics();
  expect(lost.value('keyvigil_key_accessible', { resource })).toBe(0);
  expect(lost.value('keyvigil_key_reason', { resource, reason: 'pending_deletion' })).toBe(1);
  // moto tells the end of the window of seven days, which is taken as it is.
  const deadline = lost.value('keyvigil_key_deletion_timestamp_seconds', { resource }) ?? 0;
  expect(Math.abs(deadline * 1000 - Date.now() - 7 * DAY_MS)).toBeLessThan(5 * 60_000);
  expect((await daemon.key(NAME)).recoverableUntil).toBe(new Date(deadline * 1000).toISOString());
  expect((await daemon.detail(resource)).undo).toContain('aws secretsmanager restore-secret');

  await region.restoreSecret(NAME);
  await eventually(async () => expect((await daemon.key(NAME)).health).toBe('accessible'));
  await daemon.sweeps(2);
  const back = await daemon.metrics();
  expect(back.value('keyvigil_key_accessible', { resource })).toBe(1);
  expect(back.value('keyvigil_key_deletion_timestamp_seconds', { resource })).toBe(undefined);
  expect(await news(daemon)).toMatchObject([
    { type: 'transition', resource, from: 'accessible', to: 'inaccessible', reason: 'pending_deletion' },
    { type: 'transition', resource, from: 'inaccessible', to: 'accessible' },
  ]);
  expect((await daemon.key('prod/other')).health).toBe('accessible');
});

test.concurrent('a restart tells nothing again, keeps what is believed, and misses nothing that happened in between', async () => {
  const region = await cloud.region('ap-south-1');
  const resource = await region.createSecret(NAME);
  await region.createSecret('prod/lost');
  await using daemon = await daemonIn('ap-south-1');
  await region.putValue(NAME);
  await region.deleteSecret('prod/lost');
  await eventually(async () => {
    expect((await daemon.key('prod/lost')).health).toBe('inaccessible');
    expect((await news(daemon)).map(({ type }) => type).sort()).toEqual(['new_version', 'transition']);
  });
  const before = await daemon.events();
  const { since } = await daemon.key('prod/lost');

  await daemon.stop();
  await daemon.start();
  await daemon.sweeps(3);
  expect(await daemon.events()).toEqual(before);
  expect(await daemon.key('prod/lost')).toMatchObject({ health: 'inaccessible', since });
  expect((await daemon.metrics()).value('keyvigil_key_version_changes_total', { resource })).toBe(1);

  await daemon.stop();
  const to = await region.putValue(NAME);
  await region.restoreSecret('prod/lost');
  await daemon.start();
  await eventually(async () => expect((await daemon.key('prod/lost')).health).toBe('accessible'));
  await daemon.sweeps(2);
  const after = (await daemon.events()).slice(before.length);
  expect(after.map(({ type }) => type).sort()).toEqual(['new_version', 'transition']);
  expect(after.find(({ type }) => type === 'new_version')).toMatchObject({ resource, to });
});
