import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ConsumerFacts, KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { mediaConnect } from '../../../src/providers/aws/mediaconnect/index.ts';
import { ACCOUNT, NOW, REGION } from '../../fixtures/aws-wire.ts';
import {
  DAY,
  ENTITLEMENT,
  FLOW,
  flow,
  GATEWAY,
  HOUR,
  judge,
  KMS,
  kmsKey,
  OTHER,
  PART,
  policy,
  ROLE,
  SECRET,
  said,
  secret,
  secretArn,
  speke,
  underKey,
  use,
} from './mediaconnect-edge.ts';

const source = (told: Parameters<typeof use>[0] = {}, more: Parameters<typeof use>[1] = {}) =>
  use(
    { partArn: PART.replace('output', 'source'), ...told },
    { role: 'source-decryption', part: 'source Cam', ...more },
  );
const entitlement = (told: Parameters<typeof use>[0] = {}) =>
  use(
    { partArn: ENTITLEMENT, entitlementArn: ENTITLEMENT, protocol: undefined, ...told },
    { role: 'entitlement-encryption', part: 'entitlement Show' },
  );
const srt = (told: Parameters<typeof use>[0] = {}) =>
  use({ keyType: 'srt-password', algorithm: undefined, protocol: 'srt-listener', ...told });
const transit = (told: Parameters<typeof use>[0] = {}) =>
  use({ keyType: 'transit', algorithm: undefined, protocol: undefined, ...told }, { role: 'transit-encryption' });

const onlyFinding = (facts: ConsumerFacts, keys?: readonly KeyFacts[], now?: number) => {
  const { findings } = judge(facts, keys, now);
  expect(findings).toHaveLength(1);
  return findings[0]!;
};

describe('a flow in order', () => {
  it.each<[string, KeyUse, KeyFacts]>([
    ['an output with a static key', use(), secret()],
    ['a source with a static key', source(), secret()],
    ['an entitlement with a static key', entitlement(), secret()],
    ['a source that subscribes', source({ entitlementArn: ENTITLEMENT, protocol: undefined }), secret()],
    ['an SRT password', srt(), secret({ attributes: { valueShape: 'text' } })],
    ['a hexadecimal SRT password', srt({ protocol: 'srt-caller' }), secret({ attributes: { valueShape: 'hex16' } })],
    ['transit encryption', transit(), secret({ attributes: { valueShape: 'json' } })],
    ['an entitlement with SPEKE', speke(), secret()],
  ])('breaks no rule: %s', (_what, used, key) => {
    expect(judge(flow([used]), [key])).toEqual({ findings: [] });
  });

  it('without any encryption breaks none either', () => {
    expect(judge(flow([]))).toEqual({ findings: [] });
  });
});

const update = (json: object, what = 'output', option = '--encryption') =>
  `aws mediaconnect update-flow-${what} --flow-arn ${FLOW} --${what}-arn ${what === 'entitlement' ? ENTITLEMENT : PART.replace('output', what)} ${option} '${JSON.stringify(json)}' --region ${REGION}`;
const STATIC = { Algorithm: 'aes128', KeyType: 'static-key' };

describe('mediaconnect.secret-account', () => {
  it('is a secret of another account, watched or not', () => {
    const finding = onlyFinding(flow([use({}, { resource: secretArn(REGION, OTHER) })]));
    expect(finding).toEqual({
      id: 'mediaconnect.secret-account',
      severity: 'critical',
      summary: `Output Test: its secret is in account ${OTHER}, and a flow gets keys from secrets of its own account (${ACCOUNT}) only.`,
      remedy: `aws secretsmanager create-secret --name 2018-12-01_baseball-game-source --secret-string file://key --region ${REGION} && ${update({ ...STATIC, SecretArn: 'ARN_OF_THE_NEW_SECRET', RoleArn: ROLE })}`,
    });
  });

  it('counts for every way to use one', () => {
    for (const used of [source(), entitlement(), srt(), transit()]) {
      expect(said(judge(flow([{ ...used, resource: secretArn(REGION, OTHER) }])))).toEqual(['secret-account critical']);
    }
  });
});

