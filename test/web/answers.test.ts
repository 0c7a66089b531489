import { describe, expect, it } from 'vitest';
import { ExplanationAnswer, ImpactAnswer, Refusal } from '../../src/cli/answers.ts';
import { createApp } from '../../src/web/app.ts';
import { readHtml, shapeOf } from './html.ts';
import { arn, consumerView, eventLog, incidentSnapshot, keyView, snapshotOf, storedEvents, world } from './world.ts';

const CMK = arn('kms', 'key/1234abcd-12ab-34cd-56ef-1234567890ab');
const SECRET = arn('secretsmanager', 'secret:prod/speke/gateway-AbCdEf');
const FLOW = arn('mediaconnect', 'flow:1-abc:ch1-main');

function served(made = world(incidentSnapshot())) {
  const app = createApp(made.deps, () => ({ listenHost: '127.0.0.1', externalUrl: undefined }));
  return async (path: string) => {
    const response = await app.request(path);
    expect(made.errors).toEqual([]);
    return { status: response.status, text: await response.text() };
  };
}

async function json(path: string, made?: ReturnType<typeof world>) {
  const { status, text } = await served(made)(path);
  return { status, body: JSON.parse(text) };
}

const ask = (name: 'explain' | 'impact', resource: string) =>
  `/api/v1/${name}?resource=${encodeURIComponent(resource)}`;

describe('explain over the API', () => {
  it('tells all of a key by any of its names, in the form that the command line reads', async () => {
    const made = world(incidentSnapshot(), { events: eventLog(storedEvents([{ resource: CMK, to: 'inaccessible' }])) });
    for (const name of [CMK, 'alias/video-prod', '1234abcd-12ab-34cd-56ef-1234567890ab']) {
      const { status, body } = await json(ask('explain', name), made);
      expect(status).toBe(200);
      expect(ExplanationAnswer.parse(body)).toMatchObject({
        resource: CMK,
        live: false,
        health: 'inaccessible',
        dependents: { keys: 6, consumers: 2 },
        owners: { team: 'playout' },
        alerts: [{ name: 'KeyvigilKeyInaccessible', severity: 'critical' }],
        events: [{ to: 'inaccessible' }],
      });
    }
  });

  it('tells of a consumer up to the root', async () => {
    const { body } = await json(ask('explain', 'ch1-main'));
    const told = ExplanationAnswer.parse(body);
    expect(told.needs[0]?.anyOf[0]).toMatchObject({
      name: 'prod/speke/gateway',
      needs: [{ anyOf: [{ name: 'alias/video-prod', root: true, undo: expect.stringContaining('enable-key') }] }],
    });
  });

  it('answers 404 with what may be meant', async () => {
    const several = snapshotOf({
      keys: [
        keyView({ resource: 'arn:a:prod/db', name: 'prod/db' }),
        keyView({ resource: 'arn:b:prod/db', name: 'prod/db' }),
      ],
    });
    const ambiguous = await json(ask('explain', 'prod/db'), world(several));
    expect(ambiguous.status).toBe(404);
    expect(Refusal.parse(ambiguous.body).candidates?.map(({ resource }) => resource)).toEqual([
      'arn:a:prod/db',
      'arn:b:prod/db',
    ]);
    const unknown = await json(ask('explain', 'prod/dbs'), world(several));
    expect([unknown.status, unknown.body.near.length]).toEqual([404, 2]);
  });
});

describe('impact over the API', () => {
  it('tells what breaks, in the form that the command line reads', async () => {
    const { status, body } = await json(ask('impact', 'alias/video-prod'));
    expect(status).toBe(200);
    expect(ImpactAnswer.parse(body)).toMatchObject({
      outcome: 'something',
      keys: { already: 6 },
      consumers: { already: 2 },
    });
  });

  it('refuses a consumer, and knows of what is not watched only what names it', async () => {
    expect((await json(ask('impact', 'ch1-main'))).status).toBe(400);
    const foreign = arn('kms', 'key/foreign');
    const snapshot = snapshotOf({ keys: [keyView({ resource: SECRET, unwatched: [foreign] })] });
    const named = await json(ask('impact', foreign), world(snapshot));
    expect(named.body).toMatchObject({ outcome: 'something', keys: { breaks: 1 }, gaps: [{ kind: 'not_watched' }] });
    expect((await json(ask('impact', arn('kms', 'key/unheard-of')), world(snapshot))).status).toBe(404);
  });
});

