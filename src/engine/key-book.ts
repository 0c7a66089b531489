/** The keys of the ledger: what a look, a detail, a listing or time makes of a record, in the graph and in the draft. */
import { forgettable } from '../core/forget.ts';
import type { Graph } from '../core/graph.ts';
import { rejudge, type StepRules, type SuspectReason, step } from '../core/health.ts';
import type {
  ConsumerRecord,
  Dependency,
  KeyEvent,
  KeyFacts,
  KeyRecord,
  Observation,
  SourceId,
} from '../core/model.ts';
import type { Policy } from '../core/policy.ts';
import type { KeyRules, Service } from '../providers/provider.ts';
import type { Draft } from './draft.ts';
import type { Seen } from './seen.ts';
import { createShelf, dropWitness, withoutStaleDigest } from './shelf.ts';
import { keyRulesOf } from './tracked.ts';

/** Consumers that are looked at when a key of theirs seems to be lost; beyond that the next sweep tells. */
const USERS_ASKED = 50;
/** The role of an edge from a key to what it lies in. */
const HOLDS = 'holds';

export interface Suspect {
  readonly resource: string;
  /** `replaced`: its name went to another resource. */
  readonly why: SuspectReason | 'replaced';
}

export interface KeyBookOptions {
  readonly policy: Policy;
  readonly graph: Graph;
  readonly seen: Seen;
  /** Records whose newest look was never written. */
  readonly unwritten: Set<string>;
  serviceOf(record: KeyRecord): Service | undefined;
  now(): number;
  /** What is known of a key that these use changed: they must be judged again. `quiet`: what opens is no news. */
  changed(users: readonly ConsumerRecord[], draft: Draft, quiet: boolean): void;
  /** Somebody should look at these now. */
  wanted(resources: readonly string[]): void;
}

export interface KeyBook {
  /** Takes over a record of the store. */
  load(record: KeyRecord): void;
  /** Applies a look. Gives the events that it led to; they are in the draft already. */
  take(
    observation: Observation,
    digest: string | undefined,
    service: Service,
    draft: Draft,
    suspects: Suspect[],
  ): readonly KeyEvent[];
  /** Puts fetched details into a record, unless it was looked at again in the meantime. */
  detail(resource: string, base: KeyFacts, enriched: KeyFacts, service: Service, draft: Draft): void;
  /** Judges the rules again without a look. */
  judge(record: KeyRecord, now: number, draft: Draft): void;
  /** What only the time does to a record. */
  age(record: KeyRecord, now: number, draft: Draft): void;
  /** Ends a key that is gone, and what lies in it. False: it is not gone as far as is known. */
  forget(record: KeyRecord, draft: Draft): boolean;
  /** This source no longer watches the key; a key that nobody watches ends. */
  dropWitness(record: KeyRecord, id: SourceId, draft: Draft): void;
}

