/** What keyvigil makes of what was recorded of keys. */
import { expect } from 'vitest';
import type { KeyFacts, KeyStub } from '../../../src/core/model.ts';
import { resourceManager } from '../../../src/providers/azure/key-vault/arm.ts';
import { armKeyFacts } from '../../../src/providers/azure/key-vault/facts.ts';
import { keyVault } from '../../../src/providers/azure/key-vault/index.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';
import { lifeOf } from './life.ts';
import { bodyOf, exchangeOf, SOME_TENANT } from './recordings.ts';
import {
  ARM,
  byRbac,
  expectTokenOf,
  factsOf,
  findingsOf,
  judgeAccount,
  keyNotFound,
  keyStub,
  NOTHING,
  nothingElse,
  quoted,
  type Replay,
  type Story,
  SUBSCRIPTION,
  told,
  vaultStub,
  verdictOf,
} from './replay.ts';

const VAULT = 'keyvault_name.vault.azure.net';
const ROTATING = 'cfb-qmbknzbm-keyvault.vault.azure.net';
const NEVER_SET = 'cfb-vpbanzbk-keyvault.vault.azure.net';
const CERTIFICATES = 'cckeyvault1yghq6zt4ewg2e.vault.azure.net';
const RSA_OPERATIONS = 'encrypt,decrypt,sign,verify,wrapKey,unwrapKey';

interface Bundle {
  readonly key: Readonly<Record<string, unknown>>;
  readonly attributes: object;
}

/** Facts as they are when only the listing told of the key. */
function bare(stub: KeyStub, more: Partial<KeyFacts> = {}): KeyFacts {
  const holds = { anyOf: [`https://${new URL(stub.resource).host}`], role: 'holds' };
  return { ...stub, state: 'Enabled', tags: {}, dependsOn: [holds], attributes: {}, ...more };
}

/** An account that uses a key, as far as rules on the key ask. */
function userOf(key: KeyFacts, now: number) {
  const account = {
    resource: `/subscriptions/${SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Media/mediaservices/tv`,
    kind: 'media-services-account',
    name: 'tv',
    provider: 'azure',
    account: SUBSCRIPTION,
    location: key.location,
    tags: {},
    uses: [{ resource: key.resource, versionInUse: key.version?.id ?? '', pinned: false, role: 'encrypts' }],
    attributes: { encryption: 'CustomerKey', keyIdentifier: key.resource, principal: 'p' },
  } as const;
  return told(judgeAccount(account, [key], now).findings);
}

