import { describe, expect, it } from 'vitest';
import { SERVICES } from '../../src/providers/index.ts';
import { PRICES_AS_OF } from '../../src/providers/prices.ts';
import type { Holding, Pace, Service } from '../../src/providers/provider.ts';

const MINUTE = 60_000;

function serviceOf(name: string): Service {
  const found = SERVICES.find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

function steady(name: string, holding: Partial<Holding>, pace: Partial<Pace> = {}) {
  const services = { [name]: serviceOf(name).config.parse({}) as Record<string, unknown> };
  const all = { intervalMs: MINUTE, describeEveryMs: 15 * MINUTE, services, ...pace };
  return serviceOf(name).calls.steady({ objects: {}, critical: 0, consumers: 0, ...holding }, all);
}

describe('every service', () => {
  it.each(SERVICES.map((service) => [service.name, service] as const))('%s plans declared calls only', (_, service) => {
    const options = [{}, { access: 'read' }, { discover: 'referenced' }, { builds: true }];
    for (const given of options) {
      const parsed = service.config.safeParse(given);
      if (!parsed.success) continue;
      const services = { [service.name]: parsed.data as Record<string, unknown> };
      for (const count of [0, 1, 25, 100, 2_501, 100_000]) {
        const objects = Object.fromEntries(service.kinds.map((kind) => [kind, count]));
        for (const intervalMs of [10_000, MINUTE, 7 * MINUTE, 24 * 60 * MINUTE]) {
          const pace = { intervalMs, describeEveryMs: 15 * MINUTE, services };
          const calls = service.calls.steady({ objects, critical: 0, consumers: count }, pace);
          expect(Object.keys(service.apis)).toEqual(expect.arrayContaining(Object.keys(calls)));
          for (const each of Object.values(calls)) expect(Number.isFinite(each) && each >= 0).toBe(true);
        }
      }
    }
    for (const operation of service.calls.beside ?? []) expect(service.apis[operation]).toBeDefined();
    for (const sentence of service.calls.assumes) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  it('goes by prices of one known day', () => {
    expect(new Date(PRICES_AS_OF).toISOString()).toBe(`${PRICES_AS_OF}T00:00:00.000Z`);
  });
});

describe('Secrets Manager', () => {
  const objects = { 'aws-secret': 1_001 };

  it('lists by the hundred, and describes each in its turn', () => {
    expect(steady('secrets-manager', { objects })).toEqual({ ListSecrets: 11, DescribeSecret: 1_001 / 15 });
  });

  it('describes critical ones in every sweep', () => {
    expect(steady('secrets-manager', { objects, critical: 101 }).DescribeSecret).toBe(101 + 900 / 15);
  });

  it('waits for the next sweep, and does not describe more often than it sweeps', () => {
    expect(steady('secrets-manager', { objects }, { intervalMs: 4 * MINUTE }).DescribeSecret).toBe(1_001 / 4);
    expect(steady('secrets-manager', { objects }, { intervalMs: 60 * MINUTE }).DescribeSecret).toBe(1_001);
  });

  it('believes a listing that was made, which shows more than is watched', () => {
    expect(steady('secrets-manager', { objects, listing: { ListSecrets: 30 } }).ListSecrets).toBe(30);
  });

  it('reads values between one and two hours apart, at looks only', () => {
    const services = { 'secrets-manager': { access: 'read' } };
    const perHour = (intervalMs: number, critical: number) => {
      const { GetSecretValue = 0 } = steady('secrets-manager', { objects, critical }, { intervalMs, services });
      return (GetSecretValue / 1_001) * ((60 * MINUTE) / intervalMs);
    };
    // ln 2 is the mean of one over a time spread evenly between one and two hours; a look in its turn comes later.
    expect(perHour(MINUTE, 1_001)).toBeCloseTo(Math.LN2, 2);
    expect(perHour(MINUTE, 0)).toBeLessThan(0.65);
    expect(perHour(MINUTE, 0)).toBeGreaterThan(0.6);
    expect(perHour(180 * MINUTE, 0)).toBeCloseTo(1 / 3, 6);
  });
});

describe('KMS', () => {
  const objects = { 'aws-kms-key': 1_001 };

  it('describes every key in every sweep, and asks for details once an hour', () => {
    const details = 1_001 / 60;
    expect(steady('kms', { objects })).toEqual({
      ListKeys: 2,
      ListAliases: 11,
      DescribeKey: 1_001,
      GetKeyRotationStatus: details,
      ListKeyRotations: details,
      ListResourceTags: details,
    });
  });

  it('does not list keys where it follows what others name', () => {
    expect(steady('kms', { objects }, { services: { kms: { discover: 'referenced' } } }).ListKeys).toBeUndefined();
  });
});

describe('Key Vault', () => {
  it('lists each vault by pages of 25', () => {
    expect(steady('key-vault', { objects: { 'azure-key': 60, 'azure-vault': 3 } })).toEqual({
      'Vaults.ListBySubscription': 1,
      'ManagedHsms.ListBySubscription': 1,
      ListKeys: 3,
      ListKeyVersions: 1,
      GetKeyRotationPolicy: 1,
    });
    expect(steady('key-vault', { objects: { 'azure-key': 78, 'azure-vault': 3 } }).ListKeys).toBe(6);
    expect(
      steady('key-vault', { objects: { 'azure-key': 3, 'azure-vault': 3 }, listing: { ListKeys: 9 } }).ListKeys,
    ).toBe(9);
  });

  it('knows the vaults that are configured, and else takes one', () => {
    const objects = { 'azure-key': 20 };
    const services = { 'key-vault': { vaults: ['https://a.vault.azure.net', 'https://b.vault.azure.net'] } };
    expect(steady('key-vault', { objects }, { services }).ListKeys).toBe(2);
    expect(steady('key-vault', { objects }).ListKeys).toBe(1);
  });

  it('asks for the roles of vaults that consumers need', () => {
    const objects = { 'azure-key': 3, 'azure-vault': 3 };
    expect(steady('key-vault', { objects, consumers: 2 })['RoleAssignments.ListForScope']).toBe(2);
    expect(steady('key-vault', { objects, consumers: 9 })['RoleAssignments.ListForScope']).toBe(3);
  });
});

describe('CodeBuild', () => {
  it('lists by the hundred, with two calls for a page and more for builds', () => {
    const objects = { 'codebuild-project': 101 };
    expect(steady('codebuild', { objects })).toEqual({ ListProjects: 2, BatchGetProjects: 2 });
    expect(steady('codebuild', { objects }, { services: { codebuild: { builds: true } } })).toEqual({
      ListProjects: 2,
      BatchGetProjects: 2,
      ListBuildsForProject: 101,
      BatchGetBuilds: 6,
    });
    expect(steady('codebuild', {})).toEqual({ ListProjects: 1, BatchGetProjects: 0 });
  });
});

describe('MediaConnect', () => {
  const objects = { 'mediaconnect-flow': 101 };

  it('describes every flow, and asks for entitlements where a listing did', () => {
    expect(steady('mediaconnect', { objects })).toEqual({ ListFlows: 2, DescribeFlow: 101 });
    const listing = { ListFlows: 2, ListEntitlements: 1 };
    expect(steady('mediaconnect', { objects, listing })).toMatchObject({ ListEntitlements: 1 });
  });

  it('simulates policies as often as their answers grow old, where that is on', () => {
    const services = { iam: { every: 30 * MINUTE } };
    const { GetRole, SimulatePrincipalPolicy } = steady('mediaconnect', { objects }, { services });
    expect([GetRole, SimulatePrincipalPolicy]).toEqual([101 / 30, 101 / 30]);
  });
});

describe('SPEKE', () => {
  it('probes each provider in every sweep, unless it must not', () => {
    const objects = { 'speke-provider': 6 };
    expect(steady('speke', { objects })).toEqual({ Resolve: 6, Probe: 6, GetStage: 0.1 });
    expect(steady('speke', { objects }, { services: { speke: { probe: false } } })).toEqual({ GetStage: 0.1 });
  });
});