export function createKeyBook(options: KeyBookOptions): KeyBook {
  const { graph, policy, seen, unwritten } = options;
  const shelf = createShelf<KeyRecord>({
    seen,
    unwritten,
    upsert: (record) => graph.update({ upserts: [record], deletes: [] }),
    remove: (resource) => graph.update({ upserts: [], deletes: [resource] }),
    part: ({ upserts, deletes }) => ({ upserts, deletes }),
  });
  /** Unique names: which resource bears them now. */
  const named = new Map<string, string>();

  function put(draft: Draft, before: KeyRecord | undefined, after: KeyRecord): void {
    const kept = shelf.put(draft, before, after);
    if (kept.facts !== before?.facts)
      options.changed(graph.consumersOf(kept.resource), draft, before?.facts === undefined);
  }

  function drop(draft: Draft, record: KeyRecord): void {
    const users = graph.consumersOf(record.resource);
    if (named.get(nameKey(record)) === record.resource) named.delete(nameKey(record));
    shelf.drop(draft, record);
    options.changed(users, draft, false);
  }

  /** The event of a name that moved to a new resource, and the old one as a suspect. */
  function replaced(record: KeyRecord, rules: KeyRules, suspects: Suspect[]): KeyEvent[] {
    if (!rules.uniqueNames) return [];
    const key = nameKey(record);
    const old = named.get(key);
    named.set(key, record.resource);
    if (old === undefined || old === record.resource || !graph.records.get(old)) return [];
    suspects.push({ resource: old, why: 'replaced' });
    const { resource } = record;
    return [{ at: record.checkedAt, type: 'replaced', resource, kind: record.stub.kind, from: old, to: resource }];
  }

  /**
   * The records that end now with this one, itself included; none: it stays. A name that moved on takes its old record with
   * it once that is gone for sure, and a vault all that it held.
   */
  function ending(record: KeyRecord): readonly KeyRecord[] {
    const dependents = graph.dependents(record.resource);
    if (forgettable(record, options.now(), policy, 0)) {
      if (dependents === 0) return [record];
      const held = heldBy(record.resource);
      return held.length === dependents ? [...held, record] : [];
    }
    const bearer = options.serviceOf(record)?.keys?.uniqueNames ? named.get(nameKey(record)) : undefined;
    const moved = isNotFound(record) && dependents === 0 && bearer !== undefined && bearer !== record.resource;
    return moved ? [record] : [];
  }

  /** The keys that lie in it: once it is gone nobody can look at them any more, and without it they would seem well. */
  function heldBy(resource: string): readonly KeyRecord[] {
    if (graph.consumersOf(resource).length > 0) return [];
    const lies = ({ role, anyOf }: Dependency) =>
      role === HOLDS && anyOf.every((name) => graph.resolve(name) === resource);
    return [...graph.records.values()].filter(({ facts }) => facts?.dependsOn.some(lies));
  }

  /** Drops these, and gives the events that tell of it. */
  function end(draft: Draft, records: readonly KeyRecord[]): readonly KeyEvent[] {
    for (const record of records) drop(draft, record);
    return records.map(removedEvent);
  }

  /**
   * A listing that lags shows what is gone by now: at first sight, or again after its event `removed`. Nobody misses it,
   * unless something depends on it.
   */
  function wasNeverThere({ resource, verdict }: Observation): boolean {
    return verdict.status === 'inaccessible' && verdict.reason === 'not_found' && graph.dependents(resource) === 0;
  }

  /** What is torn down in order goes from the consumer to its key: whether there still is one decides what a loss means. */
  function askUsers(resource: string): void {
    const users = graph.consumersOf(resource).slice(0, USERS_ASKED);
    if (users.length > 0) options.wanted(users.map((user) => user.resource));
  }

  function removedEvent(record: KeyRecord): KeyEvent {
    const { resource, stub } = record;
    return { at: options.now(), type: 'removed', resource, kind: stub.kind };
  }

  function rulesFor(service: Service, digest?: string): StepRules {
    const rules = keyRulesOf(service);
    const { purgedAfterMs } = rules;
    return {
      policy,
      versionsCanReturn: rules.versionsCanReturn,
      judge: (facts, now) => rules.judge(facts, now, policy),
      ...(purgedAfterMs === undefined ? {} : { purgedAfterMs }),
      ...(digest === undefined ? {} : { digest }),
    };
  }

  function judge(record: KeyRecord, now: number, draft: Draft): void {
    const service = options.serviceOf(record);
    if (!service) return;
    const judged = rejudge(record, rulesFor(service), now);
    if (judged.record === record) return;
    put(draft, record, judged.record);
    draft.events.push(...judged.events);
  }

  return {
    judge,

    load(record) {
      seen.replace(undefined, record);
      const uniqueNames = options.serviceOf(record)?.keys?.uniqueNames;
      if (uniqueNames && (!isNotFound(record) || !named.has(nameKey(record)))) {
        named.set(nameKey(record), record.resource);
      }
    },

    take(observation, digest, service, draft, suspects) {
      const before = graph.records.get(observation.resource);
      if (!before && wasNeverThere(observation)) return [];
      const result = step(before, observation, rulesFor(service, digest), options.now());
      put(draft, before, digest === undefined ? withoutStaleDigest(before, result.record) : result.record);
      let { events } = result;
      if (observation.facts && !before?.facts) {
        events = [...events, ...replaced(result.record, keyRulesOf(service), suspects)];
      }
      if (result.suspect) suspects.push({ resource: observation.resource, why: result.suspect });
      if (begins(before, result.record)) askUsers(observation.resource);
      const settled = graph.records.get(observation.resource);
      const ended = settled ? ending(settled) : [];
      if (ended.length > 0) {
        // The end of what was announced is no loss: one event tells of it, and it is this one.
        events = [...events.filter((event) => event.type !== 'transition'), ...end(draft, ended)];
      }
      draft.events.push(...events);
      return events;
    },

    detail(resource, base, enriched, service, draft) {
      const record = graph.records.get(resource);
      if (!record || record.facts !== base) return;
      const judged = rejudge(record, rulesFor(service), options.now(), enriched);
      put(draft, record, judged.record);
      draft.events.push(...judged.events);
    },

    age(record, now, draft) {
      // Another may have taken it along since this round began.
      if (!graph.records.has(record.resource)) return;
      if (record.judgeAt !== undefined && record.judgeAt <= now) judge(record, now, draft);
      if (record.belief?.verdict.status === 'inaccessible') {
        draft.events.push(...end(draft, ending(record)));
      }
    },

    forget(record, draft) {
      if (!record.gone) return false;
      draft.events.push(...end(draft, [...heldBy(record.resource), record]));
      return true;
    },

    dropWitness(record, id, draft) {
      dropWitness(record, id, { put: (left) => put(draft, record, left), drop: () => drop(draft, record) });
    },
  };
}

/** Whether this look is the first to say that the key is lost. */
function begins(before: KeyRecord | undefined, { pending, belief }: KeyRecord): boolean {
  if (before?.belief?.verdict.status === 'inaccessible') return false;
  const lost = pending?.verdict.status === 'inaccessible' && pending.seen === 1;
  return lost || (before === undefined && belief?.verdict.status === 'inaccessible');
}

function isNotFound({ belief }: KeyRecord): boolean {
  return belief?.verdict.status === 'inaccessible' && belief.verdict.reason === 'not_found';
}

function nameKey({ stub }: KeyRecord): string {
  return JSON.stringify([stub.kind, stub.account, stub.location, stub.name]);
}
