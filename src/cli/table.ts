import { styleText } from 'node:util';
import { type ConsumerHealth, type ConsumerKind, type Health, sourceKey } from '../core/model.ts';
import { displayName, isOutdated, isRetired, keyUses, leadFinding, meaningOf, resourceOf } from '../core/readers.ts';
import type { ConsumerView, KeyView, Snapshot } from '../core/snapshot.ts';
import { counted, grouped, span, visible } from '../core/text.ts';
import { HEALTH_WORDS, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { cut, MIN_COLUMN, mark, oneLine, pad, paint, type TableStyle, widthOf, wrap } from './lines.ts';
import { unwatchedLines } from './table-unwatched.ts';

const GAP = '  ';

interface Column {
  readonly title: string;
  readonly cell: (key: KeyView) => string;
  /** Columns with a higher rank go first where there is no room; 0 stays. */
  readonly rank: number;
  /** What it may be cut to before another column goes; absent: cut, it would be of no use. */
  readonly least?: number;
}

/**
 * Keys as a table, worst first; consumers in trouble and what that means, versions that are still in use behind the current
 * ones, sources that could not be read, and one line that sums up. Cells are cut rather than wrapped, and columns are left
 * out, until a row fits its terminal.
 */
export function renderTable(
  snapshot: Pick<Snapshot, 'keys' | 'consumers' | 'sources' | 'byResource' | 'notWatched'>,
  style: TableStyle,
): string {
  const keys = snapshot.keys.toSorted(
    (a, b) => RANK[a.health] - RANK[b.health] || derived(a) - derived(b) || b.consumers - a.consumers,
  );
  const lines = keys.length === 0 ? [] : [...table(keys, columnsOf(snapshot, style.now), style), ''];
  lines.push(...consumerLines(snapshot, style));
  lines.push(...unwatchedLines(snapshot).map((line) => oneLine(line, 'unknown', style)));
  for (const source of snapshot.sources) {
    if (isRetired(source)) {
      lines.push(oneLine(`–  source ${visible(sourceKey(source))} is retired: nothing to watch there`, 'ok', style));
    }
    if (source.up === true) continue;
    const why = source.reason === undefined ? 'not read' : REASON_WORDS[source.reason].brief;
    lines.push(oneLine(`?  source ${visible(sourceKey(source))} cannot be read: ${why}`, 'unknown', style));
  }
  lines.push(summary(snapshot));
  return `${lines.join('\n')}\n`;
}

/** Consumers that are not ok, worst first; what it means, once for each kind; then the versions that lag behind. */
function consumerLines(
  { consumers, byResource }: Pick<Snapshot, 'consumers' | 'byResource'>,
  style: TableStyle,
): string[] {
  const troubled = consumers
    .filter(({ health }) => health !== 'ok')
    .toSorted((a, b) => CONSUMER_RANK[a.health] - CONSUMER_RANK[b.health]);
  const meanings = new Map<ConsumerKind, string>();
  for (const consumer of troubled) {
    const meaning = meaningOf(consumer);
    if (meaning) meanings.set(consumer.kind, `What an impaired ${KIND_WORDS[consumer.kind]} means: ${meaning.text}`);
  }
  return [
    ...troubled.map((consumer) => oneLine(consumerLine(consumer, byResource), consumer.health, style)),
    ...[...meanings.values()].flatMap((text) => wrap(text, style.columns)),
    ...consumers.flatMap((consumer) => outdatedLines(consumer, byResource, style)),
  ];
}

const CONSUMER_RANK: Readonly<Record<ConsumerHealth, number>> = { impaired: 0, unknown: 1, at_risk: 2, ok: 3 };

function consumerLine(consumer: ConsumerView, byResource: Snapshot['byResource']): string {
  const { health, kind, name, reason, rootCauses, state } = consumer;
  const why = reason === undefined ? leadFinding(consumer)?.summary : REASON_WORDS[reason].brief;
  const roots = rootCauses.map((root) => nameOf(root, byResource)).join(', ');
  return visible(
    `${mark(health)}  ${KIND_WORDS[kind]} ${name}${why === undefined ? '' : `: ${why}`}${roots === '' ? '' : ` (${roots})`}${
      state === undefined ? '' : `; its service says ${JSON.stringify(state)}`
    }`,
  );
}

function outdatedLines(consumer: ConsumerView, byResource: Snapshot['byResource'], style: TableStyle): string[] {
  return keyUses(consumer)
    .filter(isOutdated)
    .map((use) => {
      const version = use.versionInUse === undefined ? 'an old version' : `version ${use.versionInUse}`;
      const who = `${KIND_WORDS[consumer.kind]} ${consumer.name}`;
      const what = `${version} of ${nameOf(resourceOf(use), byResource)}`;
      const text = `▲ outdated  ${who} ${use.pinned === true ? 'is pinned to' : 'still uses'} ${what}, behind for ${span(style.now - use.outdatedSince)}`;
      return oneLine(visible(text), 'at_risk', style);
    });
}

function nameOf(resource: string, byResource: Snapshot['byResource']): string {
  const key = byResource.get(resource);
  return key === undefined ? resource : displayName(key);
}

const RANK: Readonly<Record<Health, number>> = { inaccessible: 0, unknown: 1, degraded: 2, accessible: 3 };

/** Roots stand before what they take down. */
function derived(key: KeyView): number {
  return key.rootCauses.length > 0 ? 1 : 0;
}

function columnsOf({ byResource }: Pick<Snapshot, 'byResource'>, now: number): readonly Column[] {
  return [
    { title: 'HEALTH', cell: (key) => mark(key.health), rank: 0 },
    { title: 'NAME', cell: (key) => visible(displayName(key)), rank: 0, least: 24 },
    { title: 'KIND', cell: (key) => KIND_WORDS[key.kind], rank: 3 },
    { title: 'WHERE', cell: (key) => visible(`${key.account}/${key.location}`), rank: 4 },
    { title: 'REASON', cell: reason, rank: 0, least: 20 },
    { title: 'FOR', cell: (key) => (key.health === 'accessible' ? '' : span(now - key.since)), rank: 5 },
    {
      title: 'BECAUSE OF',
      cell: (key) => key.rootCauses.map((root) => visible(nameOf(root, byResource))).join(', '),
      rank: 2,
      least: 16,
    },
  ];
}

function reason(key: KeyView): string {
  if (key.health === 'degraded') return visible(leadFinding(key)?.summary ?? REASON_WORDS.finding.brief);
  return key.reason === undefined ? '' : REASON_WORDS[key.reason].brief;
}

function table(keys: readonly KeyView[], all: readonly Column[], style: TableStyle): string[] {
  const rows = keys.map((key) => all.map((column) => column.cell(key)));
  const natural = all.map((column, at) => {
    const widest = rows.reduce((width, row) => Math.max(width, widthOf(row[at] ?? '')), 0);
    // A column that says nothing of any key is not there at all.
    return widest === 0 ? 0 : Math.max(widest, column.title.length);
  });
  const widths = share(natural, all, style.columns ?? Number.POSITIVE_INFINITY);
  const line = (cells: readonly string[]) =>
    cells
      .flatMap((cell, at) => ((widths[at] ?? 0) === 0 ? [] : [pad(cut(cell, widths[at] ?? 0), widths[at] ?? 0)]))
      .join(GAP)
      .trimEnd();
  const title = line(all.map((column) => column.title));
  return [
    style.color ? styleText('bold', title, { validateStream: false }) : title,
    ...rows.map((row, at) => paint(line(row), keys[at]?.health ?? 'unknown', style)),
  ];
}

/** Widths that fit: columns are left out from the highest rank on, then the widest of the rest gives way. 0: left out. */
function share(natural: readonly number[], columns: readonly Column[], room: number): number[] {
  const widths = [...natural];
  const least = natural.map((width, at) => Math.min(width, columns[at]?.least ?? width));
  const optional = columns.flatMap(({ rank }, at) => (rank > 0 ? [{ at, rank }] : []));
  for (const { at } of optional.toSorted((a, b) => b.rank - a.rank)) {
    if (total(widths.map((width, at) => (width === 0 ? 0 : (least[at] ?? 0)))) <= room) break;
    widths[at] = 0;
  }
  // First down to what each column should keep, then, in a very small terminal, to what any needs.
  for (const floor of [least, least.map((width, at) => (columns[at]?.least === undefined ? width : MIN_COLUMN))]) {
    for (let over = total(widths) - room; over > 0; over -= 1) {
      const spare = widths.map((width, at) => width - (floor[at] ?? 0));
      const widest = spare.indexOf(Math.max(...spare));
      if ((spare[widest] ?? 0) <= 0) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
  return widths;
}

/** The width of a row with gaps between its columns. */
function total(widths: readonly number[]): number {
  const present = widths.filter((width) => width > 0);
  return present.reduce((sum, width) => sum + width, GAP.length * Math.max(0, present.length - 1));
}

function summary({ keys, sources }: Pick<Snapshot, 'keys' | 'sources'>): string {
  const healths = (['inaccessible', 'unknown', 'degraded', 'accessible'] as const).flatMap((health) => {
    const count = keys.filter((key) => key.health === health).length;
    return count === 0 ? [] : [`${grouped(count)} ${HEALTH_WORDS[health].word}`];
  });
  const retired = sources.filter(isRetired).length;
  const read = sources.filter((source) => source.up === true).length - retired;
  const what = healths.length === 0 ? '' : `: ${healths.join(', ')}`;
  return `${counted(keys.length, 'key')}${what}; ${grouped(read)} of ${counted(sources.length, 'source')} read${retired === 0 ? '' : `, ${grouped(retired)} retired`}`;
}
