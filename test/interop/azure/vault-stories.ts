/** What keyvigil makes of what was recorded of vaults. */
import { expect } from 'vitest';
import type { Grant, KeyFacts } from '../../../src/core/model.ts';
import { armError, NOWHERE } from '../../fixtures/azure-wire.ts';
import { listAll } from '../../fixtures/context.ts';
import { lifeOf } from './life.ts';
import { bodyOf, exchangeOf } from './recordings.ts';
import {
  ARM,
  factsOf,
  factsOfVault,
  findingsOf,
  keyStub,
  NOTHING,
  nothingElse,
  type Replay,
  type Story,
  SUBSCRIPTION,
  vaultStub,
  verdictOf,
} from './replay.ts';

const PROVIDER = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.KeyVault`;
const CERTIFICATES = 'cckeyvault1yghq6zt4ewg2e';
const UNPROTECTED = 'key-vault.no-purge-protection info';
const SHORT = 'key-vault.short-retention info';
const RECORDED_AT = Date.UTC(2023, 10, 7);
/** Of one principal, as a vault's own policies grant it. */
const all = (principal: string): Grant => ({ principal, via: 'policy', permissions: ['all'] });

interface Listed {
  readonly value: readonly { readonly id: string; readonly name: string }[];
}

/** Lets Resource Manager answer for one vault what it was recorded to list. */
function besideItem(replay: Replay, item: { readonly id: string } | undefined): void {
  if (!item) throw new Error('a vault was expected');
  replay.beside('GET', ARM, item.id, { body: item });
}

async function listOfTwoPages(replay: Replay): Promise<void> {
  const host = `${CERTIFICATES}.vault.azure.net`;
  nothingElse(replay, host);
  const { listed, outcome } = await listAll(replay.keyVault);
  const stub = vaultStub(CERTIFICATES, 'southcentralus');
  expect(listed.map((one) => one.stub).filter(({ kind }) => kind === 'azure-vault')).toEqual([stub]);
  expect(outcome.covers?.(vaultStub('another', 'southcentralus'))).toBe(true);
  besideItem(replay, bodyOf<Listed>('vault-list-arm', 0).value[0]);
  const look = await replay.look(stub);
  const facts = factsOf(look);
  expect(facts).toMatchObject({
    state: 'Available',
    spec: 'standard',
    location: 'southcentralus',
    tags: { product_id: '13742' },
    attributes: {
      resourceGroup: 'test_keyvault',
      access: 'policy',
      networkDefaultAction: 'Deny',
      networkBypass: 'AzureServices',
    },
  });
  // What Azure leaves out is absent, never false.
  for (const absent of ['softDelete', 'purgeProtection', 'retentionDays', 'publicNetworkAccess']) {
    expect(facts.attributes).not.toHaveProperty(absent);
  }
  const permissions = ['backup', 'create', 'delete', 'get', 'import', 'list', 'recover', 'restore', 'update'];
  expect(facts.grants).toEqual([{ principal: 'cfb71ed8-fcd0-4fe2-8384-7076080a219b', via: 'policy', permissions }]);
  expect(verdictOf(look)).toBe('accessible');
  expect(findingsOf(facts, RECORDED_AT)).toEqual([UNPROTECTED, 'key-vault.no-soft-delete info']);
}

async function emptyPages(replay: Replay): Promise<void> {
  const names = ['cfb-qmbknzbm-keyvault', 'cfb-vpbanzbk-keyvault'];
  nothingElse(replay, ...names.map((name) => `${name}.vault.azure.net`));
  replay.beside('GET', 'cfb-vpbanzbk-keyvault.vault.azure.net', '/keys', { body: { value: [], nextLink: null } });
  const { listed, outcome } = await listAll(replay.keyVault);
  const stubs = listed.map(({ stub }) => stub);
  expect(stubs.filter(({ kind }) => kind === 'azure-vault')).toEqual(names.map((name) => vaultStub(name, 'centralus')));
  const key = keyStub('cfb-qmbknzbm-keyvault.vault.azure.net', 'cfb-qmbknzbm-generated-certificate', 'centralus');
  expect(stubs).toContainEqual(key);
  expect(outcome).not.toHaveProperty('failed');
  expect(replay.wire.asked('GET', ARM, /\/vaults$/)).toHaveLength(4);
  besideItem(replay, bodyOf<Listed>('vault-list-empty-pages', 1).value[0]);
  const facts = factsOf(await replay.look(vaultStub('cfb-qmbknzbm-keyvault', 'centralus')));
  expect(facts).toMatchObject({
    spec: 'premium',
    attributes: { softDelete: true, retentionDays: 7, access: 'policy' },
    grants: [{ principal: '2cc7cbda-e89a-46a4-852b-b7dc94c32db0' }],
  });
  expect(facts.grants?.[0]?.permissions).toContain('getrotationpolicy');
  expect(findingsOf(facts, RECORDED_AT)).toEqual([UNPROTECTED, SHORT]);
}

const fresh = 'cli-test-kv-pna-000002';

/** A vault that was known before the listing does not show it. */
function known(name: string, group: string, location: string, state: string): KeyFacts {
  const resourceId = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${name}`;
  return { ...vaultStub(name, location), state, tags: {}, dependsOn: [], attributes: { resourceId } };
}

