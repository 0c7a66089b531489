import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/core/model.ts';
import { createApp } from '../../src/web/app.ts';
import {
  arn,
  consumerView,
  eventLog,
  incidentSnapshot,
  keyView,
  snapshotOf,
  source,
  storedEvents,
  world,
} from './world.ts';

const HOST = { host: 'localhost:10539' };

function served(made: ReturnType<typeof world>) {
  const app = createApp(made.deps, () => ({ listenHost: '127.0.0.1', externalUrl: undefined }));
  const get = async (path: string) => {
    const response = await app.request(path);
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
  };
  const post = (path: string, init: { body?: string; headers?: Record<string, string> } = {}) =>
    app.request(path, { method: 'POST', ...init, headers: { ...HOST, ...init.headers } });
  return { app, get, post };
}

function numbered(count: number, from = 0) {
  return Array.from({ length: count }, (_, at) => keyView({ resource: `arn:k${String(from + at).padStart(4, '0')}` }));
}

describe('lists', () => {
  it.each(['keys', 'consumers', 'sources', 'events'])('answers /api/v1/%s under its own name', async (name) => {
    const { get } = served(world(incidentSnapshot(), { events: eventLog(storedEvents([{ resource: 'arn:a' }])) }));
    const { status, body } = await get(`/api/v1/${name}`);
    expect(status).toBe(200);
    expect(body[name].length).toBeGreaterThan(0);
    expect(body).not.toHaveProperty('next');
  });

  it('pages through keys without loss or repetition while others come and go', async () => {
    const made = world(snapshotOf({ keys: numbered(25) }));
    const { get } = served(made);
    const seen: string[] = [];
    let next: string | undefined;
    for (let round = 0; round === 0 || next !== undefined; round += 1) {
      const { body } = await get(`/api/v1/keys?limit=4${next === undefined ? '' : `&cursor=${next}`}`);
      seen.push(...body.keys.map((key: { resource: string }) => key.resource));
      next = body.next;
      // The key that the cursor names goes away, and one comes in front of it.
      const last = seen.at(-1);
      const rest = made.snapshot.keys.filter((key) => key.resource !== last);
      made.snapshot = snapshotOf({ keys: [...rest, keyView({ resource: `arn:k-new-${round}` })] });
    }
    expect(seen).toEqual(numbered(25).map((key) => key.resource));
  });

  it('leaves the cursor out when a page ends exactly with the list', async () => {
    const { get } = served(world(snapshotOf({ keys: numbered(4) })));
    expect((await get('/api/v1/keys?limit=4')).body).not.toHaveProperty('next');
    expect((await get('/api/v1/keys?limit=3')).body).toHaveProperty('next');
  });

  it('pages consumers and sources the same way', async () => {
    const consumers = ['b', 'a', 'c'].map((name) => consumerView({ resource: `arn:${name}` }));
    const sources = ['z', 'y'].map((location) => source({ location }));
    const { get } = served(world(snapshotOf({ consumers, sources })));
    const first = (await get('/api/v1/consumers?limit=2')).body;
    expect(first.consumers.map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
    expect((await get(`/api/v1/consumers?cursor=${first.next}`)).body.consumers).toHaveLength(1);
    const one = (await get('/api/v1/sources?limit=1')).body;
    expect(one.sources[0].location).toBe('y');
    expect((await get(`/api/v1/sources?cursor=${one.next}`)).body.sources[0].location).toBe('z');
  });

  it.each([
    ['health=inaccessible&kind=aws-kms-key', ['alias/old-poc', 'alias/video-prod', 'alias/archive-2024']],
    ['q=ALIAS/VIDEO', ['alias/video-prod']],
    ['q=service%3Dingest', ['alias/video-prod']],
    ['q=playout/db', ['prod/playout/db']],
    ['health=degraded', ['prod/payments']],
    ['provider=azure', []],
    ['account=999', []],
    ['q=.*', []],
  ])('filters keys by %s', async (query, names) => {
    const { body } = await served(world(incidentSnapshot())).get(`/api/v1/keys?${query}`);
    expect(body.keys.map((key: { name: string }) => key.name)).toEqual(names);
  });

  it.each([
    ['/api/v1/keys?limit=0', 'limit'],
    ['/api/v1/keys?limit=10001', 'limit'],
    ['/api/v1/keys?limit=1e3', 'limit'],
    ['/api/v1/keys?cursor=***', 'cursor'],
    ['/api/v1/keys?health=sick', 'health'],
    ['/api/v1/keys?health=ok', 'health'],
    ['/api/v1/consumers?health=accessible', 'health'],
    ['/api/v1/keys?kind=storage-account', 'kind'],
    ['/api/v1/keys?provider=gcp', 'provider'],
    ['/api/v1/keys?helth=inaccessible', 'helth'],
    ['/api/v1/sources?health=ok', 'health'],
    ['/api/v1/keys?q=a&q=b', 'q'],
    [`/api/v1/keys?q=${'x'.repeat(2049)}`, 'q'],
    ['/api/v1/events?type=boom', 'type'],
    ['/api/v1/events?cursor=YQ', 'cursor'],
    ['/?health=sick', 'health'],
  ])('refuses %s and names %s', async (path, name) => {
    const response = await served(world(incidentSnapshot())).app.request(path);
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(new RegExp(`^({"error":")?${name}: `));
  });
});

describe('events', () => {
  const log = storedEvents(Array.from({ length: 10 }, (_, at) => ({ resource: `arn:${at % 2}` })));
  const ids = (events: StoredEvent[]) => events.map((event) => event.id);

  it('answers the newest, newest last, and leads to the older ones', async () => {
    const { get } = served(world(snapshotOf(), { events: eventLog(log) }));
    const first = (await get('/api/v1/events?limit=4')).body;
    expect(ids(first.events)).toEqual([7, 8, 9, 10]);
    const second = (await get(`/api/v1/events?limit=4&cursor=${first.next}`)).body;
    expect(ids(second.events)).toEqual([3, 4, 5, 6]);
    const third = (await get(`/api/v1/events?limit=4&cursor=${second.next}`)).body;
    expect(ids(third.events)).toEqual([1, 2]);
    expect(third).not.toHaveProperty('next');
  });

  it('tells nothing twice when new events arrive between two pages', async () => {
    const growing = [...log];
    const { get } = served(world(snapshotOf(), { events: (query) => eventLog(growing)(query) }));
    const first = (await get('/api/v1/events?limit=5')).body;
    growing.push({ ...(log[0] as StoredEvent), id: 11 });
    const second = (await get(`/api/v1/events?limit=5&cursor=${first.next}`)).body;
    expect(ids([...second.events, ...first.events])).toEqual(log.map((event) => event.id));
  });

  it('filters by what the event says and by what its key is', async () => {
    const keys = [keyView({ resource: 'arn:1', account: '42', name: 'payments' })];
    const mixed = log.map((event) => ({ ...event, to: event.id > 8 ? 'inaccessible' : 'accessible' }));
    const { get } = served(world(snapshotOf({ keys }), { events: eventLog(mixed) }));
    expect(ids((await get('/api/v1/events?account=42')).body.events)).toEqual([2, 4, 6, 8, 10]);
    expect(ids((await get('/api/v1/events?q=Payments&limit=2')).body.events)).toEqual([8, 10]);
    expect(ids((await get('/api/v1/events?health=inaccessible')).body.events)).toEqual([9, 10]);
    expect(ids((await get('/api/v1/events?resource=arn:0&type=transition')).body.events)).toEqual([1, 3, 5, 7, 9]);
    expect((await get('/api/v1/events?kind=azure-key')).body.events).toEqual([]);
    expect((await get('/api/v1/events?provider=aws')).body.events).toHaveLength(10);
  });

  it('stops reading a long log when a filter finds little, and says where to go on', async () => {
    const long = storedEvents(Array.from({ length: 60_000 }, () => ({ resource: 'arn:x' })));
    const { get } = served(world(snapshotOf(), { events: eventLog(long) }));
    const { body } = await get('/api/v1/events?q=nothing-like-it');
    expect(body.events).toEqual([]);
    expect((await get(`/api/v1/events?q=nothing-like-it&cursor=${body.next}`)).body).toEqual({ events: [] });
  });
});

describe('one key', () => {
  const cmk = arn('kms', 'key/1234abcd-12ab-34cd-56ef-1234567890ab');

  it('answers with everything that explains it', async () => {
    const log = storedEvents([{ resource: 'arn:other' }, { resource: cmk, reason: 'disabled' }]);
    const versions = async () => [{ version: 'e7c3a4', detectedAt: 0 }];
    const { get } = served(world(incidentSnapshot(), { events: eventLog(log), versions }));
    const { status, body } = await get(`/api/v1/keys/${encodeURIComponent(cmk)}`);
    expect(status).toBe(200);
    expect(body.key.resource).toBe(cmk);
    expect(body.verdict).toEqual({ status: 'inaccessible', reason: 'disabled', since: '2026-11-20T10:15:30.000Z' });
    expect(body.undo).toMatch(/^aws kms enable-key /);
    expect(body.dependents.keys).toHaveLength(6);
    expect(body.dependents.consumers).toHaveLength(2);
    expect(body.versions).toEqual([{ version: 'e7c3a4', detectedAt: '1970-01-01T00:00:00.000Z' }]);
    expect(body.events).toHaveLength(1);
    expect(body.evidence.operation).toBe('DescribeKey');
  });

  it.each(['https://contoso.vault.azure.net/keys/cmk', 'a b?c#d%41/..x', 'ключ', '"><script>'])(
    'finds a key whose identity is %s',
    async (resource) => {
      const { get } = served(world(snapshotOf({ keys: [keyView({ resource })] })));
      expect((await get(`/api/v1/keys/${encodeURIComponent(resource)}`)).body.key.resource).toBe(resource);
    },
  );

  it('answers 404 for a key that is not watched', async () => {
    const { status, body } = await served(world(incidentSnapshot())).get('/api/v1/keys/arn%3Anope');
    expect(status).toBe(404);
    expect(body).toEqual({ error: 'resource: no such key is watched' });
  });

  it('ends on dependencies that go in a circle', async () => {
    const keys = [keyView({ resource: 'a', dependsOn: ['b'] }), keyView({ resource: 'b', dependsOn: ['a'] })];
    const { body } = await served(world(snapshotOf({ keys }))).get('/api/v1/keys/a');
    expect(body.dependents.keys).toEqual(['b']);
  });
});

describe('checking now', () => {
  const json = { 'content-type': 'application/json' };
  const known = arn('kms', 'key/0000abcd-old');

  it('checks everything, or one key', async () => {
    const made = world(incidentSnapshot());
    const { post } = served(made);
    const all = await post('/api/v1/check');
    expect([all.status, await all.json()]).toEqual([202, { started: 2 }]);
    const one = await post('/api/v1/check', { body: JSON.stringify({ resource: known }), headers: json });
    expect(one.status).toBe(202);
    expect(made.checked).toEqual([undefined, known]);
  });

  it('leads a form back to the page that it was on', async () => {
    const { post } = served(world(incidentSnapshot()));
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const all = await post('/api/v1/check', { body: '', headers: form });
    expect([all.status, all.headers.get('location')]).toEqual([303, '../../']);
    const one = await post('/api/v1/check', { body: `resource=${encodeURIComponent(known)}`, headers: form });
    expect(one.headers.get('location')).toBe(`../../keys/${encodeURIComponent(known)}`);
  });

  it.each([
    [403, 'Host', { headers: { host: 'evil.example' } }],
    [403, 'Origin', { headers: { origin: 'http://evil.example' } }],
    [404, 'resource', { body: '{"resource":"arn:nope"}', headers: json }],
    [400, 'resource', { body: '{"resource":7}', headers: json }],
    [400, 'body', { body: '{"resorce":"x"}', headers: json }],
    [400, 'body', { body: '[]', headers: json }],
    [400, 'body', { body: '{', headers: json }],
    [415, 'Content-Type', { body: '{}', headers: { 'content-type': 'text/plain' } }],
    [413, 'the body', { body: JSON.stringify({ resource: 'x'.repeat(70_000) }), headers: json }],
  ])('answers %i and names %s', async (status, name, init) => {
    const made = world(incidentSnapshot());
    const response = await served(made).post('/api/v1/check', init);
    expect(response.status).toBe(status);
    expect(JSON.parse(await response.text()).error).toMatch(new RegExp(`^${name}`));
    expect(made.checked).toEqual([]);
  });
});
