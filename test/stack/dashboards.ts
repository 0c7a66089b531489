/** What a dashboard of ours must hold. */
import { SCHEMA_VERSION } from '../scripts/dashboards/panels.ts';
import { unknownIn } from './promql.ts';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: ReadonlyArray<{ readonly name: string; readonly type: string; readonly query?: unknown }>;
  };
  readonly links: ReadonlyArray<{ readonly title: string; readonly url?: string }>;
}

/** What Grafana itself puts in. */
const BUILT_IN = new Set(['__rate_interval', '__url_time_range', '__data']);
const DATASOURCE = `\${datasource}`;
const UNITS = new Set(['s', 'none', 'bytes', 'reqps', 'percentunit']);

/** Every expression of a dashboard, those of its variables too. */
export function expressions({ panels, templating }: Dashboard): string[] {
  const queries = templating.list.flatMap(({ type, query }) =>
    type === 'query' ? [(query as { query: string }).query] : [],
  );
  const selectors = queries.map((query) => /^label_values\((.*), \w+\)$/.exec(query)?.[1] ?? query);
  return [...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...selectors];
}

/** Everything that is wrong with a dashboard. */
export function dashboardViolations(dashboard: Dashboard): string[] {
  const { panels, templating } = dashboard;
  const found: string[] = [];
  if (dashboard.schemaVersion !== SCHEMA_VERSION) found.push(`schemaVersion ${dashboard.schemaVersion}`);
  const variables = new Set(templating.list.map(({ name }) => name));
  if (templating.list[0]?.type !== 'datasource') found.push('its data source cannot be chosen');
  for (const page of ['/', '/runbooks/']) {
    if (!dashboard.links.some(({ url }) => url?.startsWith(`\${status_page}${page}`))) found.push(`no link to ${page}`);
  }
  for (const [, name = ''] of JSON.stringify(dashboard).matchAll(/\$\{?([A-Za-z_]\w*)/g)) {
    if (!variables.has(name) && !BUILT_IN.has(name) && name !== '__all')
      found.push(`the variable ${name} does not exist`);
  }
  for (const { name, query } of templating.list) {
    const label = /, (\w+)\)$/.exec((query as { query?: string } | undefined)?.query ?? '')?.[1];
    const selector = (query as { query?: string } | undefined)?.query?.replace(/^label_values\((.*), \w+\)$/, '$1');
    if (label && selector) {
      for (const what of unknownIn(`sum by (${label}) (${selector})`))
        found.push(`the variable ${name} asks for ${what}`);
    }
  }
  const ids = new Set<number>();
  for (const panel of panels) {
    const say = (what: string) => found.push(`${panel.title}: ${what}`);
    if (ids.has(panel.id)) say(`has the id ${panel.id} of another panel`);
    ids.add(panel.id);
    const { x, w } = panel.gridPos;
    if (x + w > 24) say('is wider than the page');
    if (panels.some((other) => other.id !== panel.id && overlap(panel, other))) say('lies on another panel');
    if (panel.type === 'row') continue;
    if (!/^[A-Z].{2,40}$/.test(panel.title)) say('is no title');
    if (!panel.description?.endsWith('.')) say('has no description');
    if (panel.datasource?.uid !== DATASOURCE) say('is bound to one data source');
    const unit = panel.fieldConfig?.defaults.unit;
    if (unit !== undefined && !UNITS.has(unit)) say(`has the unit ${unit}`);
    if (!panel.targets?.length) say('asks for nothing');
    for (const target of panel.targets ?? []) {
      if (target.datasource.uid !== DATASOURCE) say('asks one data source');
      if (panel.type === 'timeseries' && !target.legendFormat) say('has no legend');
      for (const what of unknownIn(target.expr)) say(`asks for ${what}`);
    }
  }
  return found;
}

function overlap(one: Panel, other: Panel): boolean {
  const [a, b] = [one.gridPos, other.gridPos];
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
