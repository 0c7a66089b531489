/** What keyvigil believes of vaults and keys when Azure, or the way to it, is in trouble. */
import { describe, expect, it } from 'vitest';
import type { Subscription } from '../../src/sandbox/azure/handles.ts';
import { series, startWorld, type World, type WorldOptions } from './world.ts';

const MINUTE = 60_000;
/** One interval, and the confirmation. */
const BOUND = 75_000;

/** Three vaults with three keys each, and an account that uses the first key of the first. */
function company(_region: World['region'], _sandbox: World['sandbox'], subscription: Subscription): void {
  for (const name of ['alpha', 'beta', 'gamma']) {
    const vault = subscription.vault(name);
    for (const key of ['one', 'two', 'three']) vault.keys.create(`${name}-${key}`);
  }
  const vault = subscription.vault('alpha');
  const account = subscription.mediaAccount('contoso', { key: `${vault.url}/keys/alpha-one` });
  vault.grant(account.principal);
}

const start = (options: WorldOptions = {}) => startWorld(company, { clouds: ['azure'], ...options });

const ofVault = (world: World, name: string) =>
  world.app.snapshot.keys.filter(({ resource }) => resource.startsWith(`https://${name}.`));

async function transitions(world: World) {
  return (await world.events()).filter(
    ({ type, resource }) => type === 'transition' && resource.startsWith('https://'),
  );
}

describe('the first look at a subscription', () => {
  it('finds its vaults, their keys and the account, all well, in the words that AWS has too', async () => {
    await using world = await start();
    expect(world.app.snapshot.keys.map(({ health }) => health)).toEqual(Array(12).fill('accessible'));
    expect(world.key('alpha-one')).toMatchObject({
      kind: 'azure-key',
      provider: 'azure',
      account: world.subscription.id,
      location: 'westeurope',
      dependsOn: ['https://alpha.vault.azure.net'],
      spec: 'RSA_2048',
      consumers: 1,
    });
    expect(world.key('alpha')).toMatchObject({ kind: 'azure-vault', consumers: 4 });
    expect(world.consumer('contoso')).toMatchObject({ kind: 'media-services-account', health: 'ok', findings: [] });
    const page = await world.metrics();
    expect(series(page, 'keyvigil_consumer_ok', '"contoso"')).toBe(1);
    expect(series(page, 'keyvigil_keys', 'kind="azure-key"', 'health="accessible"')).toBe(9);
    expect(series(page, 'keyvigil_source_up', 'service="key-vault"')).toBe(1);
  });

  it('costs what listing costs once all is known: a page for each vault, and the lists of Resource Manager', async () => {
    await using world = await start();
    await world.pass(3 * MINUTE);
    const before = world.sandbox.requests.list().length;
    await world.pass(MINUTE);
    const asked = world.sandbox.requests
      .list()
      .slice(before)
      .map(({ operation }) => operation);
    expect(asked.filter((operation) => operation === 'GetKeys')).toHaveLength(3);
    expect(asked.filter((operation) => operation === 'GetKey')).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(12);
  });
});

