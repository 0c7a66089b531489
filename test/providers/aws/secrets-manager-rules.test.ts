import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { secretsManager } from '../../../src/providers/aws/secrets-manager/index.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
const ARN = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:o'db $(id)-AbCdEf";
const QUOTED = `'arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:o'\\''db $(id)-AbCdEf'`;
const policy = { expiryWarningMs: 30 * 24 * HOUR } as Policy;

function secret(more: Partial<KeyFacts>): KeyFacts {
  return {
    resource: ARN,
    kind: 'aws-secret',
    name: "o'db $(id)",
    provider: 'aws',
    account: '111122223333',
    location: 'cn-north-1',
    state: 'Active',
    tags: {},
    version: { id: 'current' },
    dependsOn: [],
    attributes: {},
    ...more,
  };
}

const judge = (more: Partial<KeyFacts>, now = NOW) => secretsManager.keys.judge(secret(more), now, policy);
const ids = (more: Partial<KeyFacts>, now = NOW) => judge(more, now).findings.map(({ id }) => id);

describe('secrets-manager.rotation-overdue', () => {
  it('waits for an hour after the date, and says when it will change its mind', () => {
    const late = { nextRotationAt: NOW, rotationEnabled: true };
    expect(judge(late, NOW + HOUR - 1)).toEqual({ findings: [], until: NOW + HOUR });
    expect(judge(late, NOW + HOUR)).toEqual({
      findings: [
        {
          id: 'secrets-manager.rotation-overdue',
          severity: 'warning',
          summary: 'Its scheduled rotation did not happen.',
          remedy: `aws secretsmanager rotate-secret --secret-id ${QUOTED} --region cn-north-1`,
        },
      ],
    });
  });

  it('waits for the end of the rotation window', () => {
    const late = { nextRotationAt: NOW, rotationEnabled: true, attributes: { rotationDuration: '5h' } };
    expect(ids(late, NOW + 5 * HOUR - 1)).toEqual([]);
    expect(ids(late, NOW + 5 * HOUR)).toEqual(['secrets-manager.rotation-overdue']);
  });

  it('says nothing of a rotation that is off or of a secret that is being deleted', () => {
    expect(ids({ nextRotationAt: NOW - 99 * HOUR, rotationEnabled: false })).toEqual([]);
    expect(ids({ nextRotationAt: NOW - 99 * HOUR, state: 'ScheduledForDeletion' })).toEqual([]);
  });
});

describe('secrets-manager.rotation-stuck', () => {
  it('counts six hours from when the pending version was made', () => {
    const stuck = { pendingVersion: { id: 'next', createdAt: NOW }, attributes: { pendingSince: NOW + HOUR } };
    expect(judge(stuck, NOW + HOUR)).toEqual({ findings: [], until: NOW + 6 * HOUR });
    const { findings } = judge(stuck, NOW + 6 * HOUR);
    expect(findings).toMatchObject([{ id: 'secrets-manager.rotation-stuck', severity: 'warning' }]);
    expect(findings[0]?.remedy).toContain('--version-stage AWSPENDING --remove-from-version-id next');
  });

  it('counts from first sight where the age of the pending version is not known', () => {
    const stuck = { pendingVersion: { id: 'next' }, attributes: { pendingSince: NOW } };
    expect(ids(stuck, NOW + 6 * HOUR - 1)).toEqual([]);
    expect(ids(stuck, NOW + 6 * HOUR)).toEqual(['secrets-manager.rotation-stuck']);
  });
});

describe('the other rules of Secrets Manager', () => {
  it('find what was never filled, is not replicated or may not be read', () => {
    expect(judge({ state: 'NeverFilled' }).findings).toMatchObject([
      { id: 'secrets-manager.never-filled', severity: 'info' },
    ]);
    expect(judge({ attributes: { replicationFailed: 'eu-north-1 us-east-1' } }).findings).toMatchObject([
      {
        id: 'secrets-manager.replication-failed',
        severity: 'warning',
        remedy: `aws secretsmanager replicate-secret-to-regions --secret-id ${QUOTED} --add-replica-regions Region=eu-north-1 Region=us-east-1 --region cn-north-1`,
      },
    ]);
    expect(judge({ attributes: { readResult: 'denied' } }).findings).toMatchObject([
      { id: 'secrets-manager.read-denied', severity: 'info' },
    ]);
  });

  it('find nothing in a secret in order', () => {
    expect(judge({})).toEqual({ findings: [] });
  });

  it('name the earliest instant of all', () => {
    const both = { nextRotationAt: NOW + 9 * HOUR, pendingVersion: { id: 'next', createdAt: NOW } };
    expect(judge(both).until).toBe(NOW + 6 * HOUR);
  });
});
