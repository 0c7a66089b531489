import { describe, expect, it } from 'vitest';
import type { ConsumerView, Snapshot } from '../../src/core/snapshot.ts';
import { createApp } from '../../src/web/app.ts';
import type { WebDeps } from '../../src/web/deps.ts';
import {
  ARCHIVE,
  account,
  azureKey,
  azureSnapshot,
  CMK,
  DARK_KEY,
  GONE_KEY,
  MEANING,
  NEW_VERSION,
  NEXT,
  OLD_VERSION,
  REVOKED,
  STORAGE,
  STREAMING,
} from './azure.ts';
import { readHtml } from './html.ts';
import {
  arn,
  consumerView,
  DAY,
  eventLog,
  HOUR,
  incidentSnapshot,
  MINUTE,
  NOW,
  snapshotOf,
  source,
  storedEvents,
  world,
} from './world.ts';

async function page(snapshot: Snapshot, path = '/', overrides: Partial<WebDeps> = {}) {
  const made = world(snapshot, overrides);
  const app = createApp(made.deps, () => ({ listenHost: '127.0.0.1', externalUrl: undefined }));
  const response = await app.request(path);
  const html = await response.text();
  expect(made.errors).toEqual([]);
  return { status: response.status, html, ...readHtml(html) };
}

const consumerPath = (resource: string) => `/consumers/${encodeURIComponent(resource)}`;
const keyPath = (resource: string) => `/keys/${encodeURIComponent(resource)}`;

describe('the status page of Azure', () => {
  it('says what an inaccessible account means beside the key that breaks it and beside the account', async () => {
    const { text, html } = await page(azureSnapshot());
    const cards = html
      .split('<article')
      .slice(1)
      .map((card) => readHtml(`<article${card.split('</article>')[0]}</article>`).text);
    const byKey = cards.find((card) => card.includes('contoso/cmk'));
    expect(byKey).toContain('It was deleted and refuses every use. It can still be recovered, until it is purged.');
    expect(byKey).toContain('Time left to undo it: 89 d');
    expect(byKey).toContain(MEANING);
    const byItself = cards.find((card) => card.includes('Its own access to a key'));
    expect(byItself).toContain(MEANING);
    expect(byItself).toContain('az keyvault set-policy --name contoso');
    expect(cards.find((card) => card.includes('az keyvault recover --name fabrikam'))).not.toContain(MEANING);
    expect(text).toContain('a key is unusableonly GET, LIST and DELETE work');
  });

  it('tells equally named keys of two vaults apart', async () => {
    const { html } = await page(azureSnapshot());
    const names = [...html.matchAll(/<tr><td>.*?<bdi>(.*?)<\/bdi>/gs)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['contoso/cmk', 'fabrikam/cmk', 'contoso']));
  });

  it('links every consumer to its own page', async () => {
    const { elements } = await page(azureSnapshot());
    const links = elements.flatMap(({ attributes }) => attributes.href ?? []);
    for (const resource of [STREAMING, ARCHIVE, REVOKED]) {
      expect(links).toContain(`consumers/${encodeURIComponent(resource)}`);
    }
  });

  it('shows a retired service as retired, never as trouble', async () => {
    const retired = source({ service: 'media-services', reason: 'provider_retired', lastSuccessAt: NOW - DAY });
    const { text } = await page(snapshotOf({ keys: [azureKey({ resource: CMK })], sources: [source(), retired] }));
    expect(text).toContain('retired: its cloud has retired it; last asked 1 d ago');
    expect(text).toContain('✔ The one watched key is accessible');
    expect(text).not.toContain('cannot be read');
    expect((await page(snapshotOf({ sources: [retired] }))).text).toContain(
      'The cloud has retired everything that is configured.',
    );
  });

  it('keeps a retired service out of the sources that are shown first', async () => {
    const retired = source({ service: 'media-services', reason: 'provider_retired' });
    const many = Array.from({ length: 9 }, (_, at) => source({ location: `region-${at}` }));
    const { text } = await page(snapshotOf({ sources: [retired, ...many] }));
    expect(text).toContain('2 more sources, all fresh or retired');
  });

  it('counts a vault that cannot be seen once, and its keys through it', async () => {
    const { text } = await page(azureSnapshot());
    expect(text).toContain('1 key cannot be seen at the moment, and 1 key through what holds them');
    expect(text).toContain('keyvigil may not look, through what holds it');
  });

  it('warns while a consumer breaks a rule though every key is well', async () => {
    const lagging = azureSnapshot().consumers.filter(({ resource }) => resource === ARCHIVE);
    const { text } = await page(snapshotOf({ keys: [azureKey({ resource: NEXT })], consumers: lagging }));
    expect(text).toContain('▲ Everything works; 1 consumer breaks a rule');
  });
});

