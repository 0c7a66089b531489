/** What a Grafana dashboard is made of, as far as ours need it. Its JSON follows from this and from nothing else. */

/** A colour from a value upwards; the first has no value. */
export type Threshold = readonly [color: 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text', from: number | null];

export interface Query {
  readonly expr: string;
  readonly legend?: string;
}

export interface Column {
  readonly name: string;
  readonly unit?: string;
  readonly width?: number;
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: Readonly<Record<string, readonly [text: string, color: string]>>;
  readonly link?: Link;
}

export interface Link {
  readonly title: string;
  readonly url: string;
}

export interface Panel {
  readonly type: 'stat' | 'timeseries' | 'table' | 'state-timeline';
  readonly title: string;
  readonly description: string;
  readonly queries: readonly Query[];
  /** Of 24. */
  readonly width: number;
  readonly height: number;
  readonly unit?: string;
  readonly thresholds?: readonly Threshold[];
  readonly mappings?: Readonly<Record<string, readonly [text: string, color: string]>>;
  readonly stacked?: boolean;
  readonly links?: readonly Link[];
  /** Tables only: how its columns are called and shown, by the name that Grafana gives them, in their order. */
  readonly columns?: Readonly<Record<string, Column>>;
  /** Tables only: what the rows of the queries have in common. */
  readonly joinBy?: string;
  /** Tables only: the column that is sorted by, descending unless it says otherwise. */
  readonly sortBy?: { readonly column: string; readonly ascending?: boolean };
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** `label_values(…)`; a text box otherwise, with `text` in it. */
  readonly query?: string;
  readonly text?: string;
  readonly all?: boolean;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: ReadonlyArray<{ readonly title: string; readonly panels: readonly Panel[] }>;
}

/** The `schemaVersion` of the Grafana in docker-compose.yml; newer ones migrate it. */
export const SCHEMA_VERSION = 42;

const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };
const STATUS_PAGE: Variable = { name: 'status_page', label: 'Status page', text: 'http://localhost:10539' };
export const STATUS_LINK: Link = { title: 'Status page', url: `\${status_page}/` };

/** The dashboard as Grafana reads it. */
export function render({ uid, title, description, variables, rows }: Dashboard): string {
  const dashboard = {
    uid,
    title,
    description,
    tags: ['keyvigil'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    annotations: { list: [] },
    links: [
      {
        title: 'keyvigil',
        type: 'dashboards',
        tags: ['keyvigil'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
      { ...STATUS_LINK, type: 'link', icon: 'external link', targetBlank: true },
      { title: 'Runbooks', url: `\${status_page}/runbooks/README.md`, type: 'link', icon: 'doc', targetBlank: true },
    ],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', refresh: 1 },
        ...[...variables, STATUS_PAGE].map(variable),
      ],
    },
    panels: layout(rows),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function variable({ name, label, query, text, all }: Variable) {
  if (query === undefined) {
    const current = { text, value: text };
    return { name, label, type: 'textbox', query: text, current, options: [{ ...current, selected: true }] };
  }
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: 'variable' },
    refresh: 2,
    sort: 5,
    ...(all ? { includeAll: true, multi: true, allValue: '.*', current: { text: ['All'], value: ['$__all'] } } : {}),
  };
}

/** From left to right, a new line where the width of 24 is full. */
function layout(rows: Dashboard['rows']) {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const one of panels) {
      if (x + one.width > 24) {
        y += lineHeight;
        x = 0;
        lineHeight = 0;
      }
      placed.push({ id: placed.length + 1, gridPos: { x, y, w: one.width, h: one.height }, ...panel(one) });
      x += one.width;
      lineHeight = Math.max(lineHeight, one.height);
    }
    y += lineHeight;
  }
  return placed;
}

function panel(one: Panel) {
  const instant = one.type === 'table' || one.type === 'stat';
  return {
    type: one.type,
    title: one.title,
    description: one.description,
    datasource: DATASOURCE,
    ...(one.links ? { links: one.links.map((link) => ({ ...link, targetBlank: true })) } : {}),
    targets: one.queries.map(({ expr, legend }, at) => ({
      refId: letter(at),
      datasource: DATASOURCE,
      expr,
      ...(legend === undefined ? {} : { legendFormat: legend }),
      ...(instant ? { instant: true, range: false } : { instant: false, range: true }),
      format: one.type === 'table' ? 'table' : 'time_series',
    })),
    fieldConfig: {
      defaults: {
        ...(one.unit === undefined ? {} : { unit: one.unit }),
        ...(one.type === 'timeseries' ? { min: 0 } : {}),
        ...(one.mappings ? { mappings: mappings(one.mappings) } : {}),
        color: { mode: one.type === 'timeseries' ? 'palette-classic' : 'thresholds' },
        thresholds: thresholds(one.thresholds ?? [['text', null]]),
        ...(one.type === 'timeseries' ? { custom: custom(one) } : {}),
      },
      overrides: Object.values(one.columns ?? {}).flatMap(override),
    },
    options: options(one),
    ...(one.type === 'table' ? { transformations: transformations(one) } : {}),
  };
}

function letter(at: number): string {
  return String.fromCharCode(65 + at);
}

function custom({ stacked }: Panel) {
  return {
    drawStyle: 'line',
    fillOpacity: stacked ? 25 : 5,
    showPoints: 'never',
    spanNulls: false,
    ...(stacked ? { stacking: { mode: 'normal', group: 'A' } } : {}),
  };
}

function options({ type, sortBy }: Panel) {
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false };
  if (type === 'stat') return { reduceOptions, colorMode: 'background', graphMode: 'none', textMode: 'auto' };
  if (type === 'timeseries') {
    return {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    };
  }
  if (type === 'state-timeline') return { showValue: 'auto', mergeValues: true, rowHeight: 0.8 };
  return {
    showHeader: true,
    cellHeight: 'sm',
    ...(sortBy ? { sortBy: [{ displayName: sortBy.column, desc: !sortBy.ascending }] } : {}),
  };
}

function thresholds(steps: readonly Threshold[]) {
  return { mode: 'absolute', steps: steps.map(([color, value]) => ({ color, value })) };
}

function mappings(values: Readonly<Record<string, readonly [string, string]>>) {
  const entries = Object.entries(values).map(([value, [text, color]], index) => [value, { text, color, index }]);
  return [{ type: 'value', options: Object.fromEntries(entries) }];
}

function override(column: Column) {
  const { name, unit, width } = column;
  const properties = [
    ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(column.mappings ? [{ id: 'mappings', value: mappings(column.mappings) }] : []),
    ...(column.thresholds ? [{ id: 'thresholds', value: thresholds(column.thresholds) }] : []),
    ...(column.mappings || column.thresholds ? [{ id: 'custom.cellOptions', value: { type: 'color-text' } }] : []),
    ...(column.link ? [{ id: 'links', value: [column.link] }] : []),
  ];
  return properties.length === 0 ? [] : [{ matcher: { id: 'byName', options: name }, properties }];
}

/** Rows of several queries become one; what has no name here is not shown. */
function transformations({ columns = {}, joinBy, queries }: Panel) {
  const names = Object.keys(columns);
  return [
    ...(joinBy && queries.length > 1
      ? [{ id: 'joinByField', options: { byField: joinBy, mode: 'outerTabular' } }]
      : []),
    { id: 'filterFieldsByName', options: { include: { names } } },
    {
      id: 'organize',
      options: {
        excludeByName: {},
        indexByName: Object.fromEntries(names.map((name, at) => [name, at])),
        renameByName: Object.fromEntries(names.map((name) => [name, columns[name]?.name ?? name])),
      },
    },
  ];
}