describe('mediaconnect.secret-region', () => {
  const elsewhere = secretArn('us-east-1');
  const primary = (more: KeyFacts['attributes'] = {}) =>
    secret({ resource: elsewhere, location: 'us-east-1', attributes: more });

  it('is a secret of another Region: it is replicated', () => {
    const finding = onlyFinding(flow([use({}, { resource: elsewhere })]), [primary()]);
    expect(finding).toEqual({
      id: 'mediaconnect.secret-region',
      severity: 'critical',
      summary: `Output Test: its secret is in us-east-1, and the flow is in ${REGION}.`,
      remedy: `aws secretsmanager replicate-secret-to-regions --secret-id ${elsewhere} --add-replica-regions Region=${REGION} --region us-east-1 && ${update({ ...STATIC, SecretArn: SECRET, RoleArn: ROLE })}`,
    });
  });

  it('with a replica where the flow is, the flow only has to be set to that', () => {
    const finding = onlyFinding(flow([source({}, { resource: elsewhere })]), [
      primary({ replicas: `ap-south-1 ${REGION}` }),
    ]);
    expect(finding.summary).toContain('where the secret has a replica');
    expect(finding.remedy).toBe(update({ ...STATIC, SecretArn: SECRET, RoleArn: ROLE }, 'source', '--decryption'));
  });

  it('is replicated from where it is the original', () => {
    const finding = onlyFinding(flow([use({}, { resource: elsewhere })]), [primary({ primaryRegion: 'eu-central-1' })]);
    expect(finding.remedy).toMatch(
      new RegExp(
        `^aws secretsmanager replicate-secret-to-regions --secret-id ${secretArn('eu-central-1')} .* --region eu-central-1 && `,
      ),
    );
  });

  it('a replica in the Region of the flow counts', () => {
    expect(said(judge(flow(), [secret({ attributes: { primaryRegion: 'us-east-1' } })]))).toEqual([]);
  });

  it('names the account too, where that is another one: no replica helps then', () => {
    const both = judge(flow([use({}, { resource: secretArn('us-east-1', OTHER) })]));
    expect(said(both)).toEqual(['secret-account critical', 'secret-region critical']);
    expect(both.findings[1]?.remedy).toMatch(/^aws secretsmanager create-secret /);
  });

  it('sets transit encryption at its own option', () => {
    const finding = onlyFinding(flow([{ ...transit(), resource: elsewhere }]), [primary({ replicas: REGION })]);
    const json = {
      EncryptionKeyType: 'SECRETS_MANAGER',
      EncryptionKeyConfiguration: { SecretsManager: { SecretArn: SECRET, RoleArn: ROLE } },
    };
    expect(finding.remedy).toBe(update(json, 'output', '--router-integration-transit-encryption'));
    const ofSource = { ...transit({ partArn: PART.replace('output', 'source') }), resource: elsewhere };
    expect(onlyFinding(flow([ofSource]), [primary({ replicas: REGION })]).remedy).toBe(
      update(json, 'source', '--router-integration-transit-decryption'),
    );
  });
});

describe('mediaconnect.default-key', () => {
  it('is a secret under a customer managed key', () => {
    expect(onlyFinding(flow(), [underKey(), kmsKey()])).toEqual({
      id: 'mediaconnect.default-key',
      severity: 'warning',
      summary: `Output Test: its secret is encrypted with ${KMS} (Enabled) instead of the default key: the flow depends on that key, and role ${ROLE} needs kms:Decrypt on it.`,
      remedy: `aws secretsmanager update-secret --secret-id ${SECRET} --kms-key-id alias/aws/secretsmanager --region ${REGION}`,
    });
  });

  it('says whether that key can be used, and where nobody can tell', () => {
    expect(onlyFinding(flow(), [underKey(), kmsKey('Disabled')]).summary).toContain(`${KMS} (Disabled)`);
    expect(onlyFinding(flow(), [underKey()]).summary).toContain(`${KMS} (not watched)`);
  });

  it.each([
    undefined,
    'alias/aws/secretsmanager',
    'DefaultEncryptionKey',
    `arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/secretsmanager`,
  ])('is not %s, the default key', (kmsKeyId) => {
    expect(said(judge(flow(), [secret({ attributes: kmsKeyId === undefined ? {} : { kmsKeyId } })]))).toEqual([]);
  });

  it('is undone at a replica by replicating it anew', () => {
    const finding = onlyFinding(flow(), [underKey({ attributes: { primaryRegion: 'us-east-1' } })]);
    const original = secretArn('us-east-1');
    expect(finding.remedy).toBe(
      `aws secretsmanager remove-regions-from-replication --secret-id ${original} --remove-replica-regions ${REGION} --region us-east-1 && ` +
        `aws secretsmanager replicate-secret-to-regions --secret-id ${original} --add-replica-regions Region=${REGION},KmsKeyId=alias/aws/secretsmanager --region us-east-1`,
    );
  });
});

