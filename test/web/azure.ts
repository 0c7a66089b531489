/** An Azure subscription in trouble, made by hand. */
import type { ConsumerView, KeyView, Snapshot } from '../../src/core/snapshot.ts';
import { consumerView, DAY, HOUR, keyView, MINUTE, NOW, snapshotOf, source } from './world.ts';

const SUBSCRIPTION = '00000000-1111-2222-3333-444444444444';
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/Media`;

export const VAULT = 'https://contoso.vault.azure.net';
export const CMK = `${VAULT}/keys/cmk`;
export const GONE_VAULT = 'https://fabrikam.vault.azure.net';
export const GONE_KEY = `${GONE_VAULT}/keys/cmk`;
export const DARK_VAULT = 'https://dark.vault.azure.net';
export const DARK_KEY = `${DARK_VAULT}/keys/shade`;
export const NEXT = `${VAULT}/keys/next`;
export const STREAMING = `${GROUP}/providers/Microsoft.Media/mediaservices/streaming`;
export const ARCHIVE = `${GROUP}/providers/Microsoft.Media/mediaservices/archive`;
export const REVOKED = `${GROUP}/providers/Microsoft.Media/mediaservices/revoked`;
export const STORAGE = `${GROUP}/providers/Microsoft.Storage/storageAccounts/assets`;
/** What an inaccessible account means, word for word. */
export const MEANING =
  'The account key no longer unwraps: encoding, streaming, key delivery, JobInputHttp URLs and symmetric token validation keys stop. Only GET, LIST and DELETE of the account work. Restore access to the key; do not delete the account in panic.';

export const OLD_VERSION = 'a'.repeat(32);
export const NEW_VERSION = 'b'.repeat(32);

export function azureKey(fields: Partial<KeyView> & Pick<KeyView, 'resource'>): KeyView {
  return keyView({
    kind: 'azure-key',
    provider: 'azure',
    account: SUBSCRIPTION,
    location: 'westeurope',
    targets: ['media-azure'],
    evidence: { operation: 'GetKey', status: 200 },
    ...fields,
  });
}

export function account(fields: Partial<ConsumerView> & Pick<ConsumerView, 'resource'>): ConsumerView {
  return consumerView({
    kind: 'media-services-account',
    provider: 'azure',
    account: SUBSCRIPTION,
    location: 'westeurope',
    targets: ['media-azure'],
    tags: { team: 'playout' },
    evidence: { operation: 'Mediaservices_Get', status: 200, requestId: '5c1f' },
    ...fields,
  });
}

/**
 * A deleted key that takes an account down, a deleted vault with its key, a vault that cannot be seen with its key, an
 * account that lags behind, one whose grant is gone, and a service that the cloud has retired.
 */
export function azureSnapshot(): Snapshot {
  const lostAt = NOW - 30 * MINUTE;
  const keys = [
    azureKey({ resource: VAULT, kind: 'azure-vault', name: 'contoso', consumers: 4 }),
    azureKey({
      resource: CMK,
      state: 'SoftDeleted',
      spec: 'RSA_2048',
      health: 'inaccessible',
      reason: 'soft_deleted',
      since: lostAt,
      own: { status: 'inaccessible', reason: 'soft_deleted', since: lostAt },
      deletionAt: NOW + 89 * DAY,
      recoverableUntil: NOW + 89 * DAY,
      undo: 'az keyvault key recover --vault-name contoso --name cmk',
      version: OLD_VERSION,
      consumers: 1,
      dependsOn: [VAULT],
    }),
    azureKey({
      resource: NEXT,
      version: NEW_VERSION,
      versionCreatedAt: NOW - 20 * MINUTE,
      consumers: 1,
      dependsOn: [VAULT],
      attributes: { keyType: 'RSA', notBefore: NOW - DAY },
      versions: [
        { id: NEW_VERSION, createdAt: NOW - 20 * MINUTE, enabled: true },
        { id: OLD_VERSION, createdAt: NOW - 90 * DAY, enabled: false, expiresAt: NOW + DAY },
      ],
    }),
    azureKey({
      resource: GONE_VAULT,
      kind: 'azure-vault',
      name: 'fabrikam',
      health: 'inaccessible',
      reason: 'soft_deleted',
      since: lostAt,
      own: { status: 'inaccessible', reason: 'soft_deleted', since: lostAt },
      recoverableUntil: NOW + 6 * DAY + HOUR,
      undo: 'az keyvault recover --name fabrikam',
      consumers: 1,
    }),
    azureKey({
      resource: GONE_KEY,
      health: 'inaccessible',
      reason: 'dependency',
      since: lostAt,
      rootCauses: [GONE_VAULT],
      dependsOn: [GONE_VAULT],
    }),
    azureKey({
      resource: DARK_VAULT,
      kind: 'azure-vault',
      name: 'dark',
      blindSince: NOW - HOUR,
      blindReason: 'denied',
      consumers: 1,
    }),
    azureKey({
      resource: DARK_KEY,
      blindSince: NOW - HOUR,
      blindReason: 'denied',
      blindRoots: [DARK_VAULT],
      dependsOn: [DARK_VAULT],
    }),
  ];
  return snapshotOf({
    keys,
    consumers: [
      account({
        resource: STREAMING,
        health: 'impaired',
        reason: 'key_inaccessible',
        since: lostAt,
        rootCauses: [CMK],
        state: 'CustomerKeyInaccessible',
        uses: [
          { resource: CMK, key: CMK, versionInUse: OLD_VERSION, pinned: true, role: 'encrypts' },
          { resource: STORAGE, role: 'stores' },
        ],
        attributes: { encryption: 'CustomerKey', keyIdentifier: `${CMK}/${OLD_VERSION}` },
      }),
      account({
        resource: ARCHIVE,
        health: 'at_risk',
        since: NOW - 5 * MINUTE,
        uses: [
          {
            resource: NEXT,
            key: NEXT,
            versionInUse: OLD_VERSION,
            pinned: false,
            outdatedSince: NOW - 20 * MINUTE,
            role: 'encrypts',
          },
        ],
        findings: [
          {
            id: 'media-services.rotation-lag',
            severity: 'warning',
            summary: 'It still uses the version before the current one.',
            remedy: 'az resource update --ids archive',
            since: NOW - 5 * MINUTE,
          },
        ],
      }),
      account({
        resource: REVOKED,
        health: 'impaired',
        reason: 'access_revoked',
        since: NOW - HOUR,
        uses: [{ resource: NEXT, key: NEXT, versionInUse: NEW_VERSION, role: 'encrypts' }],
        findings: [
          {
            id: 'media-services.identity-access',
            severity: 'critical',
            summary: 'Its identity may not unwrap with the key any more.',
            remedy: 'az keyvault set-policy --name contoso --key-permissions get wrapKey unwrapKey',
            since: NOW - HOUR,
          },
        ],
      }),
    ],
    sources: [
      source({ target: 'media-azure', location: 'global', service: 'key-vault', provider: 'azure', objects: 7 }),
      source({
        target: 'media-azure',
        location: 'global',
        service: 'media-services',
        provider: 'azure',
        up: true,
        reason: 'provider_retired',
        lastSuccessAt: NOW - 20 * HOUR,
        objects: 0,
      }),
    ],
    incidents: [
      { root: CMK, reason: 'soft_deleted', since: lostAt, keys: [], consumers: [STREAMING] },
      { root: GONE_VAULT, reason: 'soft_deleted', since: lostAt, keys: [GONE_KEY], consumers: [] },
    ],
  });
}
