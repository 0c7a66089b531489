/**
 * The one serial queue through which every change of state goes: step → graph → store → snapshot. A state change and its
 * events are committed in one transaction, and nothing is told of them before that was tried; a page that is read in that
 * very moment may show the change some milliseconds early. While the store fails, the change is kept and offered again, and
 * readers are served from memory.
 */
import { isDeepStrictEqual } from 'node:util';
import { createGraph, type Graph } from '../core/graph.ts';
import { forgettable, rejudge, type StepRules, type SuspectReason, step } from '../core/health.ts';
import {
  type KeyEvent,
  type KeyFacts,
  type KeyRecord,
  type Observation,
  type SourceId,
  type SourceRecord,
  sourceKey,
  type Witness,
} from '../core/model.ts';
import type { Policy } from '../core/policy.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Service } from '../providers/provider.ts';
import { type Store, type StoredState, StoreError } from '../store/store.ts';
import { type Draft, emptyDraft, isEmpty, merge, partsOf, toChange } from './draft.ts';
import { createSeen } from './seen.ts';
import type { Known, Looked } from './sweep.ts';

export interface LedgerOptions {
  readonly policy: Policy;
  /** Absent for a look that keeps nothing. */
  readonly store?: Store;
  /** The declaration behind a record, by its kind; absent when nothing configured yields the kind. */
  serviceOf(record: KeyRecord): Service | undefined;
  configured(source: SourceId): boolean;
  /** Whether this witness still is a configured source that lets the key in. */
  watched(witness: Witness, record: KeyRecord): boolean;
  now(): number;
  /** Called once per event, after its commit was tried. */
  onEvents(events: readonly KeyEvent[]): void;
  /** The store began or ceased to fail. */
  onStore(error: unknown | undefined): void;
  /** A bug: a rule that throws for one key, a value that the store refuses. The rest goes on without it. */
  onError(error: unknown, where: string): void;
}

export interface Suspect {
  readonly resource: string;
  /** `replaced`: its name went to another resource. */
  readonly why: SuspectReason | 'replaced';
}

export interface Ledger extends Known {
  readonly snapshot: Snapshot;
  /** Takes over what the store held. Records of sources that are no longer configured end here. */
  load(stored: StoredState): Promise<void>;
  /** Applies looks; gives back the keys that must be looked at again. */
  observe(batch: readonly Looked[], service: Service): Promise<readonly Suspect[]>;
  /** Puts fetched details into a record, unless it was looked at again in the meantime. */
  detail(resource: string, base: KeyFacts, enriched: KeyFacts, service: Service): Promise<void>;
  /** Notes how a source does. `drop` are resources that it no longer watches. */
  source(record: SourceRecord, drop?: readonly string[]): Promise<void>;
  sourceRecord(id: SourceId): SourceRecord | undefined;
  /** What only time changes: rules whose date passed, records to forget, a store to try again. */
  tick(): Promise<void>;
  /** Writes what was only in memory (times of looks). Call before the store is closed. */
  flush(): Promise<void>;
}