describe('a vault that refuses the monitor', () => {
  it('is blind, and so are its keys through it; nothing is lost, and the source is up', async () => {
    await using world = await start();
    world.subscription.vault('alpha').denyMonitor();
    await world.until('blindness', 4 * MINUTE, () => world.key('alpha')?.blindSince !== undefined);
    expect(world.key('alpha')).toMatchObject({ health: 'accessible', blindReason: 'denied' });
    for (const key of ofVault(world, 'alpha')) expect(key.health).toBe('accessible');
    expect(world.key('alpha-one')).toMatchObject({ blindRoots: ['https://alpha.vault.azure.net'] });
    expect(ofVault(world, 'beta').every(({ blindSince }) => blindSince === undefined)).toBe(true);
    expect(world.app.snapshot.sources.map(({ up }) => up)).toEqual([true, true]);
    expect(world.consumer('contoso')?.health).toBe('ok');
    expect(await transitions(world)).toEqual([]);

    world.subscription.vault('alpha').allowMonitor();
    await world.until('sight', BOUND, () => ofVault(world, 'alpha').every((key) => key.blindSince === undefined));
    expect(await transitions(world)).toEqual([]);
  });

  it('and its account as well is blind, and the account has lost its access: the table’s row of two refusals', async () => {
    await using world = await start();
    const vault = world.subscription.vault('alpha');
    const account = world.subscription.mediaAccount('contoso');
    vault.denyMonitor();
    await world.until('blindness', 4 * MINUTE, () => world.key('alpha')?.blindSince !== undefined);
    vault.revoke(account.principal);
    await world.until('the loss of access', BOUND + 10_000, () => world.consumer('contoso')?.health === 'impaired');
    await world.pass(MINUTE);
    expect(world.consumer('contoso')?.findings.map(({ id }) => id)).toContain('media-services.access');
    expect(world.key('alpha')).toMatchObject({ health: 'accessible', blindReason: 'denied' });
  });

  it('behind its firewall is blind for the network, not for a right', async () => {
    await using world = await start();
    world.subscription.vault('alpha').firewall('deny');
    await world.until('blindness', 4 * MINUTE, () => world.key('alpha')?.blindSince !== undefined);
    expect(world.key('alpha')).toMatchObject({ health: 'accessible', blindReason: 'network' });
    expect(await transitions(world)).toEqual([]);
  });

  it('together with all others is one source that is down, and no key is blind by itself', async () => {
    await using world = await start();
    for (const name of ['alpha', 'beta', 'gamma']) world.subscription.vault(name).denyMonitor();
    await world.pass(5 * MINUTE);
    const down = world.app.snapshot.sources.filter(({ up }) => up === false);
    expect(down).toMatchObject([{ service: 'key-vault', reason: 'denied' }]);
    expect(world.app.snapshot.keys.filter(({ blindSince }) => blindSince !== undefined)).toEqual([]);
    expect(world.app.snapshot.keys.every(({ health }) => health === 'accessible')).toBe(true);
    expect(await transitions(world)).toEqual([]);
    const page = await world.metrics();
    expect(series(page, 'keyvigil_source_up', 'service="key-vault"')).toBe(0);
    expect(page).toContain('reason="denied"');
  });
});

describe('a name that does not resolve', () => {
  it('is no loss while Resource Manager still shows the vault', async () => {
    await using world = await start();
    world.subscription.vault('alpha').unresolvable(true);
    await world.until('blindness', 4 * MINUTE, () => world.key('alpha')?.blindSince !== undefined);
    expect(ofVault(world, 'alpha').every(({ health }) => health === 'accessible')).toBe(true);
    expect(world.app.snapshot.incidents).toEqual([]);
    expect(await transitions(world)).toEqual([]);
  });
});