it.each(['explain', 'impact'])('%s refuses what it cannot use with 400', async (name) => {
  for (const query of ['', '?resource=', '?resource=a&resource=b', '?resource=a&colour=red', '?resource=a&limit=0']) {
    const { status, body } = await json(`/api/v1/${name}${query}`);
    expect([query, status, typeof body.error]).toEqual([query, 400, 'string']);
  }
  expect((await json(`/api/v1/${name}?resource=${'a'.repeat(2049)}`)).status).toBe(400);
});

describe('the tree on a page', () => {
  const page = async (path: string, made?: ReturnType<typeof world>) => {
    const { text: html } = await served(made)(path);
    return { html, ...readHtml(html) };
  };
  const keyPath = (resource: string) => `/keys/${encodeURIComponent(resource)}`;

  it('folds what a key takes down, down to the flows, and links all of it', async () => {
    const { text, elements } = await page(keyPath(CMK));
    expect(text).toMatch(/What it takes down.*prod\/speke\/gateway.*needed by 2.*ch1-backup.*ch1-main/s);
    expect(elements.filter(({ name }) => name === 'details').map(({ attributes }) => attributes.open)).toEqual(['']);
    const links = elements.map(({ attributes }) => attributes.href);
    expect(links).toContain(`../consumers/${encodeURIComponent(FLOW)}`);
    expect(elements.map(({ name }) => name)).not.toContain('script');
  });

  it('says which alert fires, and on the page of a secret that its KMS key is to blame', async () => {
    const { text } = await page(keyPath(SECRET));
    expect(text).toMatch(/What it depends on.*alias\/video-prod.*root cause.*enable-key/s);
    expect(text).toMatch(/KeyvigilKeyInaccessible critical, on alias\/video-prod/);
    const healthy = await page(keyPath(arn('secretsmanager', 'secret:shop/service-1-XyZ')));
    expect(healthy.text).toMatch(/No alert fires\. Nothing is wrong with it\./);
  });

  it('stays small however much depends on a key, and counts all of it', async () => {
    const secrets = Array.from({ length: 3_000 }, (_, at) =>
      keyView({ resource: `arn:secret-${at}`, dependsOn: [CMK], health: 'inaccessible', rootCauses: [CMK] }),
    );
    const flows = Array.from({ length: 3_000 }, (_, at) =>
      consumerView({
        resource: `arn:flow-${at}`,
        uses: [{ resource: `arn:secret-${at}`, key: `arn:secret-${at}`, role: 'r' }],
      }),
    );
    const root = keyView({ resource: CMK, kind: 'aws-kms-key', health: 'inaccessible', reason: 'disabled' });
    const { html, text } = await page(keyPath(CMK), world(snapshotOf({ keys: [root, ...secrets], consumers: flows })));
    expect(text).toContain('3,000 consumers, 3,000 keys, directly or through others');
    expect(text).toMatch(/The tree shows 200 of them.*and 2,900 more/s);
    expect(html.length).toBeLessThan(150_000);
  });

  it('keeps hostile names inert', async () => {
    const evil = '"><script>alert(1)</script>\u202e\u0007{x}';
    const tidy = (name: string) => {
      const secret = keyView({
        resource: SECRET,
        name,
        dependsOn: [CMK],
        tags: { team: name },
        unwatched: [`arn:${name}`],
      });
      const use = { resource: SECRET, key: SECRET, role: 'decrypts', part: name, versionInUse: name };
      const flow = consumerView({ resource: FLOW, name, uses: [use], tags: { team: name } });
      return world(snapshotOf({ keys: [keyView({ resource: CMK, name }), secret], consumers: [flow] }));
    };
    for (const path of [keyPath(CMK), keyPath(SECRET), `/consumers/${encodeURIComponent(FLOW)}`]) {
      const [plain, hostile] = await Promise.all([page(path, tidy('name')), page(path, tidy(evil))]);
      expect(hostile.html).not.toContain('<script');
      expect(hostile.html).not.toContain('\u202e');
      expect(hostile.html).not.toContain('\u0007');
      expect(shapeOf(hostile)).toEqual(shapeOf(plain));
    }
  });
});