describe('mediaconnect.rotation-enabled', () => {
  it('is a secret that is rotated automatically', () => {
    const at = Date.UTC(2026, 11, 1, 3);
    expect(onlyFinding(flow(), [secret({ rotationEnabled: true, nextRotationAt: at })])).toEqual({
      id: 'mediaconnect.rotation-enabled',
      severity: 'warning',
      summary:
        'Output Test: its secret is rotated automatically, next on 2026-12-01 03:00:00 UTC: whoever else has the key would go on with the old one.',
      remedy: `aws secretsmanager cancel-rotate-secret --secret-id ${SECRET} --region ${REGION}`,
    });
  });

  it('is none where rotation was turned off', () => {
    expect(said(judge(flow(), [secret({ rotationEnabled: false, lastRotatedAt: NOW - DAY })]))).toEqual([]);
  });
});

describe('mediaconnect.new-version', () => {
  const fresh = (more: Partial<KeyFacts> = {}) => secret({ version: { id: 'v2', createdAt: NOW - HOUR }, ...more });

  it('is told for a day, with the way back', () => {
    const judgement = judge(flow(), [fresh()]);
    expect(judgement).toEqual({
      findings: [
        {
          id: 'mediaconnect.new-version',
          severity: 'warning',
          summary:
            'Output Test: its key was changed on 2026-11-20 11:00:00 UTC (version v2); whoever receives it needs the new one.',
          remedy: `Give the new key to everybody who has the old one. To go back: aws secretsmanager update-secret-version-stage --secret-id ${SECRET} --version-stage AWSCURRENT --move-to-version-id v1 --remove-from-version-id v2 --region ${REGION}`,
        },
      ],
      until: NOW + 23 * HOUR,
    });
    expect(said(judge(flow(), [fresh()], NOW + 23 * HOUR - 1))).toEqual(['new-version warning']);
    expect(judge(flow(), [fresh()], NOW + 23 * HOUR)).toEqual({ findings: [] });
  });

  it('names who has to get the new key: both ends of an entitlement', () => {
    const summary = (used: KeyUse) => onlyFinding(flow([used]), [fresh()]).summary;
    expect(summary(entitlement({ subscribers: `${OTHER} 777788889999` }))).toContain(
      `its subscribers (account ${OTHER}, 777788889999) need`,
    );
    expect(summary(entitlement())).toContain('every subscriber needs');
    expect(summary(source({ entitlementArn: ENTITLEMENT, protocol: undefined }))).toContain(
      `the originator (account ${OTHER}) needs`,
    );
    expect(summary(source())).toContain('whoever sends to it needs');
    expect(summary({ ...srt(), role: 'output-encryption' })).toContain('whoever receives it needs');
  });

  it('is not the first version, nor one whose age nobody knows, nor a key that nobody shares', () => {
    const { previousVersion: _none, ...first } = fresh();
    expect(said(judge(flow(), [first]))).toEqual([]);
    expect(said(judge(flow(), [fresh({ version: { id: 'v2' } })]))).toEqual([]);
    expect(said(judge(flow([transit()]), [fresh()]))).toEqual([]);
  });

  it('is one too where only the list of versions shows the one before', () => {
    const { previousVersion: _none, ...listed } = fresh({ versions: [{ id: 'v2' }, { id: 'v1' }] });
    expect(onlyFinding(flow(), [listed]).remedy).toBe('Give the new key to everybody who has the old one.');
  });
});

describe('mediaconnect.plaintext', () => {
  it.each([
    ['json', 'its secret holds key/value pairs instead of the bare key as plaintext'],
    ['binary', 'its secret holds binary data instead of the key as plaintext'],
    ['empty', 'its secret holds nothing'],
    ['padded', 'its secret has blanks or a line end around the key'],
  ])('is a value that is %s', (valueShape, text) => {
    for (const used of [use(), srt()]) {
      expect(onlyFinding(flow([used]), [secret({ attributes: { valueShape } })])).toEqual({
        id: 'mediaconnect.plaintext',
        severity: 'critical',
        summary: `Output Test: ${text}.`,
        remedy: `aws secretsmanager put-secret-value --secret-id ${SECRET} --secret-string file://key --region ${REGION}`,
      });
    }
  });
});