describe('a vault that is deleted', () => {
  it('is one loss by both witnesses, with its keys and the account behind it and the purge date', async () => {
    await using world = await start();
    world.subscription.vault('alpha').delete();
    await world.until('the loss', BOUND, () => world.key('alpha')?.health === 'inaccessible');
    const vault = world.key('alpha')!;
    expect(vault).toMatchObject({ reason: 'soft_deleted', undo: expect.stringContaining('az keyvault recover') });
    expect(vault.deletionAt).toBe(vault.recoverableUntil);
    expect(vault.deletionAt! - Date.now()).toBeGreaterThan(89 * 24 * 60 * MINUTE);
    expect(world.key('alpha-two')).toMatchObject({ reason: 'dependency', rootCauses: [vault.resource] });
    expect(world.app.snapshot.incidents).toMatchObject([
      {
        root: vault.resource,
        keys: ofVault(world, 'alpha')
          .map(({ resource }) => resource)
          .filter((one) => one !== vault.resource),
        consumers: [world.consumer('contoso')?.resource],
      },
    ]);
    expect(world.consumer('contoso')).toMatchObject({
      health: 'impaired',
      reason: 'key_inaccessible',
      rootCauses: [vault.resource],
    });
    expect(await transitions(world)).toHaveLength(1);
    expect(ofVault(world, 'beta').every(({ health }) => health === 'accessible')).toBe(true);

    world.subscription.vault('alpha').recover();
    await world.until('the recovery', 3 * MINUTE, () => world.consumer('contoso')?.health === 'ok');
    await world.pass(3 * MINUTE);
    expect(ofVault(world, 'alpha').every(({ health }) => health === 'accessible')).toBe(true);
  });

  it('and recovered without its roles, as Azure does it, is no loss any more: the monitor is blind to it', async () => {
    await using world = await start();
    world.subscription.vault('alpha').delete();
    await world.until('the loss', BOUND, () => world.key('alpha')?.health === 'inaccessible');
    world.subscription.vault('alpha').recover('lost');
    await world.until('the return', 4 * MINUTE, () => world.key('alpha')?.health === 'accessible');
    await world.until('blindness', 4 * MINUTE, () => world.key('alpha')?.blindReason === 'denied');
    expect(world.app.snapshot.incidents).toEqual([]);
  });

  it('and purged is gone for good', async () => {
    await using world = await start();
    world.subscription.vault('alpha').delete();
    await world.until('the loss', BOUND, () => world.key('alpha')?.health === 'inaccessible');
    world.subscription.vault('alpha').purge();
    await world.until('the purge', 12 * MINUTE, () => world.key('alpha')?.reason === 'purged');
    expect(world.key('alpha')?.undo ?? '').not.toContain('recover --name');
    expect(world.key('alpha-one')).toMatchObject({ reason: 'dependency', health: 'inaccessible' });
  });
});

describe('a key that is deleted', () => {
  it('is lost at once, whatever Azure calls it in the first minute, and shows when it is purged', async () => {
    await using world = await start();
    world.subscription.vault('alpha').keys.delete('alpha-one');
    await world.until('the loss', BOUND, () => world.key('alpha-one')?.health === 'inaccessible');
    expect(world.key('alpha-one')?.reason).not.toBe('purged');
    expect(world.consumer('contoso')).toMatchObject({
      health: 'impaired',
      rootCauses: [world.key('alpha-one')?.resource],
    });
    await world.until('its purge date', 3 * MINUTE, () => world.key('alpha-one')?.reason === 'soft_deleted');
    expect(world.key('alpha-one')?.undo).toContain('az keyvault key recover');
    expect(world.key('alpha-one')?.deletionAt).toBeGreaterThan(Date.now());
    expect(world.key('alpha-two')?.health).toBe('accessible');

    world.subscription.vault('alpha').keys.recover('alpha-one');
    await world.until('the recovery', 3 * MINUTE, () => world.key('alpha-one')?.health === 'accessible');
    expect((await transitions(world)).at(-1)).toMatchObject({ to: 'accessible' });
  });

  it('and that nothing needs ends in the event removed when it is purged', async () => {
    await using world = await start();
    const { resource } = world.key('beta-two')!;
    const { keys, configure } = world.subscription.vault('beta');
    configure({ purgeProtection: false });
    keys.delete('beta-two');
    await world.until('its purge date', 4 * MINUTE, () => world.key('beta-two')?.reason === 'soft_deleted');
    keys.purge('beta-two');
    await world.until('its end', 15 * MINUTE, () => world.key(resource) === undefined);
    expect((await world.events()).filter((event) => event.resource === resource).at(-1)?.type).toBe('removed');
  });
});