describe('the page of one consumer', () => {
  const log = storedEvents([
    { resource: STREAMING, type: 'first_seen', kind: 'media-services-account', to: 'ok' },
    { resource: STREAMING, type: 'new_version', kind: 'media-services-account', from: 'v1', to: 'v2', version: 'v2' },
    { resource: STREAMING, kind: 'media-services-account', from: 'ok', to: 'impaired', reason: 'key_inaccessible' },
  ]);

  it('tells what is unusable, what that means, why, since when and what its service says', async () => {
    const { status, text } = await page(azureSnapshot(), consumerPath(STREAMING), { events: eventLog(log) });
    expect(status).toBe(200);
    expect(text).toContain('✖ impaired Media Services account');
    expect(text).toContain('A key that it needs is unusable.');
    expect(text).toContain('Since 2026-11-20 09:57:30 UTC (30 min ago)');
    expect(text).toContain(MEANING);
    expect(text).toContain('Its service says of it: CustomerKeyInaccessible');
    expect(text).toMatch(/Root cause.*vault key contoso\/cmk.*Time left to undo it: 89 d.*az keyvault key recover/s);
    expect(text).toContain(`keyIdentifier${CMK}/${OLD_VERSION}`);
    expect(text).toContain('Mediaservices_Get');
    expect(text).toContain('Tag teamplayout');
    expect(text).toMatch(
      /changed ok → impaired \(a key is unusable\).*moved to a new version v1 → v2\s.*first seen ok/s,
    );
  });

  it('links root causes and keys, and asks to check itself', async () => {
    const { elements } = await page(azureSnapshot(), consumerPath(STREAMING));
    const links = elements.flatMap(({ attributes }) => attributes.href ?? []);
    expect(links.filter((link) => link === `../keys/${encodeURIComponent(CMK)}`)).toHaveLength(4);
    expect(links).toContain(`../api/v1/consumers/${encodeURIComponent(STREAMING)}`);
    expect(elements.find(({ attributes }) => attributes.name === 'resource')?.attributes.value).toBe(STREAMING);
  });

  it('sets the version in use against the current one', async () => {
    const behind = await page(azureSnapshot(), consumerPath(ARCHIVE));
    expect(behind.text).toMatch(
      new RegExp(
        `${OLD_VERSION}follows the newest\\s+${NEW_VERSION}created [^b]*since 2026-11-20 10:07:30 UTC \\(20 min`,
      ),
    );
    expect(behind.text).toContain('It still uses the version before the current one.');
    expect(behind.text).toContain('az resource update --ids archive');
    expect(behind.text).not.toContain(MEANING);
    const pinned = await page(azureSnapshot(), consumerPath(STREAMING));
    expect(pinned.text).toContain('pinned: never moves by itself');
  });

  it('keeps its storage apart from its keys', async () => {
    const { text } = await page(azureSnapshot(), consumerPath(STREAMING));
    expect(text).toMatch(/Where it keeps its data.*storageAccounts\/assets/s);
    expect(text).not.toContain('not watched');
    const linked = await page(
      snapshotOf({
        consumers: [
          ...azureSnapshot().consumers,
          account({ resource: STORAGE, kind: 'storage-account', name: 'assets' }),
        ],
      }),
      consumerPath(STREAMING),
    );
    expect(linked.elements.map(({ attributes }) => attributes.href)).toContain(
      `../consumers/${encodeURIComponent(STORAGE)}`,
    );
  });

  it('says when the loss hurts, and until when it can be undone', async () => {
    const { text } = await page(azureSnapshot(), consumerPath(STREAMING));
    expect(text).toMatch(
      /When it hurts\s*vault key contoso\/cmk: New requests fail as soon as Media Services notices.*It can be recovered until/s,
    );
    expect((await page(azureSnapshot(), consumerPath(ARCHIVE))).text).not.toContain('When it hurts');
    const harm = [{ kind: 'media-services-account', begins: 'now', text: 'At once.', consumers: [STREAMING] }] as const;
    const incidents = azureSnapshot().incidents.map((incident) => ({ ...incident, harm }));
    expect((await page({ ...azureSnapshot(), incidents })).text).toContain(
      'When it hurts 1 Media Services account: At once.',
    );
  });

  it('says why a key is not watched, and what to configure', async () => {
    const uses = [{ resource: 'arn:x', role: 'encrypts' }];
    const configure = { where: 'under services', yaml: 'kms: {}' };
    const { text } = await page(
      snapshotOf({
        consumers: [account({ resource: ARCHIVE, uses })],
        notWatched: (_provider, name) => ({ reason: 'service_off', hint: `${name} <b>is off</b>.`, configure }),
      }),
      consumerPath(ARCHIVE),
    );
    expect(text).toContain('not watched: arn:x <b>is off</b>.');
    expect(text).toMatch(/To watch it, under services:\s*kms: \{\}/);
  });

  it.each([
    [{ health: 'ok', uses: [] }, 'It works, and needs no key of yours.'],
    [{ health: 'ok', uses: [{ resource: 'k', role: 'encrypts' }] }, 'It works, as far as its keys go.'],
    [{ health: 'unknown' }, 'Nothing conclusive is known of it.'],
    [{ health: 'unknown', reason: 'not_watched' }, 'It uses a key that is not watched, so nothing can be said of it.'],
    [{ health: 'at_risk' }, 'It works, but something is wrong with a key that it needs.'],
    [{ health: 'impaired', reason: 'version_in_use_disabled' }, 'the version that it still uses is disabled'],
  ] as const)('says in one sentence how %j is', async (fields, sentence) => {
    const { text } = await page(
      snapshotOf({ consumers: [account({ resource: ARCHIVE, ...fields })] }),
      consumerPath(ARCHIVE),
    );
    expect(text).toContain(sentence);
  });

  it('puts the finding that hurts before one that informs', async () => {
    const info = { id: 'x', severity: 'info', summary: 'Just so you know.', since: NOW } as const;
    const consumers = azureSnapshot().consumers.map((one) => ({ ...one, findings: [info, ...one.findings] }));
    const { text } = await page(snapshotOf({ consumers }), consumerPath(ARCHIVE));
    expect(text).toMatch(/Media Services account\s+It still uses the version before the current one\./);
    expect((await page(snapshotOf({ consumers }))).text).toMatch(/westeurope\s+It still uses the version before/);
  });

  it('says so when what it shows is not of the last look', async () => {
    const shown = (fields: Partial<ConsumerView>) =>
      page(snapshotOf({ consumers: [account({ resource: ARCHIVE, ...fields })] }), consumerPath(ARCHIVE));
    expect((await shown({})).text).not.toContain('look told');
    expect((await shown({ conclusiveAt: NOW - HOUR })).text).toContain(
      'The last look told nothing of it: what is shown here is what was known 2026-11-20 09:27:30 UTC (1 h ago).',
    );
    const { conclusiveAt: _, ...never } = account({ resource: ARCHIVE, health: 'unknown' });
    const { text } = await page(snapshotOf({ consumers: [never] }), consumerPath(ARCHIVE));
    expect(text).toContain('No look at it has told anything yet');
  });

  it('speaks of AWS in the same words', async () => {
    const flow = arn('mediaconnect', 'flow:1-abc:ch1-main');
    const { text } = await page(incidentSnapshot(), consumerPath(flow));
    expect(text).toContain('MediaConnect flow');
    expect(text).toContain('Whatever needs the key stops');
    expect(text).toMatch(/Root cause.*alias\/video-prod.*aws kms enable-key/s);
  });

  it('keeps the history of a consumer that is gone', async () => {
    const { status, text } = await page(snapshotOf(), consumerPath(STREAMING), { events: eventLog(log) });
    expect(status).toBe(404);
    expect(text).toContain('No such consumer is watched');
    expect(text).toContain('changed ok → impaired');
  });
});