describe('mediaconnect.plaintext-unverified', () => {
  const unread = (readResult?: string): KeyFacts => ({ ...secret(), attributes: readResult ? { readResult } : {} });

  it('is a secret that was not read', () => {
    expect(onlyFinding(flow(), [unread()])).toMatchObject({
      id: 'mediaconnect.plaintext-unverified',
      severity: 'info',
      summary:
        'Output Test: whether its secret holds the bare key as plaintext is not verified: keyvigil does not read values.',
    });
    expect(onlyFinding(flow(), [unread('denied')]).summary).toContain('keyvigil may not read it');
  });

  it('says nothing of a secret that is not watched, or whose form is not MediaConnect’s to say', () => {
    expect(said(judge(flow(), []))).toEqual([]);
    expect(said(judge(flow([transit()]), [unread()]))).toEqual([]);
  });
});

describe('mediaconnect.key-format', () => {
  const of = (used: KeyUse, valueShape: string) => judge(flow([used]), [secret({ attributes: { valueShape } })]);

  it.each([
    ['aes128', 'hex16'],
    ['aes192', 'hex24'],
    ['aes256', 'hex32'],
    ['unknown', 'hex32'],
  ])('a key for %s may be %s', (algorithm, shape) => {
    expect(said(of(use({ algorithm }), shape)).filter((text) => text.startsWith('key-format'))).toEqual([]);
  });

  it.each([
    ['aes128', 'hex32', 'its key has 256 bits, and aes128 needs 128'],
    ['aes192', 'hex16', 'its key has 128 bits, and aes192 needs 192'],
    ['aes256', 'hex24', 'its key has 192 bits, and aes256 needs 256'],
    ['aes128', 'text', 'its key is no AES key in hexadecimal form'],
    ['aes256', 'text-long', 'its key is no AES key in hexadecimal form'],
  ])('a key for %s may not be %s', (algorithm, shape, text) => {
    const [finding] = of(use({ algorithm }), shape).findings;
    expect(finding).toMatchObject({
      id: 'mediaconnect.key-format',
      severity: 'critical',
      summary: `Output Test: ${text}.`,
    });
  });

  it.each([
    ['text-short', 'shorter than the 10'],
    ['text-long', 'longer than the 79'],
  ])('a passphrase of SRT may not be %s', (shape, text) => {
    const [finding] = of(srt(), shape).findings;
    expect(finding).toMatchObject({ id: 'mediaconnect.key-format', severity: 'warning' });
    expect(finding?.summary).toContain(text);
  });
});

