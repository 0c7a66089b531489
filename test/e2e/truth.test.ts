import { describe, expect, it } from 'vitest';
import type { FaultEffect, FaultScope } from '../../src/sandbox/faults.ts';
import { series, startWorld, type World } from './world.ts';

const MINUTE = 60_000;

/** Thirty keys and thirty secrets; the key `alias/dead` is disabled before anything else happens. */
function company({ kms, secrets }: World['region']): void {
  for (let at = 0; at < 30; at += 1) {
    const { keyId, arn } = kms.createKey();
    kms.alias(`alias/key-${at}`, keyId);
    secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
  }
}

async function withALoss(options = {}): Promise<{ world: World; dead: string }> {
  const world = await startWorld(company, options);
  const dead = world.key('alias/key-7')!.resource;
  world.region.kms.disable(dead);
  await world.until('the loss', 80_000, () => world.key('prod/secret-7')?.health === 'inaccessible');
  return { world, dead };
}

/** Every per-key series on a page, without its value. */
function keySeries(page: string): string[] {
  return page
    .split('\n')
    .flatMap((line) => (line.startsWith('keyvigil_key_') ? [line.slice(0, line.lastIndexOf(' '))] : []));
}

interface Trouble {
  readonly name: string;
  readonly effect: FaultEffect;
  readonly scope?: FaultScope;
  /** Why the sources are down; absent where the SDK's own retry may get through. */
  readonly reason?: string;
}

const TROUBLES: readonly Trouble[] = [
  { name: 'throttling of every call', effect: { kind: 'throttle' }, reason: 'throttled' },
  { name: 'throttling of half of all calls', effect: { kind: 'throttle' }, scope: { probability: 0.5 } },
  { name: 'errors 503', effect: { kind: 'server-error', status: 503 }, reason: 'provider_error' },
  { name: 'calls that are never answered', effect: { kind: 'silence' }, reason: 'timeout' },
  { name: 'bodies that stall', effect: { kind: 'stall' }, reason: 'timeout' },
  { name: 'connections that are reset', effect: { kind: 'reset' }, reason: 'network' },
  { name: 'expired credentials', effect: { kind: 'expired-token' }, reason: 'credentials' },
  {
    name: "a proxy's page instead of an answer",
    effect: { kind: 'body', body: 'html', status: 502 },
    reason: 'provider_error',
  },
  { name: 'half an answer', effect: { kind: 'body', body: 'truncated' }, reason: 'bad_response' },
  { name: 'a token that loops', effect: { kind: 'token-loop' }, scope: { operation: ['ListSecrets', 'ListKeys'] } },
];