async function publishedArmKey(replay: Replay): Promise<void> {
  const host = 'sample-vault-name.vault.azure.net';
  const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/sample-group/providers/Microsoft.KeyVault`;
  const id = `${group}/vaults/sample-vault-name`;
  const arm = resourceManager(replay.clients.env, () => `https://${host}`);
  const place = { id, group: 'sample-group', name: 'sample-vault-name' };
  const stub = keyStub(host, 'sample-key-name', 'westus');
  const { value } = await arm.key('vault', place, 'sample-key-name', plainContext);
  const facts = armKeyFacts(stub, value, undefined);
  expect(facts).toMatchObject({
    resource: 'https://sample-vault-name.vault.azure.net/keys/sample-key-name',
    state: 'Enabled',
    spec: 'RSA_2048',
    version: { id: 'fd618d9519b74f9aae94ade66b876acc', enabled: true, createdAt: 1_598_533_051_000 },
    changedAt: 1_598_533_051_000,
    attributes: { keyType: 'RSA', keySize: 2048, operations: RSA_OPERATIONS, recoveryLevel: 'Purgeable' },
  });
  expect(verdictOf({ facts })).toBe('accessible');
  expect(replay.left()).toEqual([]);

  // The vault refuses the monitor, Resource Manager shows the key: the monitor is blind, the key is not lost.
  const vault = { id, name: place.name, location: 'westus', properties: { vaultUri: `https://${host}/` } };
  const list = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults`;
  nothingElse(replay);
  replay.beside('GET', ARM, list, { body: { value: [vault] } });
  replay.beside('GET', host, '/keys', byRbac());
  replay.beside('GET', host, '/keys/sample-key-name', byRbac());
  await listAll(replay.keyVault);
  expect(verdictOf(await replay.look(stub))).toBe('unknown: denied');
}

async function deletedThenVisible(replay: Replay): Promise<void> {
  const name = 'recoverKeyName-cangetadeletedkey-';
  const stub = keyStub(VAULT, name, 'westus');
  const { key, attributes } = bodyOf<Bundle>('key-deleted-then-visible', 0);
  let there = true;
  replay.beside('GET', VAULT, `/keys/${name}`, () => (there ? { body: { key, attributes } } : keyNotFound()));
  const at = (index: number) => Date.parse(exchangeOf('key-deleted-then-visible', index).response.headers.date ?? '');
  const life = lifeOf(stub);

  const alive = await replay.look(stub);
  life.take(alive, at(0) - 60_000);
  there = false;
  // The client that deletes it looks for it among the deleted keys at once: that is the first 404.
  await replay.call('DeleteKey', (options) => replay.clients.keys(VAULT).beginDeleteKey(name, options));
  const gone = await replay.look(stub, factsOf(alive));
  expect(gone).toMatchObject({ failure: { reason: 'not_found', evidence: { status: 404, code: 'KeyNotFound' } } });
  expect(verdictOf(gone)).toBe('inaccessible: not_found');
  life.take(gone, at(1) + 10_000);
  life.take(gone, at(2));

  const visible = await replay.look(stub, factsOf(alive));
  expect(factsOf(visible)).toMatchObject({
    state: 'SoftDeleted',
    deletionAt: 1_595_811_963_000,
    recoverableUntil: 1_595_811_963_000,
    version: { id: '009cb11f3f9a4ed980aaa254100a3e9b', enabled: true },
    attributes: { recoveryLevel: 'Recoverable+Purgeable', recoverableDays: 90 },
  });
  expect(verdictOf(visible)).toBe('inaccessible: soft_deleted');
  life.take(visible, at(3));
  life.take(visible, at(3) + 10_000);
  const told = ['accessible', 'inaccessible: not_found', 'inaccessible: soft_deleted'];
  expect(life.told()).toEqual(told);

  await replay.call('PurgeDeletedKey', (options) => replay.clients.keys(VAULT).purgeDeletedKey(name, options));
  const { status, body } = exchangeOf('key-deleted-then-visible', 1).response;
  replay.beside('GET', VAULT, `/deletedkeys/${name}`, { status, body });
  const nowhere = await replay.look(stub, factsOf(visible));
  for (const minutes of [1, 8, 9]) life.take(nowhere, at(4) + minutes * 60_000);
  expect(life.told()).toEqual(told);
  for (const minutes of [12, 13]) life.take(nowhere, at(4) + minutes * 60_000);
  expect(life.told()).toEqual([...told, 'inaccessible: purged']);
}

async function rsaAndEc(replay: Replay): Promise<void> {
  const now = 1_666_300_000_000;
  const rsa = factsOf(await replay.look(keyStub(CERTIFICATES, 'cctestrsa', 'southcentralus')));
  expect(rsa).toMatchObject({
    state: 'Enabled',
    spec: 'RSA_2048',
    version: { id: '451c01573b6d4bf886c393132be12de0', createdAt: 1_666_285_606_000, enabled: true },
    dependsOn: [{ anyOf: [`https://${CERTIFICATES}`], role: 'holds' }],
    attributes: { keyType: 'RSA', keySize: 2048, operations: RSA_OPERATIONS, recoverableDays: 0 },
  });
  const ec = factsOf(await replay.look(keyStub(CERTIFICATES, 'cctestec', 'southcentralus')));
  expect(ec).toMatchObject({
    spec: 'EC_P-256',
    version: { id: '1fee0647838f46a58b928ebcae85e363' },
    attributes: { keyType: 'EC', curve: 'P-256', operations: 'sign,verify', recoveryLevel: 'Purgeable' },
  });
  expect(ec.attributes).not.toHaveProperty('keySize');
  expect(rsa).not.toHaveProperty('expiresAt');
  expect([verdictOf({ facts: rsa }), verdictOf({ facts: ec })]).toEqual(['accessible', 'accessible']);
  expect([findingsOf(rsa, now), findingsOf(ec, now)]).toEqual([[], []]);
  // Only who uses them demands something of them.
  const unprotected = ['media-services.purge-protection critical', 'media-services.soft-delete critical'];
  expect(userOf(rsa, now)).toEqual(unprotected);
  const unfit = ['media-services.key-operations critical', 'media-services.key-type critical'];
  expect(userOf(ec, now)).toEqual([...unfit, ...unprotected]);
}

