/**
 * The one serial queue through which every change of state goes: step → graph → store → snapshot. A state change and its
 * events are committed in one transaction, and nothing is told of them before that was tried; a page that is read in that
 * very moment may show the change some milliseconds early. While the store fails, the change is kept and offered again, and
 * readers are served from memory.
 */
import { setImmediate as yieldTurn } from 'node:timers/promises';
import { createGraph, type Graph } from '../core/graph.ts';
import {
  type ConsumerRecord,
  isConsumerKind,
  type KeyEvent,
  type KeyFacts,
  type KeyRecord,
  type SourceId,
  type SourceRecord,
  sourceKey,
  type Witness,
} from '../core/model.ts';
import type { Coverage } from '../core/not-watched.ts';
import type { Policy } from '../core/policy.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { isFrom, withWitness } from '../core/witness.ts';
import type { Outcome } from '../notify/dispatcher.ts';
import type { Service } from '../providers/provider.ts';
import type { Store, StoredState } from '../store/store.ts';
import { createConsumerBook } from './consumer-book.ts';
import { type Draft, emptyDraft, isEmpty } from './draft.ts';
import { createKeyBook, type Suspect } from './key-book.ts';
import type { OutboxBook } from './outbox.ts';
import { restore } from './restore.ts';
import { createSaving, type Unsaved } from './saving.ts';
import { createSeen } from './seen.ts';
import { inSlices } from './slices.ts';
import type { Known, Looked } from './sweep.ts';
import { isConsumerRecord, isOfConsumer, type Tracked } from './tracked.ts';

/** Alerts are made anew at most this often where nothing happened that cannot wait, ms. */
const PLAN_PAUSE_MS = 1_000;

export interface LedgerOptions {
  readonly policy: Policy;
  /** As in `GraphOptions`. */
  readonly coverage?: Coverage;
  /** Absent for a look that keeps nothing. */
  readonly store?: Store;
  /** The declaration behind a record, by its kind; absent when nothing configured yields the kind. */
  serviceOf(record: Tracked): Service | undefined;
  configured(source: SourceId): boolean;
  /** Whether this witness still is a configured source that lets the key in. */
  watched(witness: Witness, record: Tracked): boolean;
  now(): number;
  /** Revision of the last snapshot that readers were given; 0 unless another ledger came before. */
  readonly revision?: number;
  /** Absent where nobody is told (a single look, no receivers). */
  readonly outbox?: OutboxBook;
  /** Something was queued and committed. */
  onQueued?(): void;
  /** Somebody should look at these now: they are suspected of something that no look of their own has shown yet. */
  wanted(resources: readonly string[]): void;
  /** Called once per event, after its commit was tried. */
  onEvents(events: readonly KeyEvent[]): void;
  /** The store began or ceased to fail. */
  onStore(error: unknown | undefined): void;
  /** A bug: a rule that throws for one key, a value that the store refuses. The rest goes on without it. */
  onError(error: unknown, where: string): void;
}

export type { Suspect } from './key-book.ts';

/** What a ledger knows at its end, for the one that goes on from there. */
export interface Held extends StoredState {
  /** Changes that the store has not taken yet. */
  readonly unsaved: Unsaved;
}

/** Records that are judged at a stretch, a few milliseconds' worth. */
const SLICE = 1_000;

export interface Ledger extends Known {
  readonly snapshot: Snapshot;
  /** Takes over what the store held, or another ledger. Records of sources that are no longer configured end here. */
  load(stored: StoredState | Held): Promise<void>;
  /** Judges everything by the rules as they are now: the policy may be another than the one that the records were kept by. */
  judgeAll(signal: AbortSignal): Promise<void>;
  /** Everything that another ledger needs to go on from here. Call when nothing is under way any more; then use no more. */
  handOver(): Promise<Held>;
  /** Applies looks; gives back the keys that must be looked at again. */
  observe(batch: readonly Looked[], service: Service): Promise<readonly Suspect[]>;
  /** What an unchanged listing shows again: as good as a look that told the same. `at`: ms. */
  affirm(resources: readonly string[], source: SourceId, at: number): Promise<void>;
  /** Puts fetched details into a record, unless it was looked at again in the meantime. */
  detail(resource: string, base: KeyFacts, enriched: KeyFacts, service: Service): Promise<void>;
  /** Notes how a source does. `drop` are resources that it no longer watches. */
  source(record: SourceRecord, drop?: readonly string[]): Promise<void>;
  sourceRecord(id: SourceId): SourceRecord | undefined;
  /** Ends the record of a key that is gone, whatever depends on it: somebody says that it is meant to be. */
  forget(resource: string): Promise<'forgotten' | 'not_gone' | 'unknown'>;
  /** What only time changes: rules whose date passed, records to forget, a store to try again. */
  tick(): Promise<void>;
  /** Notes what became of what was sent to a receiver. */
  delivered(receiver: string, outcomes: readonly Outcome[]): Promise<void>;
  /** Writes what was only in memory (times of looks). Call before the store is closed. */
  flush(): Promise<void>;
}

