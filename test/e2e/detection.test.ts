import { describe, expect, it } from 'vitest';
import { series, startWorld, type World } from './world.ts';

const INTERVAL = 60_000;
const SUSPECT = 15_000;

/** What the contract allows: one interval, the sweep itself (no time passes for it here), 15 s to confirm. */
const BOUND = INTERVAL + SUSPECT;

function keysAndSecrets(count: number) {
  return ({ kms, secrets }: World['region']) => {
    for (let at = 0; at < count; at += 1) {
      const { keyId, arn } = kms.createKey();
      kms.alias(`alias/key-${at}`, keyId);
      if (at % 10 === 0) secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
    }
  };
}

describe('detection, with the default configuration and 300 KMS keys', () => {
  it('shows a disabled key and the secret behind it as 0 within interval + sweep + 15 s, with the right root', async () => {
    await using world = await startWorld(keysAndSecrets(300));
    const key = world.key('alias/key-110');
    const secret = world.key('prod/secret-110');
    expect(key?.health).toBe('accessible');
    expect(secret?.dependsOn).toEqual([key?.resource]);
    await world.pass(20_000);

    world.region.kms.disable(key!.resource);
    const took = await world.until('the loss', BOUND, () => world.key('prod/secret-110')?.health === 'inaccessible');
    expect(took).toBeLessThanOrEqual(BOUND);

    const page = await world.metrics();
    expect(series(page, 'keyvigil_key_accessible', key!.resource)).toBe(0);
    expect(series(page, 'keyvigil_key_accessible', secret!.resource)).toBe(0);
    expect(series(page, 'keyvigil_key_reason', key!.resource)).toBe(1);
    expect(page).toContain(`keyvigil_key_reason{resource="${key!.resource}",reason="disabled"} 1`);
    expect(page).toContain(`keyvigil_key_reason{resource="${secret!.resource}",reason="dependency"} 1`);
    expect(page).toContain(`keyvigil_key_root_cause{resource="${secret!.resource}",root="${key!.resource}"} 1`);
    expect(series(page, 'keyvigil_key_accessible', '"alias/key-111"')).toBe(1);

    world.region.kms.enable(key!.resource);
    await world.until('the recovery', BOUND, () => world.key('prod/secret-110')?.health === 'accessible');
    const transitions = (await world.events()).filter(({ type }) => type === 'transition');
    expect(transitions.map(({ resource, to }) => [resource, to])).toEqual([
      [key!.resource, 'inaccessible'],
      [key!.resource, 'accessible'],
    ]);
  });

  it('shows a new version of a secret within the same time after the listing shows it', async () => {
    await using world = await startWorld(keysAndSecrets(20));
    const before = world.key('prod/secret-10')?.version;
    await world.pass(10_000);
    const version = world.region.secrets.putValue('prod/secret-10', 'y');
    await world.until('the new version', BOUND, () => world.key('prod/secret-10')?.version === version);

    const page = await world.metrics();
    const { resource } = world.key('prod/secret-10')!;
    expect(series(page, 'keyvigil_key_version_changes_total', resource)).toBe(1);
    expect(series(page, 'keyvigil_key_version_detected_timestamp_seconds', resource)).toBeGreaterThan(0);
    expect(series(page, 'keyvigil_key_version_detected_timestamp_seconds', ':prod/secret-0-')).toBeUndefined();

    world.region.secrets.moveStage('prod/secret-10', 'AWSCURRENT', before!);
    await world.until('the rollback', BOUND, () => world.key('prod/secret-10')?.version === before);
    const types = (await world.events()).filter((event) => event.resource === resource).map(({ type }) => type);
    expect(types).toEqual(['first_seen', 'new_version', 'rolled_back']);
  });

  it('shows new key material as a new version, though the key id stays', async () => {
    await using world = await startWorld(keysAndSecrets(5));
    const { resource } = world.key('alias/key-3')!;
    world.region.kms.rotate(resource);
    await world.until('the new material', BOUND, () => world.key('alias/key-3')?.versionChanges === 1);
    expect((await world.events()).at(-1)).toMatchObject({ type: 'new_version', resource });
  });
});

describe('the worst detection time of a source', () => {
  it('is exported: one interval and the confirmation, plus the lag of a listing that lags', async () => {
    await using world = await startWorld(keysAndSecrets(3));
    const page = await world.metrics();
    const kms = series(page, 'keyvigil_source_detection_bound_seconds', 'service="kms"')!;
    const secrets = series(page, 'keyvigil_source_detection_bound_seconds', 'service="secrets-manager"')!;
    expect(kms).toBeGreaterThanOrEqual(BOUND / 1000);
    expect(kms).toBeLessThan(BOUND / 1000 + 30);
    expect(secrets - kms).toBeGreaterThan(270);
    expect(secrets - kms).toBeLessThanOrEqual(330);
  });
});

describe('the right root', () => {
  it('is the old key when the alias of a secret was re-pointed before the old key was disabled', async () => {
    await using world = await startWorld(({ kms, secrets }) => {
      const old = kms.createKey({ Description: 'old' });
      kms.alias('alias/app', old.keyId);
      secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: 'alias/app' });
      kms.createKey({ Description: 'new' });
    });
    const old = world.key('alias/app')!.resource;
    const fresh = world.app.snapshot.keys.find((one) => one.kind === 'aws-kms-key' && one.resource !== old)!.resource;
    world.region.kms.alias('alias/app', fresh);
    await world.pass(2 * INTERVAL);
    expect(world.key('prod/app')?.health).toBe('accessible');
    expect(world.key('alias/app')?.resource).toBe(fresh);

    world.region.kms.disable(old);
    await world.until('the loss', BOUND, () => world.key('prod/app')?.health === 'inaccessible');
    expect(world.key('prod/app')).toMatchObject({ reason: 'dependency', rootCauses: [old] });
    expect(world.key(fresh)?.health).toBe('accessible');
  });

  it('needs all keys gone where any of them can decrypt', async () => {
    await using world = await startWorld(({ kms, secrets }) => {
      const first = kms.createKey();
      const second = kms.createKey();
      kms.alias('alias/first', first.keyId);
      kms.alias('alias/second', second.keyId);
      secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: first.arn });
      secrets.update('prod/app', { KmsKeyId: second.arn });
    });
    expect(world.key('prod/app')?.dependsOn).toHaveLength(2);
    world.region.kms.disable('alias/first');
    await world.until('the first loss', BOUND, () => world.key('alias/first')?.health === 'inaccessible');
    expect(world.key('prod/app')?.health).toBe('accessible');
    world.region.kms.disable('alias/second');
    await world.until('the second loss', BOUND, () => world.key('prod/app')?.health === 'inaccessible');
    expect(world.key('prod/app')?.rootCauses).toHaveLength(2);
  });
});
