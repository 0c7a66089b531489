import { alertNameOf } from '../../src/core/alerts/rules.ts';
import { SERVICES } from '../../src/providers/index.ts';
import type { RuleInfo, Service } from '../../src/providers/provider.ts';

const INTRODUCTION = `# Rules

Generated from the tables in code by \`npm run docs\`; edits here are lost. Ids are a contract.

A rule that a key or a consumer breaks is a *finding*. One of severity warning or critical degrades a key and puts a consumer at
risk; info never alerts. The alert beside a rule is the one that tells its finding; that of a key only while something needs it or
it is \`critical\`. A rule that *impairs* proves that a consumer is in trouble of its own: once confirmed, KeyvigilConsumerImpaired
tells it. The remedy here says how; each finding carries the exact command, with resource, Region and partition filled in.

\`policy.rules\` in the configuration gives a rule another severity, or turns it off.
`;

/** docs/rules.md as the code has it. */
export function rulesPage(): string {
  return [INTRODUCTION, ...SERVICES.flatMap((service) => (service.rules?.length ? section(service) : []))].join('\n');
}

function section({ title, name, rules = [] }: Service): string {
  const rows = rules.map((rule) => {
    const { id, severity, source, meaning, remedy, impairs } = rule;
    const proves = impairs === undefined ? '' : ` Impairs: \`${impairs}\`.`;
    return `| \`${id}\` | ${cell(severity)} | ${alert(rule)} | ${cell(source)} | ${cell(meaning)}${proves} | ${cell(remedy)} |`;
  });
  return [
    `## ${title}\n`,
    `Service \`${name}\`.\n`,
    '| id | severity | alert | source | meaning | remedy |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function alert({ id, severity, impairs }: RuleInfo): string {
  if (severity === 'info') return '–';
  const name = impairs === undefined ? alertNameOf(id) : 'KeyvigilConsumerImpaired';
  return `[${name}](runbooks/${name}.md)`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
