/** The causes that Microsoft's two pages name, from the cloud to the page: health, finding, remedy and metric. */
import { describe, expect, it } from 'vitest';
import type { KeyVaultOptions, MediaAccount, Vault } from './azure.ts';
import { mediaWorld } from './azure.ts';
import { series, type World } from './world.ts';

const MINUTE = 60_000;
const BOUND = 75_000;

interface Cause {
  readonly name: string;
  readonly vault?: KeyVaultOptions;
  readonly account?: { readonly location?: string; readonly pinned?: boolean };
  readonly create?: Parameters<Vault['keys']['create']>[1];
  /** What happens; absent: it is so from the start. */
  act?(vault: Vault, account: MediaAccount): void;
  /** What undoes it. */
  undo?(vault: Vault, account: MediaAccount): void;
  /** Health and reason of the account. */
  readonly account_: readonly [health: string, reason?: string];
  /** Health and reason of the key, or of the vault where that is the root. */
  readonly key?: readonly [health: string, reason?: string];
  readonly finding?: string;
  /** A part of the command that undoes it, of the key, the vault or the finding. */
  readonly remedy?: string;
}

const CAUSES: readonly Cause[] = [
  {
    name: 'the key has been deleted',
    act: ({ keys }) => keys.delete('cmk'),
    undo: ({ keys }) => keys.recover('cmk'),
    key: ['inaccessible', 'not_found'],
    account_: ['impaired', 'key_inaccessible'],
  },
  {
    name: 'the Key Vault has been deleted',
    act: (vault) => vault.delete(),
    undo: (vault) => vault.recover(),
    key: ['inaccessible', 'dependency'],
    account_: ['impaired', 'key_inaccessible'],
    remedy: 'az keyvault recover',
  },
  {
    name: 'the access grant has been removed (role)',
    act: (vault, account) => vault.revoke(account.principal),
    undo: (vault, account) => vault.grant(account.principal),
    key: ['accessible'],
    account_: ['impaired', 'access_revoked'],
    finding: 'media-services.access',
    remedy: 'az role assignment create',
  },
  {
    name: 'the access grant has been removed (access policy)',
    vault: { access: 'policy' },
    act: (vault, account) => vault.revoke(account.principal),
    undo: (vault, account) => vault.grant(account.principal),
    key: ['accessible'],
    account_: ['impaired', 'access_revoked'],
    finding: 'media-services.access',
    remedy: 'az keyvault set-policy',
  },
  {
    name: 'the key is disabled',
    act: ({ keys }) => keys.update('cmk', undefined, { enabled: false }),
    undo: ({ keys }) => keys.update('cmk', undefined, { enabled: true }),
    key: ['inaccessible', 'disabled'],
    account_: ['impaired', 'key_inaccessible'],
    remedy: 'az keyvault key set-attributes',
  },
  {
    name: 'the version in use is disabled while a newer one is enabled',
    account: { pinned: true },
    act: ({ keys }, account) => {
      const inUse = account.version();
      keys.rotate('cmk');
      keys.update('cmk', inUse, { enabled: false });
    },
    key: ['accessible'],
    account_: ['impaired', 'version_in_use_disabled'],
    finding: 'media-services.version-in-use-disabled',
    remedy: '--enabled true',
  },
  {
    name: 'a key name and key version: pinned',
    account: { pinned: true },
    account_: ['ok'],
    finding: 'media-services.pinned-version',
    remedy: 'az resource update',
  },
  {
    name: 'EC keys are not supported',
    create: { kty: 'EC', curve: 'P-256' },
    account_: ['at_risk'],
    finding: 'media-services.key-type',
  },
  {
    name: 'the Key Vault is in the same region',
    account: { location: 'North Europe' },
    account_: ['at_risk'],
    finding: 'media-services.region',
  },
  {
    name: 'soft-delete enabled',
    vault: { softDelete: false, purgeProtection: false },
    account_: ['at_risk'],
    finding: 'media-services.soft-delete',
  },
  {
    name: 'purge protection enabled',
    vault: { purgeProtection: false },
    account_: ['at_risk'],
    finding: 'media-services.purge-protection',
    remedy: '--enable-purge-protection',
  },
];

function said(world: World, cause: Cause): string {
  const account = world.consumer('contoso');
  const finding = account?.findings.find(({ id }) => id === cause.finding);
  const roots = account?.rootCauses.map((root) => world.key(root)?.undo ?? '') ?? [];
  return [finding?.remedy ?? '', ...roots].join('\n');
}

