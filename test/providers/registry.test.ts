import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isConsumerKind, KEY_KINDS, type KeyFacts } from '../../src/core/model.ts';
import { INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';
import { PROVIDERS, SERVICES } from '../../src/providers/index.ts';
import { isSource } from '../../src/providers/provider.ts';

const root = join(import.meta.dirname, '../../src/providers');

describe('the registry', () => {
  it.each(PROVIDERS)('has every service folder of $name', ({ name, services }) => {
    const folders = readdirSync(join(root, name), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(root, name, entry.name, 'index.ts')))
      .map((entry) => entry.name);
    expect(services.map((service) => service.name).sort()).toEqual(folders.sort());
  });

  it('loads no cloud SDK', () => {
    const loaded = loadedBy('');
    expect(loaded.some((specifier) => specifier.endsWith('/kms/index.ts'))).toBe(true);
    expect(loaded.some((specifier) => specifier.endsWith('/key-vault/index.ts'))).toBe(true);
    expect(loaded.filter((specifier) => /^@(aws-sdk|smithy|azure)\//.test(specifier))).toEqual([]);
  });

  it.each([
    ['aws', '{ regions: ["eu-west-1"], services: { kms: {} } }', /^@azure\//],
    ['azure', '{ subscription: "s", cloud: "public", services: { "media-services": {} } }', /^@(aws-sdk|smithy)\//],
  ])('loads no SDK of another cloud for a target of %s', (name, target, others) => {
    const loaded = loadedBy(`
      const provider = PROVIDERS.find(({ name }) => name === '${name}');
      await using connection = await provider.connect(${target}, { callTimeoutMs: 1000, env: {} });`);
    expect(loaded.some((specifier) => /^@(aws-sdk|azure)\//.test(specifier))).toBe(true);
    expect(loaded.filter((specifier) => others.test(specifier))).toEqual([]);
  });
});

/** Every module that is resolved when the registry is loaded and `script` runs. */
function loadedBy(script: string): string[] {
  const text = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context); } });
    const { PROVIDERS } = await import(${JSON.stringify(join(root, 'index.ts'))});
    ${script}
    console.log(JSON.stringify(loaded));
  `;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' }));
}

describe.each(SERVICES)('$name', (service) => {
  it('judges each kind of thing that it yields, and nothing else', () => {
    // What yields nothing only helps others, and nobody gets it who did not ask for it.
    expect(service.kinds.length === 0).toBe(service.optIn === true);
    expect(service.keys !== undefined).toBe(service.kinds.some((kind) => !isConsumerKind(kind)));
    expect(service.consumers !== undefined).toBe(service.kinds.some(isConsumerKind));
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
    expect(base.length > 0).toBe(isSource(service));
  });
});

describe.each(SERVICES.flatMap(({ name, provider, kinds, keys }) => (keys ? [{ name, provider, kinds, keys }] : [])))(
  'the keys of $name',
  ({ provider, kinds, keys }) => {
    it.each(KEY_KINDS.filter((kind) => kinds.includes(kind)))(
      'take a state of %s that nobody knows for unknown, never for healthy',
      (kind) => {
        const facts: KeyFacts = {
          resource: 'arn:aws:any:eu-west-1:111122223333:thing',
          kind,
          name: 'thing',
          provider,
          account: '111122223333',
          location: 'eu-west-1',
          state: 'SomethingNobodyKnowsYet',
          tags: {},
          dependsOn: [],
          attributes: {},
        };
        expect(keys.verdict({ facts })).toMatchObject({ status: 'unknown' });
      },
    );

    it('take each reason of a failure for what it proves', () => {
      const evidence = { operation: 'Any' };
      for (const reason of INACCESSIBLE_REASONS) {
        expect(keys.verdict({ failure: { reason, evidence } })).toEqual({ status: 'inaccessible', reason });
      }
      for (const reason of UNKNOWN_REASONS) {
        expect(keys.verdict({ failure: { reason, evidence } })).toEqual({ status: 'unknown', reason });
      }
    });
  },
);
