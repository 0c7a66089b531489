import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

const RULES = new URL('../../config/prometheus/rules/keyvigil.yml', import.meta.url);

/**
 * The rules of Prometheus as its operator takes them.
 * @param rules text of a rules file; the one of the project if left out
 */
export function prometheusRule(rules = readFileSync(RULES, 'utf8')): string {
  const { groups } = parse(rules) as { readonly groups: readonly unknown[] };
  const resource = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'keyvigil', labels: { 'app.kubernetes.io/name': 'keyvigil' } },
    spec: { groups },
  };
  const head = '# Generated from config/prometheus/rules/keyvigil.yml by `npm run docs`; edits here are lost.\n';
  return head + stringify(resource, { lineWidth: 0, aliasDuplicateObjects: false });
}
