/** Every alert has a rule, a runbook and a test of promtool, and the reverse. */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERT_NAMES } from '../../src/core/alert.ts';
import { alertNameOf } from '../../src/core/alerts/rules.ts';
import { isConsumerKind } from '../../src/core/model.ts';
import { CONSUMER_REASONS, INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { differences, ruleProblems, runbookProblems } from './checks.ts';
import { ALERT_RULES, RULES, read, texts } from './files.ts';

const ALL = [...ALERT_NAMES, 'KeyvigilAbsent', 'KeyvigilWatchdog'];
const RUNBOOKS = texts('docs/runbooks/Keyvigil*.md');

interface PromtoolTest {
  readonly tests: ReadonlyArray<{
    readonly name: string;
    readonly promql_expr_test?: ReadonlyArray<{ readonly exp_samples: ReadonlyArray<{ readonly labels: string }> }>;
    readonly alert_rule_test?: ReadonlyArray<{ readonly alertname: string; readonly exp_alerts?: readonly unknown[] }>;
  }>;
}
const PROMTOOL_TESTS = texts('config/prometheus/tests/*.yml').flatMap(
  ({ text }) => (parse(text) as PromtoolTest).tests,
);

test('every alert has a rule, and every rule is an alert', () => {
  expect(
    differences(
      ALL,
      ALERT_RULES.map(({ alert = '' }) => alert),
      ['alert', 'rule'],
    ),
  ).toEqual([]);
  expect(differences(['A', 'B'], ['B', 'C'], ['alert', 'rule'])).toEqual(['A: no rule', 'C: no alert']);
});

test('every alert has a runbook that is listed, and every runbook an alert', () => {
  const names = RUNBOOKS.map(({ path }) => /(\w+)\.md$/.exec(path)?.[1] ?? '');
  expect(differences(ALL, names, ['alert', 'runbook'])).toEqual([]);
  const index = [...read('docs/runbooks/README.md').matchAll(/^\| \[(\w+)\]\((\w+)\.md\)/gm)];
  expect(
    differences(
      ALL,
      index.map(([, name = '']) => name),
      ['alert', 'line in the index'],
    ),
  ).toEqual([]);
  expect(index.every(([, name, file]) => name === file)).toBe(true);
});

test('every alert is seen by promtool as a whole, and in a test where it does not fire', () => {
  const whole = PROMTOOL_TESTS.flatMap(({ alert_rule_test: tests = [] }) =>
    tests.filter(({ exp_alerts: alerts = [] }) => alerts.length > 0).map(({ alertname }) => alertname),
  );
  expect(differences(ALL, whole, ['alert', 'promtool test'])).toEqual([]);
  const fires = (one: PromtoolTest['tests'][number]) =>
    (one.promql_expr_test ?? []).map(({ exp_samples: samples }) => samples.map(({ labels }) => labels).join());
  for (const name of ALL.filter((one) => one !== 'KeyvigilWatchdog')) {
    const states = PROMTOOL_TESTS.flatMap(fires).map((firing) => firing.includes(`"${name}"`));
    expect([name, states.includes(true), states.includes(false)]).toEqual([name, true, true]);
  }
  expect(new Set(PROMTOOL_TESTS.map(({ name }) => name)).size).toBe(PROMTOOL_TESTS.length);
});

test('every rule has what an alert needs', () => {
  expect(ALERT_RULES.flatMap(ruleProblems)).toEqual([]);
});

test('a rule that lacks something is found', () => {
  const [rule] = ALERT_RULES;
  if (!rule?.labels || !rule.annotations) throw new Error('no rule');
  const { severity: _, ...unranked } = rule.labels;
  expect(ruleProblems({ ...rule, labels: unranked })).toEqual([`${rule.alert}: has no severity`]);
  expect(ruleProblems({ ...rule, labels: { ...rule.labels, origin: 'push' } })).toHaveLength(1);
  expect(ruleProblems({ ...rule, alert: 'KeyvigilOther' })).toEqual(['KeyvigilOther: links to another runbook']);
  expect(ruleProblems({ ...rule, annotations: { ...rule.annotations, summary: 'No stop' } })).toHaveLength(1);
  expect(ruleProblems({ ...rule, expr: 'keyvigil_source_up == 0' })).toEqual([
    `${rule.alert}: keeps the labels of the scrape`,
  ]);
});

test('every runbook says all that it must, and has a heading for each reason that alerts link to', () => {
  const anchors: Readonly<Record<string, readonly string[]>> = {
    KeyvigilKeyInaccessible: [...INACCESSIBLE_REASONS, 'dependency'],
    KeyvigilConsumerImpaired: CONSUMER_REASONS,
    KeyvigilKeyStatusUnknown: UNKNOWN_REASONS,
  };
  const problems = RUNBOOKS.flatMap((book) => runbookProblems(book, anchors[/(\w+)\.md$/.exec(book.path)?.[1] ?? '']));
  expect(problems).toEqual([]);
});

test('a runbook that lacks something is found', () => {
  const [book] = RUNBOOKS;
  if (!book) throw new Error('no runbook');
  const broken = (change: (text: string) => string) => runbookProblems({ path: 'x', text: change(book.text) });
  expect(broken((text) => text.replace('## Fix', '## Repair'))).toContain('x: has no Fix');
  expect(broken((text) => text.replace(/## Impact\n[\s\S]*?\n## /, '## Impact\n\nNone.\n\n## '))).toEqual([
    'x: says nothing under Impact',
  ]);
  expect(broken((text) => text.replace('Do not:', 'Never:'))).toEqual(['x: does not say what not to do']);
  expect(runbookProblems(book, ['no_such_reason'])).toHaveLength(1);
});

test('links between runbooks and to the docs lead somewhere', () => {
  const known = new Set(texts('docs/**/*.md').map(({ path }) => path));
  for (const { path, text } of [
    ...RUNBOOKS,
    { path: 'docs/runbooks/README.md', text: read('docs/runbooks/README.md') },
  ]) {
    for (const [, link = ''] of text.matchAll(/\]\(([\w./-]+\.md)\)/g)) {
      expect(known, `${path}: ${link}`).toContain(
        `docs/${link.startsWith('../') ? link.slice(3) : `runbooks/${link}`}`,
      );
    }
  }
});

test('no runbook tells anybody to purge or to delete', () => {
  const commands = (text: string) =>
    [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, code = '']) => code.split('\n')).filter(destroys);
  expect(RUNBOOKS.flatMap(({ text }) => commands(text))).toEqual([]);
  expect(
    commands('```sh\naz keyvault purge --name x\naz ams account delete --name y\nkms schedule-key-deletion\n```'),
  ).toHaveLength(3);
});