describe('the page of one vault key', () => {
  it('says what the account that it breaks can still do', async () => {
    const { text } = await page(azureSnapshot(), keyPath(CMK));
    expect(text).toMatch(/What it takes down.*1 consumer, 0 keys/s);
    expect(text).toContain(MEANING);
    expect(text).toContain('Time left to undo it: 89 d');
    expect(text).toMatch(/vault key · in key vault contoso/);
  });

  it('blames the vault for a key that is lost with it, and says how long it can be recovered', async () => {
    const { text } = await page(azureSnapshot(), keyPath(GONE_KEY));
    expect(text).toContain('what it depends on is lost, every key that could decrypt it or the vault that holds it.');
    expect(text).toMatch(/Root cause.*key vault fabrikam.*Time left to undo it: 6 d 1 h.*az keyvault recover/s);
  });

  it('says through which vault it is blind', async () => {
    const { text, elements } = await page(azureSnapshot(), keyPath(DARK_KEY));
    expect(text).toMatch(/keyvigil itself is refused.*It cannot be seen because what holds it cannot: key vault dark/s);
    expect(elements.map(({ attributes }) => attributes.href)).toContain('../keys/https%3A%2F%2Fdark.vault.azure.net');
  });

  it('lists every version with its condition, its dates and who still uses it', async () => {
    const versions = async () => [{ version: NEW_VERSION, detectedAt: NOW - 19 * MINUTE }];
    const { html } = await page(azureSnapshot(), keyPath(NEXT), { versions });
    const list = readHtml(/<ol class="timeline">.*?<\/ol>/s.exec(html)?.[0] ?? '').text;
    const [newer = '', older = ''] = list.split(OLD_VERSION);
    expect(newer).toContain(`${NEW_VERSION} (current)`);
    expect(newer).toContain('created 2026-11-20 10:07:30 UTC (20 min ago), seen 2026-11-20 10:08:30 UTC (19 min ago)');
    expect(newer).toContain('in use by revoked');
    expect(older).toContain('disabled');
    expect(older).toContain('expires 2026-11-21 10:27:30 UTC (in 1 d)');
    expect(older).toContain('in use by archive');
  });

  it('reads an attribute that is an instant as one', async () => {
    expect((await page(azureSnapshot(), keyPath(NEXT))).text).toContain('notBefore2026-11-19 10:27:30 UTC (1 d ago)');
  });

  it.each(['purged', 'not_found'] as const)('promises no time for what is %s before its deadline', async (reason) => {
    const lost = azureKey({ resource: CMK, health: 'inaccessible', reason, recoverableUntil: NOW + DAY });
    const keys = [{ ...lost, own: { status: 'inaccessible', reason, since: NOW } as const }];
    expect((await page(snapshotOf({ keys }), keyPath(CMK))).text).not.toContain('Time left');
  });
});

