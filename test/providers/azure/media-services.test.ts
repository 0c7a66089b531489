import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerFacts, ConsumerStub, Stub } from '../../../src/core/model.ts';
import { classify } from '../../../src/providers/azure/classify.ts';
import { mediaServices } from '../../../src/providers/azure/media-services/index.ts';
import type { Connection, Listed, ServiceSession } from '../../../src/providers/provider.ts';
import { ARM, type AzureWire, armError, openSession, SUBSCRIPTION, startAzureWire } from '../../fixtures/azure-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/clitest.rg000001`;
const ID = `${GROUP}/providers/Microsoft.Media/mediaservices/ams000004`;
const STORE = `${GROUP}/providers/Microsoft.Storage/storageAccounts/clitest000002`;
const LIST = /\/providers\/Microsoft\.Media\/mediaservices\?/;
const GET = /\/Microsoft\.Media\/mediaservices\/ams000004\?/;
const KEY = 'https://clitest000003.vault.azure.net/keys/ams000005';
const V1 = '1a4894f3471543e28e26581a3205fb10';
const PRINCIPAL = '6aa99f7f-69a1-45c6-8a01-41e83c52c447';

/** The account of the recorded exchange (azure-cli, 2023), after it was given a key of its owner. */
const recorded = {
  name: 'ams000004',
  id: ID,
  type: 'Microsoft.Media/mediaservices',
  location: 'Central US',
  properties: {
    mediaServiceId: '0ab7515c-a95a-4c31-bfdd-38f01cd7d1ed',
    storageAccounts: [{ id: STORE, type: 'Primary' }],
    storageAuthentication: 'System',
    encryption: {
      type: 'CustomerKey',
      keyVaultProperties: { keyIdentifier: `${KEY}/${V1}`, currentKeyIdentifier: `${KEY}/${V1}` },
      identity: { useSystemAssignedIdentity: true },
    },
    keyDelivery: { accessControl: { defaultAction: 'Allow', ipAllowList: [] } },
    publicNetworkAccess: 'Enabled',
  },
  systemData: { createdBy: 'someone@example.com', createdByType: 'User', createdAt: '2023-11-07T02:21:19.2855979Z' },
  identity: { type: 'SystemAssigned', principalId: PRINCIPAL, tenantId: '54826b22-38d6-4fb2-bad9-b7b93a3e9c5a' },
};
type Encryption = Record<string, unknown>;
const encrypted = (encryption: Encryption | undefined, more: object = {}) => ({
  ...recorded,
  ...more,
  properties: { ...recorded.properties, encryption },
});
const stub: ConsumerStub = {
  resource: ID,
  kind: 'media-services-account',
  name: 'ams000004',
  provider: 'azure',
  account: SUBSCRIPTION,
  location: 'centralus',
};

let wire: AzureWire;
let connection: Connection;
let session: ServiceSession;
beforeEach(async () => {
  wire = await startAzureWire();
  ({ connection, session } = await openSession(wire, 'media-services'));
});
afterEach(async () => {
  await connection[Symbol.asyncDispose]();
  await wire[Symbol.asyncDispose]();
});

async function describeAs(body: unknown, of: Stub = stub, at = session): Promise<ConsumerFacts> {
  wire.on('GET', ARM, GET, { body });
  const look = await at.describe(of, undefined, plainContext);
  if (!('consumer' in look)) throw new Error('no account');
  return look.consumer;
}

async function digestAs(body: unknown, at = session): Promise<string> {
  wire.on('GET', ARM, LIST, { body: { value: [body] } });
  return (await listAll(at)).listed[0]!.digest;
}

