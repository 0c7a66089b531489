/** Metrics and labels in rules, dashboards and texts exist, and every metric is used or written down. */
import { expect, test } from 'vitest';
import { TABLE } from '../../src/metrics/table.ts';
import { unknownInProse, unknownNames, unused } from './checks.ts';
import { expressionsOfDashboards, expressionsOfRules, RULES, rulesOf, texts } from './files.ts';

const PROSE = [...texts('README.md'), ...texts('docs/**/*.md')];

test('rules name only metrics and labels that exist', () => {
  const expressions = expressionsOfRules(RULES);
  expect(expressions.length).toBeGreaterThan(80);
  expect(unknownNames(expressions, RULES)).toEqual([]);
});

test.each([
  ['keyvigil_key_accesible == 0', 'x: metric keyvigil_key_accesible'],
  ['keyvigil_key_reason{why="disabled"}', 'x: keyvigil_key_reason{why}'],
  ['keyvigil_key_consumers{account="1"}', 'x: keyvigil_key_consumers{account}'],
  ['sum by (region) (keyvigil_source_up)', 'x: label region'],
  ['keyvigil:no_such:rule > 1', 'x: metric keyvigil:no_such:rule'],
  ['label_replace(keyvigil_source_up, "x", "$1", "region", "(.*)")', 'x: label region'],
  ['{__name__=~"keyvigil:nothing.*"}', 'x: nothing is called keyvigil:nothing.*'],
  ['ALERTS{firing="true"}', 'x: ALERTS{firing}'],
])('a planted name is found: %s', (expr, problem) => {
  expect(unknownNames([{ where: 'x', expr }], RULES)).toContain(problem);
});

test('a name in the text of an alert is seen too', () => {
  const rules = rulesOf(
    `groups: [{ rules: [{ alert: A, expr: up, annotations: { x: '{{ with printf "no_such{resource=%q}" $labels.resource | query }}{{ end }}{{ with query "nor_this" }}{{ end }}' } }] }]`,
  );
  expect(unknownNames(expressionsOfRules(rules), rules)).toEqual(['A: metric no_such', 'A: metric nor_this']);
});

test('dashboards name only metrics and labels that exist', () => {
  const expressions = expressionsOfDashboards();
  expect(expressions.length).toBeGreaterThan(30);
  expect(unknownNames(expressions, RULES)).toEqual([]);
});

test('README, docs and runbooks name only metrics and labels that exist', () => {
  expect(PROSE.length).toBeGreaterThan(20);
  expect(unknownInProse(PROSE, RULES)).toEqual([]);
});

test.each([
  ['see `keyvigil_keys_total`', 'keyvigil_keys_total'],
  ['`keyvigil_key_reason{why="x"}`', 'keyvigil_key_reason{why}'],
  ['`keyvigil:freshness:nothing`', 'keyvigil:freshness:nothing'],
])('a planted name in a text is found: %s', (text, problem) => {
  expect(unknownInProse([{ path: 'a.md', text }], RULES)).toEqual([`a.md: ${problem}`]);
});

test('what only looks like a metric is none', () => {
  const text =
    'docs/keyvigil_x.md, `keyvigil_api_request_duration_seconds`, keyvigil_key_blind{reason="denied"}, keyvigil-slo';
  expect(unknownInProse([{ path: 'a.md', text }], RULES)).toEqual([]);
});

test('every metric of the table is used by a rule or a dashboard, or written down; one that is not is found', () => {
  const expressions = [...expressionsOfRules(RULES), ...expressionsOfDashboards()];
  const files = [...PROSE, ...expressions.map(({ where, expr }) => ({ path: where, text: expr }))];
  const names = TABLE.map(({ name }) => name);
  expect(unused(names, files)).toEqual([]);
  expect(unused([...names, 'keyvigil_new_one'], files)).toEqual(['keyvigil_new_one']);
});

test('what the page says of keys and sources beyond the docs is used by rules or dashboards', () => {
  const files = [...expressionsOfRules(RULES), ...expressionsOfDashboards()].map(({ where, expr }) => ({
    path: where,
    text: expr,
  }));
  expect(
    unused(
      TABLE.map(({ name }) => name),
      files,
    ),
  ).toEqual([]);
});