describe('the API of consumers', () => {
  const log = storedEvents([
    { resource: STREAMING, kind: 'media-services-account', from: 'ok', to: 'impaired', reason: 'key_inaccessible' },
    { resource: CMK, kind: 'azure-key', to: 'inaccessible' },
    { resource: '/gone', kind: 'storage-account', to: 'ok' },
    { resource: 'arn:gone', kind: 'speke-provider', to: 'accessible' },
  ]);

  function served() {
    const made = world(azureSnapshot(), { events: eventLog(log) });
    const app = createApp(made.deps, () => ({ listenHost: '127.0.0.1', externalUrl: undefined }));
    const get = async (path: string) => {
      const response = await app.request(path);
      return { status: response.status, body: JSON.parse(await response.text()) };
    };
    return { app, made, get };
  }

  it('answers with one consumer, what that means, its evidence and its events', async () => {
    const { status, body } = await served().get(`/api/v1/consumers/${encodeURIComponent(STREAMING)}`);
    expect(status).toBe(200);
    expect(body.consumer).toMatchObject({ resource: STREAMING, meaning: MEANING, state: 'CustomerKeyInaccessible' });
    expect(body.evidence.operation).toBe('Mediaservices_Get');
    expect(body.conclusiveAt).toBe('2026-11-20T10:27:10.000Z');
    expect(body.events).toEqual([expect.objectContaining({ to: 'impaired', reason: 'key_inaccessible' })]);
  });

  it('answers 404 for a consumer that is not watched, and for a key', async () => {
    for (const resource of ['/nope', CMK]) {
      const { status, body } = await served().get(`/api/v1/consumers/${encodeURIComponent(resource)}`);
      expect([status, body]).toEqual([404, { error: 'resource: no such consumer is watched' }]);
    }
  });

  it.each([
    ['kind=media-services-account', ['streaming', 'archive', 'revoked']],
    ['health=at_risk', ['archive']],
    ['provider=aws', []],
    ['q=team%3Dplayout&health=impaired', ['streaming', 'revoked']],
  ])('filters consumers by %s', async (query, names) => {
    const { body } = await served().get(`/api/v1/consumers?${query}`);
    expect(body.consumers.map(({ name }: { name: string }) => name).sort()).toEqual(names.toSorted());
  });

  it.each([
    ['kind=media-services-account', [1]],
    ['health=impaired', [1]],
    ['q=streaming', [1]],
    ['q=playout', [1]],
    ['provider=azure', [1, 2, 3]],
    ['provider=aws', [4]],
    ['account=00000000-1111-2222-3333-444444444444', [1, 2]],
  ])('filters events by %s', async (query, ids) => {
    const { body } = await served().get(`/api/v1/events?${query}`);
    expect(body.events.map(({ id }: { id: number }) => id)).toEqual(ids);
  });

  it('tells the versions of a key with what its cloud says of them, oldest first', async () => {
    const { body } = await served().get(`/api/v1/keys/${encodeURIComponent(NEXT)}`);
    expect(body.versions).toEqual([
      expect.objectContaining({ version: OLD_VERSION, enabled: false, expiresAt: '2026-11-21T10:27:30.000Z' }),
      { version: NEW_VERSION, createdAt: '2026-11-20T10:07:30.000Z', enabled: true },
    ]);
    // Worst first.
    expect(body.dependents.consumers).toEqual([REVOKED, ARCHIVE]);
  });

  it('checks a consumer now, and leads its form back to its page', async () => {
    const { app, made } = served();
    const response = await app.request('/api/v1/check', {
      method: 'POST',
      body: `resource=${encodeURIComponent(STREAMING)}`,
      headers: { host: 'localhost:10539', 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      `../../consumers/${encodeURIComponent(STREAMING)}`,
    ]);
    expect(made.checked).toEqual([STREAMING]);
  });

  it('finds what depends on a key that a consumer names by an alias', async () => {
    const consumers = [
      consumerView({ resource: 'arn:flow', uses: [{ resource: 'alias/x', key: CMK, role: 'decrypts' }] }),
    ];
    const made = world(snapshotOf({ keys: [azureKey({ resource: CMK })], consumers }));
    const app = createApp(made.deps, () => ({ listenHost: '127.0.0.1', externalUrl: undefined }));
    const body = await (await app.request(`/api/v1/keys/${encodeURIComponent(CMK)}`)).json();
    expect(body).toMatchObject({ dependents: { consumers: ['arn:flow'] } });
  });
});
