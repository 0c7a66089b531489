/** Vaults on the wire as their two planes tell of them, by what was recorded of real ones (azure.md 0a). */
import { afterEach, beforeEach, expect } from 'vitest';
import type { KeyFacts, KeyStub } from '../../../src/core/model.ts';
import { keyVault } from '../../../src/providers/azure/key-vault/index.ts';
import type {
  Connection,
  Described,
  ListContext,
  ServiceSession,
  Undescribed,
} from '../../../src/providers/provider.ts';
import {
  type Answer,
  ARM,
  type AzureWire,
  armError,
  NOWHERE,
  openSession,
  SUBSCRIPTION,
  startAzureWire,
  TENANT,
  VAULT,
  vaultError,
} from '../../fixtures/azure-wire.ts';
import { type contextWith, listAll, plainContext } from '../../fixtures/context.ts';

export const SECONDS = 1_700_000_000;
export const AT = SECONDS * 1000;
export const V1 = '11111111111111111111111111111111';
export const V2 = '22222222222222222222222222222222';
export const BASE = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.KeyVault`;
export const URL_OF_VAULT = `https://${VAULT}`;
export const CMK = `${URL_OF_VAULT}/keys/cmk`;
export const ARM_ID = armId('contoso');

export function armId(name: string, type = 'vaults'): string {
  return `/subscriptions/${SUBSCRIPTION}/resourceGroups/media/providers/Microsoft.KeyVault/${type}/${name}`;
}

/** A vault as Resource Manager tells of it. */
export function armVault(name = 'contoso', properties: object = {}, more: object = {}): object {
  return {
    id: armId(name),
    name,
    type: 'Microsoft.KeyVault/vaults',
    location: 'West Europe',
    tags: { team: 'video' },
    systemData: { createdAt: '2023-11-07T02:20:40.394Z', lastModifiedAt: '2023-11-07T02:20:40.394Z' },
    properties: {
      sku: { family: 'A', name: 'Premium' },
      tenantId: TENANT,
      accessPolicies: [],
      enableSoftDelete: true,
      softDeleteRetentionInDays: 90,
      enablePurgeProtection: true,
      enableRbacAuthorization: false,
      vaultUri: `https://${name}.vault.azure.net/`,
      provisioningState: 'Succeeded',
      publicNetworkAccess: 'Enabled',
      ...properties,
    },
    ...more,
  };
}

export function armHsm(name: string, properties: object = {}): object {
  return {
    id: armId(name, 'managedHSMs'),
    name,
    location: 'westus',
    sku: { family: 'B', name: 'Standard_B1' },
    properties: {
      tenantId: TENANT,
      hsmUri: `https://${name}.managedhsm.azure.net/`,
      enableSoftDelete: true,
      softDeleteRetentionInDays: 7,
      enablePurgeProtection: false,
      provisioningState: 'Succeeded',
      ...properties,
    },
  };
}

export function armDeleted(name = 'contoso', more: object = {}): object {
  return {
    id: `${BASE}/locations/westeurope/deletedVaults/${name}`,
    name,
    properties: {
      vaultId: armId(name),
      location: 'westeurope',
      tags: {},
      deletionDate: '2022-04-07T07:21:39Z',
      scheduledPurgeDate: '2022-07-06T07:21:39Z',
      ...more,
    },
  };
}

const lived = { enabled: true, created: SECONDS, updated: SECONDS, recoveryLevel: 'Recoverable', recoverableDays: 90 };

/** A list item: no version, no type. */
export function item(name: string, attributes: object = {}, more: object = {}, host = VAULT): object {
  return { kid: `https://${host}/keys/${name}`, attributes: { ...lived, ...attributes }, tags: {}, ...more };
}

export function bundle(name = 'cmk', attributes: object = {}, key: object = {}, host = VAULT, version = V1): object {
  return {
    key: {
      kid: `https://${host}/keys/${name}/${version}`,
      kty: 'RSA',
      key_ops: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
      n: Buffer.alloc(256, 0xaa).toString('base64url'),
      e: 'AQAB',
      ...key,
    },
    attributes: { ...lived, exportable: false, hsmPlatform: '0', ...attributes },
    tags: { owner: 'drm' },
  };
}

export function deletedBundle(name = 'cmk', attributes: object = {}, host = VAULT): object {
  return {
    ...bundle(name, attributes, {}, host),
    recoveryId: `https://${host}/deletedkeys/${name}`,
    deletedDate: SECONDS + 100,
    scheduledPurgeDate: SECONDS + 100 + 90 * 86_400,
  };
}

export function armKey(name = 'cmk', attributes: object = {}): Answer {
  return {
    body: {
      id: `${ARM_ID}/keys/${name}`,
      name,
      location: 'westeurope',
      properties: {
        attributes: { enabled: true, created: SECONDS, updated: SECONDS, recoveryLevel: 'Recoverable', ...attributes },
        kty: 'RSA',
        keyOps: ['wrapKey', 'unwrapKey'],
        keySize: 2048,
        keyUri: `https://${VAULT}:443/keys/${name}`,
        keyUriWithVersion: `https://${VAULT}:443/keys/${name}/${V1}`,
      },
    },
  };
}

export function page(value: readonly unknown[], nextLink?: string): Answer {
  return { body: { value, nextLink: nextLink ?? null }, headers: { 'x-ms-keyvault-region': 'westeurope' } };
}

