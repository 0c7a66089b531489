/** For every way in which a key can be lost, what undoes it: a command that means this very key, where it is. */
import { describe, expect, it, test } from 'vitest';
import { isConsumerKind, type KeyFacts, type KeyKind } from '../../src/core/model.ts';
import { INACCESSIBLE_REASONS, type InaccessibleReason } from '../../src/core/reasons.ts';
import { SERVICES } from '../../src/providers/index.ts';

const ACCOUNT = '111122223333';
/** A partition and Region that no default would give. */
const REGION = 'cn-north-1';
const KEY = `arn:aws-cn:kms:${REGION}:${ACCOUNT}:key/mrk-1`;
const SECRET = `arn:aws-cn:secretsmanager:${REGION}:${ACCOUNT}:secret:it's $(here)-AbCdEf`;
const VAULT = 'https://contoso.vault.azure.cn';
const HSM = 'https://pool.managedhsm.azure.cn';
const GATEWAY = `abc123.execute-api.${REGION}.amazonaws.com.cn`;
const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';

function facts(parts: Partial<KeyFacts> & Pick<KeyFacts, 'resource' | 'kind'>): KeyFacts {
  const aws = !parts.kind.startsWith('azure');
  return {
    name: 'cmk',
    provider: aws ? 'aws' : 'azure',
    account: aws ? ACCOUNT : SUBSCRIPTION,
    location: aws ? REGION : 'chinaeast2',
    state: 'Any',
    tags: {},
    dependsOn: [],
    attributes: {},
    ...parts,
  };
}

const kms = (attributes: KeyFacts['attributes'] = {}) => facts({ resource: KEY, kind: 'aws-kms-key', attributes });
const secret = (parts: Partial<KeyFacts> = {}) =>
  facts({ resource: SECRET, kind: 'aws-secret', name: "it's $(here)", ...parts });
const azureKey = (parts: Partial<KeyFacts> = {}) =>
  facts({ resource: `${VAULT}/keys/cmk`, kind: 'azure-key', ...parts });
const provider = (parts: Partial<KeyFacts> = {}) =>
  facts({ resource: `https://${GATEWAY}/prod/keys`, kind: 'speke-provider', ...parts });
const vault = (parts: Partial<KeyFacts> = {}) =>
  facts({ resource: VAULT, kind: 'azure-vault', name: 'contoso', attributes: { access: 'policy' }, ...parts });

interface Case {
  readonly reason: InaccessibleReason;
  readonly facts: KeyFacts;
  readonly undo: string;
}

const ID = '--key-id mrk-1';
const SECRET_ID = `--secret-id 'arn:aws-cn:secretsmanager:${REGION}:${ACCOUNT}:secret:it'\\''s $(here)-AbCdEf'`;