describe('an account', () => {
  it('as Azure really answered is a consumer of its key and of its storage', async () => {
    wire.on('GET', ARM, GET, { body: recorded });
    const look = await session.describe(stub, undefined, plainContext);
    expect(look).toEqual({
      evidence: { operation: 'mediaservices.get', status: 200, requestId: 'request-1', attempts: 1 },
      consumer: {
        ...stub,
        tags: {},
        createdAt: Date.parse('2023-11-07T02:21:19.285Z'),
        uses: [
          { resource: KEY, versionInUse: V1, pinned: true, role: 'encrypts' },
          { resource: STORE, role: 'stores' },
        ],
        attributes: {
          encryption: 'CustomerKey',
          keyIdentifier: `${KEY}/${V1}`,
          currentKeyIdentifier: `${KEY}/${V1}`,
          identity: 'system',
          principal: PRINCIPAL,
          publicNetworkAccess: 'Enabled',
          mediaServiceId: '0ab7515c-a95a-4c31-bfdd-38f01cd7d1ed',
        },
      },
    });
    expect(wire.asked('GET', ARM, GET)[0]?.path).toBe(ID);
  });

  it('with a key of Microsoft uses nothing but its storage', async () => {
    const facts = await describeAs(encrypted({ type: 'SystemKey' }));
    expect(facts.attributes).toEqual({
      encryption: 'SystemKey',
      publicNetworkAccess: 'Enabled',
      mediaServiceId: '0ab7515c-a95a-4c31-bfdd-38f01cd7d1ed',
    });
    expect(facts.uses).toEqual([{ resource: STORE, role: 'stores' }]);
  });

  it.each([
    ['is missing', undefined],
    ['has a type that nobody knows', { type: 'PlatformKey' }],
  ])('whose encryption %s has no key that is known, and no key of Microsoft', async (_, encryption) => {
    const facts = await describeAs(encrypted(encryption));
    expect(facts.attributes.encryption).toBeUndefined();
    expect(facts.uses).toEqual([{ resource: STORE, role: 'stores' }]);
    expect(
      mediaServices.consumers?.judge(facts, () => undefined, 0, { expiryWarningMs: 0, rules: {} } as never),
    ).toMatchObject({
      findings: [{ id: 'media-services.key-unknown' }],
    });
  });

  it('as published follows its key, by an identity that is not in its map and in spite of another name', async () => {
    const id = (group: string, name: string) =>
      `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
    const published = (map: string) =>
      encrypted(
        {
          type: 'CustomerKey',
          keyVaultProperties: {
            keyIdentifier: 'https://keyvault.vault.azure.net/keys/key1',
            currentKeyIdentifier: 'https://keyvault.vault.azure.net/keys/key1/ver1',
          },
          identity: { userAssignedIdentity: id('contoso', 'id1'), useSystemAssignedIdentity: false },
        },
        {
          name: 'contososports',
          location: 'South Central US',
          tags: { key1: 'value1' },
          identity: { type: 'UserAssigned', userAssignedIdentities: { [map]: { principalId: 'p1', clientId: 'c1' } } },
        },
      );
    const facts = await describeAs(published(id('rg', 'id1')));
    expect(facts).toMatchObject({ name: 'ams000004', location: 'southcentralus', tags: { key1: 'value1' } });
    expect(facts.uses[0]).toEqual({
      resource: 'https://keyvault.vault.azure.net/keys/key1',
      versionInUse: 'ver1',
      pinned: false,
      role: 'encrypts',
    });
    expect(facts.attributes.identity).toBe(id('contoso', 'id1'));
    expect(facts.attributes.principal).toBeUndefined();
    // Ids of Resource Manager are compared without case.
    const known = await describeAs(published(id('CONTOSO', 'Id1')));
    expect(known.attributes.principal).toBe('p1');
  });

  it('from before user assigned identities has only the one of its own', async () => {
    const { identity: _, ...old } = recorded.properties.encryption;
    expect((await describeAs(encrypted(old))).attributes).toMatchObject({ identity: 'system', principal: PRINCIPAL });
    const bare = await describeAs(encrypted(old, { identity: { type: 'None' } }));
    expect(bare.attributes.identity).toBeUndefined();
    expect(bare.attributes.principal).toBeUndefined();
  });

  it.each([
    [
      'an upper-case host, the default port and a trailing slash',
      'https://CliTest000003.vault.azure.net:443/keys/AMS000005/',
      KEY,
    ],
    ['another port', 'https://localhost:8443/keys/x', 'https://localhost:8443/keys/x'],
  ])('with a key identifier that has %s uses that key', async (_, keyIdentifier, resource) => {
    const facts = await describeAs(encrypted({ type: 'CustomerKey', keyVaultProperties: { keyIdentifier } }));
    expect(facts.uses[0]).toEqual({ resource, pinned: false, role: 'encrypts' });
    expect(facts.attributes.keyIdentifier).toBe(keyIdentifier);
  });

  it.each(['http://contoso.vault.azure.net/keys/k', 'https://contoso.vault.azure.net/secrets/k', 'nonsense', ''])(
    'with %j for a key identifier uses no key that is known',
    async (keyIdentifier) => {
      const facts = await describeAs(encrypted({ type: 'CustomerKey', keyVaultProperties: { keyIdentifier } }));
      expect(facts.uses).toEqual([{ resource: STORE, role: 'stores' }]);
    },
  );

  it('that has not adopted its new key yet needs both', async () => {
    const other = 'https://old.vault.azure.net/keys/old';
    const facts = await describeAs(
      encrypted({
        type: 'CustomerKey',
        keyVaultProperties: { keyIdentifier: KEY, currentKeyIdentifier: `${other}/v9` },
      }),
    );
    expect(facts.uses.slice(0, 2)).toEqual([
      { resource: other, versionInUse: 'v9', role: 'encrypts' },
      { resource: KEY, pinned: false, role: 'encrypts' },
    ]);
  });

  it.each([
    ['Customer Key Inaccessible', true],
    ['AccessDenied', true],
    ['Mapped', false],
  ])('with status %j says so verbatim, and whether that is trouble', async (status, trouble) => {
    const facts = await describeAs(encrypted({ ...recorded.properties.encryption, status }));
    expect(facts.state).toBe(status);
    expect(facts.attributes.statusInaccessible).toBe(trouble);
  });

  it('is judged by the pattern that is configured', async () => {
    const opened = await openSession(wire, 'media-services', { inaccessibleStatus: '^kaputt$' });
    const kaputt = encrypted({ ...recorded.properties.encryption, status: 'KAPUTT' });
    expect((await describeAs(kaputt, stub, opened.session)).attributes.statusInaccessible).toBe(true);
    expect(await digestAs(kaputt, opened.session)).not.toBe(await digestAs(kaputt));
    await opened.connection[Symbol.asyncDispose]();
  });

  it('of a successor of Media Services is understood by its fields', async () => {
    const successor = encrypted(recorded.properties.encryption, { type: 'Microsoft.Media/mediaAccounts' });
    expect((await describeAs(successor)).uses[0]?.resource).toBe(KEY);
  });

  it('that is not the one asked for, or none at all, is a bad answer', async () => {
    for (const id of [`${ID}2`, 'nonsense', undefined]) {
      const failure = await describeAs({ ...recorded, id }).catch((error: unknown) =>
        classify(error, 'mediaservices.get'),
      );
      expect(failure).toMatchObject({ reason: 'bad_response' });
    }
  });

  it('is the same in whatever case its id is answered', async () => {
    expect((await describeAs({ ...recorded, id: ID.toLowerCase() })).resource).toBe(ID);
  });

  it('that is gone is not found', async () => {
    wire.on('GET', ARM, GET, armError(404, 'ResourceNotFound', 'The Resource was not found.'));
    const look = session.describe(stub, undefined, plainContext);
    await expect(look.catch((error: unknown) => classify(error, 'x').reason)).resolves.toBe('not_found');
  });
});

describe('the listing', () => {
  it('goes on over empty pages, and ends where there is no link', async () => {
    const link = (token: string) =>
      `https://${ARM}:443/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Media/mediaservices?$skiptoken=${token}`;
    wire.on('GET', ARM, LIST, { body: { value: [], '@odata.nextLink': link('a') } });
    wire.on('GET', ARM, /skiptoken=a/, { body: { value: [recorded], '@odata.nextLink': link('b') } });
    wire.on('GET', ARM, /skiptoken=b/, { body: { value: [], '@odata.nextLink': link('c') } });
    wire.on('GET', ARM, /skiptoken=c/, { body: { value: [{ ...recorded, id: `${ID}2` }] } });
    const { listed, outcome } = await listAll(session);
    expect(listed.map((item: Listed) => item.stub)).toEqual([
      stub,
      { ...stub, resource: `${ID}2`, name: 'ams0000042' },
    ]);
    expect(outcome).toEqual({ complete: true, exclusive: false });
    expect(session.watches(listed[0]!.stub)).toBe(true);
    expect(session.watches({ ...stub, account: 'other' })).toBe(false);
  });

  it.each([
    ['leads to another host', { value: [], '@odata.nextLink': 'https://evil.example/x' }],
    ['tells of another subscription', { value: [{ ...recorded, id: ID.replace(SUBSCRIPTION, 'another') }] }],
    ['tells of something without an id', { value: [{ ...recorded, id: undefined }] }],
  ])('that %s proves nothing', async (_, body) => {
    wire.on('GET', ARM, LIST, { body });
    const failure = await listAll(session).catch((error: unknown) =>
      classify(error, 'mediaservices.listBySubscription'),
    );
    expect(failure).toMatchObject({ reason: 'bad_response' });
  });

  it('changes its digest with what decides, and with nothing else', async () => {
    const before = await digestAs(recorded);
    expect(await digestAs({ ...recorded, systemData: { ...recorded.systemData, lastModifiedBy: 'x' } })).toBe(before);
    expect(await digestAs(structuredClone(recorded))).toBe(before);
    const { encryption } = recorded.properties;
    const decisive = [
      encrypted({ ...encryption, status: 'x' }),
      encrypted({ ...encryption, type: 'SystemKey' }),
      encrypted({
        ...encryption,
        keyVaultProperties: { ...encryption.keyVaultProperties, currentKeyIdentifier: `${KEY}/v2` },
      }),
      { ...recorded, identity: { ...recorded.identity, principalId: 'p2' } },
      { ...recorded, tags: { team: 'a' } },
      { ...recorded, location: 'West US' },
    ];
    const digests = [before];
    for (const body of decisive) digests.push(await digestAs(body));
    expect(new Set(digests).size).toBe(decisive.length + 1);
  });

  it('takes no item for unchanged that leaves out its encryption', async () => {
    const silent = encrypted(undefined);
    expect(await digestAs(silent)).not.toBe(await digestAs(silent));
  });

  it.each([
    [404, 'InvalidResourceNamespace'],
    [409, 'DisallowedProvider'],
    [400, 'NoRegisteredProviderFound'],
    [409, 'MissingSubscriptionRegistration'],
    [404, 'InvalidResourceType'],
  ])('answered %i %s says that Microsoft retired the service', async (status, code) => {
    wire.on('GET', ARM, LIST, armError(status, code, "The resource namespace 'Microsoft.Media' is invalid."));
    const failure = await listAll(session).catch((error: unknown) => connection.classify(error, 'x'));
    expect(failure).toMatchObject({
      reason: 'provider_retired',
      evidence: { operation: 'mediaservices.listBySubscription' },
    });
    expect(wire.asked('GET', ARM, LIST)).toHaveLength(1);
  });
});

describe('the declaration', () => {
  it('refuses a pattern that is none', () => {
    const parsed = mediaServices.config.safeParse({ inaccessibleStatus: '(' });
    expect(parsed.error?.issues).toMatchObject([
      { path: ['inaccessibleStatus'], message: expect.stringContaining('regular') },
    ]);
    expect(mediaServices.config.parse({})).toMatchObject({
      inaccessibleStatus: expect.stringContaining('inaccessible'),
    });
  });
});
