/** Every rule stands in the table of its service, and the reverse: `docs/rules.md` and `policy.rules` are made of those. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SERVICES } from '../../src/providers/index.ts';
import type { RuleInfo } from '../../src/providers/provider.ts';
import { PAGES } from '../scripts/generate-docs.ts';
import { type CodeFile, tableProblems } from './rule-tables.ts';

const ROOT = join(import.meta.dirname, '../../src/providers');

/** Rules that services share, and which of them each has: there an id is without the name of the service. */
const SHARED = 'aws/iam/rules.ts';
const SHARING: Readonly<Record<string, RegExp>> = { mediaconnect: /^role-/, codebuild: /^role-(?!denied-gateway)/ };

function filesOf(provider: string, service: string): readonly CodeFile[] {
  const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  const own = globSync(`${provider}/${service}/**/*.ts`, { cwd: ROOT }).map((path) => ({ path, text: text(path) }));
  const has = SHARING[service];
  if (!has) return own;
  // What is denied gets its remedy where all denials get theirs.
  const named = text(SHARED).replace(/\bid: '([\w-]+)'(, verb)?/g, (_, id: string, denial?: string) =>
    has.test(id) ? `id: '${service}.${id}'${denial === undefined ? '' : ', remedy: permit(), verb'}` : '',
  );
  return [...own, { path: SHARED, text: named }];
}

describe('the rules', () => {
  it.each(SERVICES)('of $name are those of its table', (service) => {
    expect(tableProblems(service, filesOf(service.provider, service.name))).toEqual([]);
  });

  it('of every service are in docs/rules.md, each once', () => {
    const page = PAGES.find(({ file }) => file === 'docs/rules.md')?.render() ?? '';
    const documented = [...page.matchAll(/^\| `([\w.-]+)` \|/gm)].map(([, id]) => id);
    const ids = SERVICES.flatMap(({ rules = [] }) => rules.map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(30);
    expect(documented).toEqual(ids);
  });
});

describe('a table that differs from its rules', () => {
  const rule: RuleInfo = { id: 'kms.a', severity: 'info', source: 'Here', meaning: 'It is.', remedy: 'Undo it.' };
  const file = (text: string): readonly CodeFile[] => [{ path: 'kms/rules.ts', text }];
  const problems = (rules: readonly RuleInfo[], text: string, consumers = true) =>
    tableProblems(
      { name: 'kms', rules, ...(consumers && { consumers: { judge: () => ({ findings: [] }) } }) },
      file(text),
    );

  it('is found, whichever of them is short', () => {
    expect(problems([rule], "id: 'kms.a'")).toEqual([]);
    expect(problems([rule], "id: 'kms.a', id: 'kms.b'")).toEqual(['kms.b: the rules yield it, the table lacks it']);
    expect(problems([rule], '')).toEqual(['kms.a: no rule yields it']);
    expect(problems([rule], "// id: 'kms.a'")).toEqual(['kms.a: no rule yields it']);
    expect(problems([rule, rule], "finding('kms.a')")).toEqual(['kms.a: twice']);
  });

  it('is no proof of itself', () => {
    const table = [{ path: 'kms/rule-table.ts', text: "id: 'kms.a'" }];
    expect(tableProblems({ name: 'kms', rules: [rule] }, table)).toEqual(['kms.a: no rule yields it']);
  });

  it('is found where it says something else of what a rule proves', () => {
    const proving = { ...rule, impairs: 'access_revoked' as const };
    const text = "id: 'kms.a', remedy: 'x', impairs: 'access_revoked'";
    expect(problems([proving], text)).toEqual([]);
    expect(problems([rule], text)).toEqual(['kms.a: impairs access_revoked, by its table nothing']);
    expect(problems([proving], "id: 'kms.a'")).toEqual(['kms.a: impairs nothing, by its table access_revoked']);
    expect(problems([{ ...proving, impairs: 'not_watched' }], text)).toHaveLength(1);
    expect(problems([proving], text, false)).toEqual(['kms.a: impairs, but the service has no consumers']);
  });

  it('is found where a finding that alerts says nothing of what to do', () => {
    const loud = { ...rule, severity: 'warning' };
    expect(problems([loud], "id: 'kms.a', remedy: undo")).toEqual([]);
    expect(problems([loud], "id: 'kms.a', summary")).toEqual(['kms.a: a finding of it has no remedy']);
    expect(problems([loud], "id: 'kms.a', remedy, id: 'kms.a', summary")).toHaveLength(1);
  });

  it('is found where it lacks something that people need', () => {
    const broken = (parts: Partial<RuleInfo>) => problems([{ ...rule, ...parts }], "'kms.a', remedy");
    expect(broken({ severity: 'loud' })).toEqual(['kms.a: begins its severity with no severity']);
    expect(broken({ source: ' ' })).toEqual(['kms.a: has no source']);
    expect(broken({ meaning: 'Not a sentence' })).toEqual(['kms.a: has a meaning that is no sentence']);
    expect(broken({ remedy: '' })).toEqual(['kms.a: has a remedy that is no sentence']);
    expect(problems([{ ...rule, id: 'kms.A' }], "'kms.A'")).toContain('kms.A: is no id in kebab case');
  });
});
