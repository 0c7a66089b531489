/** What the rules of a service say by its code, read without running it, set against its table. */
import type { RuleInfo, Service } from '../../src/providers/provider.ts';

/** A file of a service. */
export interface CodeFile {
  readonly path: string;
  readonly text: string;
}

/** Where an id stands in code, with the text up to the next one: what is said of its finding. */
interface Mention {
  readonly id: string;
  readonly after: string;
}

/** Every id of the service's rules that stands in its code, except in its table. */
function mentions(service: string, files: readonly CodeFile[]): readonly Mention[] {
  const pattern = new RegExp(`['"\`](${service}\\.[a-z0-9-]+)['"\`]`, 'g');
  return files
    .filter(({ path }) => !path.endsWith('rule-table.ts'))
    .flatMap(({ text }) => {
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
      const found = [...code.matchAll(pattern)];
      return found.map((match, at) => ({
        id: match[1] ?? '',
        after: code.slice(match.index, found[at + 1]?.index ?? code.length),
      }));
    });
}

/** What does not fit between the table of a service and its code; none: they say the same. */
export function tableProblems(
  { name, rules = [], consumers }: Pick<Service, 'name' | 'rules' | 'consumers'>,
  files: readonly CodeFile[],
): readonly string[] {
  const said = mentions(name, files);
  const yielded = new Set(said.map(({ id }) => id));
  const listed = new Set(rules.map(({ id }) => id));
  return [
    ...[...yielded].filter((id) => !listed.has(id)).map((id) => `${id}: the rules yield it, the table lacks it`),
    ...[...listed].filter((id) => !yielded.has(id)).map((id) => `${id}: no rule yields it`),
    ...rules.filter(({ id }, at) => rules.findIndex((one) => one.id === id) !== at).map(({ id }) => `${id}: twice`),
    ...rules.flatMap((rule) => ruleProblems(rule, name, consumers !== undefined)),
    ...rules.flatMap((rule) => impairProblems(rule, said)),
    ...rules.flatMap((rule) => remedyProblems(rule, said)),
  ];
}

function ruleProblems(rule: RuleInfo, service: string, ofConsumers: boolean): readonly string[] {
  const { id, severity, source, meaning, remedy, impairs } = rule;
  const problems: string[] = [];
  if (!new RegExp(`^${service}\\.[a-z][a-z0-9]*(-[a-z0-9]+)*$`).test(id)) problems.push('is no id in kebab case');
  if (!/^(info|warning|critical)\b/.test(severity)) problems.push('begins its severity with no severity');
  if (source.trim() === '') problems.push('has no source');
  for (const [what, text] of Object.entries({ meaning, remedy })) {
    if (!/^\S.*[.!]$/su.test(text)) problems.push(`has a ${what} that is no sentence`);
  }
  if (impairs !== undefined && !ofConsumers) problems.push('impairs, but the service has no consumers');
  return problems.map((problem) => `${id}: ${problem}`);
}

/** What the table says that a rule proves, and what its findings do. */
function impairProblems({ id, impairs }: RuleInfo, said: readonly Mention[]): readonly string[] {
  const proven = new Set(
    said
      .filter((mention) => mention.id === id)
      .flatMap(({ after }) => [...after.matchAll(/\bimpairs: '(\w+)'/g)].map(([, reason = '']) => reason)),
  );
  if (proven.size === 0 && impairs === undefined) return [];
  if (proven.size === 1 && impairs !== undefined && proven.has(impairs)) return [];
  return [`${id}: impairs ${[...proven].join(', ') || 'nothing'}, by its table ${impairs ?? 'nothing'}`];
}

/** A finding that alerts tells what to do in every place that yields it. */
function remedyProblems({ id, severity }: RuleInfo, said: readonly Mention[]): readonly string[] {
  const silent = said.filter((mention) => mention.id === id && !/\bremedy\b/.test(mention.after));
  return severity === 'info' || silent.length === 0 ? [] : [`${id}: a finding of it has no remedy`];
}
