import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { createApp } from '../../src/web/app.ts';
import type { WebDeps } from '../../src/web/deps.ts';
import { readHtml, shapeOf } from './html.ts';
import {
  arn,
  consumerView,
  eventLog,
  HOUR,
  healthySnapshot,
  incidentSnapshot,
  keyView,
  MINUTE,
  NOW,
  snapshotOf,
  source,
  storedEvents,
  world,
} from './world.ts';

const CMK = arn('kms', 'key/1234abcd-12ab-34cd-56ef-1234567890ab');

async function page(snapshot: Snapshot, path = '/', overrides: Partial<WebDeps> = {}) {
  const made = world(snapshot, overrides);
  const app = createApp(made.deps, () => ({ listenHost: '127.0.0.1', externalUrl: undefined }));
  const response = await app.request(path);
  const html = await response.text();
  expect(made.errors).toEqual([]);
  return { status: response.status, headers: response.headers, html, ...readHtml(html) };
}

function headingOf({ html }: { html: string }): string {
  return readHtml(/<h1>.*?<\/h1>/s.exec(html)?.[0] ?? '').text.trim();
}

describe('the headline', () => {
  const inaccessible = { health: 'inaccessible', reason: 'disabled' } as const;
  const lost = keyView({ resource: 'arn:lost', ...inaccessible });
  const incident = { root: 'arn:lost', reason: 'disabled', since: NOW - HOUR, keys: [], consumers: [] } as const;

  it.each<[string, Snapshot]>([
    ['✔ All 12 keys are accessible', healthySnapshot()],
    ['✔ The one watched key is accessible', snapshotOf({ keys: [keyView({ resource: 'a' })] })],
    ['▲ 1 key is unusable', snapshotOf({ keys: [lost], incidents: [incident] })],
    [
      '? 1 key is unusable',
      snapshotOf({ keys: [lost], incidents: [incident], sources: [source({ up: false, reason: 'dns' })] }),
    ],
    ['✖ 1 key is unusable', snapshotOf({ keys: [{ ...lost, consumers: 1 }], incidents: [incident] })],
    ['✖ 2 keys are unusable, and 1 consumer is in trouble for another reason', incidentSnapshot()],
    [
      '✖ 1 consumer is in trouble with a key',
      snapshotOf({ consumers: [consumerView({ resource: 'c', health: 'impaired', reason: 'access_revoked' })] }),
    ],
    ['✔ Every key in use is accessible', snapshotOf({ keys: [{ ...lost, baseline: true }], incidents: [incident] })],
    ['✖ 1 key is unusable', snapshotOf({ keys: [{ ...lost, baseline: true, critical: true }], incidents: [incident] })],
    [
      '▲ Everything works; 1 key breaks a rule',
      snapshotOf({ keys: [keyView({ resource: 'a', health: 'degraded', reason: 'finding' })] }),
    ],
    [
      '? No loss is known, but not everything can be seen',
      snapshotOf({ keys: [keyView({ resource: 'a' })], sources: [source({ up: false, reason: 'credentials' })] }),
    ],
    [
      '? No loss is known, but not everything can be seen',
      snapshotOf({ keys: [keyView({ resource: 'a' })], sources: [source({ lastSuccessAt: NOW - 5 * MINUTE })] }),
    ],
    [
      '? No loss is known, but not everything can be seen',
      snapshotOf({ keys: [keyView({ resource: 'a', blindSince: NOW - HOUR, blindReason: 'timeout' })] }),
    ],
    [
      '? No loss is known, but not everything can be seen',
      snapshotOf({ keys: [keyView({ resource: 'a', health: 'unknown', reason: 'denied' })] }),
    ],
    ['… No keys are watched yet', snapshotOf()],
    ['… No keys are watched yet', snapshotOf({ sources: [] })],
    ['… The first look is under way', snapshotOf({ sources: [{ ...source(), up: undefined } as never] })],
  ])('says %s', async (title, snapshot) => {
    expect(headingOf(await page(snapshot))).toBe(title);
  });
});

