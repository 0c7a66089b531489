/** The tests of the rules as promtool runs them: all of them, a few, or on a copy with a mistake in it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { promtool, ROOT } from './tools.ts';

const run = promisify(execFile);
/** promtool counts on one processor. */
const AT_ONCE = 2;

/** A copy of config/prometheus, for mistakes to be planted in. */
export async function copy(stack: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-rules-'));
  stack.defer(() => rm(directory, { recursive: true }));
  await cp(join(ROOT, 'config/prometheus'), directory, { recursive: true });
  return directory;
}

interface Judged {
  readonly passed: boolean;
  readonly said: string;
}

/** What promtool says of these files of tests. @throws where it judged nothing */
export async function testRules(directory: string, files: readonly string[]): Promise<Judged> {
  const paths = files.map((file) => join(directory, 'tests', `${file}.yml`));
  return await run(await promtool(), ['test', 'rules', ...paths], { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout }) => ({ passed: true, said: stdout }),
    (error: { readonly code?: unknown; readonly stdout?: string; readonly stderr?: string }) => {
      // 1: a test failed. Anything else is no judgement.
      if (error.code !== 1) throw error;
      return { passed: false, said: `${error.stdout}${error.stderr}` };
    },
  );
}

/** The same of all files, by as many promtools as there are processors: each counts on one. */
export async function testAllRules(directory: string): Promise<Judged> {
  const names = (await readdir(join(directory, 'tests'))).map((name) => name.replace(/\.yml$/, '')).sort();
  expect(names.length).toBeGreaterThan(5);
  const shares = Array.from({ length: AT_ONCE }, (_, at) => names.filter((_name, place) => place % AT_ONCE === at));
  const judged = await Promise.all(shares.map((share) => testRules(directory, share)));
  return { passed: judged.every(({ passed }) => passed), said: judged.map(({ said }) => said).join('\n') };
}

/** Alerts that promtool expected somewhere, and that were not there. */
export function missedIn(said: string): readonly string[] {
  const namesIn = (text = '') => new Set(Array.from(text.matchAll(/alertname="(\w+)"/g), ([, name = '']) => name));
  // What follows what was had is the head of the next failure, which names no alert in this way.
  const missed = said
    .split(/^\s+exp:/m)
    .slice(1)
    .flatMap((failure) => {
      const [expected, got] = failure.split(/^\s+got:/m).map(namesIn);
      return [...(expected ?? [])].filter((name) => !got?.has(name));
    });
  return [...new Set(missed)].sort();
}

interface Group {
  readonly name: string;
  readonly alert_rule_test?: ReadonlyArray<{ eval_time: string; alertname: string; exp_alerts?: readonly unknown[] }>;
  readonly promql_expr_test?: ReadonlyArray<{
    eval_time: string;
    exp_samples?: readonly { readonly labels: string }[];
  }>;
}

interface TestFile {
  readonly tests: readonly Group[];
}

/** Alerts that a test expects to fire at some time. */
function expectedIn({ alert_rule_test: alerts = [], promql_expr_test: expressions = [] }: Group): ReadonlySet<string> {
  const samples = expressions.flatMap(({ exp_samples = [] }) => exp_samples.map(({ labels }) => labels));
  return new Set([
    ...alerts.flatMap(({ alertname, exp_alerts = [] }) => (exp_alerts.length > 0 ? alertname : [])),
    ...samples.flatMap((labels) => /alertname="(\w+)"/.exec(labels)?.[1] ?? []),
  ]);
}

/** Minutes until its last question; promtool counts them all. */
function minutesOf({ alert_rule_test: alerts = [], promql_expr_test: expressions = [] }: Group): number {
  const minutes = (time: string) => {
    const [, days = 0, hours = 0, rest = 0] = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?/.exec(time) ?? [];
    return Number(days) * 1_440 + Number(hours) * 60 + Number(rest);
  };
  return Math.max(...[...alerts, ...expressions].map(({ eval_time: time }) => minutes(time)));
}

/** Leaves of the tests in a copy the shortest that expects each of these alerts. */
export async function keepShortest(directory: string, names: readonly string[]): Promise<void> {
  const paths = (await readdir(join(directory, 'tests'))).map((file) => join(directory, 'tests', file));
  const files = await Promise.all(
    paths.map(async (path) => ({ path, whole: parse(await readFile(path, 'utf8')) as TestFile })),
  );
  const byLength = files.flatMap(({ whole }) => whole.tests).sort((a, b) => minutesOf(a) - minutesOf(b));
  const kept = new Set(names.map((name) => byLength.find((group) => expectedIn(group).has(name))));
  for (const { path, whole } of files) {
    await writeFile(path, JSON.stringify({ ...whole, tests: whole.tests.filter((group) => kept.has(group)) }));
  }
}