async function listPage(replay: Replay): Promise<void> {
  nothingElse(replay, CERTIFICATES);
  const { listed, outcome } = await listAll(replay.keyVault);
  const keys = listed.filter(({ stub }) => stub.kind === 'azure-key');
  expect(keys.map(({ stub }) => stub)).toEqual(
    ['cctest1', 'cctest2', 'cctestec', 'cctestrsa'].map((name) => keyStub(CERTIFICATES, name, 'southcentralus')),
  );
  expect(new Set(keys.map(({ digest }) => digest)).size).toBe(4);
  expect(outcome).toMatchObject({ complete: true, exclusive: false });
  expect(outcome).not.toHaveProperty('failed');
  expect(outcome.covers?.(keyStub(CERTIFICATES, 'another', 'southcentralus'))).toBe(true);
  expectTokenOf(replay, 'b0257c14-cacc-44c6-8927-5b4ce5de0874');

  // What the page tells of a key is what a look at it tells: one that expired is told to have.
  const [first] = bodyOf<{ value: [{ attributes: object; managed: boolean }] }>('key-list-page', 1).value;
  const { key } = bodyOf<Bundle>('key-get-rsa-and-ec', 1);
  const kid = `https://${CERTIFICATES}/keys/cctest1/451c01573b6d4bf886c393132be12de0`;
  replay.beside('GET', CERTIFICATES, '/keys/cctest1', { body: { ...first, key: { ...key, kid } } });
  const facts = factsOf(await replay.look(keyStub(CERTIFICATES, 'cctest1', 'southcentralus')));
  expect(facts).toMatchObject({
    expiresAt: 1_697_821_612_000,
    attributes: { managed: true, notBefore: 1_666_285_012_000 },
  });
  expect(findingsOf(facts, 1_697_821_612_000)).toEqual(['key-vault.expired critical']);
  expect(findingsOf(facts, 1_666_285_000_000)).toEqual(['key-vault.not-yet-valid warning']);
}

