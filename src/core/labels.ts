/** Names of labels, on metrics and alerts alike: what routes by them must find the same on both. */

/** Labels that say which object a series is about; they stand on the series marked `*`. */
export const IDENTITY_LABELS = ['provider', 'account', 'location', 'kind', 'resource', 'name'] as const;

/**
 * Names that a tag label may not take: other labels of series and alerts, names that the text format or a scrape gives a
 * meaning of their own.
 */
const TAKEN = new Set<string>([
  ...IDENTITY_LABELS,
  'target',
  'version',
  'spec',
  'state',
  'finding',
  'severity',
  'alertname',
  'origin',
  'job',
  'instance',
  'le',
  'quantile',
]);

/** A tag key as configured, and the label that carries it. */
export interface TagLabel {
  readonly tag: string;
  readonly label: string;
}

/**
 * The label of each configured tag key, in order: the key in snake case (`CostCenter` is `cost_center`: promtool lints
 * camel case), whatever a label cannot hold replaced by `_`; `tag_` before it where that name is taken or starts with a
 * digit or `__`; `_2`, `_3` behind it where two keys come out alike.
 */
export function tagLabels(tags: readonly string[]): TagLabel[] {
  const used = new Set<string>();
  return [...new Set(tags)].map((tag) => {
    const snake = tag
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .toLowerCase()
      .replace(/[^a-z0-9_]/g, '_');
    const name = TAKEN.has(snake) || !/^(?!__)[a-z_]/.test(snake) ? `tag_${snake}` : snake;
    let label = name;
    for (let n = 2; used.has(label); n += 1) label = `${name}_${n}`;
    used.add(label);
    return { tag, label };
  });
}
