import { describe, expect, it } from 'vitest';
import { ACCOUNT, series, startWorld } from './world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe('first sight', () => {
  it('of an account with fifty long-disabled keys that nothing uses is the baseline and no other event', async () => {
    await using world = await startWorld(({ kms, secrets }) => {
      for (let at = 0; at < 50; at += 1) kms.disable(kms.createKey().keyId);
      secrets.create({ Name: 'prod/app', SecretString: 'x' });
    });
    await world.pass(5 * MINUTE);
    const events = await world.events();
    expect(events).toHaveLength(51);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['first_seen']));
    const page = await world.metrics();
    expect(page.match(/^keyvigil_key_accessible\{.*\} 0$/gm)).toHaveLength(50);
    expect(page.match(/^keyvigil_key_baseline\{.*\} 1$/gm)).toHaveLength(50);
  });

  it('of an empty account is a source that is up with no objects', async () => {
    await using world = await startWorld(() => undefined);
    const page = await world.metrics();
    expect(series(page, 'keyvigil_source_up', 'service="kms"')).toBe(1);
    expect(series(page, 'keyvigil_source_objects', 'service="kms"')).toBe(0);
  });
});

describe('a deletion', () => {
  it('that is scheduled, cancelled and enabled again is told step by step', async () => {
    await using world = await startWorld(({ kms, secrets }) => {
      const { keyId, arn } = kms.createKey();
      kms.alias('alias/app', keyId);
      secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: arn });
    });
    const { resource } = world.key('alias/app')!;
    world.region.kms.scheduleDeletion(resource, 7);
    await world.until('the loss', 80_000, () => world.key(resource)?.reason === 'pending_deletion');
    const deletion = series(await world.metrics(), 'keyvigil_key_deletion_timestamp_seconds', resource);
    expect(deletion).toBeGreaterThan(Date.now() / 1000);
    expect(world.key(resource)?.undo).toContain('aws kms cancel-key-deletion');

    world.region.kms.cancelDeletion(resource);
    await world.until('the next reason', 80_000, () => world.key(resource)?.reason === 'disabled');
    expect(series(await world.metrics(), 'keyvigil_key_deletion_timestamp_seconds', resource)).toBeUndefined();
    expect(world.key(resource)?.findings.map(({ id }) => id)).toContain('kms.deletion-cancelled-still-disabled');
    expect(world.key(resource)?.undo).toContain('aws kms enable-key');

    world.region.kms.enable(resource);
    await world.until('the recovery', 80_000, () => world.key(resource)?.health === 'accessible');
    expect(world.key(resource)?.findings).toEqual([]);
  });

  it('of a secret is the event removed when it completes as announced and nothing depends on it', async () => {
    await using world = await startWorld(({ secrets }) => {
      secrets.create({ Name: 'old', SecretString: 'x' });
      secrets.create({ Name: 'new', SecretString: 'x' });
    });
    const { resource } = world.key('old')!;
    world.region.secrets.delete('old', { RecoveryWindowInDays: 7 });
    await world.until('the announcement', 80_000, () => world.key('old')?.reason === 'pending_deletion');
    expect(world.key('old')?.recoverableUntil).toBeGreaterThan(Date.now() + 6 * DAY);
    world.region.secrets.restore('old');
    world.region.secrets.delete('old', { ForceDeleteWithoutRecovery: true });
    await world.until('the end', 5 * MINUTE, () => world.key('old') === undefined);
    const types = (await world.events()).filter((event) => event.resource === resource).map(({ type }) => type);
    expect(types).toEqual(['first_seen', 'transition', 'removed']);
    expect(await world.metrics()).not.toContain(resource);
  });

  it('that nobody announced keeps the record, the series and the loss until it is forgotten', async () => {
    await using world = await startWorld(
      ({ secrets }) => {
        secrets.create({ Name: 'gone', SecretString: 'x' });
        secrets.create({ Name: 'stays', SecretString: 'x' });
      },
      { yaml: 'policy: { forgetAfter: 30m }' },
    );
    const { resource } = world.key('gone')!;
    // Never described in between: one sweep sees it well, the next does not see it at all.
    world.region.secrets.delete('gone', { ForceDeleteWithoutRecovery: true });
    await world.until('the loss', 5 * MINUTE, () => world.key(resource)?.reason === 'not_found');
    await world.pass(10 * MINUTE);
    expect(series(await world.metrics(), 'keyvigil_key_accessible', resource)).toBe(0);
    await world.until('the end', 40 * MINUTE, () => world.key(resource) === undefined);
    expect((await world.events()).at(-1)).toMatchObject({ type: 'removed', resource });
  });
});