const CASES: readonly Case[] = [
  { reason: 'disabled', facts: kms(), undo: `aws kms enable-key ${ID} --region ${REGION}` },
  {
    reason: 'pending_deletion',
    facts: kms(),
    undo: `aws kms cancel-key-deletion ${ID} --region ${REGION} && aws kms enable-key ${ID} --region ${REGION}`,
  },
  {
    reason: 'pending_import',
    facts: kms(),
    undo: `aws kms get-parameters-for-import ${ID} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096 --region ${REGION}, wrap the original material, then aws kms import-key-material ${ID} --encrypted-key-material fileb://wrapped-material --import-token fileb://import-token --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE --region ${REGION}`,
  },
  {
    reason: 'store_unavailable',
    facts: kms({ customKeyStoreId: 'cks-1' }),
    undo: `aws kms connect-custom-key-store --custom-key-store-id cks-1 --region ${REGION}`,
  },
  {
    reason: 'store_unavailable',
    facts: kms(),
    undo: `aws kms describe-custom-key-stores --region ${REGION} tells the store, then aws kms connect-custom-key-store --custom-key-store-id CUSTOM_KEY_STORE_ID --region ${REGION}`,
  },
  {
    reason: 'not_found',
    facts: kms({ multiRegionType: 'REPLICA', primaryKey: KEY.replace(REGION, 'cn-northwest-1') }),
    undo: `aws kms replicate-key ${ID} --replica-region ${REGION} --region cn-northwest-1`,
  },
  {
    reason: 'pending_deletion',
    facts: secret(),
    undo: `aws secretsmanager restore-secret ${SECRET_ID} --region ${REGION}`,
  },
  {
    reason: 'no_current_version',
    facts: secret({ previousVersion: { id: 'v1' } }),
    undo: `aws secretsmanager update-secret-version-stage ${SECRET_ID} --version-stage AWSCURRENT --move-to-version-id v1 --region ${REGION}`,
  },
  {
    reason: 'no_current_version',
    facts: secret(),
    undo: `aws secretsmanager put-secret-value ${SECRET_ID} --secret-string file://value --region ${REGION}`,
  },
  {
    reason: 'not_found',
    facts: secret({ attributes: { kmsKeyId: 'alias/cmk' } }),
    undo: `It has another ARN once it is made again: aws secretsmanager create-secret --name 'it'\\''s $(here)' --kms-key-id alias/cmk --secret-string file://value --region ${REGION}`,
  },
  {
    reason: 'not_found',
    facts: secret({ attributes: { primaryRegion: 'cn-northwest-1' } }),
    undo: `aws secretsmanager replicate-secret-to-regions ${SECRET_ID.replace(REGION, 'cn-northwest-1')} --add-replica-regions Region=${REGION} --region cn-northwest-1`,
  },
  {
    reason: 'decrypt_failed',
    facts: secret({ attributes: { kmsKeyId: 'alias/cmk' } }),
    undo: `aws kms describe-key --key-id arn:aws-cn:kms:${REGION}:${ACCOUNT}:alias/cmk --region ${REGION} tells its state; if it is disabled: aws kms enable-key --key-id arn:aws-cn:kms:${REGION}:${ACCOUNT}:alias/cmk --region ${REGION}`,
  },
  {
    reason: 'decrypt_failed',
    facts: secret({ dependsOn: [{ anyOf: [KEY], role: 'decrypts' }] }),
    undo: `aws kms describe-key --key-id ${KEY} --region ${REGION} tells its state; if it is disabled: aws kms enable-key --key-id ${KEY} --region ${REGION}`,
  },
  {
    reason: 'unreachable',
    facts: provider({ attributes: { gatewayId: 'abc123', stage: "it's" } }),
    undo: `See what is left of the API: aws apigateway get-stage --rest-api-id abc123 --stage-name 'it'\\''s' --region ${REGION}. A deleted API never comes back under its id: deploy it again, and give the new URL to every flow that names this one`,
  },
  {
    reason: 'unreachable',
    facts: provider({ resource: 'https://keys.example.com/speke' }),
    undo: `Put its name and its certificate back: aws apigateway get-domain-name --domain-name keys.example.com --region ${REGION} shows whether API Gateway still has them, and dig keys.example.com whether the name is there`,
  },
  {
    reason: 'disabled',
    facts: azureKey(),
    undo: `az keyvault key set-attributes --id ${VAULT}/keys/cmk --enabled true`,
  },
  { reason: 'soft_deleted', facts: azureKey(), undo: `az keyvault key recover --id ${VAULT}/deletedkeys/cmk` },
  {
    reason: 'not_found',
    facts: azureKey({ attributes: { recoveryLevel: 'Recoverable+Purgeable' } }),
    undo: `az keyvault key recover --id ${VAULT}/deletedkeys/cmk`,
  },
  {
    reason: 'not_found',
    facts: azureKey({ resource: `${HSM}/keys/cmk` }),
    undo: `From a backup of your own, if there is one: az keyvault key restore --hsm-name pool --subscription ${SUBSCRIPTION} --file key.backup`,
  },
  {
    reason: 'purged',
    facts: azureKey(),
    undo: `From a backup of your own, if there is one: az keyvault key restore --vault-name contoso --subscription ${SUBSCRIPTION} --file key.backup`,
  },
  {
    reason: 'soft_deleted',
    facts: vault(),
    undo: `az keyvault recover --name contoso --location chinaeast2 --subscription ${SUBSCRIPTION}`,
  },
  {
    reason: 'soft_deleted',
    facts: vault({ resource: HSM, name: 'pool', spec: 'hsm' }),
    undo: `az keyvault recover --hsm-name pool --location chinaeast2 --subscription ${SUBSCRIPTION}`,
  },
  {
    reason: 'not_found',
    facts: vault({ attributes: { access: 'policy', softDelete: true } }),
    undo: `az keyvault recover --name contoso --location chinaeast2 --subscription ${SUBSCRIPTION}`,
  },
];