describe('what the two pages name', () => {
  it.each(CAUSES)('$name', async (cause) => {
    await using at = await mediaWorld(cause);
    const { world, vault, account } = at;
    if (cause.act) {
      expect(world.consumer('contoso')).toMatchObject({ health: 'ok' });
      cause.act(vault, account);
    }
    const [health, reason] = cause.account_;
    await world.until('the account', BOUND + 10_000, () => {
      const view = world.consumer('contoso');
      if (cause.finding && !view?.findings.some(({ id }) => id === cause.finding)) return false;
      return view?.health === health && (reason === undefined || view.reason === reason);
    });
    if (cause.key) {
      expect(world.key('cmk')).toMatchObject({ health: cause.key[0], ...(cause.key[1] && { reason: cause.key[1] }) });
    }
    if (cause.remedy) expect(said(world, cause)).toContain(cause.remedy);

    const page = await world.metrics();
    expect(series(page, 'keyvigil_consumer_ok', account.resource)).toBe(health === 'impaired' ? 0 : 1);
    if (cause.finding) expect(page).toContain(`finding="${cause.finding}"`);
    const detail = await (await world.get(`/consumers/${encodeURIComponent(account.resource)}`)).text();
    if (health === 'impaired') {
      for (const word of ['encoding', 'streaming', 'JobInputHttp', 'GET', 'do not delete']) {
        expect(detail.toLowerCase()).toContain(word.toLowerCase());
      }
    }
    if (cause.undo) {
      // Nothing can be recovered while it is being deleted: azure.md 0a.1.
      await world.pass(70_000);
      cause.undo(vault, account);
      await world.until('recovery', 4 * MINUTE, () => world.consumer('contoso')?.health === 'ok');
      expect(world.app.snapshot.incidents).toEqual([]);
    }
  });

  it('wrong size: a new version of 1024 bits is found at once, and gone with the next one', async () => {
    await using at = await mediaWorld({});
    const { world, vault } = at;
    const isFound = () =>
      world.consumer('contoso')?.findings.some(({ id }) => id === 'media-services.key-size') === true;
    expect(world.consumer('contoso')).toMatchObject({ health: 'ok', findings: [] });
    {
      // No vault makes such a key: what it says of it is changed on the wire.
      const change = (answer: unknown) => {
        const { key } = answer as { key: object };
        return { ...(answer as object), key: { ...key, n: Buffer.alloc(128, 0x9d).toString('base64url') } };
      };
      using small = world.sandbox.faults.add({ kind: 'rewrite', change }, { operation: 'GetKey' });
      vault.keys.rotate('cmk');
      await world.until('the finding', BOUND + 10_000, isFound);
      expect(small.hits()).toBeGreaterThan(0);
    }
    expect(world.key('cmk')?.spec).toBe('RSA_1024');
    const account = world.consumer('contoso')!;
    expect(account.health).toBe('at_risk');
    const [finding] = account.findings;
    expect(finding).toMatchObject({ severity: 'critical', summary: expect.stringContaining('has 1024 bits') });
    expect(finding!.remedy).toContain('Create an RSA key of 2048, 3072 or 4096 bits');
    const page = await world.metrics();
    expect(page).toMatch(/keyvigil_consumer_finding\{[^}]*finding="media-services.key-size",severity="critical"/);
    expect(series(page, 'keyvigil_consumer_ok', at.account.resource)).toBe(1);
    const detail = await (await world.get(`/consumers/${encodeURIComponent(at.account.resource)}`)).text();
    expect(detail).toContain('has 1024 bits');

    vault.keys.rotate('cmk');
    await world.until('its end', BOUND + 10_000, () => !isFound());
    expect(world.consumer('contoso')).toMatchObject({ health: 'ok', findings: [] });
  });

  it('right size: 2048, 3072 and 4096 fit', async () => {
    for (const size of [2048, 3072, 4096] as const) {
      await using at = await mediaWorld({ create: { kty: 'RSA', size } });
      expect(at.world.consumer('contoso')).toMatchObject({ health: 'ok', findings: [] });
      expect(at.world.key('cmk')?.spec).toBe(`RSA_${size}`);
    }
  }, 30_000);

  it('a system key is shown as such, and nothing is asked of it', async () => {
    await using at = await mediaWorld({ systemKey: true });
    const view = at.world.consumer('contoso');
    expect(view).toMatchObject({ health: 'ok', attributes: { encryption: 'SystemKey' } });
    expect(view?.findings.map(({ id, severity }) => [id, severity])).toEqual([['media-services.system-key', 'info']]);
    expect(at.world.key('cmk')?.consumers).toBe(0);
  });
});

describe('tearing down in order', () => {
  it('account, storage, vault: nobody is impaired, and nothing that is used is lost, at any moment', async () => {
    await using at = await mediaWorld({});
    const { world, vault, account } = at;
    const seen = new Set<string>();
    const watch = () => {
      for (const { health } of world.app.snapshot.consumers) seen.add(health);
      for (const key of world.app.snapshot.keys) {
        if (key.health === 'inaccessible') seen.add(`lost with ${key.consumers - 0} dependents of ${key.kind}`);
      }
      return false;
    };
    await world.pass(20_000);
    account.delete();
    await world.pass(5_000);
    vault.delete();
    await world.until('never', 5 * MINUTE, watch).catch(() => undefined);
    expect(world.consumer('contoso')).toBeUndefined();
    expect([...seen].filter((what) => what === 'impaired')).toEqual([]);
    // The key is lost with its vault, and only the key: no account is behind either.
    expect([...seen].filter((what) => what.startsWith('lost')).sort()).toEqual([
      'lost with 0 dependents of azure-key',
      'lost with 1 dependents of azure-vault',
    ]);
    const types = (await world.events()).filter(({ type }) => !['first_seen', 'finding_closed'].includes(type));
    expect(types.map(({ type, resource }) => [type, resource])).toEqual([
      ['removed', account.resource],
      ['transition', vault.url],
    ]);
  });
});

describe('Media Services retired', () => {
  it.each(['InvalidResourceNamespace', 'DisallowedProvider', 'MissingSubscriptionRegistration'] as const)(
    '%s: said once, asked once a day, and no trouble',
    async (code) => {
      await using at = await mediaWorld({ systemKey: true, before: (subscription) => subscription.retireMedia(code) });
      const { world } = at;
      await world.pass(30 * MINUTE);
      const source = world.app.snapshot.sources.find(({ service }) => service === 'media-services');
      expect(source).toMatchObject({ up: true, reason: 'provider_retired', objects: 0 });
      const asked = world.sandbox.requests.list().filter(({ operation }) => /mediaservices/i.test(operation));
      expect(asked.length).toBeLessThanOrEqual(2);
      const told = world.logged.filter((line) => line.includes('retired') && !line.includes('"level":20'));
      expect(told).toHaveLength(1);
      expect(series(await world.metrics(), 'keyvigil_source_up', 'service="media-services"')).toBe(1);
    },
  );
});