export function createLedger(options: LedgerOptions): Ledger {
  const { policy, store } = options;
  const graph: Graph = createGraph({
    policy,
    remedy: (reason, facts) => {
      const record = graph.records.get(facts.resource);
      return record && options.serviceOf(record)?.remedy(reason, facts);
    },
  });
  const seen = createSeen();
  const sources = new Map<string, SourceRecord>();
  /** Unique names: which resource bears them now. */
  const named = new Map<string, string>();
  /** Records whose newest look was never written. */
  const unwritten = new Set<string>();
  let unsaved = emptyDraft();
  let storeUp = true;
  let queue: Promise<unknown> = Promise.resolve();
  /** Made when a reader asks: a sweep of many batches makes as many changes, and few of them are ever looked at. */
  let snapshot: Snapshot | undefined;

  function view(): Snapshot {
    snapshot ??= graph.snapshot({ at: options.now(), sources: inOrder(sources), storeUp });
    return snapshot;
  }

  function serial<T>(job: (draft: Draft) => T, insists = false): Promise<T> {
    const run = queue.then(async () => {
      const draft = emptyDraft();
      try {
        return job(draft);
      } finally {
        // Also what a job did before it threw: readers see it, so it must be kept and told.
        await settle(draft, insists);
      }
    });
    queue = run.catch(() => undefined);
    return run;
  }

  /** @param insists tries a failing store again; all that it lacks is offered at once, too much to do so at every change */
  async function settle(draft: Draft, insists: boolean): Promise<void> {
    merge(unsaved, draft);
    if (store && !isEmpty(unsaved) && (storeUp || insists)) {
      try {
        const written = [...unsaved.upserts.keys()];
        await save(store);
        for (const resource of written) unwritten.delete(resource);
        unsaved = emptyDraft();
        if (!storeUp) options.onStore(undefined);
        storeUp = true;
      } catch (error) {
        if (storeUp) options.onStore(error);
        storeUp = false;
      }
    }
    snapshot = undefined;
    if (draft.events.length > 0) options.onEvents(draft.events);
  }

  /** One transaction; where the store refuses a value in it, the parts one by one, so that one record stops no other. */
  async function save(into: Store): Promise<void> {
    try {
      return await into.commit(toChange(unsaved));
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
    for (const { change, settle: done } of partsOf(unsaved)) {
      try {
        await into.commit(change);
      } catch (error) {
        if (!isRefused(error)) throw error;
        options.onError(error, 'a change that the store refuses');
      }
      done();
    }
  }

  /** Runs what concerns one key. A bug in its rules must not take the others with it. */
  function isolated(resource: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      options.onError(error, resource);
    }
  }

  function rulesFor(service: Service, digest?: string): StepRules {
    return {
      policy,
      versionsCanReturn: service.versionsCanReturn,
      judge: (facts, now) => service.judge(facts, now, policy),
      ...(digest === undefined ? {} : { digest }),
    };
  }

  function put(draft: Draft, before: KeyRecord | undefined, after: KeyRecord): void {
    const kept =
      before?.facts && after.facts && isDeepStrictEqual(before.facts, after.facts)
        ? { ...after, facts: before.facts }
        : after;
    graph.update({ upserts: [kept], deletes: [] });
    seen.replace(before, kept);
    if (before && sameButForLooks(before, kept)) unwritten.add(kept.resource);
    else draft.upserts.set(kept.resource, kept);
    draft.deletes.delete(kept.resource);
  }

  function drop(draft: Draft, resource: string): void {
    const record = graph.records.get(resource);
    if (!record) return;
    if (named.get(nameKey(record)) === resource) named.delete(nameKey(record));
    graph.update({ upserts: [], deletes: [resource] });
    seen.replace(record, undefined);
    draft.upserts.delete(resource);
    draft.deletes.add(resource);
    unwritten.delete(resource);
  }

  function dropWitness(draft: Draft, resource: string, id: SourceId): void {
    const record = graph.records.get(resource);
    if (!record) return;
    const witnesses = record.witnesses.filter((witness) => !isBy(witness, id));
    if (witnesses.length === record.witnesses.length) return;
    if (witnesses.length === 0) drop(draft, resource);
    else put(draft, record, { ...record, witnesses });
  }

  /** The event of a name that moved to a new resource, and the old one as a suspect. */
  function replaced(record: KeyRecord, service: Service, suspects: Suspect[]): KeyEvent[] {
    if (!service.uniqueNames) return [];
    const key = nameKey(record);
    const old = named.get(key);
    named.set(key, record.resource);
    if (old === undefined || old === record.resource || !graph.records.get(old)) return [];
    suspects.push({ resource: old, why: 'replaced' });
    const { resource } = record;
    return [{ at: record.checkedAt, type: 'replaced', resource, kind: record.stub.kind, from: old, to: resource }];
  }

  /** Why a record may end now, if it may. A name that moved on takes its old record with it once that is gone for sure. */
  function mayEnd(record: KeyRecord): boolean {
    const dependents = graph.dependents(record.resource);
    if (forgettable(record, options.now(), policy, dependents)) return true;
    const { belief } = record;
    const gone = belief?.verdict.status === 'inaccessible' && belief.verdict.reason === 'not_found';
    const bearer = options.serviceOf(record)?.uniqueNames ? named.get(nameKey(record)) : undefined;
    return gone && dependents === 0 && bearer !== undefined && bearer !== record.resource;
  }

  /**
   * A listing that lags shows what is gone by now: at first sight, or again after its event `removed`. Nobody misses it,
   * unless something depends on it.
   */
  function wasNeverThere({ resource, verdict }: Observation): boolean {
    return verdict.status === 'inaccessible' && verdict.reason === 'not_found' && graph.dependents(resource) === 0;
  }

  function removedEvent(record: KeyRecord): KeyEvent {
    const { resource, stub } = record;
    return { at: options.now(), type: 'removed', resource, kind: stub.kind };
  }

  function take({ observation, digest }: Looked, service: Service, draft: Draft, suspects: Suspect[]): void {
    const before = graph.records.get(observation.resource);
    if (!before && wasNeverThere(observation)) return;
    const result = step(before, observation, rulesFor(service, digest), options.now());
    put(draft, before, result.record);
    let events: readonly KeyEvent[] = result.events;
    if (observation.facts && !before?.facts) events = [...events, ...replaced(result.record, service, suspects)];
    if (result.suspect) suspects.push({ resource: observation.resource, why: result.suspect });
    const settled = graph.records.get(observation.resource);
    if (settled && mayEnd(settled)) {
      drop(draft, settled.resource);
      // The end of what was announced is no loss: one event tells of it, and it is this one.
      events = [...events.filter((event) => event.type !== 'transition'), removedEvent(settled)];
    }
    draft.events.push(...events);
    countTransitions(events, observation.source, draft);
  }

  /** What only the time does to a record. */
  function age(record: KeyRecord, now: number, draft: Draft): void {
    const service = options.serviceOf(record);
    if (service && record.judgeAt !== undefined && record.judgeAt <= now) {
      const judged = rejudge(record, rulesFor(service), now);
      put(draft, record, judged.record);
      draft.events.push(...judged.events);
    }
    if (record.belief?.verdict.status === 'inaccessible' && mayEnd(record)) {
      drop(draft, record.resource);
      draft.events.push(removedEvent(record));
    }
  }

  const ledger: Ledger = {
    get snapshot() {
      return view();
    },
    record: (resource) => graph.records.get(resource),
    seenBy: seen.by,
    dependents: (resource) => graph.dependents(resource),
    referenced: () => graph.referenced(),
    sourceRecord: (id) => sources.get(sourceKey(id)),

    load(stored) {
      return serial((draft) => {
        const upserts: KeyRecord[] = [];
        for (const record of stored.records) {
          const witnesses = record.witnesses.filter((witness) => options.watched(witness, record));
          if (witnesses.length === 0) {
            draft.deletes.add(record.resource);
            continue;
          }
          const kept = witnesses.length === record.witnesses.length ? record : { ...record, witnesses };
          if (kept !== record) draft.upserts.set(kept.resource, kept);
          upserts.push(kept);
          seen.replace(undefined, kept);
          const uniqueNames = options.serviceOf(kept)?.uniqueNames;
          const isGone = kept.belief?.verdict.status === 'inaccessible' && kept.belief.verdict.reason === 'not_found';
          if (uniqueNames && (!isGone || !named.has(nameKey(kept)))) named.set(nameKey(kept), kept.resource);
        }
        graph.update({ upserts, deletes: [] });
        for (const source of stored.sources) {
          if (options.configured(source)) sources.set(sourceKey(source), source);
          else draft.deletedSources.add(sourceKey(source));
        }
      });
    },

    observe(batch, service) {
      return serial((draft) => {
        const suspects: Suspect[] = [];
        for (const looked of batch) {
          isolated(looked.observation.resource, () => take(looked, service, draft, suspects));
        }
        return suspects;
      });
    },

    detail(resource, base, enriched, service) {
      return serial((draft) => {
        const record = graph.records.get(resource);
        if (!record || record.facts !== base) return;
        const judged = rejudge(record, rulesFor(service), options.now(), enriched);
        put(draft, record, judged.record);
        draft.events.push(...judged.events);
      });
    },

    source(record, dropped = []) {
      return serial((draft) => {
        const key = sourceKey(record);
        const { transitions } = sources.get(key) ?? record;
        const merged = { ...record, transitions };
        sources.set(key, merged);
        draft.sources.set(key, merged);
        for (const resource of dropped) dropWitness(draft, resource, record);
      });
    },

    tick() {
      return serial((draft) => {
        const now = options.now();
        for (const record of [...graph.records.values()]) isolated(record.resource, () => age(record, now, draft));
      }, true);
    },

    flush() {
      return serial((draft) => {
        for (const resource of unwritten) {
          const record = graph.records.get(resource);
          if (record) draft.upserts.set(resource, record);
        }
      }, true);
    },
  };

  function countTransitions(events: readonly KeyEvent[], id: SourceId, draft: Draft): void {
    const changes = events.filter((event) => event.type === 'transition');
    const source = sources.get(sourceKey(id));
    if (changes.length === 0 || !source) return;
    const transitions: Record<string, number> = { ...source.transitions };
    for (const { to } of changes) if (to) transitions[to] = (transitions[to] ?? 0) + 1;
    const counted = { ...source, transitions };
    sources.set(sourceKey(id), counted);
    draft.sources.set(sourceKey(id), counted);
  }

  return ledger;
}