describe('trouble on the way to the cloud', () => {
  it.each(TROUBLES)(
    '$name: no key loses what is believed of it, and the source says why',
    async ({ effect, scope, reason }) => {
      const { world, dead } = await withALoss();
      await using _world = world;
      const before = (await world.events()).length;
      const healths = world.app.snapshot.keys.map(({ resource, health }) => [resource, health]);
      const known = keySeries(await world.metrics());
      expect(known.length).toBeGreaterThan(300);

      const fault = world.sandbox.faults.add(effect, scope);
      await world.pass(6 * MINUTE);
      expect(world.app.snapshot.keys.map(({ resource, health }) => [resource, health])).toEqual(healths);
      let page = await world.metrics();
      const now = new Set(keySeries(page));
      expect(known.filter((one) => !now.has(one))).toEqual([]);
      expect(series(page, 'keyvigil_key_accessible', dead)).toBe(0);
      expect(series(page, 'keyvigil_key_accessible', ':prod/secret-7-')).toBe(0);
      expect(series(page, 'keyvigil_key_accessible', ':prod/secret-8-')).toBe(1);
      if (reason) {
        for (const service of ['kms', 'secrets-manager']) {
          expect(series(page, 'keyvigil_source_up', `service="${service}"`)).toBe(0);
          expect(
            series(page, 'keyvigil_source_failures_total', `service="${service}"`, `reason="${reason}"`),
          ).toBeGreaterThan(0);
        }
        expect(world.app.snapshot.keys.filter((key) => key.blindSince !== undefined)).toEqual([]);
      }

      fault.remove();
      world.region.kms.enable(dead);
      await world.until('the recovery', 3 * MINUTE, () =>
        world.app.snapshot.keys.every(({ health }) => health === 'accessible'),
      );
      page = await world.metrics();
      expect(series(page, 'keyvigil_source_up', 'service="kms"')).toBe(1);
      const since = (await world.events()).slice(before);
      expect(since.map(({ type, resource, to }) => [type, resource, to])).toEqual([['transition', dead, 'accessible']]);
    },
  );

  it.each([10 * MINUTE, -10 * MINUTE])(
    "a clock %i ms off the cloud's is corrected by the SDK, and nothing is lost",
    async (skewMs) => {
      const { world, dead } = await withALoss({ skewMs });
      await using _world = world;
      expect(world.key(dead)?.health).toBe('inaccessible');
      await world.pass(3 * MINUTE);
      expect(series(await world.metrics(), 'keyvigil_source_up', 'service="kms"')).toBe(1);
      expect((await world.events()).filter(({ type }) => type === 'transition')).toHaveLength(1);
    },
  );

  it('a signature that is refused speaks of our credentials, never of a key', async () => {
    const { world, dead } = await withALoss();
    await using _world = world;
    world.sandbox.faults.add({ kind: 'error', code: 'SignatureDoesNotMatch', message: 'no match', status: 403 });
    await world.pass(3 * MINUTE);
    expect(series(await world.metrics(), 'keyvigil_source_up', 'service="kms"')).toBe(0);
    expect(world.app.snapshot.sources.map(({ reason }) => reason)).toEqual(['credentials', 'credentials']);
    expect(world.key(dead)?.health).toBe('inaccessible');
  });

  it('a host that does not answer at all is a network failure of the source', async () => {
    const { world, dead } = await withALoss();
    await using _world = world;
    const { length } = world.app.snapshot.keys;
    const before = await world.events();
    await world.sandbox[Symbol.asyncDispose]();
    await world.pass(5 * MINUTE);
    const page = await world.metrics();
    expect(series(page, 'keyvigil_source_failures_total', 'service="kms"', 'reason="network"')).toBeGreaterThan(0);
    expect(series(page, 'keyvigil_key_accessible', dead)).toBe(0);
    expect(world.app.snapshot.keys).toHaveLength(length);
    expect(await world.events()).toEqual(before);
  });
});

describe("the monitor's own missing permission", () => {
  it('makes a key blind, never lost, and ends with the next conclusive look', async () => {
    await using world = await startWorld(company);
    const denied = world.key('alias/key-3')!.resource;
    const denial = world.sandbox.aws.deny({ account: '111122223333', action: 'kms:DescribeKey', resource: denied });
    await world.until('blindness', 3 * MINUTE, () => world.key(denied)?.blindReason === 'denied');
    let page = await world.metrics();
    expect(series(page, 'keyvigil_key_accessible', denied)).toBe(1);
    expect(page).toContain(`keyvigil_key_blind{resource="${denied}",reason="denied"} 1`);
    expect(series(page, 'keyvigil_source_up', 'service="kms"')).toBe(1);

    denial.remove();
    await world.until('sight', 2 * MINUTE, () => world.key(denied)?.blindSince === undefined);
    page = await world.metrics();
    expect(series(page, 'keyvigil_key_blind', denied)).toBeUndefined();
    expect((await world.events()).filter(({ type }) => type === 'transition')).toEqual([]);
  });

  it('does not resolve a loss', async () => {
    const { world, dead } = await withALoss();
    await using _world = world;
    world.sandbox.aws.deny({ account: '111122223333', action: 'kms:*' });
    world.region.kms.enable(dead);
    await world.pass(10 * MINUTE);
    expect(world.key(dead)?.health).toBe('inaccessible');
    expect(world.key('prod/secret-7')?.health).toBe('inaccessible');
  });
});

describe('an answer that nobody has seen before', () => {
  it('is unknown, never healthy, and does not change what is believed', async () => {
    await using world = await startWorld((region) => {
      company(region);
      const strange = region.kms.createKey();
      region.kms.alias('alias/strange', strange.keyId);
      region.kms.forceState(strange.keyId, 'Levitating');
    });
    expect(world.key('alias/strange')).toMatchObject({ health: 'unknown', reason: 'bad_response' });
    expect(series(await world.metrics(), 'keyvigil_key_accessible', '"alias/strange"')).toBeUndefined();
    const known = world.key('alias/key-1')!.resource;
    world.region.kms.forceState(known, 'Levitating');
    await world.pass(5 * MINUTE);
    expect(world.key(known)).toMatchObject({ health: 'accessible', blindReason: 'bad_response' });
  });
});