export function createLedger(options: LedgerOptions): Ledger {
  const { policy } = options;
  const graph: Graph = createGraph({
    policy,
    ...(options.revision === undefined ? {} : { revision: options.revision }),
    ...(options.coverage ? { coverage: options.coverage } : {}),
    remedy: (reason, facts) => {
      const record = graph.records.get(facts.resource);
      return record && options.serviceOf(record)?.keys?.remedy(reason, facts);
    },
  });
  const seen = createSeen();
  const sources = new Map<string, SourceRecord>();
  const unwritten = new Set<string>();
  const shared = { policy, graph, seen, unwritten, now: options.now, serviceOf: options.serviceOf, wanted };
  const consumers = createConsumerBook(shared);
  const keys = createKeyBook({ ...shared, changed: consumers.judge });
  const saving = createSaving({
    store: options.store,
    onStore: options.onStore,
    onError: options.onError,
    onWritten: (resources) => {
      for (const resource of resources) unwritten.delete(resource);
    },
  });
  let queue: Promise<unknown> = Promise.resolve();
  /** On the clock of `now`: alerts were last made then. */
  let plannedAt = 0;
  let planMissed = false;
  /** Made when a reader asks: a sweep of many batches makes as many changes, and few of them are ever looked at. */
  let snapshot: Snapshot | undefined;

  function view(): Snapshot {
    snapshot ??= graph.snapshot({ at: options.now(), sources: inOrder(sources), storeUp: saving.up });
    return snapshot;
  }

  /** Asked for outside of the queue: whoever looks comes back through it. */
  function wanted(resources: readonly string[]): void {
    queueMicrotask(() => options.wanted(resources));
  }

  function serial<T>(job: (draft: Draft) => T | Promise<T>, insists = false): Promise<T> {
    const run = queue.then(async () => {
      const draft = emptyDraft();
      try {
        return await job(draft);
      } finally {
        // Also what a job did before it threw: readers see it, so it must be kept and told.
        snapshot = undefined;
        const queued = plan(draft, insists);
        await saving.settle(draft, insists);
        options.outbox?.committed();
        snapshot = undefined;
        if (queued) options.onQueued?.();
        if (draft.events.length > 0) options.onEvents(draft.events);
      }
    });
    queue = run.catch(() => undefined);
    return run;
  }

  /**
   * What must be told goes into the transaction of what it is about. Made for every transition and version, and for
   * everything else at most once a second: the first sweep of 100,000 keys makes a change for every few of them.
   */
  function plan(draft: Draft, insists: boolean): boolean {
    const { outbox } = options;
    if (!outbox) return false;
    const now = options.now();
    const news = draft.events.some(({ type }) => type !== 'first_seen');
    planMissed ||= !isEmpty(draft);
    const rested = now < plannedAt || now - plannedAt >= PLAN_PAUSE_MS;
    if (!news && !((planMissed || insists || outbox.isDue(now)) && rested)) return false;
    plannedAt = now;
    planMissed = false;
    try {
      return outbox.plan(view(), draft.events, draft, now);
    } catch (error) {
      options.onError(error, 'alerts');
      return false;
    }
  }

  /** Runs what concerns one object. A bug in its rules must not take the others with it. */
  function isolated(resource: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      options.onError(error, resource);
    }
  }

  function record(resource: string): Tracked | undefined {
    return graph.records.get(resource) ?? graph.consumers.get(resource);
  }

  function take({ observation, digest }: Looked, service: Service, draft: Draft, suspects: Suspect[]): void {
    const events = isOfConsumer(observation)
      ? consumers.take(observation, digest, service, draft, suspects)
      : keys.take(observation, digest, service, draft, suspects);
    countTransitions(events, observation.source, draft);
  }

  function judge(resource: string, draft: Draft): void {
    const known = record(resource);
    if (!known) return;
    if (isConsumerRecord(known)) consumers.judge([known], draft, false);
    else keys.judge(known, options.now(), draft);
  }

  function affirm(resources: readonly string[], source: SourceId, at: number, draft: Draft): void {
    const upserts: KeyRecord[] = [];
    const users: ConsumerRecord[] = [];
    for (const resource of resources) {
      const known = record(resource);
      if (!known || (at <= known.checkedAt && known.checkedAt <= options.now())) continue;
      const isNew = !known.witnesses.some((witness) => isFrom(witness, source));
      const looked = {
        checkedAt: at,
        conclusiveAt: at,
        witnesses: withWitness(known.witnesses, { source, at }, true),
      };
      if (!isNew) unwritten.add(resource);
      if (isConsumerRecord(known)) {
        const after = { ...known, ...looked };
        users.push(after);
        seen.replace(known, after);
        if (isNew) draft.consumerUpserts.set(resource, after);
      } else {
        const after = { ...known, ...looked };
        upserts.push(after);
        seen.replace(known, after);
        if (isNew) draft.upserts.set(resource, after);
      }
    }
    graph.update({ upserts, deletes: [], consumers: { upserts: users, deletes: [] } });
  }

  async function load(stored: StoredState | Held, draft: Draft): Promise<void> {
    if ('unsaved' in stored) saving.adopt(stored.unsaved);
    const upserts: KeyRecord[] = [];
    const users: ConsumerRecord[] = [];
    const { watched } = options;
    const ofKeys = { watched, upserts: draft.upserts, deletes: draft.deletes };
    const ofConsumers = { watched, upserts: draft.consumerUpserts, deletes: draft.consumerDeletes };
    const keepKey = (one: KeyRecord) => {
      upserts.push(one);
      keys.load(one);
    };
    const keepConsumer = (one: ConsumerRecord) => {
      users.push(one);
      seen.replace(undefined, one);
    };
    await inSlices(restore(stored.records, { ...ofKeys, keep: keepKey }));
    await inSlices(restore(stored.consumers, { ...ofConsumers, keep: keepConsumer }));
    await inSlices(graph.load({ upserts, consumers: { upserts: users, deletes: [] } }));
    options.outbox?.load(stored.notifications, draft);
    for (const source of stored.sources) {
      if (options.configured(source)) sources.set(sourceKey(source), source);
      else draft.deletedSources.add(sourceKey(source));
    }
  }

  return {
    get snapshot() {
      return view();
    },
    record,
    seenBy: seen.by,
    dependents: (resource) => graph.dependents(resource),
    referenced: () => graph.referenced(),
    versionsInUse: (resource) => graph.versionsInUse(resource),
    *consumerFacts() {
      for (const { facts } of graph.consumers.values()) if (facts) yield facts;
    },
    keyFacts: consumers.keyFacts,
    sourceRecord: (id) => sources.get(sourceKey(id)),

    load: (stored) => serial((draft) => load(stored, draft)),

    observe(batch, service) {
      return serial((draft) => {
        const suspects: Suspect[] = [];
        for (const looked of batch) {
          isolated(looked.observation.resource, () => take(looked, service, draft, suspects));
        }
        return suspects;
      });
    },

    affirm: (resources, source, at) => serial((draft) => affirm(resources, source, at, draft)),

    detail(resource, base, enriched, service) {
      return serial((draft) => keys.detail(resource, base, enriched, service, draft));
    },

    source(told, dropped = []) {
      return serial((draft) => {
        const key = sourceKey(told);
        const { transitions } = sources.get(key) ?? told;
        const merged = { ...told, transitions };
        sources.set(key, merged);
        draft.sources.set(key, merged);
        for (const resource of dropped) {
          const known = record(resource);
          if (!known) continue;
          if (isConsumerRecord(known)) consumers.dropWitness(known, told, draft);
          else keys.dropWitness(known, told, draft);
        }
      });
    },

    forget(resource) {
      return serial((draft) => {
        const known = record(resource);
        if (!known) return 'unknown';
        return !isConsumerRecord(known) && keys.forget(known, draft) ? 'forgotten' : 'not_gone';
      });
    },

    tick() {
      return serial((draft) => {
        const now = options.now();
        for (const one of [...graph.records.values()]) isolated(one.resource, () => keys.age(one, now, draft));
        for (const one of [...graph.consumers.values()]) isolated(one.resource, () => consumers.age(one, now, draft));
      }, true);
    },

    delivered(receiver, outcomes) {
      return serial((draft) => options.outbox?.settle(receiver, outcomes, draft, options.now()));
    },

    async judgeAll(signal) {
      const all = [...graph.records.values(), ...graph.consumers.values()].map(({ resource }) => resource);
      for (let at = 0; at < all.length && !signal.aborted; at += SLICE) {
        await serial((draft) => {
          for (const resource of all.slice(at, at + SLICE)) isolated(resource, () => judge(resource, draft));
        });
        await yieldTurn();
      }
    },

    flush,

    async handOver() {
      await flush();
      return {
        records: [...graph.records.values()],
        consumers: [...graph.consumers.values()],
        sources: [...sources.values()],
        notifications: options.outbox?.records() ?? [],
        unsaved: saving.unsaved,
      };
    },
  };

  function flush(): Promise<void> {
    return serial((draft) => {
      for (const resource of unwritten) {
        const known = record(resource);
        if (!known) continue;
        if (isConsumerRecord(known)) draft.consumerUpserts.set(resource, known);
        else draft.upserts.set(resource, known);
      }
    }, true);
  }

  function countTransitions(events: readonly KeyEvent[], id: SourceId, draft: Draft): void {
    const changes = events.filter((event) => event.type === 'transition' && !isConsumerKind(event.kind));
    const source = sources.get(sourceKey(id));
    if (changes.length === 0 || !source) return;
    const transitions: Record<string, number> = { ...source.transitions };
    for (const { to } of changes) if (to) transitions[to] = (transitions[to] ?? 0) + 1;
    const counted = { ...source, transitions };
    sources.set(sourceKey(id), counted);
    draft.sources.set(sourceKey(id), counted);
  }
}

/** By target, location and service, whichever of them was first to end a sweep: two runs can be compared. */
function inOrder(sources: ReadonlyMap<string, SourceRecord>): SourceRecord[] {
  return [...sources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
}
