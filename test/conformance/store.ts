import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NotificationRecord } from '../../src/core/alert.ts';
import { type Store, type StoredState, StoreError } from '../../src/store/store.ts';
import { anyConsumer, anyEvent, anyNotification, anyRecord } from '../store/arbitraries.ts';
import { change, consumer, event, notification, record, source, T0 } from '../store/records.ts';

/** Somewhere that a store keeps its state; what was committed there is found by the next `open`. */
export interface StorePlace extends AsyncDisposable {
  open(): Promise<Store>;
}

/** The contract of `Store`, for any implementation. Each test gets an empty place of its own. */
const EMPTY: StoredState = { records: [], consumers: [], notifications: [], sources: [] };

/** A name that is none: receiver and fingerprint as one. */
const told = ({ receiver, fingerprint }: Pick<NotificationRecord, 'receiver' | 'fingerprint'>) =>
  JSON.stringify([receiver, fingerprint]);

export function storeConformance(name: string, place: () => Promise<StorePlace>): void {
  describe(`${name} keeps the contract of a store:`, () => {
    const scenario = (title: string, run: (store: Store, place: StorePlace) => Promise<void>): void => {
      it(title, async () => {
        await using here = await place();
        await using store = await here.open();
        await run(store, here);
      });
    };

    scenario('a new one is empty', async (store) => {
      expect(await store.load()).toEqual(EMPTY);
      expect(await store.events({ limit: 10 })).toEqual([]);
      expect(await store.versions('arn:nothing')).toEqual([]);
      expect(await store.prune(T0)).toBe(0);
      await store.commit(change({}));
    });

    scenario('any record and any event come back exactly, absent fields absent', async (store) => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(anyRecord, { selector: (r) => r.resource, maxLength: 5 }),
          fc.uniqueArray(anyConsumer, { selector: (r) => r.resource, maxLength: 5 }),
          fc.uniqueArray(anyNotification, { selector: told, maxLength: 5 }),
          fc.array(anyEvent),
          async (records, consumers, notifications, events) => {
            const after = (await store.events({ limit: 1, order: 'newest' }))[0]?.id ?? 0;
            const before = await store.load();
            await store.commit(
              change({
                deletes: before.records.map((r) => r.resource),
                upserts: records,
                consumers: { deletes: before.consumers.map((r) => r.resource), upserts: consumers },
                notifications: { deletes: before.notifications, upserts: notifications },
                events,
              }),
            );
            expect(await store.load()).toStrictEqual({ records, consumers, notifications, sources: [] });
            const stored = await store.events({ after, limit: 1_000 });
            expect(stored.map(({ id, ...rest }) => rest)).toStrictEqual(events);
          },
        ),
        { numRuns: 150, seed: 20261120 },
      );
    });

    it('what was committed is there after a restart', async () => {
      await using here = await place();
      const parts = {
        upserts: [record(1), record(2)],
        consumers: { upserts: [consumer(1), consumer(2)] },
        notifications: { upserts: [notification(1), notification(1, 'chat')] },
        events: [event(record(1)), event(consumer(2))],
        sources: [source('kms')],
      };
      {
        await using store = await here.open();
        await store.commit(change(parts));
      }
      await using store = await here.open();
      expect(await store.load()).toStrictEqual({
        records: parts.upserts,
        consumers: parts.consumers.upserts,
        notifications: parts.notifications.upserts,
        sources: parts.sources,
      });
      expect(await store.events({ limit: 10 })).toStrictEqual(parts.events.map((e, n) => ({ id: n + 1, ...e })));
      expect(await store.versions(record(1).resource)).toHaveLength(1);
    });

    scenario('an upsert replaces the whole record', async (store) => {
      const { digest: _, ...bare } = record(1);
      await store.commit(change({ upserts: [record(1), record(2)] }));
      await store.commit(change({ upserts: [bare] }));
      expect((await store.load()).records).toStrictEqual([bare, record(2)]);
    });

    scenario('a deleted record takes its versions along and leaves its events', async (store) => {
      await store.commit(change({ upserts: [record(1), record(2)], events: [event(record(1))] }));
      await store.commit(
        change({ deletes: [record(1).resource, 'arn:never:seen'], events: [event(record(1), { type: 'removed' })] }),
      );
      expect((await store.load()).records).toStrictEqual([record(2)]);
      expect(await store.versions(record(1).resource)).toEqual([]);
      expect(await store.versions(record(2).resource)).toHaveLength(1);
      expect((await store.events({ limit: 10 })).map((e) => e.type)).toEqual(['first_seen', 'removed']);
    });

    scenario('a record that is deleted and made in one change begins anew', async (store) => {
      await store.commit(change({ upserts: [record(1, 'old')] }));
      await store.commit(change({ deletes: [record(1).resource], upserts: [record(1, 'new')] }));
      expect((await store.load()).records).toStrictEqual([record(1, 'new')]);
      expect((await store.versions(record(1).resource)).map((v) => v.version)).toEqual(['new']);
    });

    scenario('an upsert replaces the whole consumer, which keeps its place', async (store) => {
      const { facts: _, digest: __, ...bare } = consumer(1);
      await store.commit(change({ consumers: { upserts: [consumer(1), consumer(2)] } }));
      await store.commit(change({ consumers: { upserts: [bare] } }));
      expect((await store.load()).consumers).toStrictEqual([bare, consumer(2)]);
    });

    scenario('a deleted consumer leaves its events, and one that is made in the same change is new', async (store) => {
      const [first, second] = [consumer(1), consumer(2)];
      const deletes = [first.resource, 'arn:never:seen'];
      await store.commit(change({ consumers: { upserts: [first, second] }, events: [event(first)] }));
      await store.commit(change({ consumers: { deletes }, events: [event(first, { type: 'removed' })] }));
      expect((await store.load()).consumers).toStrictEqual([second]);
      expect((await store.events({ limit: 10 })).map((e) => e.type)).toEqual(['first_seen', 'removed']);

      const anew = { ...second, firstSeenAt: T0 + 1 };
      await store.commit(change({ consumers: { upserts: [first, anew], deletes: [second.resource] } }));
      expect((await store.load()).consumers).toStrictEqual([first, anew]);
    });

    scenario('a key and a consumer of the same name have nothing to do with each other', async (store) => {
      const twin = { ...consumer(1), resource: record(1).resource };
      await store.commit(change({ upserts: [record(1)], consumers: { upserts: [twin] } }));
      expect(await store.load()).toStrictEqual({ ...EMPTY, records: [record(1)], consumers: [twin] });
      await store.commit(change({ deletes: [twin.resource] }));
      expect(await store.load()).toStrictEqual({ ...EMPTY, consumers: [twin] });
      await store.commit(change({ upserts: [record(1)], consumers: { deletes: [twin.resource] } }));
      expect(await store.load()).toStrictEqual({ ...EMPTY, records: [record(1)] });
      expect(await store.versions(record(1).resource)).toHaveLength(1);
    });

    scenario('what a receiver was told is replaced whole and keeps its place', async (store) => {
      const { queuedAt: _, ...sent } = { ...notification(1), sentAt: T0 + 5 };
      await store.commit(change({ notifications: { upserts: [notification(1), notification(2)] } }));
      await store.commit(change({ notifications: { upserts: [sent] } }));
      expect((await store.load()).notifications).toStrictEqual([sent, notification(2)]);
      const anew = notification(1, 'oncall', T0 + 9);
      await store.commit(change({ notifications: { deletes: [sent, notification(3)], upserts: [anew] } }));
      expect((await store.load()).notifications).toStrictEqual([notification(2), anew]);
    });

    scenario('each receiver was told for itself, and a key that ends takes nothing of it along', async (store) => {
      const pair = [notification(1), notification(1, 'chat')];
      const swapped = { ...notification(1), receiver: pair[0]!.fingerprint, fingerprint: pair[0]!.receiver };
      await store.commit(change({ upserts: [record(1)], notifications: { upserts: [...pair, swapped] } }));
      await store.commit(change({ deletes: [record(1).resource] }));
      expect(await store.load()).toStrictEqual({ ...EMPTY, notifications: [...pair, swapped] });
      const deletes = [{ receiver: 'oncall', fingerprint: pair[0]!.fingerprint }];
      await store.commit(change({ notifications: { deletes } }));
      expect((await store.load()).notifications).toStrictEqual([pair[1], swapped]);
    });

    scenario('each version of a key is one row, also after a rollback to it', async (store) => {
      const { facts, ...rest } = record(1, 'a');
      const at = (id: string, versionDetectedAt?: number) =>
        change({ upserts: [{ ...record(1, id), ...(versionDetectedAt === undefined ? {} : { versionDetectedAt }) }] });
      await store.commit(change({ upserts: [{ ...rest, facts: { ...facts!, version: { id: 'a' } } }] }));
      expect(await store.versions(rest.resource)).toStrictEqual([{ version: 'a', detectedAt: T0 }]);
      await store.commit(at('a'));
      await store.commit(at('b', T0 + 5));
      await store.commit(at('a', T0 + 9));
      const createdAt = T0 - 86_400_000;
      expect(await store.versions(rest.resource)).toStrictEqual([
        { version: 'a', detectedAt: T0, createdAt },
        { version: 'b', detectedAt: T0 + 5, createdAt },
      ]);
    });

    scenario('a record without a version or without facts has no version rows', async (store) => {
      const { facts, ...bare } = record(1);
      const { version: _, ...versionless } = facts!;
      await store.commit(change({ upserts: [bare, { ...record(2), facts: versionless }] }));
      expect(await store.versions(bare.resource)).toEqual([]);
      expect(await store.versions(record(2).resource)).toEqual([]);
    });

    scenario('events are found by id, resource, kind and type, from either end', async (store) => {
      const kms = { ...record(2), stub: { ...record(2).stub, kind: 'aws-kms-key' as const } };
      const events = Array.from({ length: 2_500 }, (_, n) =>
        event(n % 2 === 0 ? record(1) : kms, {
          type: n % 5 === 0 ? 'new_version' : 'transition',
          at: T0 + n,
          to: `${n}`,
        }),
      );
      await store.commit(change({ events }));
      const told = async (query: Parameters<Store['events']>[0]) =>
        (await store.events(query)).map((e) => Number(e.to));
      const all = events.map((_, n) => n);
      expect(await told({ limit: 5_000 })).toEqual(all);
      expect(await told({ limit: 5_000, order: 'newest' })).toEqual(all);
      expect(await told({ limit: 2_100, order: 'newest' })).toEqual(all.slice(400));
      expect(await told({ limit: 2_100 })).toEqual(all.slice(0, 2_100));
      expect(await told({ limit: 3, order: 'newest' })).toEqual([2497, 2498, 2499]);
      const newest = (await store.events({ limit: 3, order: 'newest' }))[0]?.id ?? 0;
      expect(await told({ limit: 3, order: 'newest', before: newest })).toEqual([2494, 2495, 2496]);
      const third = (await store.events({ limit: 3 })).at(-1)!.id;
      expect(await told({ after: third, limit: 2 })).toEqual([3, 4]);
      expect(await told({ after: third, limit: 2, order: 'newest' })).toEqual([2498, 2499]);
      expect(await told({ resource: record(1).resource, type: 'new_version', limit: 3 })).toEqual([0, 10, 20]);
      expect(await told({ kind: 'aws-kms-key', limit: 2 })).toEqual([1, 3]);
      expect(await told({ kind: 'azure-key', limit: 2 })).toEqual([]);
      expect(await told({ limit: 0 })).toEqual([]);
    });

    scenario('events of consumers stand among those of keys and are found by their kinds', async (store) => {
      const flow = { ...consumer(2), stub: { ...consumer(2).stub, kind: 'mediaconnect-flow' as const } };
      const events = [
        event(record(1)),
        event(consumer(1), { type: 'transition', from: 'ok', to: 'impaired', reason: 'access_revoked' }),
        event(flow, { type: 'new_version', from: 'v1', to: 'v2', version: 'v2' }),
        event(consumer(1), { type: 'transition', from: 'impaired', to: 'ok' }),
      ];
      await store.commit(change({ events }));
      const stored = events.map((e, n) => ({ id: n + 1, ...e }));
      const [, impaired, updated, recovered] = stored;
      expect(await store.events({ limit: 10 })).toStrictEqual(stored);
      expect(await store.events({ kind: 'media-services-account', limit: 10 })).toStrictEqual([impaired, recovered]);
      expect(await store.events({ kind: 'mediaconnect-flow', limit: 10 })).toStrictEqual([updated]);
      expect(await store.events({ kind: 'codebuild-project', limit: 10 })).toEqual([]);
      const latest = { resource: consumer(1).resource, type: 'transition', order: 'newest', limit: 1 } as const;
      expect(await store.events(latest)).toStrictEqual([recovered]);
    });

    scenario('event ids ascend and are never given twice, not even after a prune', async (store) => {
      await store.commit(change({ events: [event(record(1)), event(record(2), { at: T0 + 10 })] }));
      expect(await store.prune(T0 + 10)).toBe(1);
      expect((await store.events({ limit: 10 })).map((e) => e.id)).toEqual([2]);
      expect(await store.prune(T0 + 11)).toBe(1);
      await store.commit(change({ events: [event(record(3))] }));
      expect((await store.events({ limit: 10 })).map((e) => e.id)).toEqual([3]);
    });

    scenario('sources are kept by target, location and service', async (store) => {
      await store.commit(change({ sources: [source('kms'), source('secrets-manager')] }));
      const { up: _, ...aged } = source('kms', { failures: { dns: 1 } });
      await store.commit(
        change({ sources: [aged], deletedSources: ['video-prod/eu-west-1/secrets-manager', 'a/b/c'] }),
      );
      expect((await store.load()).sources).toStrictEqual([aged]);
    });

    for (const size of [1, 3_000]) {
      scenario(
        `a change of ${size} that is refused at its last row leaves nothing, and the next one is taken`,
        async (store) => {
          const held = {
            records: [record(0)],
            consumers: [consumer(0)],
            notifications: [notification(0)],
            sources: [source('kms')],
          };
          await store.commit(
            change({
              upserts: held.records,
              consumers: { upserts: held.consumers },
              notifications: { upserts: held.notifications },
              sources: held.sources,
            }),
          );
          const upserts = Array.from({ length: size }, (_, n) => record(n, 'v2'));
          const consumers = {
            upserts: Array.from({ length: size }, (_, n) => consumer(n, T0 + 1)),
            deletes: [consumer(0).resource],
          };
          const notifications = {
            upserts: Array.from({ length: size }, (_, n) => notification(n, 'chat')),
            deletes: [notification(0)],
          };
          const events = [...upserts, ...consumers.upserts].map((r) => event(r));
          const bad = event(record(0), { kind: null as never });
          const deletes = [record(0).resource];
          const offered = { upserts, deletes, consumers, notifications, events, sources: [source('other')] };
          const refused = store.commit(change({ ...offered, events: [...events, bad] }));
          await expect(refused).rejects.toBeInstanceOf(StoreError);
          await expect(refused).rejects.toMatchObject({ reason: 'rejected' });
          expect(await store.load()).toStrictEqual(held);
          expect(await store.events({ limit: 10 })).toEqual([]);
          expect((await store.versions(record(0).resource)).map((v) => v.version)).toEqual(['v1-0']);

          await store.commit(change(offered));
          expect(await store.load()).toStrictEqual({
            records: upserts,
            consumers: consumers.upserts,
            notifications: notifications.upserts,
            sources: [source('kms'), source('other')],
          });
          expect(await store.events({ limit: 10_000 })).toHaveLength(2 * size);
        },
      );
    }

    scenario('a change that cannot be written down half-way leaves nothing', async (store) => {
      const upserts = Array.from({ length: 3_000 }, (_, n) => record(n));
      const unwritable = { ...record(3_000), versionChanges: 1n as never };
      await expect(store.commit(change({ upserts: [...upserts, unwritable] }))).rejects.toThrow(TypeError);
      const consumers = Array.from({ length: 3_000 }, (_, n) => consumer(n));
      const unwritten = { ...consumer(3_000), inconclusive: 1n as never };
      await expect(
        store.commit(change({ upserts, consumers: { upserts: [...consumers, unwritten] } })),
      ).rejects.toThrow(TypeError);
      const untold = { ...notification(3_000), attempts: 1n as never };
      const notifications = { upserts: [...upserts.map((_, n) => notification(n)), untold] };
      await expect(store.commit(change({ upserts, notifications }))).rejects.toThrow(TypeError);
      await store.commit(change({ upserts: [record(7)], consumers: { upserts: [consumer(7)] } }));
      expect(await store.load()).toStrictEqual({ ...EMPTY, records: [record(7)], consumers: [consumer(7)] });
    });

    scenario('calls that are made during a large commit wait for it, in order', async (store) => {
      const upserts = Array.from({ length: 3_000 }, (_, n) => record(n));
      const consumers = Array.from({ length: 3_000 }, (_, n) => consumer(n));
      const notifications = Array.from({ length: 3_000 }, (_, n) => notification(n));
      // However quick the database, the event loop goes round between every few rows.
      let read = 0;
      let most = 0;
      const counting = <T extends object>(row: T, field: keyof T): T =>
        Object.defineProperty({ ...row }, field, {
          enumerable: true,
          get() {
            read += 1;
            most = Math.max(most, read);
            return row[field];
          },
        });
      let turning = true;
      const turn = () => {
        read = 0;
        if (turning) setImmediate(turn);
      };
      turn();
      const first = store.commit(
        change({
          upserts: upserts.map((r) => counting(r, 'checkedAt')),
          consumers: { upserts: consumers.map((r) => counting(r, 'checkedAt')) },
          notifications: { upserts: notifications.map((r) => counting(r, 'attempts')) },
          events: upserts.map((r) => event(r)),
        }),
      );
      const state = store.load();
      const events = store.events({ limit: 10_000 });
      const versions = store.versions(record(2_999).resource);
      const deletes = consumers.map((r) => r.resource);
      const second = store.commit(
        change({
          deletes: upserts.map((r) => r.resource),
          consumers: { deletes },
          notifications: { deletes: notifications },
        }),
      );
      const after = store.load();
      await first;
      turning = false;
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(250);
      expect(await state).toStrictEqual({ records: upserts, consumers, notifications, sources: [] });
      expect(await events).toHaveLength(3_000);
      expect(await versions).toHaveLength(1);
      await second;
      expect(await after).toEqual(EMPTY);
    });

    it('closing waits for what was asked, can be repeated, and ends the store', async () => {
      await using here = await place();
      const store = await here.open();
      const commit = store.commit(change({ upserts: Array.from({ length: 2_000 }, (_, n) => record(n)) }));
      await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]);
      await commit;
      await expect(store.load()).rejects.toBeInstanceOf(StoreError);
      await using again = await here.open();
      expect((await again.load()).records).toHaveLength(2_000);
    });
  });
}