describe('the status page', () => {
  it('tells root cause, reason, age, what it takes down, the undo command and the time left', async () => {
    const { text } = await page(incidentSnapshot());
    expect(text).toContain('It is disabled. Every use of it is refused until somebody enables it again.');
    expect(text).toContain('2026-11-20 10:15:30 UTC (12 min ago)');
    expect(text).toMatch(/Takes down 2 consumers and 6 keys:[\s\S]*ch1-main[\s\S]*prod\/speke\/gateway/);
    expect(text).toContain('aws kms enable-key --region eu-west-1 --key-id 1234abcd');
    expect(text).toContain('Time left to undo it: at least 5 d 3 h, until 2026-11-25 13:27:30 UTC');
    expect(text).toContain('1 key unusable since before anybody watched, with nothing depending on it');
    expect(text).toContain('down: no valid credentials; last read 9 min ago');
    expect(text).toContain('stale: last read 21 min ago');
  });

  it('puts what is lost and needed first, and what is well last', async () => {
    const { html } = await page(incidentSnapshot());
    const names = [...html.matchAll(/<tr><td>.*?<bdi>(.*?)<\/bdi>/gs)].map(([, name]) => name);
    expect(names[0]).toBe('alias/video-prod');
    expect(names.indexOf('alias/old-poc')).toBeGreaterThan(names.indexOf('prod/api/token'));
    expect(names.indexOf('prod/partner-feed')).toBeLessThan(names.indexOf('prod/payments'));
    expect(names.indexOf('prod/payments')).toBeLessThan(names.indexOf('shop/service-0'));
  });

  it('says so when nothing can be recorded', async () => {
    expect((await page({ ...healthySnapshot(), storeUp: false })).text).toContain('The state file cannot be written.');
  });

  it('filters by what the address says, keeps the form filled in, and takes empty fields for none', async () => {
    const { text, elements } = await page(incidentSnapshot(), '/?health=degraded&kind=&provider=aws&q=PAYM&account=');
    expect(text).toContain('1 of 41 keys, worst first');
    expect(elements.find(({ attributes }) => attributes.name === 'q')?.attributes.value).toBe('PAYM');
    const chosen = elements.filter(({ attributes }) => 'selected' in attributes);
    expect(chosen.map(({ attributes }) => attributes.value)).toEqual(['degraded', 'aws']);
  });

  it('renews itself unless it is held or filtered', async () => {
    expect((await page(healthySnapshot())).headers.get('refresh')).toBe('60');
    expect((await page(healthySnapshot(), '/?refresh=off')).headers.get('refresh')).toBeNull();
  });

  it('stays the same size with 10,000 keys and as many incidents, and pages through all of them', async () => {
    const keys = Array.from({ length: 10_000 }, (_, at) =>
      keyView({ resource: `arn:aws:kms:eu-west-1:111122223333:key/${at}`, health: 'inaccessible', reason: 'disabled' }),
    );
    const incidents = keys.map(({ resource }) => ({
      root: resource,
      reason: 'disabled' as const,
      since: NOW,
      keys: keys.slice(0, 100).map((key) => key.resource),
      consumers: [],
    }));
    const snapshot = snapshotOf({ keys, incidents });
    const first = await page(snapshot);
    expect(first.html.length).toBeLessThan(600_000);
    expect(first.text).toContain('10,000 keys, page 1 of 20');
    expect(first.elements.filter(({ name }) => name === 'tr')).toHaveLength(501);
    expect((await page(snapshot, '/?page=20')).text).toContain('page 20 of 20');
    expect((await page(snapshot, '/?page=21')).text).toContain('page 20 of 20');
  });
});

