import { type Column, type Dashboard, type Panel, STATUS_LINK, type Threshold } from './panels.ts';

const BAD_ABOVE_0: readonly Threshold[] = [
  ['green', null],
  ['red', 1],
];
const WARN_ABOVE_0: readonly Threshold[] = [
  ['green', null],
  ['yellow', 1],
];
/** Seconds left: less is worse. */
const DEADLINE: readonly Threshold[] = [
  ['red', null],
  ['orange', 3 * 86_400],
  ['yellow', 7 * 86_400],
  ['green', 30 * 86_400],
];
const KEY = 'provider, account, location, kind, name, resource';
const WHERE = 'provider=~"$provider", account=~"$account"';
const KEY_LINK = {
  title: 'Key detail',
  url: `/d/keyvigil-key/keyvigil-key?var-resource=\${__data.fields.Resource:percentencode}&\${__url_time_range}`,
};
const RESOURCE: Column = { name: 'Resource', link: KEY_LINK };
const IDENTITY: Readonly<Record<string, Column>> = {
  name: { name: 'Name', width: 240 },
  kind: { name: 'Kind', width: 150 },
  account: { name: 'Account', width: 150 },
  location: { name: 'Location', width: 110 },
};

/** Narrows a series that has nothing but a resource to the chosen accounts. */
function chosen(expr: string): string {
  return `${expr} and on (resource) keyvigil_key_info{${WHERE}}`;
}

function stat(
  title: string,
  description: string,
  expr: string,
  thresholds: readonly Threshold[],
  unit = 'none',
): Panel {
  return {
    type: 'stat',
    title,
    description,
    queries: [{ expr }],
    width: 4,
    height: 4,
    unit,
    thresholds,
    links: [STATUS_LINK],
  };
}

const COUNTS: readonly Panel[] = [
  stat(
    'Keys inaccessible',
    'Keys that cannot be used, because of themselves or of what they depend on.',
    `sum(keyvigil_keys{health="inaccessible", ${WHERE}})`,
    BAD_ABOVE_0,
  ),
  stat(
    'Root causes',
    'Lost keys that no other key is to blame for: this many things have to be undone.',
    `count((keyvigil_key_accessible{${WHERE}} == 0) unless on (resource) keyvigil_key_root_cause) or vector(0)`,
    BAD_ABOVE_0,
  ),
  stat(
    'Consumers impaired',
    'What has stopped working as far as its keys go.',
    `sum(keyvigil_consumers{health="impaired", ${WHERE}}) or vector(0)`,
    BAD_ABOVE_0,
  ),
  stat(
    'Keys blind',
    'Keys about which nothing conclusive is coming in: what is shown of them is what was believed last.',
    `count(${chosen('keyvigil_key_blind_since_timestamp_seconds')}) or vector(0)`,
    WARN_ABOVE_0,
  ),
  stat(
    'Keys degraded',
    'Keys that work and break a rule.',
    `sum(keyvigil_keys{health="degraded", ${WHERE}})`,
    WARN_ABOVE_0,
  ),
  stat(
    'Oldest successful check',
    'Age of the last success of the source that has waited longest for one. Everything on this page is as old as its source.',
    'time() - min(keyvigil_source_last_success_timestamp_seconds)',
    [
      ['green', null],
      ['yellow', 300],
      ['red', 900],
    ],
    's',
  ),
];

const UNWELL = `(keyvigil_key_accessible{${WHERE}} == 0)`;
const WORST: Panel = {
  type: 'table',
  title: 'Worst first',
  description:
    'Every key that is not simply accessible. The status page says what each of them breaks, and how it is undone.',
  width: 24,
  height: 10,
  joinBy: 'resource',
  links: [STATUS_LINK],
  sortBy: { column: 'State' },
  queries: [
    {
      expr: [
        `(max by (${KEY}) ${UNWELL} + 4)`,
        `(max by (${KEY}) (keyvigil_key_info{${WHERE}} unless on (resource) keyvigil_key_accessible) * 0 + 3)`,
        `(max by (${KEY}) (keyvigil_key_info{${WHERE}} and on (resource) keyvigil_key_blind) * 0 + 2)`,
        `(max by (${KEY}) (keyvigil_key_finding{severity=~"warning|critical", ${WHERE}}) * 0 + 1)`,
      ].join(' or '),
    },
    { expr: 'max by (resource, reason) (keyvigil_key_reason)' },
    { expr: 'max by (resource) (time() - keyvigil_key_unhealthy_since_timestamp_seconds)' },
    { expr: `max by (resource) (keyvigil_key_deletion_timestamp_seconds - time())` },
    { expr: `max by (resource) (keyvigil_key_consumers and on (resource) keyvigil_key_reason)` },
  ],
  columns: {
    'Value #A': {
      name: 'State',
      width: 130,
      mappings: {
        4: ['inaccessible', 'red'],
        3: ['unknown', 'orange'],
        2: ['blind', 'yellow'],
        1: ['degraded', 'yellow'],
      },
    },
    ...IDENTITY,
    reason: { name: 'Reason', width: 160 },
    'Value #C': { name: 'For', unit: 's', width: 110 },
    'Value #D': { name: 'Deleted in', unit: 's', width: 110, thresholds: DEADLINE },
    'Value #E': { name: 'Depend on it', width: 110 },
    resource: RESOURCE,
  },
};