async function rotationPolicy(replay: Replay): Promise<void> {
  const certificate = (host: string) => `${host.slice(0, 12)}-generated-certificate`;
  const [mine, other] = [ROTATING, NEVER_SET].map((host) => keyStub(host, certificate(host), 'centralus'));
  if (!mine || !other) throw new Error('no keys');
  nothingElse(replay, ROTATING, NEVER_SET);
  replay.beside('GET', NEVER_SET, '/keys', { body: { value: [], nextLink: null } });
  const { listed } = await listAll(replay.keyVault);
  expect(listed.map(({ stub }) => stub.resource)).toContain(mine.resource);
  expectTokenOf(replay, 'b0257c14-cacc-44c6-8927-5b4ce5de0874');

  // The versions were not recorded: one as young as the policy.
  const createdAt = 1_692_896_587;
  for (const { resource, name } of [mine, other]) {
    const version = { kid: `${resource}/${'1'.repeat(32)}`, attributes: { enabled: true, created: createdAt } };
    const { host } = new URL(resource);
    replay.beside('GET', host, `/keys/${name}/versions`, { body: { value: [version], nextLink: null } });
  }
  const enrich = async (stub: KeyStub, version: object) => {
    const facts = bare(stub, {
      version: { id: '1'.repeat(32), enabled: true, createdAt: createdAt * 1000, ...version },
    });
    return await replay.keyVault.enrich?.(facts, createdAt * 1000, plainContext);
  };
  const rotating = await enrich(mine, {});
  expect(rotating).toMatchObject({ rotationEnabled: true, attributes: { rotateBeforeExpiry: 'P30D' } });
  // It rotates before the expiry, and this version has none.
  expect(rotating).not.toHaveProperty('nextRotationAt');
  const expiresAt = createdAt * 1000 + 90 * 86_400_000;
  expect(await enrich(mine, { expiresAt })).toMatchObject({ nextRotationAt: expiresAt - 30 * 86_400_000 });
  const never = await enrich(other, { expiresAt });
  expect(never).toMatchObject({ rotationEnabled: false });
  expect(never?.attributes).toEqual({});
}

async function versions(replay: Replay): Promise<void> {
  const stub = keyStub(VAULT, 'recoverKeyName-cangettheversionsofakeypaged-', 'westus');
  replay.beside('GET', VAULT, `/keys/${stub.name}/rotationpolicy`, keyNotFound());
  const facts = await replay.keyVault.enrich?.(bare(stub), 0, plainContext);
  expect(facts).toMatchObject({
    createdAt: 1_588_015_297_000,
    versions: [{ id: '2a97f021fd224cc7b43f02312bbe2e55', createdAt: 1_588_015_297_000, enabled: true }],
    rotationEnabled: false,
  });
  expect(facts).not.toHaveProperty('lastRotatedAt');
  replay.beside('GET', VAULT, `/keys/${stub.name}`, keyNotFound());
  expect(verdictOf(await replay.look(stub, facts))).toBe('inaccessible: not_found');
}

async function noVersions(replay: Replay): Promise<void> {
  const stub = keyStub(VAULT, 'recoverKeyName-list0versionsofanon-existingkey-', 'westus');
  const { keyVault: session, clients } = replay;
  replay.beside('GET', VAULT, `/keys/${stub.name}/rotationpolicy`, keyNotFound());
  const thrown: unknown = await session.enrich?.(bare(stub), 0, plainContext).then(
    () => undefined,
    (error: unknown) => error,
  );
  const failure = clients.connection.classify(thrown, 'ListKeyVersions');
  expect(failure).toMatchObject({
    reason: 'bad_response',
    evidence: { message: 'a key that is there has no versions' },
  });
  expect(verdictOf({ failure })).toBe('unknown: bad_response');
  expectTokenOf(replay, SOME_TENANT);
}

async function portInLink(replay: Replay): Promise<void> {
  const host = 'myvault.vault.azure.net';
  const versionsOf = '/keys/listkeyversionstest/versions';
  const { request, response } = exchangeOf('key-versions-published-page', 0);
  const { nextLink } = response.body as { nextLink: string };
  // It is a page from the middle: the first one leads to it, and it leads to the last one.
  const only = new RegExp(`^${versionsOf}\\?api-version=[^&]*$`);
  replay.beside('GET', host, only, { body: { value: [], nextLink: `https://${host}:443${request.path}` } });
  const token = new URL(nextLink).searchParams.get('$skiptoken') ?? '';
  replay.beside('GET', host, new RegExp(quoted(token)), { body: { value: [], nextLink: null } });
  replay.beside('GET', host, '/keys/listkeyversionstest/rotationpolicy', keyNotFound());
  const stub = keyStub(host, 'listkeyversionstest', 'westus');
  const facts = await replay.keyVault.enrich?.(bare(stub), 0, plainContext);
  expect(facts?.versions).toEqual([
    { id: '7c9dc6775d0e4177827c4f98f482fc12', createdAt: 1_493_937_851_000, enabled: true },
  ]);
  expect(replay.wire.asked('GET', host, /\/versions$/)).toHaveLength(3);
  expect(replay.wire.tunnels).toContain(`${host}:443`);
}

