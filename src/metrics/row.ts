/** What a row of the table of metrics is. */
import type { SourceRecord } from '../core/model.ts';
import type { ConsumerView, KeyView, Snapshot } from '../core/snapshot.ts';

/** What a metric is, for the page, the docs and the tests. */
interface Common {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** One sentence, with its full stop. */
  readonly help: string;
  /** Labels besides the base ones. */
  readonly labels: readonly string[];
  /** True: the full identity and the tag labels stand on it, for keys and consumers. False: `resource` alone. */
  readonly identity: boolean;
  /** PromQL that shows what it is for. */
  readonly example?: string;
}

/** One series. `labels` are the raw values of the row's labels, in order; an empty or absent one is no label. */
export interface Sample {
  readonly labels: readonly (string | undefined)[];
  readonly value: number;
}

/** At most one series per key, without labels of its own. Undefined: the key has none. */
export interface KeyValueRow extends Common {
  readonly source: 'key';
  value(key: KeyView): number | undefined;
}
/** Any number of series per key. Must depend on the key alone: its text is kept until the key changes. */
export interface KeySeriesRow extends Common {
  readonly source: 'key';
  series(key: KeyView): readonly Sample[];
}
export type KeyRow = KeyValueRow | KeySeriesRow;

export interface ConsumerRow extends Common {
  readonly source: 'consumer';
  series(consumer: ConsumerView): readonly Sample[];
}
export interface SourceRow extends Common {
  readonly source: 'source';
  series(source: SourceRecord): readonly Sample[];
}
/** Series about everything at once. `keyCounts` are its keys by place, kind and health: counted already, run by run. */
export interface SnapshotRow extends Common {
  readonly source: 'snapshot';
  series(snapshot: Snapshot, keyCounts: readonly Sample[]): readonly Sample[];
}
/** Kept by prom-client rather than written from the snapshot. */
export interface DaemonRow extends Common {
  readonly source: 'daemon';
}
export type Row = KeyRow | ConsumerRow | SourceRow | SnapshotRow | DaemonRow;

/** No series: one shared array, because most families have none for most keys. */
export const NONE: readonly Sample[] = [];

/** One series of value 1 with these labels. */
export function mark(...labels: readonly (string | undefined)[]): readonly Sample[] {
  return [{ labels, value: 1 }];
}

/** One series without labels of its own; none for undefined. */
export function sole(value: number | undefined): readonly Sample[] {
  return value === undefined ? NONE : [{ labels: [], value }];
}

/** Milliseconds since the epoch as seconds. A time that is not set, or is none, is absent and never 0. */
export function seconds(ms: number | undefined): number | undefined {
  return ms !== undefined && ms > 0 && ms < Number.POSITIVE_INFINITY ? ms / 1000 : undefined;
}