/** Losses that nothing undoes, or that a kind does not know: why there is no command. */
const NONE: Readonly<Partial<Record<KeyKind, Partial<Record<InaccessibleReason, string>>>>> = {
  'aws-kms-key': {
    soft_deleted: 'KMS has no such state',
    purged: 'nothing is ever said to be purged of KMS',
    decrypt_failed: 'is said of what it encrypts',
    no_current_version: 'is said of secrets',
    unreachable: 'is said of key providers',
  },
  'aws-secret': {
    disabled: 'a secret cannot be disabled',
    pending_import: 'is said of KMS keys',
    soft_deleted: 'Secrets Manager calls it a scheduled deletion',
    purged: 'nothing is ever said to be purged of Secrets Manager',
    store_unavailable: 'is said of KMS keys',
    unreachable: 'is said of key providers',
  },
  'speke-provider': {
    disabled: 'its probe tells of nothing but its endpoint',
    pending_deletion: 'an API is deleted at once',
    pending_import: 'is said of KMS keys',
    soft_deleted: 'an API is deleted at once',
    purged: 'nothing is ever said to be purged of it',
    not_found: 'an endpoint that is gone is unreachable',
    store_unavailable: 'is said of KMS keys',
    decrypt_failed: 'is said of secrets',
    no_current_version: 'is said of secrets',
  },
  'azure-key': {
    pending_deletion: 'Key Vault calls it soft-deleted',
    pending_import: 'is said of KMS keys',
    store_unavailable: 'is said of KMS keys',
    decrypt_failed: 'is said of secrets',
    no_current_version: 'is said of secrets',
    unreachable: 'is said of key providers',
  },
  'azure-vault': {
    disabled: 'no command of Azure enables a vault or an HSM again',
    pending_deletion: 'Key Vault calls it soft-deleted',
    pending_import: 'is said of KMS keys',
    purged: 'nothing brings a purged vault back',
    store_unavailable: 'is said of KMS keys',
    decrypt_failed: 'is said of secrets',
    no_current_version: 'is said of secrets',
    unreachable: 'is said of key providers',
  },
};

function remedy({ facts, reason }: Pick<Case, 'facts' | 'reason'>): string | undefined {
  return SERVICES.find(({ kinds }) => kinds.includes(facts.kind))?.keys?.remedy(reason, facts);
}

describe('what undoes a loss', () => {
  it.each(CASES)('$facts.kind $reason: $undo', ({ undo, ...one }) => {
    expect(remedy(one)).toBe(undo);
  });

  const KINDS = Object.keys(NONE) as KeyKind[];
  it.each(KINDS.flatMap((kind) => INACCESSIBLE_REASONS.map((reason) => [kind, reason] as const)))(
    '%s %s has a command, or it is known why not',
    (kind, reason) => {
      const cases = CASES.filter((one) => one.facts.kind === kind && one.reason === reason);
      expect(cases.length > 0).toBe(NONE[kind]?.[reason] === undefined);
      if (cases.length > 0) return;
      const any = [kms(), secret(), provider(), azureKey(), vault()].find((one) => one.kind === kind);
      expect(any && remedy({ facts: any, reason })).toBeUndefined();
    },
  );

  it.each(CASES)('$facts.kind $reason means this very place', ({ facts: { kind, account }, undo }) => {
    if (kind === 'azure-key' || kind === 'azure-vault') {
      expect(undo.includes('.azure.cn/') || undo.includes(`--subscription ${account}`)).toBe(true);
    } else for (const one of undo.split(/(?:&&|then|disabled:) /)) expect(one).toMatch(/ --region cn-north(west)?-1\b/);
  });
});

test('every kind of key that a service yields is gone through here, or by the tests of its own service', () => {
  const gone = new Set(Object.keys(NONE));
  const missing = SERVICES.flatMap(({ kinds }) => kinds.filter((kind) => !isConsumerKind(kind) && !gone.has(kind)));
  // A key provider is none of ours to repair: its own tests say what its remedies are.
  expect(missing.filter((kind) => kind !== 'speke-provider')).toEqual([]);
});