export const keyNotFound = (name = 'cmk') =>
  vaultError(404, 'KeyNotFound', undefined, `A key with (name/id) ${name} was not found in this key vault.`);
export const deletedNotFound = (name = 'cmk') =>
  vaultError(404, 'KeyNotFound', undefined, `Deleted Key not found: ${name}`);
export const byRbac = () =>
  vaultError(403, 'Forbidden', 'ForbiddenByRbac', 'Caller is not authorized to perform action on resource.');
export const byPolicy = () =>
  vaultError(403, 'Forbidden', 'AccessDenied', 'The user does not have keys get permission on key vault');
export const byFirewall = () =>
  vaultError(403, 'Forbidden', 'ForbiddenByFirewall', 'Client address is not authorized.');
export const armMissing = () => armError(404, 'ResourceNotFound', 'The Resource was not found.');
export const armRefused = () => armError(403, 'AuthorizationFailed', 'The client does not have authorization.');

/** What a missing RegExp special may stand for in a path. */
const quoted = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
export const ofArm = (path: string) => new RegExp(`^${quoted(path)}\\?`, 'i');
export const ofVault = (path: string) => new RegExp(`^${quoted(path)}/?\\?`);

export const keyStub = (name = 'cmk', host = VAULT): KeyStub => ({
  resource: `https://${host}/keys/${name.toLowerCase()}`,
  kind: 'azure-key',
  name,
  provider: 'azure',
  account: SUBSCRIPTION,
  location: 'westeurope',
});
export const vaultStub = (host = VAULT, location = 'westeurope'): KeyStub => ({
  resource: `https://${host}`,
  kind: 'azure-vault',
  name: host.split('.')[0] ?? '',
  provider: 'azure',
  account: SUBSCRIPTION,
  location,
});

export interface Bench {
  wire: AzureWire;
  session: ServiceSession;
  /** Operations that went through the context. */
  readonly called: string[];
  /** Opens another session, as after a restart or with another configuration. */
  reopen(config?: object): Promise<void>;
  list(more?: Partial<ListContext>): ReturnType<typeof listAll>;
  look(stub: KeyStub, known?: KeyFacts): Promise<Described | Undescribed>;
  /** The failure of a look, thrown or told. */
  failure(stub: KeyStub, known?: KeyFacts): Promise<Undescribed['failure']>;
  /** The verdict of a look, by the service's own table. */
  verdict(stub: KeyStub, known?: KeyFacts): Promise<string>;
}

/** A wire with one vault `contoso` that has one key `cmk`, for each test of a file. */
export function bench(): Bench {
  const connections: Connection[] = [];
  const called: string[] = [];
  const counted: ReturnType<typeof contextWith> = {
    call(operation, run) {
      called.push(operation);
      expect(keyVault.apis, operation).toHaveProperty([operation]);
      return plainContext.call(operation, run);
    },
    key: plainContext.key,
  };
  const self = {
    called,
    async reopen(config: object = {}) {
      const opened = await openSession(self.wire, 'key-vault', config);
      connections.push(opened.connection);
      self.session = opened.session;
      called.length = 0;
    },
    list: (more: Partial<ListContext> = {}) => listAll(self.session, { ...counted, ...more }),
    async look(stub: KeyStub, known?: KeyFacts) {
      const looked = await self.session.describe(stub, known, counted);
      if (!('facts' in looked) && !('failure' in looked)) throw new Error('neither facts nor a failure');
      return looked;
    },
    async failure(stub: KeyStub, known?: KeyFacts) {
      try {
        const looked = await self.look(stub, known);
        if ('failure' in looked) return looked.failure;
      } catch (error) {
        return (connections.at(-1) as Connection).classify(error, 'describe');
      }
      throw new Error('facts, where a failure was expected');
    },
    async verdict(stub: KeyStub, known?: KeyFacts) {
      const looked = await self.look(stub, known).catch((error: unknown) => ({
        failure: (connections.at(-1) as Connection).classify(error, 'describe'),
      }));
      const verdict = keyVault.keys?.verdict('facts' in looked ? looked : { failure: looked.failure });
      if (!verdict) throw new Error('no verdict');
      return verdict.status === 'accessible' ? verdict.status : `${verdict.status}: ${verdict.reason}`;
    },
  } as Bench;

  beforeEach(async () => {
    self.wire = await startAzureWire();
    const { wire } = self;
    wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([armVault()]));
    wire.on('GET', ARM, ofArm(`${BASE}/managedHSMs`), page([]));
    wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([]));
    wire.on('GET', ARM, ofArm(`${BASE}/deletedManagedHSMs`), page([]));
    wire.on('GET', ARM, ofArm(ARM_ID), { body: armVault() });
    wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), armKey());
    wire.on('GET', VAULT, ofVault('/keys'), page([item('cmk')]));
    wire.on('GET', VAULT, ofVault('/deletedkeys'), page([]));
    wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle() });
    await self.reopen();
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection[Symbol.asyncDispose]();
    await self.wire[Symbol.asyncDispose]();
  });
  return self;
}

/** Lets Resource Manager show a vault whose name does not resolve, and looks for it in the list of a session. */
export function unresolvable(wire: AzureWire): void {
  const vault = armVault('nowhere');
  wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([vault]));
  wire.on('GET', ARM, ofArm(armId('nowhere')), { body: vault });
}
export { NOWHERE };