/** By target, location and service, whichever of them was first to end a sweep: two runs can be compared. */
function inOrder(sources: ReadonlyMap<string, SourceRecord>): SourceRecord[] {
  return [...sources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
}

function isRefused(error: unknown): boolean {
  return error instanceof StoreError && error.reason === 'rejected';
}

function isBy(witness: Witness, id: SourceId): boolean {
  return witness.target === id.target && witness.service === id.service && witness.location === id.location;
}

function nameKey({ stub }: KeyRecord): string {
  return JSON.stringify([stub.kind, stub.account, stub.location, stub.name]);
}

/** What every look moves; the times in `witnesses` too. */
const OF_LOOKS: ReadonlySet<string> = new Set(['checkedAt', 'conclusiveAt', 'evidence', 'witnesses']);

/** True when only the times and proofs of looks differ: those are not worth a write of their own. */
function sameButForLooks(a: KeyRecord, b: KeyRecord): boolean {
  for (const field of new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof KeyRecord>) {
    // Most fields are the very same object from one record to the next; only what is not must be compared in depth.
    if (!OF_LOOKS.has(field) && a[field] !== b[field] && !isDeepStrictEqual(a[field], b[field])) return false;
  }
  return a.witnesses.length === b.witnesses.length && a.witnesses.every((one, at) => isBy(one, b.witnesses[at] ?? one));
}