async function missingThenCreated(replay: Replay): Promise<void> {
  const group = 'cli_test_keyvault_pna000001';
  const stub = vaultStub(fresh, 'eastus2euap');
  const before = known(fresh, group, stub.location, 'Available');
  const message = `The specified deleted vault '${fresh}' does not exist.`;
  const deleted = `${PROVIDER}/locations/eastus2euap/deletedVaults/${fresh}`;
  replay.beside('GET', ARM, deleted, armError(404, 'DeletedVaultNotFound', message));
  replay.beside('GET', `${fresh}.vault.azure.net`, '/keys', armError(401, 'Unauthorized', 'no'));
  const missing = await replay.look(stub, before);
  expect(missing).toMatchObject({
    failure: { reason: 'not_found', evidence: { operation: 'Vaults.Get', status: 404, code: 'ResourceNotFound' } },
  });
  expect(verdictOf(missing)).toBe('inaccessible: not_found');

  const { location, tenant } = { location: 'eastus2euap', tenant: '54826b22-38d6-4fb2-bad9-b7b93a3e9c5a' };
  const properties = { tenantId: tenant, sku: { family: 'A' as const, name: 'standard' as const } };
  await replay.call('Vaults.CreateOrUpdate', async (options) => {
    await replay.owner.vaults.createOrUpdate(group, fresh, { location, properties }, options).submitted();
  });
  // Half a minute passes before it is read again: until then it is as its creation answered.
  let isReady = false;
  const { body } = exchangeOf('vault-missing-then-created', 1).response;
  replay.beside('GET', ARM, String(before.attributes.resourceId), () => (isReady ? undefined : { body }));
  const look = await replay.look(stub, before);
  const registering = factsOf(look);
  expect(registering).toMatchObject({
    resource: `https://${fresh}.vault.azure.net`,
    state: 'RegisteringDns',
    createdAt: Date.parse('2021-10-19T02:33:24.359Z'),
    attributes: { provisioningState: 'RegisteringDns' },
  });
  expect(verdictOf(look)).toBe('unknown: transitional');

  replay.beside('GET', `${fresh}.vault.azure.net`, '/keys', { body: { value: [], nextLink: null } });
  isReady = true;
  const ready = await replay.look(stub, registering);
  expect(factsOf(ready)).toMatchObject({
    resource: `https://${fresh}.vault.azure.net`,
    state: 'Available',
    attributes: { softDelete: true, retentionDays: 90, publicNetworkAccess: 'Enabled', access: 'policy' },
  });
  expect(verdictOf(ready)).toBe('accessible');
}

