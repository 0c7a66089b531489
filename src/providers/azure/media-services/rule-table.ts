/** Every rule of Media Services, for people. What stands in quotes is Microsoft's page on customer-managed keys. */
import type { RuleInfo } from '../../provider.ts';

const PAGE = 'Bring your own key with Media Services:';
const NEW_KEY =
  'Create a key that fits in the same vault and set it as the key of the account; keep the old one until the account has moved.';

export const RULES: readonly RuleInfo[] = [
  {
    id: 'media-services.status',
    severity: 'critical where it matches inaccessibleStatus, else info',
    source: `${PAGE} "Media Services will transition the account to the Customer Key Inaccessible State"`,
    meaning: 'The service itself reports trouble with the key of the account. No value of this status is documented.',
    remedy: 'Give the account access to its key again, and do not delete it: it works again once it can use the key.',
    impairs: 'reported_by_service',
  },
  {
    id: 'media-services.key-unknown',
    severity: 'warning',
    source: 'Media Services API: encryption of the account is absent, or names no key',
    meaning: 'Azure does not tell which key the account uses, so nothing can be said of it.',
    remedy: 'Look at what Azure tells with az resource show.',
  },
  {
    id: 'media-services.key-not-adopted',
    severity: 'warning',
    source: 'Media Services API: keyIdentifier and currentKeyIdentifier differ',
    meaning:
      'The account is set to another key than the one that it still uses: the change was refused, or cannot be made.',
    remedy: 'Keep the key in use until the account has moved, and check that its identity may use the other one.',
  },
  {
    id: 'media-services.system-key',
    severity: 'info',
    source: `${PAGE} "A default account key is created for all accounts which is encrypted by a system key owned by Media Services"`,
    meaning: 'It uses a key of Microsoft: there is nothing to watch.',
    remedy: 'Nothing, unless a key of your own is wanted.',
  },
  {
    id: 'media-services.provisioning-failed',
    severity: 'info',
    source: 'Media Services API: provisioningState Failed',
    meaning: 'The last change of the account failed.',
    remedy: 'Make the change again, or look it up with az monitor activity-log list.',
  },
  {
    id: 'media-services.version-in-use-disabled',
    severity: 'critical',
    source: 'Key Vault, key rotation: old versions must stay enabled until everything is wrapped anew',
    meaning:
      'The version that wraps the account key is disabled while a newer one is enabled: the account cannot unwrap its key.',
    remedy: 'Enable that version with az keyvault key set-attributes.',
    impairs: 'version_in_use_disabled',
  },
  {
    id: 'media-services.version-in-use-gone',
    severity: 'critical',
    source: 'Key Vault: versions are not deleted one by one',
    meaning:
      'The key has no version with the id that the account uses: most likely it was made anew under the same name.',
    remedy: 'Restore the old key from a backup with az keyvault key restore.',
  },
  {
    id: 'media-services.rotation-lag',
    severity: 'warning after 15 minutes, critical after 60',
    source: 'Use customer-managed keys, how-to: "Media Services should detect this key after 5 minutes"',
    meaning: 'A newer version exists, and the account, which follows the newest, still uses an older one.',
    remedy: 'Keep the old version enabled, check that the identity may use the key, then set the key again.',
  },
  {
    id: 'media-services.pinned-version',
    severity: 'info',
    source: `${PAGE} "You can specify a key name and key version, or just a key name"`,
    meaning: 'The account stays with one version of its key and follows no rotation.',
    remedy: 'Set the key without a version.',
  },
  {
    id: 'media-services.access',
    severity: 'critical',
    source: `${PAGE} "Media Services uses the Managed Identity of the Media Services account to read your key"`,
    meaning: 'The identity of the account has no grant to get, wrap and unwrap with the key.',
    remedy:
      'Grant it with az role assignment create, or az keyvault set-policy where the vault goes by access policies.',
    impairs: 'access_revoked',
  },
  {
    id: 'media-services.access-unknown',
    severity: 'info',
    source: 'Microsoft Entra groups: who is a member cannot be seen',
    meaning: 'The identity has no grant of its own, but groups have; it may be a member of one.',
    remedy: 'Check its membership with az ad group member check.',
  },
  {
    id: 'media-services.identity-unknown',
    severity: 'info',
    source: 'Media Services API: encryption.identity is absent',
    meaning: 'Azure does not tell which identity the account uses, so whether that may use the key is not known.',
    remedy: 'Nothing is wrong with the account for that; set the identity explicitly to have it checked.',
  },
  {
    id: 'media-services.key-type',
    severity: 'critical',
    source: `${PAGE} "EC keys are not supported"`,
    meaning: 'The key is not an RSA key: Media Services cannot use it.',
    remedy: NEW_KEY,
  },
  {
    id: 'media-services.key-size',
    severity: 'critical',
    source: `${PAGE} "Your key can be a 2048, 3072, or a 4096 RSA key"`,
    meaning: 'The key has another size than those that Media Services can use.',
    remedy: NEW_KEY,
  },
  {
    id: 'media-services.key-operations',
    severity: 'critical',
    source: `${PAGE} "When you use your own key, the account key is encrypted with your key"`,
    meaning: 'The key does not permit to wrap or to unwrap.',
    remedy: 'Permit both with az keyvault key set-attributes --ops.',
  },
  {
    id: 'media-services.key-not-yet-valid',
    severity: 'critical',
    source: 'Key Vault, key attributes: nbf',
    meaning: 'The version in use is not valid yet: until then nothing new can be wrapped with it.',
    remedy: 'Set an earlier date with az keyvault key set-attributes --not-before.',
  },
  {
    id: 'media-services.key-expiring',
    severity: 'warning, critical under 3 days',
    source: 'Key Vault, key attributes: exp',
    meaning: 'The version in use expires within policy.expiryWarning; from then on nothing new can be wrapped with it.',
    remedy: 'Rotate the key, or put the date off.',
  },
  {
    id: 'media-services.key-expired',
    severity: 'critical',
    source: 'Key Vault, key attributes: exp',
    meaning: 'The version in use has expired: it still unwraps, but nothing new can be wrapped with it.',
    remedy: 'Rotate the key, or put the date off.',
  },
  {
    id: 'media-services.region',
    severity: 'critical',
    source: `${PAGE} "Media Services requires that the Key Vault is in the same region as the account"`,
    meaning: 'The vault of the key is in another region than the account.',
    remedy: 'Create a vault and a key in the region of the account, grant its identity access, and set that key.',
  },
  {
    id: 'media-services.soft-delete',
    severity: 'critical',
    source: `${PAGE} "and that it has soft-delete and purge protection enabled"`,
    meaning: 'The vault has no soft delete: a deleted key is gone at once.',
    remedy: 'Turn it on with az resource update.',
  },
  {
    id: 'media-services.purge-protection',
    severity: 'critical',
    source: `${PAGE} "and that it has soft-delete and purge protection enabled"`,
    meaning: 'The vault has no purge protection: a deleted key can be purged for good.',
    remedy: 'Turn it on with az keyvault update.',
  },
  {
    id: 'media-services.retention',
    severity: 'info',
    source: 'Key Vault, soft delete: softDeleteRetentionInDays',
    meaning: 'The vault keeps deleted keys for fewer than 30 days.',
    remedy: 'Only a new vault can have another retention: create one with --retention-days 90.',
  },
  {
    id: 'media-services.network',
    severity: 'warning',
    source: 'Key Vault, network security: trusted services and network security perimeters',
    meaning: 'The vault lets in neither the public network nor trusted Azure services, and has no private endpoint.',
    remedy: 'Let trusted services in with az keyvault update --bypass AzureServices, or add a rule to the perimeter.',
  },
];