describe('the page of one key', () => {
  const log = storedEvents([
    { resource: CMK, type: 'new_version', kind: 'aws-kms-key', from: 'aa11', to: 'e7c3a4', version: 'e7c3a4' },
    { resource: CMK, kind: 'aws-kms-key', from: 'accessible', to: 'inaccessible', reason: 'disabled' },
  ]);
  const overrides = {
    events: eventLog(log),
    versions: async () => [{ version: 'e7c3a4', createdAt: NOW - HOUR, detectedAt: NOW - MINUTE }],
  };

  it('shows verdict, evidence, versions, events, dependents and the way back', async () => {
    const { status, text } = await page(incidentSnapshot(), `/keys/${encodeURIComponent(CMK)}`, overrides);
    expect(status).toBe(200);
    expect(text).toContain('b1a2c3d4-0000-4000-8000-1234567890ab');
    expect(text).toContain('2 consumers, 6 keys, directly or through others');
    expect(text).toContain('e7c3a4 (current)');
    expect(text).toContain('changed accessible → inaccessible (disabled)');
    expect(text).toContain('new version aa11 → e7c3a4');
    expect(text).toContain('aws kms enable-key');
    expect(text.indexOf('changed accessible')).toBeLessThan(text.indexOf('new version aa11'));
  });

  it('names the root cause of a derived loss, with what undoes it', async () => {
    const secret = arn('secretsmanager', 'secret:prod/api/token-AbCdEf');
    const { text } = await page(incidentSnapshot(), `/keys/${encodeURIComponent(secret)}`);
    expect(text).toMatch(/Root cause[\s\S]*alias\/video-prod[\s\S]*aws kms enable-key/);
    expect(text).toContain('What it depends on');
  });

  it('explains blindness and open findings', async () => {
    const blind = await page(
      incidentSnapshot(),
      `/keys/${encodeURIComponent(arn('secretsmanager', 'secret:prod/blind-Qwerty'))}`,
    );
    expect(blind.text).toContain('Nothing conclusive has come in since 2026-11-20 09:42:30 UTC (45 min ago)');
    const found = await page(
      incidentSnapshot(),
      `/keys/${encodeURIComponent(arn('secretsmanager', 'secret:prod/payments-Qwerty'))}`,
    );
    expect(found.text).toContain('Its rotation is 3 days overdue.');
    expect(found.text).toContain('aws secretsmanager rotate-secret');
  });

  it('keeps the history of a key that is gone', async () => {
    const { status, text } = await page(healthySnapshot(), `/keys/${encodeURIComponent(CMK)}`, overrides);
    expect(status).toBe(404);
    expect(text).toContain('No such key is watched');
    expect(text).toContain('accessible → inaccessible');
  });

  it.each([
    ['aws-kms-key', HOUR, 'Time left to undo it: at least 1 h, until 2026-11-20 11:27:30 UTC'],
    ['aws-secret', HOUR, 'Time left to undo it: at least 1 h, until'],
    ['aws-kms-key', -HOUR, 'It may be gone for good at any moment since 1 h ago'],
    ['aws-secret', -HOUR, 'It may be gone for good at any moment since 1 h ago'],
  ] as const)('tells how long a %s can be saved, %d ms from its deadline', async (kind, left, words) => {
    const lost = keyView({ resource: 'a', kind, health: 'inaccessible', reason: 'pending_deletion' });
    const keys = [{ ...lost, recoverableUntil: NOW + left, attributes: { deletionRequestedAt: NOW - MINUTE } }];
    const { text } = await page(snapshotOf({ keys }), '/keys/a');
    expect(text).toContain(words);
    expect(text).toContain('deletionRequestedAt2026-11-20 10:26:30 UTC (1 min ago)');
  });
});

