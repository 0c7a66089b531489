/** An account, its key and its vault, healthy unless a test says otherwise. */
import type { ConsumerFacts, KeyFacts, KeyUse } from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { mediaServices } from '../../../src/providers/azure/media-services/index.ts';
import type { ConsumerJudgement } from '../../../src/providers/provider.ts';

export const NOW = Date.UTC(2026, 10, 20, 12);
export const MINUTE = 60_000;
export const DAY = 86_400_000;
export const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
export const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/tv`;
export const ACCOUNT = `${GROUP}/providers/Microsoft.Media/mediaservices/contosotv`;
export const VAULT = 'https://contoso.vault.azure.net';
export const KEY = `${VAULT}/keys/cmk`;
export const PRINCIPAL = '6aa99f7f-69a1-45c6-8a01-41e83c52c447';
export const policy = { expiryWarningMs: 30 * DAY, rules: {} } as unknown as Policy;

export function account(more: Partial<ConsumerFacts> = {}, use: Partial<KeyUse> = {}): ConsumerFacts {
  return {
    resource: ACCOUNT,
    kind: 'media-services-account',
    name: 'contosotv',
    provider: 'azure',
    account: SUBSCRIPTION,
    location: 'centralus',
    tags: {},
    uses: [
      { resource: KEY, versionInUse: 'v1', pinned: false, role: 'encrypts', ...use },
      { resource: `${GROUP}/providers/Microsoft.Storage/storageAccounts/tvstore`, role: 'stores' },
    ],
    ...more,
    attributes: {
      encryption: 'CustomerKey',
      keyIdentifier: KEY,
      currentKeyIdentifier: `${KEY}/v1`,
      identity: 'system',
      principal: PRINCIPAL,
      ...more.attributes,
    },
  };
}

export function key(more: Partial<KeyFacts> = {}): KeyFacts {
  return {
    resource: KEY,
    kind: 'azure-key',
    name: 'cmk',
    provider: 'azure',
    account: SUBSCRIPTION,
    location: 'centralus',
    state: 'Enabled',
    spec: 'RSA_2048',
    tags: {},
    version: { id: 'v1', createdAt: NOW - 90 * DAY, enabled: true },
    dependsOn: [{ anyOf: [VAULT], role: 'holds' }],
    ...more,
    attributes: {
      keyType: 'RSA',
      keySize: 2048,
      operations: 'encrypt,decrypt,wrapKey,unwrapKey',
      recoveryLevel: 'Recoverable',
      recoverableDays: 90,
      ...more.attributes,
    },
  };
}

export function vault(more: Partial<KeyFacts> = {}): KeyFacts {
  return {
    resource: VAULT,
    kind: 'azure-vault',
    name: 'contoso',
    provider: 'azure',
    account: SUBSCRIPTION,
    location: 'centralus',
    state: 'Available',
    spec: 'standard',
    tags: {},
    dependsOn: [],
    grants: [{ principal: PRINCIPAL, via: 'policy', permissions: ['get', 'unwrapkey', 'wrapkey'] }],
    ...more,
    attributes: {
      resourceId: `${GROUP}/providers/Microsoft.KeyVault/vaults/contoso`,
      resourceGroup: 'tv',
      softDelete: true,
      purgeProtection: true,
      retentionDays: 90,
      access: 'policy',
      publicNetworkAccess: 'Enabled',
      privateEndpoints: 0,
      ...more.attributes,
    },
  };
}

/** Judges an account over these keys; a missing one is not watched. */
export function judge(
  facts: ConsumerFacts,
  keys: readonly KeyFacts[] = [key(), vault()],
  now = NOW,
  rules: Policy = policy,
): ConsumerJudgement {
  const { consumers } = mediaServices;
  if (!consumers) throw new Error('media-services judges no consumers');
  return consumers.judge(facts, (ref) => keys.find(({ resource }) => resource === ref), now, rules);
}

/** `id severity` of every finding. */
export function said({ findings }: ConsumerJudgement): readonly string[] {
  return findings.map(({ id, severity }) => `${id.replace('media-services.', '')} ${severity}`);
}