describe('mediaconnect.algorithm', () => {
  it('is a static key without one', () => {
    const finding = onlyFinding(flow([use({ algorithm: undefined })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.algorithm', severity: 'warning' });
    expect(finding.remedy).toContain('"Algorithm":"aes128|aes192|aes256"');
  });

  it('is an SRT password with one', () => {
    const finding = onlyFinding(flow([srt({ algorithm: 'aes256' })]));
    expect(finding.summary).toBe(
      'Output Test: it has an SRT password and the algorithm aes256, which must be left out.',
    );
    expect(finding.remedy).toBe(update({ KeyType: 'srt-password', SecretArn: SECRET, RoleArn: ROLE }));
  });
});

describe('mediaconnect.protocol', () => {
  it.each([
    [use({ protocol: 'rtp' }), 'its protocol is rtp, and a static key goes with Zixi'],
    [use({ protocol: 'srt-listener' }), 'its protocol is srt-listener, and a static key goes with Zixi'],
    [source({ protocol: 'rist' }), 'its protocol is rist, and a static key goes with Zixi'],
    [srt({ protocol: 'zixi-pull' }), 'its protocol is zixi-pull, and an SRT password goes with SRT'],
  ])('is an encryption that the protocol does not have', (used, text) => {
    expect(onlyFinding(flow([used]))).toMatchObject({ id: 'mediaconnect.protocol', severity: 'warning' });
    expect(onlyFinding(flow([used])).summary).toContain(text);
  });

  it.each([
    use({ protocol: 'zixi-pull' }),
    srt({ protocol: 'srt-caller' }),
    use({ protocol: undefined }),
    entitlement({ protocol: 'rtp' }),
    source({ protocol: 'rtp', entitlementArn: ENTITLEMENT }),
  ])('is none with Zixi, SRT, an entitlement, or a protocol that is not told', (used) => {
    expect(said(judge(flow([used])))).toEqual([]);
  });
});

describe('mediaconnect.key-type-unknown', () => {
  it.each([
    [use({ keyType: 'unknown' }), 'type of key'],
    [use({ algorithm: 'unknown' }), 'algorithm'],
    [use({ protocol: 'unknown' }), 'protocol'],
  ])('is a word that nobody knows yet, and no other rule guesses', (used, word) => {
    const finding = onlyFinding(flow([used]), [secret({ attributes: { valueShape: 'hex16' } })]);
    expect(finding).toMatchObject({ id: 'mediaconnect.key-type-unknown', severity: 'info' });
    expect(finding.summary).toContain(`its ${word} is none that keyvigil knows`);
  });
});

describe('mediaconnect.no-secret', () => {
  it('is encryption without a secret', () => {
    const finding = onlyFinding(flow([], { withoutSecret: 'output Test\nsource Cam' }));
    expect(finding).toMatchObject({ id: 'mediaconnect.no-secret', severity: 'critical' });
    expect(finding.summary).toBe('Output Test, source Cam: encryption is set, but no secret that could hold its key.');
  });
});

describe('mediaconnect.entitled-without-decryption', () => {
  it('is certain where the originator is seen to encrypt', () => {
    expect(onlyFinding(flow([], { undecrypted: 'source Cam' }))).toMatchObject({
      id: 'mediaconnect.entitled-without-decryption',
      severity: 'critical',
    });
  });

  it('is a remark where that cannot be seen', () => {
    expect(said(judge(flow([], { undecryptedUnseen: 'source Cam' })))).toEqual(['entitled-without-decryption info']);
  });
});

describe('mediaconnect.entitlement-mismatch', () => {
  const subscribed = (told: Parameters<typeof use>[0]) =>
    source({ entitlementArn: ENTITLEMENT, protocol: undefined, ...told });

  it.each([
    [
      { originatorKeyType: 'static-key', originatorAlgorithm: 'aes256' },
      'static-key with aes128, and the flow that grants its entitlement encrypts by static-key with aes256',
    ],
    [{ originatorKeyType: 'speke' }, 'by speke'],
    [{ originatorKeyType: 'none' }, 'the flow that grants its entitlement does not encrypt'],
  ])('is what the two ends do differently', (told, text) => {
    const finding = onlyFinding(flow([subscribed(told)]));
    expect(finding).toMatchObject({ id: 'mediaconnect.entitlement-mismatch', severity: 'critical' });
    expect(finding.summary).toContain(text);
  });

  it.each([{ originatorKeyType: 'static-key', originatorAlgorithm: 'aes128' }, { originatorKeyType: 'unknown' }, {}])(
    'is none where both do the same, or one cannot be seen',
    (told) => {
      expect(said(judge(flow([subscribed(told)])))).toEqual([]);
    },
  );
});

describe('mediaconnect.entitlement-revoked', () => {
  it('is an entitlement that is not granted any more', () => {
    expect(said(judge(flow([], { revoked: 'source Cam' })))).toEqual(['entitlement-revoked warning']);
  });
});

describe('the role', () => {
  it('mediaconnect.role-missing is one that is not set', () => {
    const finding = onlyFinding(flow([use({ roleArn: undefined })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.role-missing', severity: 'critical' });
    expect(finding.remedy).toContain('"RoleArn":"ARN_OF_THE_ROLE"');
  });

  it('mediaconnect.role-account is one of another account', () => {
    const finding = onlyFinding(flow([use({ roleArn: `arn:aws:iam::${OTHER}:role/path/Video` })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.role-account', severity: 'critical' });
    expect(finding.remedy).toContain(`"RoleArn":"arn:aws:iam::${ACCOUNT}:role/path/Video"`);
  });

  it('mediaconnect.role-reserved is the name that MediaConnect keeps', () => {
    for (const name of ['MediaConnectAccessRole', 'path/MediaConnectAccessRole']) {
      const finding = onlyFinding(flow([use({ roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}` })]));
      expect(finding).toMatchObject({ id: 'mediaconnect.role-reserved', severity: 'warning' });
    }
    const near = use({ roleArn: `arn:aws:iam::${ACCOUNT}:role/MyMediaConnectAccessRole` });
    expect(said(judge(flow([near])))).toEqual([]);
  });
});

describe('SPEKE', () => {
  it.each([
    speke({ entitlementArn: undefined }, { role: 'source-decryption', part: 'source Cam' }),
    speke({ entitlementArn: undefined }, { role: 'output-encryption', part: 'output Test' }),
  ])('mediaconnect.speke-outside-entitlement: only entitlements have it', (used) => {
    expect(onlyFinding(flow([used]))).toMatchObject({
      id: 'mediaconnect.speke-outside-entitlement',
      severity: 'critical',
    });
  });

  it('is allowed at the source of a subscriber', () => {
    expect(said(judge(flow([speke({}, { role: 'source-decryption', part: 'source Cam' })])))).toEqual([]);
  });

  it.each([
    ['spekeRegion', 'Region'],
    ['resourceId', 'ResourceId'],
    ['deviceId', 'DeviceId'],
    ['roleArn', 'RoleArn'],
  ])('mediaconnect.speke-fields: %s is required', (attribute, name) => {
    const finding = onlyFinding(flow([speke({ [attribute]: undefined })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.speke-fields', severity: 'critical' });
    expect(finding.summary).toBe(`Entitlement Show: it uses SPEKE without ${name}.`);
    expect(finding.remedy).toContain(`"${name}":"THE_${name.toUpperCase()}"`);
  });

  it('mediaconnect.speke-fields: the URL is required', () => {
    expect(said(judge(flow([], { withoutUrl: 'entitlement Show' })))).toEqual(['speke-fields critical']);
  });

  it('mediaconnect.speke-region: the proxy is in the Region of the flow', () => {
    const byField = onlyFinding(flow([speke({ spekeRegion: 'us-east-1' })]));
    const byUrl = onlyFinding(flow([speke({}, { resource: GATEWAY.replace(REGION, 'us-east-1') })]));
    for (const finding of [byField, byUrl]) {
      expect(finding).toMatchObject({ id: 'mediaconnect.speke-region', severity: 'critical' });
      expect(finding.summary).toBe(
        `Entitlement Show: its API Gateway proxy is in us-east-1, and the flow is in ${REGION}.`,
      );
    }
  });

  it('mediaconnect.speke-region-unknown: a name of somebody’s own does not tell', () => {
    const finding = onlyFinding(flow([speke({}, { resource: 'https://keys.example.com/speke' })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.speke-region-unknown', severity: 'info' });
    expect(finding.remedy).toContain(
      `aws apigateway get-domain-name --domain-name keys.example.com --region ${REGION}`,
    );
    const wrong = speke({ spekeRegion: 'us-east-1' }, { resource: 'https://keys.example.com/speke' });
    expect(said(judge(flow([wrong])))).toEqual(['speke-region critical', 'speke-region-unknown info']);
  });

  it('is set anew with a reminder of the vector that keyvigil never keeps', () => {
    const { remedy } = onlyFinding(flow([speke({ deviceId: undefined, hasIv: true })]));
    expect(remedy).toContain('"ConstantInitializationVector":"THE_INITIALIZATION_VECTOR"');
  });
});

describe('mediaconnect.iv', () => {
  it.each([
    [use({ hasIv: true }), 'a static-key takes none'],
    [srt({ hasIv: true }), 'a srt-password takes none'],
    [speke({ hasIv: true, ivMalformed: true }), 'is not 32 hexadecimal characters'],
  ])('is a vector that is out of place or no vector', (used, text) => {
    expect(onlyFinding(flow([used]))).toMatchObject({ id: 'mediaconnect.iv', severity: 'warning' });
    expect(onlyFinding(flow([used])).summary).toContain(text);
  });

  it('is none with a good one for SPEKE', () => {
    expect(said(judge(flow([speke({ hasIv: true })])))).toEqual([]);
  });
});

describe('mediaconnect.reported', () => {
  const DENIED =
    'Permission denied accessing encryption key for output Test. Removing output until it is fixed (secret x, role y)';
  const denied = (more: Parameters<typeof use>[0] = {}) => use({ reported: 'denied', reportedText: DENIED, ...more });

  it('proves that the access of the flow is gone where secret and key are known to work', () => {
    for (const keys of [[secret()], [underKey(), kmsKey()]]) {
      const judgement = judge(flow([denied()]), keys);
      expect(judgement.impairment).toBe('access_revoked');
      expect(judgement.findings[0]).toMatchObject({
        id: 'mediaconnect.reported',
        severity: 'critical',
        impairs: 'access_revoked',
      });
      expect(judgement.findings[0]?.summary).toBe(`Output Test: MediaConnect says: "${DENIED}".`);
    }
  });

  it.each<[string, readonly KeyFacts[]]>([
    ['the secret is not watched', []],
    ['the secret is being deleted', [secret({ state: 'ScheduledForDeletion' })]],
    ['the secret could not be decrypted', [secret({ attributes: { readResult: 'decrypt_failed' } })]],
    ['its key is disabled', [underKey(), kmsKey('Disabled')]],
    ['its key is in no state that anybody knows', [underKey(), kmsKey('Sleeping')]],
    ['its key is not watched', [underKey()]],
  ])('proves only that there is trouble while %s', (_what, keys) => {
    const judgement = judge(flow([denied()]), keys);
    expect(judgement.impairment).toBe('reported_by_service');
  });

  it('proves only that there is trouble where MediaConnect says something else', () => {
    const other = denied({ reported: 'other', reportedText: 'the decryption key does not match' });
    expect(judge(flow([other])).impairment).toBe('reported_by_service');
    expect(judge(flow([], { keyError: 'cannot contact the CA platform key provider' })).impairment).toBe(
      'reported_by_service',
    );
  });

  it('names the command that gives the role its permissions back', () => {
    const { findings } = judge(flow([denied()]), [underKey(), kmsKey()]);
    const document = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['GetResourcePolicy', 'GetSecretValue', 'DescribeSecret', 'ListSecretVersionIds'].map(
            (action) => `secretsmanager:${action}`,
          ),
          Resource: [SECRET],
        },
        { Effect: 'Allow', Action: ['kms:Decrypt'], Resource: [KMS] },
      ],
    };
    expect(findings[0]?.remedy).toBe(
      `aws iam put-role-policy --role-name MediaConnect-ASM --policy-name mediaconnect-key --policy-document '${JSON.stringify(document)}' --region ${REGION}`,
    );
  });

  it('is not heard where the policy does not want it', () => {
    const off = { ...policy, rules: { 'mediaconnect.reported': 'off' as const } };
    expect(judge(flow([denied()]), [secret()], NOW, off).impairment).toBeUndefined();
  });
});

describe('many parts', () => {
  it('are one finding for each rule, with the first of them named', () => {
    const many = Array.from({ length: 8 }, (_, at) =>
      use({ partArn: `${PART}${at}` }, { part: `output ${at}`, resource: secretArn(REGION, OTHER) }),
    );
    const finding = onlyFinding(flow(many));
    expect(finding.summary).toContain(
      'Output 0, output 1, output 2, output 3, output 4 and 3 more: its secret is in account',
    );
    expect(finding.remedy?.match(/create-secret/g)).toHaveLength(5);
    expect(finding.remedy).toMatch(/; and 3 more like this$/);
  });

  it('with different words are told one after the other, the worst severity counts', () => {
    const parts = { undecrypted: 'source A', undecryptedUnseen: 'source B' };
    const finding = onlyFinding(flow([], parts));
    expect(finding.severity).toBe('critical');
    expect(finding.summary).toMatch(/^Source A: .* encrypts\. Source B: .* from here\.$/);
  });
});

describe('names that somebody chose to do harm', () => {
  it('stay data in summaries and commands', () => {
    const hostile = "x\u202e'; rm -rf / #\u0007";
    const used = use(
      { partArn: `${PART}'$(id)` },
      { part: `output ${hostile}`, resource: `${secretArn(REGION, OTHER)}` },
    );
    const finding = onlyFinding(flow([used]));
    expect(finding.summary).toContain("Output x\\u{202e}'; rm -rf / #\\u{7}: ");
    expect(finding.remedy).toContain(`--output-arn '${PART}'\\''$(id)'`);
  });
});

it('has every rule that is judged in its table, and no other', () => {
  const folder = new URL('../../../src/providers/aws/mediaconnect/', import.meta.url);
  const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
  const judged = sources.flatMap((text) =>
    [...text.matchAll(/rule(?::| =) '(mediaconnect\.[a-z-]+)'/g)].map(([, id]) => id),
  );
  expect((mediaConnect.rules ?? []).map(({ id }) => id).toSorted()).toEqual([...new Set(judged)].toSorted());
});
