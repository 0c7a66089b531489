import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../src/core/model.ts';
import { INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';
import { PROVIDERS, SERVICES } from '../../src/providers/index.ts';

const root = join(import.meta.dirname, '../../src/providers');

describe('the registry', () => {
  it.each(PROVIDERS)('has every service folder of $name', ({ name, services }) => {
    const folders = readdirSync(join(root, name), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(root, name, entry.name, 'index.ts')))
      .map((entry) => entry.name);
    expect(services.map((service) => service.name).sort()).toEqual(folders.sort());
  });

  it('loads no cloud SDK', () => {
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context); } });
      await import(${JSON.stringify(join(root, 'index.ts'))});
      console.log(JSON.stringify(loaded));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const loaded: string[] = JSON.parse(output);
    expect(loaded.some((specifier) => specifier.endsWith('/kms/index.ts'))).toBe(true);
    expect(loaded.filter((specifier) => /^@(aws-sdk|smithy|azure)\//.test(specifier))).toEqual([]);
  });
});

describe.each(SERVICES)('$name', (service) => {
  const facts: KeyFacts = {
    resource: 'arn:aws:any:eu-west-1:111122223333:thing',
    kind: service.kinds[0] ?? 'aws-secret',
    name: 'thing',
    provider: service.provider,
    account: '111122223333',
    location: 'eu-west-1',
    state: 'SomethingNobodyKnowsYet',
    tags: {},
    dependsOn: [],
    attributes: {},
  };

  it('takes a state that nobody knows for unknown, never for healthy', () => {
    expect(service.verdict({ facts })).toMatchObject({ status: 'unknown' });
  });

  it('takes each reason of a failure for what it proves', () => {
    const evidence = { operation: 'Any' };
    for (const reason of INACCESSIBLE_REASONS) {
      expect(service.verdict({ failure: { reason, evidence } })).toEqual({ status: 'inaccessible', reason });
    }
    for (const reason of UNKNOWN_REASONS) {
      expect(service.verdict({ failure: { reason, evidence } })).toEqual({ status: 'unknown', reason });
    }
  });

  it('knows its defaults and refuses an option that it does not know', () => {
    expect(service.config.safeParse({}).success).toBe(true);
    expect(service.config.safeParse({ nonsense: 1 }).success).toBe(false);
  });

  it('declares what a look costs', () => {
    expect(service.apis[service.describeOperation]).toBeDefined();
    for (const api of Object.values(service.apis)) expect(api.quotaPerSecond).toBeGreaterThan(0);
  });

  it('asks for no permission that reads values unless reading is on', () => {
    const base = service.permissions.filter(({ feature }) => feature === 'base').flatMap(({ actions }) => actions);
    expect(base.filter((action) => /Value|Decrypt/.test(action))).toEqual([]);
    expect(base.length).toBeGreaterThan(0);
  });
});