const CONSUMERS: Panel = {
  type: 'table',
  title: 'Consumers impaired',
  description: 'What does not work, and why.',
  width: 12,
  height: 8,
  joinBy: 'resource',
  queries: [
    { expr: `max by (${KEY}) (keyvigil_consumer_ok{${WHERE}} == 0)` },
    {
      expr: `max by (resource, reason) (keyvigil_consumer_reason and on (resource) (keyvigil_consumer_ok{${WHERE}} == 0))`,
    },
  ],
  columns: { ...IDENTITY, reason: { name: 'Reason', width: 160 }, resource: { name: 'Resource' } },
};

function countdown(title: string, description: string, metric: string, below: string): Panel {
  const left = `${metric} - time()`;
  return {
    type: 'table',
    title,
    description,
    width: 12,
    height: 8,
    sortBy: { column: 'Left', ascending: true },
    queries: [
      {
        expr: `max by (${KEY}) ((${left} < ${below}) * on (resource) group_left (${KEY.replace(', resource', '')}) keyvigil_key_info{${WHERE}})`,
      },
    ],
    columns: {
      Value: { name: 'Left', unit: 's', width: 110, thresholds: DEADLINE },
      ...IDENTITY,
      resource: RESOURCE,
    },
  };
}

export const OVERVIEW: Dashboard = {
  uid: 'keyvigil-overview',
  title: 'keyvigil: overview',
  description: 'What is unusable, what that breaks, and how old this knowledge is.',
  variables: [
    { name: 'provider', label: 'Provider', query: 'label_values(keyvigil_keys, provider)', all: true },
    {
      name: 'account',
      label: 'Account',
      query: 'label_values(keyvigil_keys{provider=~"$provider"}, account)',
      all: true,
    },
  ],
  rows: [
    { title: 'Now', panels: [...COUNTS, WORST] },
    {
      title: 'What it breaks, and what comes next',
      panels: [
        CONSUMERS,
        countdown(
          'Deletions',
          'Announced deletions. After them nothing helps.',
          'keyvigil_key_deletion_timestamp_seconds',
          '+Inf',
        ),
        countdown(
          'Expiries',
          'Within the next 90 days, and past ones.',
          'keyvigil_key_expiry_timestamp_seconds',
          '90 * 86400',
        ),
        countdown(
          'Rotations',
          'Within the next 30 days; overdue ones are negative.',
          'keyvigil_key_next_rotation_timestamp_seconds',
          '30 * 86400',
        ),
      ],
    },
    {
      title: 'Over time',
      panels: [
        {
          type: 'timeseries',
          title: 'Keys by cloud and health',
          description: 'Every key that is watched.',
          queries: [
            { expr: `sum by (provider, health) (keyvigil_keys{${WHERE}}) > 0`, legend: '{{provider}} {{health}}' },
          ],
          width: 12,
          height: 8,
          stacked: true,
        },
        {
          type: 'timeseries',
          title: 'Confirmed changes',
          description: 'Transitions of keys, by what they changed to.',
          queries: [
            { expr: 'sum by (to) (increase(keyvigil_source_transitions_total[$__rate_interval]))', legend: '{{to}}' },
          ],
          width: 6,
          height: 8,
        },
        {
          type: 'timeseries',
          title: 'New versions and rollbacks',
          description: 'Counted since first sight, kept over restarts.',
          queries: [
            {
              expr: `sum by (provider) (increase(keyvigil_key_version_changes_total[$__rate_interval]) * on (resource) group_left (provider) keyvigil_key_info{${WHERE}})`,
              legend: '{{provider}}',
            },
          ],
          width: 6,
          height: 8,
        },
      ],
    },
  ],
};
