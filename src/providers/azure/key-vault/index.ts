/** Azure Key Vault and Managed HSM: the declaration. Loading this loads no SDK. */
import { z } from 'zod';
import { FREE, KEY_VAULT } from '../../prices.ts';
import type { AzureService } from '../service.ts';
import { calls, DETAILS_EVERY_MS } from './calls.ts';
import { remedy } from './remedies.ts';
import { RULES } from './rule-table.ts';
import { detailKey, judge } from './rules.ts';
import { verdict } from './verdict.ts';

const NO_VAULT = { error: 'expected the URL of a vault, such as https://contoso.vault.azure.net' };
const VaultUrl = z
  .string()
  .regex(/^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/?$/, NO_VAULT)
  .refine((url) => URL.canParse(url), NO_VAULT)
  .transform((url) => url.toLowerCase().replace(/\/$/, '').replace(/:443$/, ''));

const Options = z.strictObject({
  schedule: z.string().optional(),
  vaults: z
    .array(VaultUrl)
    .min(1)
    .optional()
    .describe('URLs of the vaults and managed HSMs to watch; default: every one that Resource Manager shows'),
});
/** Options of `targets[].services.key-vault`, parsed. */
export type Options = z.output<typeof Options>;

const MINUTE_MS = 60_000;
const SUBSCRIPTION = '/subscriptions/ACCOUNT';
const VAULTS = `${SUBSCRIPTION}/resourceGroups/*/providers/Microsoft.KeyVault/vaults/*`;
const HSMS = `${SUBSCRIPTION}/resourceGroups/*/providers/Microsoft.KeyVault/managedHSMs/*`;

/**
 * Key Vault allows 4,000 transactions in 10 s per vault and region (azure.md 3.2: everything but RSA of 3072 bits and more,
 * HSM operations and creation); budgets are per subscription, which may make five times as many.
 */
const DATA = { quotaPerSecond: 400, usdPer10k: KEY_VAULT };
/**
 * Resource Manager refills 25 reads a second per subscription and principal, whatever the provider
 * (learn.microsoft.com, "Understand how Azure Resource Manager throttles requests").
 */
const CONTROL = { quotaPerSecond: 25, usdPer10k: FREE };

export const keyVault: AzureService = {
  name: 'key-vault',
  provider: 'azure',
  title: 'Azure Key Vault',
  kinds: ['azure-key', 'azure-vault'],
  listing: 'state',
  config: Options,
  narrows: { vaults: 'only' },
  // What is asked of a vault or an HSM is a data action (or the matching entry of an access policy), the rest are actions.
  permissions: [
    {
      feature: 'base',
      actions: ['Microsoft.KeyVault/vaults/read'],
      resource: SUBSCRIPTION,
      operations: ['Vaults.ListBySubscription', 'Vaults.Get'],
      without:
        'vaults are not found but those that are configured, and the loss of one cannot be told from network trouble',
    },
    {
      feature: 'base',
      actions: ['Microsoft.KeyVault/managedHSMs/read'],
      resource: SUBSCRIPTION,
      operations: ['ManagedHsms.ListBySubscription', 'ManagedHsms.Get'],
      without: 'managed HSMs are not found but those that are configured',
    },
    {
      feature: 'base',
      actions: [
        'Microsoft.KeyVault/deletedVaults/read',
        'Microsoft.KeyVault/locations/deletedVaults/read',
        'Microsoft.KeyVault/deletedManagedHSMs/read',
        'Microsoft.KeyVault/locations/deletedManagedHSMs/read',
      ],
      resource: SUBSCRIPTION,
      operations: ['Vaults.ListDeleted', 'Vaults.GetDeleted', 'ManagedHsms.ListDeleted', 'ManagedHsms.GetDeleted'],
      without: 'whether a lost vault can be recovered, and until when, is unknown',
    },
    {
      feature: 'base',
      actions: ['Microsoft.KeyVault/vaults/keys/read'],
      resource: VAULTS,
      plane: 'data',
      operations: ['ListKeys', 'GetKey', 'ListKeyVersions'],
      without: 'the state of the keys is unknown',
    },
    {
      feature: 'base',
      actions: ['Microsoft.KeyVault/vaults/keyrotationpolicies/read'],
      resource: VAULTS,
      plane: 'data',
      operations: ['GetKeyRotationPolicy'],
      without: 'whether and when keys rotate is unknown',
    },
    {
      feature: 'base',
      actions: ['Microsoft.KeyVault/managedHsm/keys/read/action'],
      resource: HSMS,
      plane: 'local',
      operations: [],
      without: 'the state of the keys of a managed HSM is unknown',
    },
    {
      feature: 'base',
      actions: ['Microsoft.KeyVault/vaults/keys/read', 'Microsoft.KeyVault/managedHSMs/keys/read'],
      resource: SUBSCRIPTION,
      operations: ['Keys.Get'],
      without: 'nothing but the vault itself can say that a key is gone, so a refusal of the monitor hides a loss',
    },
    {
      feature: 'base',
      actions: ['Microsoft.Authorization/roleAssignments/read', 'Microsoft.Authorization/roleDefinitions/read'],
      resource: SUBSCRIPTION,
      operations: ['RoleAssignments.ListForScope', 'RoleDefinitions.GetById'],
      without: 'whether the identity of a service may use its key is unknown where a vault goes by roles',
    },
  ],
  apis: {
    GetKey: DATA,
    GetDeletedKey: DATA,
    ListKeys: DATA,
    ListKeyVersions: DATA,
    ListDeletedKeys: DATA,
    GetKeyRotationPolicy: DATA,
    Knock: { ...DATA, usdPer10k: FREE },
    'Vaults.ListBySubscription': CONTROL,
    'Vaults.ListDeleted': CONTROL,
    'Vaults.Get': CONTROL,
    'Vaults.GetDeleted': CONTROL,
    'ManagedHsms.ListBySubscription': CONTROL,
    'ManagedHsms.ListDeleted': CONTROL,
    'ManagedHsms.Get': CONTROL,
    'ManagedHsms.GetDeleted': CONTROL,
    'Keys.Get': CONTROL,
    'RoleAssignments.ListForScope': CONTROL,
    'RoleDefinitions.GetById': CONTROL,
  },
  describeOperation: 'GetKey',
  calls,
  rules: RULES,
  keys: {
    uniqueNames: false,
    // A restored backup brings older versions back.
    versionsCanReturn: true,
    detailEveryMs: DETAILS_EVERY_MS,
    detailKey,
    // For a minute after a delete Azure answers 404 to everything (azure.md 0a.1).
    purgedAfterMs: { alone: 10 * MINUTE_MS, agreed: 2 * MINUTE_MS },
    verdict,
    judge,
    remedy,
  },
  load: () => import('./session.ts'),
};