async function disabledInList(replay: Replay): Promise<void> {
  const host = 'c7ntestvault.vault.azure.net';
  const recorded = 'vault-rbac-and-disabled-key-in-list';
  const stub = keyStub(host, 'test', 'eastus');
  nothingElse(replay, host);
  replay.beside('GET', ARM, /skiptoken=dGVzdHx0ZXN0LWt2/, NOTHING);
  const { listed } = await listAll(replay.keyVault);
  const key = listed.find((one) => one.stub.kind === 'azure-key');
  expect(key?.stub).toEqual(stub);
  expect(listed.map((one) => one.stub)).toContainEqual(vaultStub('c7ntestvault', 'eastus'));

  // A disabled key is read with its whole bundle (azure.md 0a.2): what the list told of it, with the recorded key.
  const [item] = bodyOf<{ value: [{ attributes: object }] }>(recorded, 1).value;
  const enabled = bodyOf<Bundle>(recorded, 3);
  let isDisabled = true;
  const told = { body: { ...enabled, attributes: item.attributes } };
  replay.beside('GET', host, '/keys/test', () => (isDisabled ? told : undefined));
  const disabled = await replay.look(stub);
  expect(verdictOf(disabled)).toBe('inaccessible: disabled');
  expect(factsOf(disabled)).toMatchObject({
    state: 'Disabled',
    changedAt: 1_740_184_907_000,
    version: { id: '6e7d3511379e447f816d5d2994c32c93', enabled: false },
    attributes: { hsmPlatform: '0', recoveryLevel: 'Recoverable+Purgeable', recoverableDays: 90 },
  });
  expect(keyVault.keys?.remedy('disabled', factsOf(disabled))).toContain('--enabled true');

  isDisabled = false;
  const patched = await replay.call('UpdateKey', (options) =>
    replay.clients.keys(host).updateKeyProperties('test', { enabled: true, ...options }),
  );
  expect(patched.properties.enabled).toBe(true);
  const again = await replay.look(stub, factsOf(disabled));
  expect(verdictOf(again)).toBe('accessible');
  expect(factsOf(again)).toMatchObject({ state: 'Enabled', changedAt: 1_740_184_923_000, spec: 'RSA_2048' });
}

export const keyStories: Readonly<Record<string, Story>> = {
  'arm-key-published': {
    says: 'a key that Resource Manager shows while its vault refuses the monitor is one that the monitor is blind for',
    run: publishedArmKey,
  },
  'key-deleted-then-visible': {
    says: 'a deleted key is not found, never purged, and soft-deleted with its purge date as soon as that shows',
    run: deletedThenVisible,
  },
  'key-get-rsa-and-ec': { says: 'an RSA and an EC key tell type, size and what a user of them breaks', run: rsaAndEc },
  'key-list-page': {
    says: 'a page of keys is four keys, the region that of their vault',
    with: ['vault-list-arm'],
    run: listPage,
  },
  'key-rotation-policy': {
    says: 'a policy that rotates is told from one that was never set',
    with: ['vault-list-empty-pages'],
    run: rotationPolicy,
  },
  'key-versions-list': { says: 'versions are told, and a key that is in neither list is not found', run: versions },
  'key-versions-of-missing-key': { says: 'an empty list of versions is no healthy key', run: noVersions },
  'key-versions-published-page': { says: 'a link that names the port is followed', run: portInLink },
  'vault-rbac-and-disabled-key-in-list': {
    says: 'a disabled key in the list is disabled, and accessible once it was enabled',
    run: disabledInList,
  },
};
