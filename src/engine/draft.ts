/** A change of state on its way to the store: what is new, what ends, what happened. */
import type { NotificationRecord } from '../core/alert.ts';
import type { ConsumerRecord, KeyEvent, KeyRecord, SourceRecord } from '../core/model.ts';
import type { Change } from '../store/store.ts';

type NotificationKey = Pick<NotificationRecord, 'receiver' | 'fingerprint'>;

export interface Draft {
  readonly upserts: Map<string, KeyRecord>;
  readonly deletes: Set<string>;
  readonly consumerUpserts: Map<string, ConsumerRecord>;
  readonly consumerDeletes: Set<string>;
  /** By receiver and fingerprint. */
  readonly notifications: Map<string, NotificationRecord>;
  readonly endedNotifications: Map<string, NotificationKey>;
  readonly events: KeyEvent[];
  readonly sources: Map<string, SourceRecord>;
  readonly deletedSources: Set<string>;
}

export function emptyDraft(): Draft {
  return {
    upserts: new Map(),
    deletes: new Set(),
    consumerUpserts: new Map(),
    consumerDeletes: new Set(),
    notifications: new Map(),
    endedNotifications: new Map(),
    events: [],
    sources: new Map(),
    deletedSources: new Set(),
  };
}

export function isEmpty(draft: Draft): boolean {
  const { events, ...rest } = draft;
  return events.length === 0 && Object.values(rest).every(({ size }) => size === 0);
}

/** Lays `from` over `into`, in the order in which they happened. */
export function merge(into: Draft, from: Draft): void {
  lay(into.upserts, into.deletes, from.upserts, from.deletes);
  lay(into.consumerUpserts, into.consumerDeletes, from.consumerUpserts, from.consumerDeletes);
  for (const [key, ended] of from.endedNotifications) {
    into.notifications.delete(key);
    into.endedNotifications.set(key, ended);
  }
  for (const [key, record] of from.notifications) {
    into.endedNotifications.delete(key);
    into.notifications.set(key, record);
  }
  into.events.push(...from.events);
  for (const [key, source] of from.sources) {
    into.deletedSources.delete(key);
    into.sources.set(key, source);
  }
  for (const key of from.deletedSources) {
    into.sources.delete(key);
    into.deletedSources.add(key);
  }
}

function lay<T>(upserts: Map<string, T>, deletes: Set<string>, newer: Map<string, T>, ended: Set<string>): void {
  for (const resource of ended) {
    upserts.delete(resource);
    deletes.add(resource);
  }
  for (const [resource, record] of newer) {
    deletes.delete(resource);
    upserts.set(resource, record);
  }
}

export function toChange(draft: Draft): Change {
  return {
    upserts: [...draft.upserts.values()],
    deletes: [...draft.deletes],
    consumers: { upserts: [...draft.consumerUpserts.values()], deletes: [...draft.consumerDeletes] },
    notifications: { upserts: [...draft.notifications.values()], deletes: [...draft.endedNotifications.values()] },
    events: draft.events,
    sources: [...draft.sources.values()],
    deletedSources: [...draft.deletedSources],
  };
}

const NO_CONSUMERS: Change['consumers'] = { upserts: [], deletes: [] };
const NO_NOTIFICATIONS: Change['notifications'] = { upserts: [], deletes: [] };
const NOTHING: Change = {
  upserts: [],
  deletes: [],
  consumers: NO_CONSUMERS,
  notifications: NO_NOTIFICATIONS,
  events: [],
  sources: [],
  deletedSources: [],
};

/** The single parts of a draft, each with what takes it out of the draft once it is settled. */
export function* partsOf(draft: Draft): Generator<{ readonly change: Change; settle(): void }> {
  for (const resource of [...draft.deletes]) {
    yield { change: { ...NOTHING, deletes: [resource] }, settle: () => void draft.deletes.delete(resource) };
  }
  for (const [resource, record] of [...draft.upserts]) {
    yield { change: { ...NOTHING, upserts: [record] }, settle: () => void draft.upserts.delete(resource) };
  }
  for (const resource of [...draft.consumerDeletes]) {
    const consumers = { ...NO_CONSUMERS, deletes: [resource] };
    yield { change: { ...NOTHING, consumers }, settle: () => void draft.consumerDeletes.delete(resource) };
  }
  for (const [resource, record] of [...draft.consumerUpserts]) {
    const consumers = { ...NO_CONSUMERS, upserts: [record] };
    yield { change: { ...NOTHING, consumers }, settle: () => void draft.consumerUpserts.delete(resource) };
  }
  for (const [key, ended] of [...draft.endedNotifications]) {
    const notifications = { ...NO_NOTIFICATIONS, deletes: [ended] };
    yield { change: { ...NOTHING, notifications }, settle: () => void draft.endedNotifications.delete(key) };
  }
  for (const [key, record] of [...draft.notifications]) {
    const notifications = { ...NO_NOTIFICATIONS, upserts: [record] };
    yield { change: { ...NOTHING, notifications }, settle: () => void draft.notifications.delete(key) };
  }
  for (let event = draft.events[0]; event; event = draft.events[0]) {
    yield { change: { ...NOTHING, events: [event] }, settle: () => void draft.events.shift() };
  }
  for (const [key, source] of [...draft.sources]) {
    yield { change: { ...NOTHING, sources: [source] }, settle: () => void draft.sources.delete(key) };
  }
  for (const key of [...draft.deletedSources]) {
    yield { change: { ...NOTHING, deletedSources: [key] }, settle: () => void draft.deletedSources.delete(key) };
  }
}
