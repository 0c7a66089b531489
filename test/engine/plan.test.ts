import { describe, expect, it } from 'vitest';
import { type PlanInput, planSource } from '../../src/engine/plan.ts';
import { SERVICES } from '../../src/providers/index.ts';
import type { Holding } from '../../src/providers/provider.ts';

const MINUTE = 60_000;

function input(name: string, holding: Partial<Holding> | undefined, changed: Partial<PlanInput> = {}): PlanInput {
  const service = SERVICES.find((one) => one.name === name);
  if (!service) throw new Error(`there is no ${name}`);
  const services = { [name]: service.config.parse({}) as Record<string, unknown> };
  return {
    id: { target: 'prod', location: 'eu-west-1', service: name },
    service,
    ...(holding ? { holding: { objects: {}, critical: 0, consumers: 0, ...holding } } : {}),
    pace: { intervalMs: MINUTE, describeEveryMs: 15 * MINUTE, services },
    sweepsPerMonth: 43_200,
    pauseMs: MINUTE,
    budgetShare: 0.2,
    ...changed,
  };
}

function planned(...args: Parameters<typeof input>) {
  const plan = planSource(input(...args));
  if (!plan) throw new Error('there is no plan');
  return { ...plan, of: (operation: string) => plan.calls.find((one) => one.operation === operation) };
}

describe('the plan of one source', () => {
  it('counts calls, money and the share of the quota by the month', () => {
    const plan = planned('secrets-manager', { objects: { 'aws-secret': 1_000 }, critical: 1_000 });
    // aws.md 1.1: a thousand secrets, described every minute.
    expect(plan.of('DescribeSecret')).toMatchObject({ perSweep: 1_000, perMonth: 43_200_000 });
    expect(plan.of('DescribeSecret')?.usdPerMonth).toBeCloseTo(216, 6);
    expect(plan.of('ListSecrets')).toMatchObject({ perSweep: 10, perMonth: 432_000 });
    expect(plan.of('ListSecrets')?.quotaShare).toBeCloseTo(10 / 60 / 100, 9);
    expect(plan.usdPerMonth).toBeCloseTo(218.16, 6);
    expect(plan.callsPerMonth).toBe(43_632_000);
    expect(plan.warnings).toEqual([]);
  });

  it('takes no more looks than the budget has, and says what would be enough', () => {
    const plan = planned('kms', { objects: { 'aws-kms-key': 30_000 } });
    expect(plan.of('DescribeKey')?.perSweep).toBe(21_600);
    expect(plan.warnings[0]).toEqual({
      is: 'looks_over_budget',
      capacity: 21_600,
      rounds: 5,
      budget: 0.28,
      intervalMs: 83_334,
    });
    expect(planned('kms', { objects: { 'aws-kms-key': 21_600 } }, { budgetShare: 0.2 }).warnings).not.toContainEqual(
      expect.objectContaining({ is: 'looks_over_budget' }),
    );
  });

  it('keeps what it says: neither of the two ways is over budget any more', () => {
    const over = input('kms', { objects: { 'aws-kms-key': 30_000 } });
    const services = over.pace.services;
    const is = (changed: Partial<PlanInput>) => planSource({ ...over, ...changed })?.warnings.map((one) => one.is);
    expect(is({ budgetShare: 0.28 })).not.toContain('looks_over_budget');
    expect(is({ pace: { intervalMs: 83_334, describeEveryMs: 15 * MINUTE, services } })).not.toContain(
      'looks_over_budget',
    );
    expect(is({ budgetShare: 0.27 })).toContain('looks_over_budget');
  });

  it('says no budget where the whole quota is not enough', () => {
    const [warning] = planned('kms', { objects: { 'aws-kms-key': 200_000 } }).warnings;
    expect(warning).toMatchObject({ is: 'looks_over_budget', intervalMs: 555_556 });
    expect(warning).not.toHaveProperty('budget');
  });

  it('names a call that needs more than its budget, and rarer sweeps only where they help', () => {
    const vaults = planned('key-vault', { objects: { 'azure-key': 25 * 6_000, 'azure-vault': 6_000 }, consumers: 500 });
    const over = (operation: string) =>
      vaults.warnings.find((one) => one.is === 'calls_over_budget' && one.operation === operation);
    expect(over('ListKeys')).toEqual({
      is: 'calls_over_budget',
      operation: 'ListKeys',
      intervalMs: 75_000,
      budget: 0.25,
    });
    expect(over('RoleAssignments.ListForScope')).toMatchObject({ intervalMs: 100_000, budget: 0.34 });
    const keys = planned('kms', { objects: { 'aws-kms-key': 100_000 } }, { budgetShare: 0.2 });
    // Once an hour stays once an hour.
    expect(keys.warnings).toContainEqual({ is: 'calls_over_budget', operation: 'ListKeyRotations', budget: 0.28 });
  });

  it('warns of sweeps that outlive their slot, and counts the fewer that there are', () => {
    const plan = planned('secrets-manager', { objects: { 'aws-secret': 150_000 } });
    // 1,500 pages at 20 a second.
    expect(plan.sweepMs).toBeGreaterThan(75_000);
    expect(plan.warnings.map((one) => one.is)).toContain('slow_sweep');
    expect(plan.of('ListSecrets')?.perMonth).toBeLessThan(1_500 * 43_200);
  });

  it('asks for details once an hour, however long sweeps take', () => {
    const plan = planned('kms', { objects: { 'aws-kms-key': 60_000 } }, { budgetShare: 1 });
    expect(plan.sweepMs).toBeGreaterThan(120_000);
    const perHour = (plan.of('ListResourceTags')?.perMonth ?? 0) / (30 * 24 * 60_000);
    expect(perHour).toBeGreaterThan(0.94);
    expect(perHour).toBeLessThanOrEqual(1);
  });

  it('is none where nobody knows what there is', () => {
    expect(planSource(input('kms', undefined))).toBeUndefined();
  });

  it('asks for what the cloud has retired once a day', () => {
    const plan = planned('media-services', undefined, { retired: true });
    expect(plan.callsPerMonth).toBe(30);
    expect(plan.detectionBoundMs).toBe(24 * 60 * MINUTE);
  });
});
