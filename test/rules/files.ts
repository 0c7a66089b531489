/** The files of ours that name alerts and metrics, as the checks see them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Dashboard, expressions } from '../stack/dashboards.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A text with the path that tells people where it is. */
export interface Text {
  readonly path: string;
  readonly text: string;
}

/** A PromQL expression and where it stands. */
export interface Expression {
  readonly where: string;
  readonly expr: string;
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function texts(pattern: string): readonly Text[] {
  return globSync(pattern, { cwd: ROOT })
    .sort()
    .map((path) => ({ path, text: read(path) }));
}

export function rulesOf(text: string): readonly Rule[] {
  const { groups } = parse(text) as { readonly groups: ReadonlyArray<{ readonly rules: readonly Rule[] }> };
  return groups.flatMap(({ rules }) => rules);
}

export const RULES: readonly Rule[] = rulesOf(read('config/prometheus/rules/keyvigil.yml'));
export const ALERT_RULES = RULES.filter((rule) => rule.alert !== undefined);

/** The expressions of rules, and those that the texts of their alerts ask. */
export function expressionsOfRules(rules: readonly Rule[]): readonly Expression[] {
  return rules.flatMap(({ alert, record, expr, annotations = {} }) => {
    const where = alert ?? record ?? '';
    const asked = Object.values(annotations).flatMap((text) => [
      ...[...text.matchAll(/\{\{ ?with printf "((?:[^"\\]|\\.)*)"/g)].map(([, query = '']) =>
        query.replaceAll('%q', '"x"'),
      ),
      ...[...text.matchAll(/\{\{ ?with query "((?:[^"\\]|\\.)*)"/g)].map(([, query = '']) => query),
    ]);
    return [expr, ...asked].map((one) => ({ where, expr: one.replaceAll('\\"', '"') }));
  });
}

export function expressionsOfDashboards(): readonly Expression[] {
  return texts('config/grafana/**/*.json').flatMap(({ path, text }) =>
    expressions(JSON.parse(text) as Dashboard).map((expr) => ({ where: path, expr: withoutVariables(expr) })),
  );
}

/** Grafana's own variables stand for durations. */
function withoutVariables(expr: string): string {
  return expr.replaceAll(/\$__\w+/g, '5m');
}