async function deletedRecoveredPurged(replay: Replay): Promise<void> {
  const group = 'cli_test_keyvault_sd000001';
  const name = 'nowhere';
  const stub = vaultStub(name, 'eastus2');
  expect(new URL(stub.resource).host).toBe(NOWHERE);
  const { vaults } = replay.owner;
  const before = known(name, group, 'eastus2', 'Available');
  let purged = false;
  const missing = (code: string) => armError(404, code, 'The Resource was not found.');
  replay.beside('GET', ARM, String(before.attributes.resourceId), missing('ResourceNotFound'));
  const deleted = `${PROVIDER}/locations/eastus2/deletedVaults/${name}`;
  replay.beside('GET', ARM, deleted, () => (purged ? missing('DeletedVaultNotFound') : undefined));

  await replay.call('Vaults.Delete', (options) => vaults.delete(group, name, options));
  const first = await replay.look(stub, before);
  expect(verdictOf(first)).toBe('inaccessible: soft_deleted');
  expect(factsOf(first)).toMatchObject({
    state: 'SoftDeleted',
    deletionAt: Date.parse('2022-04-14T07:21:39Z'),
    recoverableUntil: Date.parse('2022-04-14T07:21:39Z'),
    attributes: { softDelete: true, deletedAt: Date.parse('2022-04-07T07:21:39Z') },
  });
  expect(factsOf(first).attributes).not.toHaveProperty('purgeProtection');
  expect(findingsOf(factsOf(first), RECORDED_AT)).toEqual([]);

  const { body } = exchangeOf('vault-deleted-recovered-purged', 2).request as {
    body: Parameters<typeof vaults.createOrUpdate>[2];
  };
  const back = await replay.call('Vaults.CreateOrUpdate', (options) =>
    vaults.createOrUpdate(group, name, body, options).pollUntilDone(),
  );
  const recovered = factsOfVault(back);
  expect(recovered).toMatchObject({ ...stub, state: 'Available', createdAt: Date.parse('2022-04-07T07:17:29.203Z') });
  expect(recovered).not.toHaveProperty('deletionAt');
  expect(recovered.grants).toEqual([all('3707fb2f-ac10-4591-a04f-8b0d786ea37d')]);
  expect(verdictOf({ facts: recovered })).toBe('accessible');

  await replay.call('Vaults.Delete', (options) => vaults.delete(group, name, options));
  const second = await replay.look(stub, recovered);
  expect(factsOf(second)).toMatchObject({ state: 'SoftDeleted', deletionAt: Date.parse('2022-04-14T07:21:57Z') });

  await replay.call('Vaults.PurgeDeleted', (options) =>
    vaults.purgeDeleted(name, 'eastus2', { ...options, updateIntervalInMs: 0 }).pollUntilDone(),
  );
  purged = true;
  const last = await replay.look(stub, factsOf(second));
  // By two witnesses: Resource Manager shows it nowhere, and its name is not found. That it is no recovery, time tells.
  expect(last).toMatchObject({ failure: { reason: 'not_found', agreed: true } });
  const life = lifeOf(stub);
  const at = (index: number) =>
    Date.parse(exchangeOf('vault-deleted-recovered-purged', index).response.headers.date ?? '');
  life.take({ facts: recovered }, at(2));
  for (const later of [0, 1_000]) life.take(second, at(4) + later);
  for (const later of [0, 60_000]) life.take(last, at(6) + later);
  const told = ['accessible', 'inaccessible: soft_deleted'];
  expect(life.told()).toEqual(told);
  for (const later of [120_000, 130_000]) life.take(last, at(6) + later);
  expect(life.told()).toEqual([...told, 'inaccessible: purged']);
}

async function purgeProtected(replay: Replay): Promise<void> {
  const [group, name] = ['clitest.rg000001', 'clitest000003'];
  const stub = vaultStub(name, 'centralus');
  const owner = '3707fb2f-ac10-4591-a04f-8b0d786ea37d';
  replay.beside('GET', `${name}.vault.azure.net`, '/keys', NOTHING);
  const look = await replay.look(stub, known(name, group, 'centralus', 'Available'));
  expect(factsOf(look)).toMatchObject({
    location: 'centralus',
    attributes: { purgeProtection: true, softDelete: true, retentionDays: 7, access: 'policy' },
    grants: [all(owner)],
  });
  expect(findingsOf(factsOf(look), RECORDED_AT)).toEqual([SHORT]);
  const properties = {
    tenantId: '54826b22-38d6-4fb2-bad9-b7b93a3e9c5a',
    sku: { family: 'A' as const, name: 'standard' as const },
  };
  const changed = await replay.call('Vaults.CreateOrUpdate', (options) =>
    replay.owner.vaults.createOrUpdate(group, name, { location: 'centralus', properties }, options).pollUntilDone(),
  );
  const service = '6aa99f7f-69a1-45c6-8a01-41e83c52c447';
  expect(factsOfVault(changed).grants).toEqual([
    all(owner),
    { principal: service, via: 'policy', permissions: ['get', 'unwrapkey', 'wrapkey'] },
  ]);
}

export const vaultStories: Readonly<Record<string, Story>> = {
  'vault-deleted-recovered-purged': {
    says: 'a deleted vault is soft-deleted with its purge date, accessible again, and purged by two witnesses',
    renamed: { 'cli-test-kv-sd-000003': NOWHERE.split('.')[0] ?? '' },
    run: deletedRecoveredPurged,
  },
  'vault-list-arm': {
    says: 'a list that ends with an empty page is one old vault, and what it does not tell is absent',
    with: ['key-list-page'],
    run: listOfTwoPages,
  },
  'vault-list-empty-pages': {
    says: 'empty pages at the start and in the middle end nothing',
    with: ['key-rotation-policy'],
    run: emptyPages,
  },
  'vault-missing-then-created': {
    says: 'a missing vault is not found, a fresh one is on its way, then accessible under the same URL',
    run: missingThenCreated,
  },
  'vault-purge-protected-access-policy': {
    says: 'purge protection and the grants of access policies are told',
    run: purgeProtected,
  },
};