describe('what somebody wants forgotten', () => {
  it('ends at once if it is gone, with its alert, and is refused if it is not', async () => {
    await using world = await startWorld(({ kms, secrets }) => {
      const { arn } = kms.createKey();
      secrets.create({ Name: 'stays', SecretString: 'x', KmsKeyId: arn });
      secrets.create({ Name: 'gone', SecretString: 'x' });
    });
    const { resource } = world.key('gone')!;
    const forget = async (what: string) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ resource: what });
      const response = await fetch(new URL('/api/v1/forget', world.app.url), { method: 'POST', headers, body });
      return [response.status, await response.json()];
    };
    expect(await forget(resource)).toEqual([409, { error: expect.stringContaining('not gone') }]);
    expect(await forget('arn:nobody')).toEqual([404, { error: expect.stringContaining('watched') }]);
    world.region.secrets.delete('gone', { ForceDeleteWithoutRecovery: true });
    await world.until('the loss', 5 * MINUTE, () => world.key(resource)?.reason === 'not_found');
    expect(await forget(resource)).toEqual([200, { forgotten: resource }]);
    expect(await world.metrics()).not.toContain(resource);
    expect((await world.events()).at(-1)).toMatchObject({ type: 'removed', resource });
    await world.pass(10 * MINUTE);
    expect(world.key(resource)).toBeUndefined();
    expect((await forget(resource))[0]).toBe(404);
  });
});

describe('a name', () => {
  it('that comes back under a new ARN is the event replaced', async () => {
    await using world = await startWorld(({ secrets }) => {
      secrets.create({ Name: 'prod/app', SecretString: 'x' });
    });
    const old = world.key('prod/app')!.resource;
    world.region.secrets.delete('prod/app', { ForceDeleteWithoutRecovery: true });
    await world.pass(30_000);
    const fresh = world.region.secrets.create({ Name: 'prod/app', SecretString: 'y' }).arn;
    expect(fresh).not.toBe(old);
    await world.until('the new one', 5 * MINUTE, () => world.key(fresh) !== undefined && world.key(old) === undefined);
    const events = await world.events();
    expect(events.filter(({ type }) => type === 'replaced')).toMatchObject([{ resource: fresh, from: old, to: fresh }]);
    expect(world.key(fresh)?.health).toBe('accessible');
  });
});

describe('what is no longer watched', () => {
  it('leaves no series: newly excluded secrets, and regions that were taken out', async () => {
    await using world = await startWorld(
      ({ secrets }, sandbox) => {
        secrets.create({ Name: 'prod/app', SecretString: 'x' });
        secrets.create({ Name: 'test/app', SecretString: 'x' });
        sandbox.aws.account(ACCOUNT).region('us-east-1').secrets.create({ Name: 'prod/us', SecretString: 'x' });
      },
      { regions: ['eu-west-1', 'us-east-1'] },
    );
    expect(world.app.snapshot.keys.map(({ name }) => name).sort()).toEqual(['prod/app', 'prod/us', 'test/app']);
    await world.stop();
    await world.start({ regions: ['eu-west-1'], services: '{ secrets-manager: { exclude: ["test/*"] } }' });
    expect(await world.metrics()).not.toContain('prod/us');
    await world.pass(5_000);
    expect(world.app.snapshot.keys.map(({ name }) => name)).toEqual(['prod/app']);
    expect(await world.metrics()).not.toContain('test/app');
    expect((await world.events()).map(({ type }) => type)).toEqual(['first_seen', 'first_seen', 'first_seen']);
  });

  it('is what another account holds, once the credentials of a target lead to that one: nothing is lost', async () => {
    const other = '444455556666';
    await using world = await startWorld(({ kms, secrets }, sandbox) => {
      for (let at = 0; at < 3; at += 1)
        secrets.create({ Name: `a-${at}`, SecretString: 'x', KmsKeyId: kms.createKey().arn });
      sandbox.aws.account(other).region('eu-west-1').kms.createKey();
    });
    await world.stop();
    const { accessKeyId, secretAccessKey } = world.sandbox.aws.account(other).credentials;
    await world.start({ env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } });
    await world.pass(3 * MINUTE);
    expect(world.app.snapshot.sources.map(({ up, account }) => [up, account])).toEqual([
      [true, other],
      [true, other],
    ]);
    expect(world.app.snapshot.keys.map(({ account }) => account)).toEqual([other]);
    expect(new Set((await world.events()).map(({ type }) => type))).toEqual(new Set(['first_seen']));
    expect(await world.metrics()).not.toContain(ACCOUNT);
  });
});
