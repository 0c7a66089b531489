import { IDENTITY_LABELS } from '../../src/core/labels.ts';
import { PROCESS_METRICS } from '../../src/metrics/registry.ts';
import type { Row } from '../../src/metrics/row.ts';
import { TABLE } from '../../src/metrics/table.ts';

const GROUPS: readonly { readonly title: string; readonly source: Row['source']; readonly text?: string }[] = [
  {
    title: 'Keys',
    source: 'key',
    text: `Series marked \\* carry the full identity: ${code(IDENTITY_LABELS)}, and the tag labels. All others carry \`resource\` alone;
join them with \`* on (resource) group_left (name, account) keyvigil_key_info\`.`,
  },
  { title: 'Consumers', source: 'consumer', text: 'What \\* means is as for keys.' },
  { title: 'Sources', source: 'source', text: 'A source is one service at one location of one target.' },
  { title: 'Counts and the store', source: 'snapshot' },
  { title: 'The daemon', source: 'daemon' },
];

const INTRODUCTION = `# Metrics

Generated from the table in code by \`npm run docs\`; edits here are lost. Names and labels are a contract.

\`/metrics\` speaks the Prometheus text format 0.0.4, compressed where the reader accepts gzip. Keys are polled on their
schedule, not read at the scrape: every page shows one consistent state, and how old it is says
\`keyvigil_source_last_success_timestamp_seconds\`. A sweep that fails removes no series. A time that is not set is absent,
never 0. A key that is no longer watched, or was forgotten, leaves no series.
`;

const TAG_LABELS = `## Tag labels

Each tag key under \`labels\` in the configuration becomes a label of the series of keys and consumers marked \\*, in snake case: \`team\` is
\`team\`, \`CostCenter\` is \`cost_center\`, \`aws:cloudformation:stack-name\` is \`aws_cloudformation_stack_name\`. A name that
another label has (\`Name\`, \`severity\`, \`instance\`, …), or that cannot begin a label, gets \`tag_\` before it: \`tag_name\`.
Where two keys come out alike, the later one gets \`_2\`. What lacks the tag has no such label.

## Label values

Names and tags come from the cloud as they are, but for control characters, which are removed, and lone surrogates, which are
replaced; they are cut at 256 characters. A resource is kept whole up to 2,048 characters. One that had to be cleaned or cut
ends in \`~\` and a digest, so that two resources are never one series.
`;

/** docs/metrics.md as the code has it. */
export function metricsPage(): string {
  const groups = GROUPS.map(({ title, source, text }) => {
    const rows = TABLE.filter((row) => row.source === source);
    return [`## ${title}\n`, ...(text ? [`${text}\n`] : []), table(rows), examples(rows)].filter(Boolean).join('\n');
  });
  const processes = `## The process\n\nAs prom-client has them, some on Linux only: ${code(PROCESS_METRICS)}.\n`;
  return [INTRODUCTION, ...groups, processes, TAG_LABELS].join('\n');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| \`${row.name}\` | ${row.type} | ${labels(row)} | ${cell(row.help)} |`);
  return ['| name | type | labels | meaning |', '|---|---|---|---|', ...lines, ''].join('\n');
}

function labels(row: Row): string {
  const base = { key: ['resource'], consumer: ['resource'], source: ['target', 'location', 'service'] };
  const first = row.source in base ? base[row.source as keyof typeof base] : [];
  const names = row.identity ? row.labels : [...first, ...row.labels];
  return [...(row.identity ? ['\\*'] : []), ...(names.length > 0 ? [code(names)] : [])].join(', ');
}

function examples(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ example }) => (example ? [example] : []));
  return lines.length === 0 ? '' : `\`\`\`promql\n${lines.join('\n')}\n\`\`\`\n`;
}

function code(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
