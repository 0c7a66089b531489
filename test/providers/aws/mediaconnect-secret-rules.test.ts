import { describe, expect, it } from 'vitest';
import type { KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { ACCOUNT, NOW, REGION } from '../../fixtures/aws-wire.ts';
import {
  DAY,
  ENTITLEMENT,
  entitlement,
  flow,
  HOUR,
  judge,
  KMS,
  kmsKey,
  OTHER,
  onlyFinding,
  PART,
  ROLE,
  SECRET,
  STATIC,
  said,
  secret,
  secretArn,
  source,
  srt,
  transit,
  underKey,
  update,
  use,
} from './mediaconnect-edge.ts';

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
