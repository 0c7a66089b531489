import { expect, test } from 'vitest';
import type { KeyView } from '../../src/core/snapshot.ts';
import { keyView, linesOf, snapshotOf } from './views.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf';
const BARE = `resource="${ARN}"`;
const FULL = `provider="aws",account="111122223333",location="eu-west-1",kind="aws-secret",${BARE},name="prod/db"`;
const AT = 1_700_000_000_500;

const finding = { summary: 'It is late.', since: AT } as const;
const lost = { health: 'inaccessible', own: { status: 'inaccessible', reason: 'disabled', since: AT } } as const;

interface Case {
  readonly says: string;
  readonly key: Partial<KeyView>;
  /** Lines without the name of the family. */
  readonly lines: readonly string[];
}

const CASES: Readonly<Record<string, readonly Case[]>> = {
  keyvigil_key_info: [
    {
      says: 'carries target, version, spec and state',
      key: { targets: ['a', 'b'], version: 'v1', spec: 'RSA_2048', state: 'Enabled' },
      lines: [`{${FULL},target="a",version="v1",spec="RSA_2048",state="Enabled"} 1`],
    },
    { says: 'leaves out what is not known', key: { targets: [] }, lines: [`{${FULL}} 1`] },
  ],
  keyvigil_key_accessible: [
    { says: 'is 1 for an accessible key', key: {}, lines: [`{${FULL}} 1`] },
    { says: 'is 1 for a degraded key', key: { health: 'degraded', reason: 'finding' }, lines: [`{${FULL}} 1`] },
    { says: 'is 0 for a lost key', key: lost, lines: [`{${FULL}} 0`] },
    {
      says: 'is 0 for a key whose dependency is lost',
      key: { health: 'inaccessible', reason: 'dependency' },
      lines: [`{${FULL}} 0`],
    },
    {
      says: 'stands while the key is blind',
      key: { ...lost, blindSince: AT, blindReason: 'timeout' },
      lines: [`{${FULL}} 0`],
    },
    {
      says: 'keeps what is believed of the key itself while a dependency is unknown',
      key: { health: 'unknown', reason: 'denied' },
      lines: [`{${FULL}} 1`],
    },
  ],
  keyvigil_key_finding: [
    { says: 'has no series without findings', key: {}, lines: [] },
    {
      says: 'has one series per open finding, once',
      key: {
        findings: [
          { ...finding, id: 'secrets-manager.rotation-overdue', severity: 'warning' },
          { ...finding, id: 'kms.imported', severity: 'info' },
          { ...finding, id: 'kms.imported', severity: 'info' },
        ],
      },
      lines: [
        `{${FULL},finding="secrets-manager.rotation-overdue",severity="warning"} 1`,
        `{${FULL},finding="kms.imported",severity="info"} 1`,
      ],
    },
  ],
  keyvigil_key_reason: [
    { says: 'is absent while accessible', key: {}, lines: [] },
    { says: 'tells the reason', key: { ...lost, reason: 'disabled' }, lines: [`{${BARE},reason="disabled"} 1`] },
  ],
  keyvigil_key_unhealthy_since_timestamp_seconds: [
    { says: 'is absent while accessible', key: { since: AT }, lines: [] },
    { says: 'tells since when', key: { ...lost, since: AT }, lines: [`{${BARE}} 1700000000.5`] },
  ],
  keyvigil_key_root_cause: [
    { says: 'is absent without roots', key: {}, lines: [] },
    {
      says: 'has one series per root',
      key: { rootCauses: ['arn:k1', 'arn:k2', 'arn:k1'] },
      lines: [`{${BARE},root="arn:k1"} 1`, `{${BARE},root="arn:k2"} 1`],
    },
  ],
  keyvigil_key_blind_since_timestamp_seconds: [
    { says: 'is absent while it sees', key: {}, lines: [] },
    { says: 'tells since when', key: { blindSince: AT, blindReason: 'denied' }, lines: [`{${BARE}} 1700000000.5`] },
  ],
  keyvigil_key_blind: [
    { says: 'is absent while it sees', key: {}, lines: [] },
    { says: 'tells why', key: { blindSince: AT, blindReason: 'denied' }, lines: [`{${BARE},reason="denied"} 1`] },
  ],
  keyvigil_key_consumers: [
    { says: 'is 0 for an unused key', key: {}, lines: [`{${BARE}} 0`] },
    { says: 'counts', key: { consumers: 52 }, lines: [`{${BARE}} 52`] },
  ],
  keyvigil_key_critical: [
    { says: 'is absent for others', key: {}, lines: [] },
    { says: 'is 1 where policy names it', key: { critical: true }, lines: [`{${BARE}} 1`] },
  ],
  keyvigil_key_baseline: [
    { says: 'is absent for others', key: {}, lines: [] },
    { says: 'is 1 while still dead since first sight', key: { ...lost, baseline: true }, lines: [`{${BARE}} 1`] },
  ],
  keyvigil_key_version_changes_total: [
    { says: 'begins at 0', key: {}, lines: [`{${BARE}} 0`] },
    { says: 'counts', key: { versionChanges: 3 }, lines: [`{${BARE}} 3`] },
  ],
  ...Object.fromEntries(
    (
      [
        ['version_created', 'versionCreatedAt'],
        ['version_detected', 'versionDetectedAt'],
        ['expiry', 'expiresAt'],
        ['deletion', 'deletionAt'],
        ['last_rotation', 'lastRotatedAt'],
        ['next_rotation', 'nextRotationAt'],
      ] as const
    ).map(([name, field]): [string, Case[]] => [
      `keyvigil_key_${name}_timestamp_seconds`,
      [
        { says: 'is absent while unset', key: {}, lines: [] },
        { says: 'is absent rather than 0', key: { [field]: 0 }, lines: [] },
        { says: 'is absent for a date that is none', key: { [field]: Number.NaN }, lines: [] },
        { says: 'is in seconds', key: { [field]: AT }, lines: [`{${BARE}} 1700000000.5`] },
      ],
    ]),
  ),
};

for (const [family, cases] of Object.entries(CASES)) {
  test.each(cases)(`${family} $says`, async ({ key, lines }) => {
    expect(await linesOf(family, snapshotOf([keyView(key)]))).toEqual(lines.map((line) => family + line));
  });
}

test('keyvigil_key_accessible is absent until anything conclusive is known', async () => {
  const { own: _, ...never } = keyView({ health: 'unknown', reason: 'never_checked' });
  expect(await linesOf('keyvigil_key_accessible', snapshotOf([never]))).toEqual([]);
  expect(await linesOf('keyvigil_key_reason', snapshotOf([never]))).toEqual([
    `keyvigil_key_reason{${BARE},reason="never_checked"} 1`,
  ]);
});

test('the configured tags stand behind the identity, and only there', async () => {
  const snapshot = snapshotOf([keyView({ tags: { Team: 'video', other: 'x' } })]);
  expect(await linesOf('keyvigil_key_accessible', snapshot, ['Team', 'service'])).toEqual([
    `keyvigil_key_accessible{${FULL},team="video"} 1`,
  ]);
  expect(await linesOf('keyvigil_key_consumers', snapshot, ['Team', 'service'])).toEqual([
    `keyvigil_key_consumers{${BARE}} 0`,
  ]);
});

/** Names of the families that are tested here, for the test that none is forgotten. */
test('every per-key family is tested', async () => {
  const { TABLE } = await import('../../src/metrics/table.ts');
  const names = TABLE.filter(({ source }) => source === 'key').map(({ name }) => name);
  expect(Object.keys(CASES).sort()).toEqual(names.sort());
});
