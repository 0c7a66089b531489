import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { TABLE } from '../../src/metrics/table.ts';
import { parseCompose } from './compose.ts';
import { type Dashboard, dashboardViolations, expressions } from './dashboards.ts';
import { ROOT, read } from './project.ts';
import { metricsIn, unknownIn } from './promql.ts';

const DIRECTORY = 'config/grafana/dashboards';
const FILES = readdirSync(join(ROOT, DIRECTORY));
const DASHBOARDS = FILES.map((file) => JSON.parse(read(`${DIRECTORY}/${file}`)) as Dashboard);

test.each(FILES.map((file, at) => [file, DASHBOARDS[at]!] as const))('%s breaks no rule', (file, dashboard) => {
  expect(dashboardViolations(dashboard)).toEqual([]);
  expect(`${dashboard.uid}.json`).toBe(file);
});

test('there are three of them, and no two have a name in common', () => {
  expect(DASHBOARDS.length).toBe(3);
  expect(new Set(DASHBOARDS.map(({ title }) => title)).size).toBe(3);
});

/** The first dashboard with its text changed. */
function changed(from: string, to: string): Dashboard {
  const [dashboard] = DASHBOARDS.filter(({ uid }) => uid === 'keyvigil-overview');
  const text = JSON.stringify(dashboard);
  expect(text).toContain(from);
  return JSON.parse(text.replace(from, to)) as Dashboard;
}

test.each<[from: string, to: string, violation: string]>([
  ['sum(keyvigil_keys{health', 'sum(keyvigil_keyz{health', 'Keys inaccessible: asks for keyvigil_keyz'],
  ['keyvigil_keys{health', 'keyvigil_keys{wealth', 'Keys inaccessible: asks for keyvigil_keys{wealth}'],
  ['max by (resource, reason)', 'max by (resource, season)', 'Worst first: asks for {season}'],
  [
    'label_values(keyvigil_keys, provider)',
    'label_values(keyvigil_keys, team)',
    'the variable provider asks for {team}',
  ],
  ['account=~\\"$account\\"', 'account=~\\"$acount\\"', 'the variable acount does not exist'],
  ['"id":2,', '"id":3,', 'Root causes: has the id 3 of another panel'],
  ['"x":4,', '"x":3,', 'Root causes: lies on another panel'],
  ['"x":20,', '"x":21,', 'Oldest successful check: is wider than the page'],
  ['"schemaVersion":42', '"schemaVersion":16', 'schemaVersion 16'],
  ['"type":"datasource"', '"type":"constant"', 'its data source cannot be chosen'],
  ['"unit":"s"', '"unit":"ms"', 'Oldest successful check: has the unit ms'],
])('%s as %s is found', (from, to, violation) => {
  expect(dashboardViolations(changed(from, to))).toContain(violation);
});

test('metrics and labels are found wherever an expression can name them', () => {
  const table = new Map([['keyvigil_a', new Set(['x', 'y'])]]);
  expect(unknownIn('sum by (x) (keyvigil_a{y=~"q", z!="{"}) / on (w) keyvigil_b', table)).toEqual([
    'keyvigil_a{z}',
    'keyvigil_b',
    '{w}',
  ]);
  expect(unknownIn('sum without (x) (rate(keyvigil_a{x="1"}[5m]))', table)).toEqual([]);
});

/** For alerting rules; the status page shows them. */
const NOT_SHOWN = ['keyvigil_consumer_finding', 'keyvigil_key_baseline'];

test('every metric of the table is on a dashboard, or is left out on purpose', () => {
  const shown = new Set(DASHBOARDS.flatMap(expressions).flatMap(metricsIn));
  const table = TABLE.map(({ name, type }) => (type === 'histogram' ? `${name}_bucket` : name));
  expect(table.filter((name) => !shown.has(name)).sort()).toEqual(NOT_SHOWN);
});

test('links lead where the links of alerts lead: to keyvigil itself, which serves the runbooks of its own version', () => {
  const { global } = parse(read('config/prometheus/prometheus.yml'));
  const { keyvigil_url: url } = global.external_labels as { readonly keyvigil_url: string };
  const linked = read('config/prometheus/rules/keyvigil.yml').matchAll(/runbook_url: '\{\{[^}]*"([^"]+)" \}\}(.*)\//g);
  expect(new Set([...linked].map(([, start, path]) => `${start}${path}`))).toEqual(new Set([`${url}/runbooks`]));
  for (const { templating, links } of DASHBOARDS) {
    const [page] = templating.list.filter(({ name }) => name === 'status_page');
    expect(page?.query).toBe(url);
    const runbooks = links.find(({ title }) => title === 'Runbooks');
    expect(runbooks?.url).toBe(`\${status_page}/runbooks/README.md`);
  }
});

test('Grafana finds its data source, its dashboards and its first page where compose puts them', () => {
  const { volumes = [], environment = {} } = parseCompose(read('docker-compose.yml')).services.grafana ?? {};
  const { providers } = parse(read('config/grafana/provisioning/dashboards/keyvigil.yml'));
  const path = providers[0].options.path as string;
  expect(volumes).toContain(`./config/grafana/dashboards:${path}:ro`);
  expect(FILES.map((file) => `${path}/${file}`)).toContain(environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH);
  const { datasources } = parse(read('config/grafana/provisioning/datasources/keyvigil.yml'));
  expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }]);
  const links = JSON.stringify(DASHBOARDS).matchAll(/"\/d\/([\w-]+)\//g);
  for (const [, uid] of links) expect(DASHBOARDS.map((one) => one.uid)).toContain(uid);
});
