import type { Dashboard, Panel, Threshold } from './panels.ts';

const THIS = 'resource="$resource"';
const PAGE = { title: 'This key on the status page', url: `\${status_page}/keys/\${resource:percentencode}` };
const NEUTRAL: readonly Threshold[] = [['blue', null]];
const LEFT: readonly Threshold[] = [
  ['red', null],
  ['orange', 3 * 86_400],
  ['green', 30 * 86_400],
];
const ACCESSIBLE = { 0: ['inaccessible', 'red'], 1: ['accessible', 'green'] } as const;

function stat(title: string, description: string, expr: string, more: Partial<Panel> = {}): Panel {
  return {
    type: 'stat',
    title,
    description,
    queries: [{ expr }],
    width: 4,
    height: 4,
    thresholds: NEUTRAL,
    links: [PAGE],
    ...more,
  };
}

export const KEY_DETAIL: Dashboard = {
  uid: 'keyvigil-key',
  title: 'keyvigil: key detail',
  description: 'One key: what it is, what became of it, what needs it.',
  variables: [{ name: 'resource', label: 'Key', query: 'label_values(keyvigil_key_info, resource)' }],
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Usable', 'Dependencies count; stands while the key is blind.', `max(keyvigil_key_accessible{${THIS}})`, {
          mappings: ACCESSIBLE,
        }),
        stat(
          'Not well for',
          'Since it has its health; no data while it is accessible.',
          `time() - min(keyvigil_key_unhealthy_since_timestamp_seconds{${THIS}})`,
          { unit: 's' },
        ),
        stat(
          'Blind for',
          'Nothing conclusive has come in since; no data while something does.',
          `time() - min(keyvigil_key_blind_since_timestamp_seconds{${THIS}})`,
          {
            unit: 's',
            thresholds: [['yellow', null]],
          },
        ),
        stat('Depend on it', 'Consumers and keys, directly or through others.', `max(keyvigil_key_consumers{${THIS}})`),
        stat(
          'Deleted in',
          'When the announced deletion completes.',
          `min(keyvigil_key_deletion_timestamp_seconds{${THIS}}) - time()`,
          { unit: 's', thresholds: LEFT },
        ),
        stat(
          'Expires in',
          'When it stops working by date.',
          `min(keyvigil_key_expiry_timestamp_seconds{${THIS}}) - time()`,
          { unit: 's', thresholds: LEFT },
        ),
        {
          type: 'table',
          title: 'What it is',
          description: 'As its cloud names it.',
          queries: [
            {
              expr: `max by (name, kind, provider, account, location, target, version, spec, state) (keyvigil_key_info{${THIS}})`,
            },
          ],
          width: 24,
          height: 4,
          columns: {
            name: { name: 'Name' },
            kind: { name: 'Kind', width: 130 },
            provider: { name: 'Provider', width: 90 },
            account: { name: 'Account', width: 150 },
            location: { name: 'Location', width: 110 },
            target: { name: 'Target', width: 130 },
            version: { name: 'Current version' },
            spec: { name: 'Spec', width: 170 },
            state: { name: 'State', width: 130 },
          },
        },
      ],
    },
    {
      title: 'What became of it',
      panels: [
        {
          type: 'state-timeline',
          title: 'Usable',
          description: 'Over time. A gap: nothing conclusive was known, or nobody scraped.',
          queries: [{ expr: `max(keyvigil_key_accessible{${THIS}})`, legend: 'usable' }],
          width: 12,
          height: 5,
          mappings: ACCESSIBLE,
        },
        {
          type: 'state-timeline',
          title: 'Current version',
          description: 'Which version was current when.',
          queries: [{ expr: `max by (version) (keyvigil_key_info{${THIS}})`, legend: '{{version}}' }],
          width: 12,
          height: 5,
          mappings: { 1: ['current', 'blue'] },
        },
        stat(
          'New versions',
          'And rollbacks, since it was first seen.',
          `max(keyvigil_key_version_changes_total{${THIS}})`,
        ),
        stat(
          'Version created',
          'How long ago the current version was made.',
          `time() - max(keyvigil_key_version_created_timestamp_seconds{${THIS}})`,
          { unit: 's' },
        ),
        stat(
          'Version detected',
          'How long ago it was noticed; no data until a change after first sight.',
          `time() - max(keyvigil_key_version_detected_timestamp_seconds{${THIS}})`,
          { unit: 's' },
        ),
        stat('Last rotated', 'How long ago.', `time() - max(keyvigil_key_last_rotation_timestamp_seconds{${THIS}})`, {
          unit: 's',
        }),
        stat(
          'Next rotation in',
          'Negative: overdue.',
          `min(keyvigil_key_next_rotation_timestamp_seconds{${THIS}}) - time()`,
          {
            unit: 's',
            thresholds: [
              ['red', null],
              ['green', 0],
            ],
          },
        ),
        stat(
          'Named critical',
          'By the policy: looked at first, alerted on even if nothing depends on it.',
          `max(keyvigil_key_critical{${THIS}}) or vector(0)`,
          {
            mappings: { 0: ['no', 'text'], 1: ['yes', 'blue'] },
          },
        ),
      ],
    },
    {
      title: 'Why, and what needs it',
      panels: [
        {
          type: 'table',
          title: 'Reasons',
          description: 'Why it is not accessible, and why it is blind, if it is.',
          queries: [{ expr: `max by (reason) (keyvigil_key_reason{${THIS}} or keyvigil_key_blind{${THIS}})` }],
          width: 6,
          height: 7,
          columns: { reason: { name: 'Reason' } },
        },
        {
          type: 'table',
          title: 'Keys to blame',
          description: 'Root causes, while a dependency is to blame.',
          queries: [{ expr: `max by (root) (keyvigil_key_root_cause{${THIS}})` }],
          width: 9,
          height: 7,
          columns: { root: { name: 'Root cause' } },
        },
        {
          type: 'table',
          title: 'Findings',
          description: 'Rules that it breaks.',
          queries: [{ expr: `max by (finding, severity) (keyvigil_key_finding{${THIS}})` }],
          width: 9,
          height: 7,
          columns: { finding: { name: 'Finding' }, severity: { name: 'Severity', width: 100 } },
        },
        {
          type: 'table',
          title: 'Keys that are lost because of it',
          description: 'The status page names them with their owners.',
          queries: [{ expr: 'max by (resource) (keyvigil_key_root_cause{root="$resource"})' }],
          width: 12,
          height: 8,
          links: [PAGE],
          columns: { resource: { name: 'Resource' } },
        },
        {
          type: 'table',
          title: 'Consumers that use it',
          description: 'Directly; whether they work, and since when they are behind its current version.',
          queries: [
            { expr: 'max by (resource, role) (keyvigil_consumer_key{key="$resource"})' },
            {
              expr: 'max by (resource, name) (keyvigil_consumer_ok and on (resource) keyvigil_consumer_key{key="$resource"})',
            },
            {
              expr: 'max by (resource) (time() - keyvigil_consumer_outdated_since_timestamp_seconds{key="$resource"})',
            },
          ],
          joinBy: 'resource',
          width: 12,
          height: 8,
          columns: {
            name: { name: 'Name' },
            role: { name: 'Role', width: 110 },
            'Value #B': { name: 'Works', width: 90, mappings: { 0: ['impaired', 'red'], 1: ['ok', 'green'] } },
            'Value #C': { name: 'Behind for', unit: 's', width: 110 },
            resource: { name: 'Resource' },
          },
        },
      ],
    },
  ],
};
