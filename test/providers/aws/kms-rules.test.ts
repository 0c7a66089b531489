import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { kms } from '../../../src/providers/aws/kms/index.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const DAY = 86_400_000;
const policy = { expiryWarningMs: 30 * DAY } as Policy;

function key(more: Partial<KeyFacts>): KeyFacts {
  return {
    resource: 'arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-12ab',
    kind: 'aws-kms-key',
    name: 'alias/x',
    provider: 'aws',
    account: '111122223333',
    location: 'us-gov-west-1',
    state: 'Enabled',
    tags: {},
    dependsOn: [],
    attributes: {},
    ...more,
  };
}

const judge = (more: Partial<KeyFacts>, now = NOW) => kms.keys.judge(key(more), now, policy);

describe('imported material', () => {
  const expiresAt = NOW + 40 * DAY;
  it.each([
    ['nothing yet', 0, [], 10 * DAY],
    ['a warning', 10 * DAY, ['kms.material-expiring warning'], 37 * DAY],
    ['critical', 37 * DAY, ['kms.material-expiring critical'], 40 * DAY],
    ['expired', 40 * DAY, ['kms.material-expired critical'], undefined],
  ])('%s', (_, after, findings, until) => {
    const judgement = judge({ expiresAt }, NOW + after);
    expect(judgement.findings.map(({ id, severity }) => `${id} ${severity}`)).toEqual(findings);
    expect(judgement.until).toBe(until === undefined ? undefined : NOW + until);
  });

  it('is critical in its last days however short the warning period is', () => {
    const short = { expiryWarningMs: DAY } as Policy;
    const ids = (days: number) => kms.keys.judge(key({ expiresAt }), expiresAt - days * DAY, short).findings;
    expect(ids(4)).toEqual([]);
    expect(ids(3)).toMatchObject([{ severity: 'critical' }]);
  });

  it('says nothing of a key that is being deleted anyway, or that does not expire', () => {
    expect(judge({ expiresAt: NOW - DAY, state: 'PendingDeletion' })).toEqual({ findings: [] });
    expect(judge({})).toEqual({ findings: [] });
  });
});

describe('a cancelled deletion', () => {
  it('is told as what it is', () => {
    expect(judge({ state: 'Disabled', attributes: { cancelledDeletion: true } }).findings).toMatchObject([
      {
        id: 'kms.deletion-cancelled-still-disabled',
        severity: 'info',
        remedy: 'aws kms enable-key --key-id mrk-12ab --region us-gov-west-1',
      },
    ]);
  });
});

describe('what undoes a loss of a KMS key', () => {
  it.each([
    ['disabled', 'aws kms enable-key --key-id mrk-12ab --region us-gov-west-1'],
    [
      'pending_deletion',
      'aws kms cancel-key-deletion --key-id mrk-12ab --region us-gov-west-1 && aws kms enable-key --key-id mrk-12ab --region us-gov-west-1',
    ],
    ['not_found', undefined],
    ['dependency', undefined],
  ] as const)('%s', (reason, command) => {
    expect(kms.keys.remedy(reason, key({}))).toBe(command);
  });

  it('is the original material, or a connected key store, where that is what is missing', () => {
    expect(kms.keys.remedy('pending_import', key({}))).toMatch(
      /^aws kms get-parameters-for-import --key-id mrk-12ab .*, then aws kms import-key-material --key-id mrk-12ab /,
    );
    expect(kms.keys.remedy('store_unavailable', key({ attributes: { customKeyStoreId: 'cks-12' } }))).toBe(
      'aws kms connect-custom-key-store --custom-key-store-id cks-12 --region us-gov-west-1',
    );
  });
});