function destroys(command: string): boolean {
  return /\b(purge|delete|schedule-key-deletion|delete-secret|disable-key|rm)(\s|$)/.test(command.replace(/#.*/, ''));
}

/** Which findings a recorded rule takes, as it says it. */
function findings(record: string): (id: string) => boolean {
  const { expr = '' } = RULES.find((rule) => rule.record === record) ?? {};
  const matchers = [...expr.matchAll(/finding(=~|!~)"([^"]+)"/g)].map(
    ([, how, regex]) => [how, new RegExp(`^(?:${regex})$`)] as const,
  );
  if (matchers.length === 0) throw new Error(`${record} names no findings`);
  return (id) =>
    matchers.some(([how, regex]) => how === '=~' && regex.test(id)) ||
    matchers.every(([how, regex]) => how === '!~' && !regex.test(id));
}

const TABLED = SERVICES.flatMap(({ rules = [] }) => rules);
const FINDINGS = TABLED.map(({ id }) => id);

test.each([
  ['KeyvigilKeyExpiring', 'keyvigil:key_expiring'],
  ['KeyvigilKeyExpired', 'keyvigil:key_expired:time'],
  ['KeyvigilRotationOverdue', 'keyvigil:rotation_overdue:time'],
  ['KeyvigilRotationStuck', 'keyvigil:rotation_stuck:time'],
  ['KeyvigilRotationNotPropagated', 'keyvigil:rotation_not_propagated:time'],
] as const)('the rule of %s takes the findings that the daemon tells by it', (alert, record) => {
  expect(FINDINGS.length).toBeGreaterThan(30);
  const takes = findings(record);
  for (const id of [...FINDINGS, 'other.expiring', 'other.rotation-lag']) {
    expect([id, takes(id)]).toEqual([id, alertNameOf(id) === alert]);
  }
});

test('whatever has no alert of its own is misconfigured, and what explains an impairment is told with that', () => {
  const { expr = '' } = RULES.find(({ record }) => record === 'keyvigil:key_misconfigured:time') ?? {};
  const [own, consumersOwn, impairs] = [...expr.matchAll(/finding!~"([^"]+)"/g)].map(
    ([, regex]) => new RegExp(`^(?:${regex})$`),
  );
  if (!own || !consumersOwn || !impairs) throw new Error('the rule changed');
  for (const id of FINDINGS) {
    expect([id, own.test(id), consumersOwn.test(id)]).toEqual([
      id,
      alertNameOf(id) !== 'KeyvigilKeyMisconfigured',
      alertNameOf(id) !== 'KeyvigilKeyMisconfigured',
    ]);
  }
  const proving = TABLED.flatMap((rule) => (rule.impairs === undefined ? [] : rule.id));
  expect(proving).toContain('media-services.access');
  expect(FINDINGS.filter((id) => impairs.test(id)).sort()).toEqual(proving.sort());
});

test('rules know which source looks at each kind of key', () => {
  const { expr = '' } = RULES.find(({ record }) => record === 'keyvigil:key_blind:source') ?? {};
  const said = [...expr.matchAll(/"source_service", "([^"$]+)", "kind", "([^"]+)"/g)];
  for (const { name, kinds } of SERVICES) {
    for (const kind of kinds.filter((one) => !isConsumerKind(one))) {
      const found = said.filter(([, , regex]) => new RegExp(`^(?:${regex})$`).test(kind)).map(([, service]) => service);
      expect([kind, found]).toEqual([kind, [name]]);
    }
  }
});