describe('hostile text', () => {
  const CORPUS = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</title></style></textarea><svg/onload=alert(1)>',
    'javascript:alert(1)',
    '&lt;script&gt;&amp;&#39;',
    `\${alert(1)}<!--`,
    ']]><![CDATA[',
    'a"b\n} 1\n',
    '\u202Egnp.exe\u2066',
    '\u001b[2J\u001b]8;;http://evil\u0007',
    '\uD800\uDFFFx\uDC00',
    '../../..',
    '🔑'.repeat(200),
  ];

  /** Every place that foreign text reaches, filled with `text`. */
  async function everywhere(text: string) {
    const key = keyView({
      resource: `arn:${text}`,
      name: text,
      account: text,
      location: text,
      targets: [text],
      tags: { [text]: text },
      health: 'inaccessible',
      reason: 'disabled',
      state: text,
      spec: text,
      version: text,
      undo: text,
      findings: [{ id: text, severity: 'critical', summary: text, remedy: text, since: NOW }],
      evidence: { operation: text, code: text, message: text, requestId: text },
      attributes: { [`x${text}`]: text },
      rootCauses: [text],
      blindSince: NOW,
      blindReason: 'denied',
      blindRoots: [text],
      versions: [{ id: text, enabled: false }],
    });
    const consumer = consumerView({
      resource: text,
      name: text,
      account: text,
      location: text,
      targets: [text],
      tags: { [text]: text },
      health: 'impaired',
      state: text,
      rootCauses: [text],
      uses: [
        { resource: text, versionInUse: text, outdatedSince: NOW, role: text },
        { resource: text, role: 'stores' },
      ],
      findings: key.findings,
      evidence: key.evidence,
      attributes: key.attributes,
    });
    const snapshot = snapshotOf({
      keys: [key],
      consumers: [
        consumer,
        {
          ...consumer,
          resource: 'c2',
          rootCauses: [],
          uses: [{ resource: key.resource, versionInUse: text, role: text }],
        },
      ],
      sources: [source({ target: text, location: text, service: text })],
      incidents: [{ root: key.resource, reason: 'disabled', since: NOW, keys: [text], consumers: [text] }],
    });
    const overrides = {
      events: async () => storedEvents([{ resource: key.resource, from: text, to: text, version: text }]),
      versions: async () => [{ version: text, detectedAt: NOW }],
    };
    const status = await page(snapshot, `/?q=${encodeURIComponent(text.toWellFormed())}`, overrides);
    const detail = await page(snapshot, `/keys/${encodeURIComponent(key.resource.toWellFormed())}`, overrides);
    const path = `/consumers/${encodeURIComponent(text.toWellFormed())}`;
    return [status, detail, await page(snapshot, path, overrides)];
  }

  const ALLOWED = new Set(
    'html head meta title link body header a b p time span form input button main section h1 h2 h3 i ul ol li article small bdi pre code details summary label select option table thead tbody tr th td dl dt dd nav footer'.split(
      ' ',
    ),
  );

  function expectInert(documents: readonly Awaited<ReturnType<typeof page>>[]) {
    for (const { elements, html } of documents) {
      for (const { name, attributes } of elements) {
        expect(ALLOWED).toContain(name);
        expect(Object.keys(attributes).filter((attribute) => attribute.startsWith('on'))).toEqual([]);
        if (attributes.href !== undefined) expect(attributes.href).not.toMatch(/^(?!data:,$)[a-z]+:/i);
      }
      expect(html.isWellFormed()).toBe(true);
      expect(html.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
    }
  }

  it.each(CORPUS)('is data everywhere: %j', async (text) => {
    expectInert(await everywhere(text));
  });

  it('never changes what a page is made of', async () => {
    const plain = await everywhere('plain');
    for (const text of CORPUS.filter((one) => one.isWellFormed() && !one.includes('\n') && one !== '../../..')) {
      const hostile = await everywhere(text);
      expect(hostile.map(shapeOf)).toEqual(plain.map(shapeOf));
    }
  });

  it('stays data for any string', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), async (text) => {
        expectInert(await everywhere(text));
      }),
      { seed: 20, numRuns: 60 },
    );
  });
});
