/** A flow, its secret and the KMS key of that, healthy unless a test says otherwise. */
import type { ConsumerFacts, KeyFacts, KeyUse, Scalar } from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { mediaConnect } from '../../../src/providers/aws/mediaconnect/index.ts';
import type { ConsumerJudgement } from '../../../src/providers/provider.ts';
import { ACCOUNT, NOW, REGION } from '../../fixtures/aws-wire.ts';

export const DAY = 86_400_000;
export const HOUR = 3_600_000;
export const OTHER = '444455556666';
export const FLOW = `arn:aws:mediaconnect:${REGION}:${ACCOUNT}:flow:1-AbC-12:Awards`;
export const PART = `arn:aws:mediaconnect:${REGION}:${ACCOUNT}:output:1-AbC-34:Test`;
export const ENTITLEMENT = `arn:aws:mediaconnect:${REGION}:${OTHER}:entitlement:1-AbC-56:Show`;
export const SECRET = secretArn();
export const KMS = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd`;
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/MediaConnect-ASM`;
export const GATEWAY = `https://1abcdefghi.execute-api.${REGION}.amazonaws.com/prod/speke`;
export const policy = { expiryWarningMs: 30 * DAY, rules: {} } as unknown as Policy;

export function secretArn(region = REGION, account = ACCOUNT): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:2018-12-01_baseball-game-source-AbCdEf`;
}

/** An output that encrypts with a static key, or what is changed of that; undefined takes an attribute away. */
export function use(
  told: Readonly<Record<string, Scalar | undefined>> = {},
  more: Partial<Omit<KeyUse, 'attributes'>> = {},
): KeyUse {
  const all: Record<string, Scalar | undefined> = {
    partArn: PART,
    keyType: 'static-key',
    algorithm: 'aes128',
    protocol: 'zixi-push',
    roleArn: ROLE,
    ...told,
  };
  const attributes = Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, Scalar] => entry[1] !== undefined),
  );
  return { resource: SECRET, role: 'output-encryption', part: 'output Test', ...more, attributes };
}

/** The same for SPEKE on an entitlement. */
export function speke(told: Readonly<Record<string, Scalar | undefined>> = {}, more: Partial<KeyUse> = {}): KeyUse {
  const fields = {
    keyType: 'speke',
    protocol: undefined,
    spekeRegion: REGION,
    resourceId: 'movie',
    deviceId: 'device',
    entitlementArn: ENTITLEMENT,
  };
  return use(
    { ...fields, ...told },
    { resource: GATEWAY, role: 'entitlement-encryption', part: 'entitlement Show', ...more },
  );
}

export function flow(uses: readonly KeyUse[] = [use()], attributes: ConsumerFacts['attributes'] = {}): ConsumerFacts {
  return {
    resource: FLOW,
    kind: 'mediaconnect-flow',
    name: 'Awards',
    provider: 'aws',
    account: ACCOUNT,
    location: REGION,
    state: 'ACTIVE',
    tags: {},
    uses,
    attributes,
  };
}

export function secret(more: Partial<KeyFacts> = {}): KeyFacts {
  return {
    resource: SECRET,
    kind: 'aws-secret',
    name: '2018-12-01_baseball-game-source',
    provider: 'aws',
    account: ACCOUNT,
    location: REGION,
    state: 'Active',
    tags: {},
    version: { id: 'v2', createdAt: NOW - 90 * DAY },
    previousVersion: { id: 'v1' },
    dependsOn: [],
    ...more,
    attributes: { valueShape: 'hex16', ...more.attributes },
  };
}

/** A secret under a customer managed key. */
export function underKey(more: Partial<KeyFacts> = {}): KeyFacts {
  return secret({
    dependsOn: [{ anyOf: [KMS], role: 'decrypts' }],
    ...more,
    attributes: { kmsKeyId: KMS, ...more.attributes },
  });
}

export function kmsKey(state = 'Enabled'): KeyFacts {
  return { ...secret(), resource: KMS, kind: 'aws-kms-key', name: 'alias/video', state, attributes: {} };
}

/** Judges a flow over these keys; a missing one is not watched. */
export function judge(
  facts: ConsumerFacts,
  keys: readonly KeyFacts[] = [secret()],
  now = NOW,
  rules: Policy = policy,
): ConsumerJudgement {
  const { consumers } = mediaConnect;
  if (!consumers) throw new Error('mediaconnect judges no consumers');
  return consumers.judge(facts, (ref) => keys.find(({ resource }) => resource === ref), now, rules);
}

/** `rule severity` of every finding. */
export function said({ findings }: ConsumerJudgement): readonly string[] {
  return findings.map(({ id, severity }) => `${id.replace('mediaconnect.', '')} ${severity}`);
}

export const source = (told: Parameters<typeof use>[0] = {}, more: Parameters<typeof use>[1] = {}) =>
  use(
    { partArn: PART.replace('output', 'source'), ...told },
    { role: 'source-decryption', part: 'source Cam', ...more },
  );
export const entitlement = (told: Parameters<typeof use>[0] = {}) =>
  use(
    { partArn: ENTITLEMENT, entitlementArn: ENTITLEMENT, protocol: undefined, ...told },
    { role: 'entitlement-encryption', part: 'entitlement Show' },
  );
export const srt = (told: Parameters<typeof use>[0] = {}) =>
  use({ keyType: 'srt-password', algorithm: undefined, protocol: 'srt-listener', ...told });
export const transit = (told: Parameters<typeof use>[0] = {}) =>
  use({ keyType: 'transit', algorithm: undefined, protocol: undefined, ...told }, { role: 'transit-encryption' });

export const onlyFinding = (facts: ConsumerFacts, keys?: readonly KeyFacts[], now?: number) => {
  const { findings } = judge(facts, keys, now);
  const [finding] = findings;
  if (!finding || findings.length > 1) throw new Error(`not one finding: ${JSON.stringify(findings)}`);
  return finding;
};

export const update = (json: object, what = 'output', option = '--encryption') =>
  `aws mediaconnect update-flow-${what} --flow-arn ${FLOW} --${what}-arn ${what === 'entitlement' ? ENTITLEMENT : PART.replace('output', what)} ${option} '${JSON.stringify(json)}' --region ${REGION}`;
export const STATIC = { Algorithm: 'aes128', KeyType: 'static-key' };
