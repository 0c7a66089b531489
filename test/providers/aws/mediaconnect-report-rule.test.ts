import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import { simulationRules } from '../../../src/providers/aws/iam/rule-table.ts';
import { mediaConnect } from '../../../src/providers/aws/mediaconnect/index.ts';
import { NOW, REGION } from '../../fixtures/aws-wire.ts';
import {
  flow,
  judge,
  KMS,
  kmsKey,
  OTHER,
  onlyFinding,
  PART,
  policy,
  SECRET,
  secret,
  secretArn,
  underKey,
  use,
} from './mediaconnect-edge.ts';

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
  // Rules about roles are shared with other services: test/providers/aws/iam-rules.test.ts.
  const simulated = simulationRules('mediaconnect').map(({ id }) => id);
  const known = new Set([...judged, ...simulated]);
  expect((mediaConnect.rules ?? []).map(({ id }) => id).toSorted()).toEqual([...known].toSorted());
  expect(known.size).toBe(new Set(judged).size + simulated.length);
});