describe('trouble on the way', () => {
  it.each([
    ['throttling', { kind: 'throttle' }],
    ['errors 503', { kind: 'server-error', status: 503 }],
    ['errors without a body', { kind: 'body', body: 'empty', status: 503 }],
    ["a proxy's page", { kind: 'body', body: 'html', status: 502 }],
    ['half an answer', { kind: 'body', body: 'truncated' }],
    ['answers that never come', { kind: 'silence' }],
    ['bodies that stall', { kind: 'stall' }],
    ['connections that are reset', { kind: 'reset' }],
    ['expired tokens', { kind: 'expired-token' }],
    ['refusals everywhere', { kind: 'access-denied' }],
  ] as const)(
    '%s: no key loses what is believed of it, and no series disappears',
    async (_, effect) => {
      await using world = await start();
      world.subscription.vault('beta').keys.update('beta-one', undefined, { enabled: false });
      await world.until('a loss', BOUND, () => world.key('beta-one')?.health === 'inaccessible');
      const before = await transitions(world);
      const names = keySeries(await world.metrics());
      const fault = world.sandbox.faults.add(effect);
      await world.pass(5 * MINUTE);
      expect(fault.hits()).toBeGreaterThan(0);
      expect(world.app.snapshot.sources.every(({ up }) => up === false)).toBe(true);
      expect(world.key('beta-one')?.health).toBe('inaccessible');
      expect(world.app.snapshot.keys.filter(({ health }) => health !== 'accessible')).toHaveLength(1);
      expect(keySeries(await world.metrics())).toEqual(expect.arrayContaining(names));
      fault.remove();
      await world.until('recovery', 2 * MINUTE, () => world.app.snapshot.sources.every(({ up }) => up === true));
      await world.pass(2 * MINUTE);
      expect(await transitions(world)).toEqual(before);
      expect(world.app.snapshot.keys.filter(({ blindSince }) => blindSince !== undefined)).toEqual([]);
    },
    30_000,
  );
});

/** Every per-key series on a page, without its value. */
function keySeries(page: string): string[] {
  return page
    .split('\n')
    .flatMap((line) => (line.startsWith('keyvigil_key_') ? [line.slice(0, line.lastIndexOf(' '))] : []));
}

describe('two clouds', () => {
  const both: WorldOptions = { clouds: ['aws', 'azure'] };
  function fill(region: World['region'], sandbox: World['sandbox'], subscription: Subscription): void {
    company(region, sandbox, subscription);
    const { keyId, arn } = region.kms.createKey();
    region.kms.alias('alias/app', keyId);
    region.secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: arn });
  }
  const sourcesOf = (world: World, provider: string) =>
    world.app.snapshot.sources.filter((source) => source.provider === provider);

  it.each([
    ['aws', 'azure', 'key-vault,media-services,arm,authority'],
    ['azure', 'aws', 'secretsmanager,kms,sts'],
  ])('%s goes on as ever while %s is down', async (well, ill, services) => {
    await using world = await startWorld(fill, both);
    world.sandbox.faults.add({ kind: 'server-error' }, { when: ({ service }) => services.includes(service) });
    await world.pass(5 * MINUTE);
    expect(sourcesOf(world, ill).map(({ up }) => up)).toEqual([false, false]);
    expect(sourcesOf(world, well).map(({ up }) => up)).toEqual([true, true]);
    const of = world.app.snapshot.keys.filter(({ provider }) => provider === well);
    expect(of.length).toBeGreaterThan(1);
    for (const key of of) expect(Date.now() - key.checkedAt).toBeLessThanOrEqual(6 * MINUTE);
    if (well === 'aws') world.region.kms.disable('alias/app');
    else world.subscription.vault('alpha').keys.update('alpha-one', undefined, { enabled: false });
    const name = well === 'aws' ? 'alias/app' : 'alpha-one';
    await world.until('a loss', BOUND, () => world.key(name)?.health === 'inaccessible');
  });

  it('are told of in one list, one page of metrics and one status page', async () => {
    await using world = await startWorld(fill, both);
    world.region.kms.disable('alias/app');
    world.subscription.vault('alpha').keys.update('alpha-one', undefined, { enabled: false });
    await world.until('both losses', BOUND, () => world.app.snapshot.incidents.length === 2);
    const { keys } = (await (await world.get('/api/v1/keys?health=inaccessible')).json()) as { keys: object[] };
    expect(new Set(keys.map((key) => Object.keys(key).includes('reason')))).toEqual(new Set([true]));
    const page = await world.metrics();
    for (const name of ['alias/app', 'alpha-one']) {
      expect(series(page, 'keyvigil_key_accessible', `name="${name}"`)).toBe(0);
    }
    const status = await (await world.get('/')).text();
    for (const text of ['alias/app', 'alpha-one', 'contoso', 'az keyvault key set-attributes', 'aws kms enable-key']) {
      expect(status).toContain(text);
    }
  });
});
