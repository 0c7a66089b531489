/** From the cloud to the receiver: what is told, once, and what is not. */
import { describe, expect, it, vi } from 'vitest';
import { company } from './company.ts';
import { type Sink, startSink, type Told } from './sink.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const BOUND = 75_000;

interface Watched extends AsyncDisposable {
  readonly world: World;
  readonly sink: Sink;
  /** What was told of these alerts, as `status name`. */
  of(alertname: string): Told[];
}

async function watched(fill: (region: World['region']) => void, options: WorldOptions = {}): Promise<Watched> {
  const stack = new AsyncDisposableStack();
  const sink = stack.use(await startSink());
  const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]\n${options.yaml ?? ''}`;
  const world = stack.use(await startWorld(fill, { ...options, yaml }));
  return {
    world,
    sink,
    of: (alertname) => sink.told.filter(({ labels }) => labels.alertname === alertname),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a lost key', () => {
  it('is one alert, critical because something depends on it, with all that on-call needs; and its end is told', async () => {
    await using at = await watched(company(3));
    const { world } = at;
    expect(at.sink.told).toEqual([]);
    await world.pass(20_000);
    world.region.kms.disable('alias/key-1');
    await world.until('the alert', BOUND + 5_000, () => at.sink.told.length > 0);
    expect(at.sink.told).toHaveLength(1);
    const [alert] = at.sink.told;
    expect(alert).toMatchObject({
      status: 'firing',
      labels: {
        alertname: 'KeyvigilKeyInaccessible',
        severity: 'critical',
        origin: 'push',
        kind: 'aws-kms-key',
        name: 'alias/key-1',
        resource: world.key('alias/key-1')?.resource,
      },
    });
    expect(alert?.annotations.undo).toContain('aws kms enable-key');
    expect(alert?.annotations.affected).toContain('prod/secret-1');
    expect(Date.parse(alert!.startsAt)).toBe(world.key('alias/key-1')?.since);
    const runbook = new URL(alert!.annotations.runbook_url!);
    // It listens on any port that is free, and links to that very one.
    expect([runbook.origin, new URL(alert!.annotations.status_url!).origin]).toEqual([world.app.url, world.app.url]);
    const page = await world.get(runbook.pathname);
    expect(page.headers.get('content-type')).toContain('text/plain');
    expect(await page.text()).toMatch(/^# KeyvigilKeyInaccessible/);
    // Where the dashboards lead.
    expect((await world.get('/runbooks/README.md')).status).toBe(200);
    for (const none of ['KeyvigilNothing', 'K'.repeat(300)]) {
      expect((await world.get(`/runbooks/${none}.md`)).status).toBe(404);
    }
    await world.pass(20 * MINUTE);
    expect(at.sink.told).toHaveLength(1);

    world.region.kms.enable('alias/key-1');
    await world.until('its end', BOUND + 5_000, () => at.sink.told.length > 1);
    await world.pass(20 * MINUTE);
    expect(at.sink.told.map(({ status }) => status)).toEqual(['firing', 'resolved']);
    expect(at.sink.told[1]?.fingerprint).toBe(alert?.fingerprint);
  });

  it('still fires while keyvigil is blind, and a whole outage is one alert about the source', async () => {
    await using at = await watched(company(50));
    const { world } = at;
    world.region.kms.disable('alias/key-1');
    await world.until('the alert', BOUND + 60_000, () => at.sink.told.length > 0);
    world.sandbox.faults.add({ kind: 'server-error' });
    await world.pass(40 * MINUTE);
    expect(at.of('KeyvigilKeyInaccessible').map(({ status }) => status)).toEqual(['firing']);
    const names = new Set(at.sink.told.map(({ labels }) => labels.alertname));
    expect([...names].sort()).toEqual(['KeyvigilAccountBlind', 'KeyvigilKeyInaccessible']);
    expect(
      at
        .of('KeyvigilAccountBlind')
        .filter(({ status }) => status === 'firing')
        .map(({ labels }) => labels.severity),
    ).toEqual(['warning', 'critical']);
  }, 60_000);
});

describe('a new version', () => {
  it('is told once, and once more when it is rolled back', async () => {
    await using at = await watched(company(2));
    const { world } = at;
    const before = world.key('prod/secret-0')!.version!;
    const version = world.region.secrets.putValue('prod/secret-0', 'y');
    await world.until('the alert', 2 * MINUTE, () => at.of('KeyvigilNewKeyVersion').length > 0);
    await world.pass(30 * MINUTE);
    expect(
      at.sink.told.map(({ labels, status }) => [labels.alertname, labels.version, labels.severity, status]),
    ).toEqual([['KeyvigilNewKeyVersion', version, 'info', 'firing']]);
    world.region.secrets.moveStage('prod/secret-0', 'AWSCURRENT', before);
    await world.until('the rollback', 2 * MINUTE, () => at.sink.told.length > 1);
    expect(at.sink.told[1]?.labels.version).toBe(before);
  });
});

describe('a receiver that is down', () => {
  it('for half an hour while 50 keys break hears of every one within a minute of its return, since when it really was', async () => {
    await using at = await watched(company(50));
    const { world, sink } = at;
    sink.answer = 500;
    for (let key = 0; key < 50; key += 1) world.region.kms.disable(`alias/key-${key}`);
    const brokeAt = Date.now();
    await world.pass(30 * MINUTE);
    expect(sink.told).toEqual([]);
    expect(world.app.snapshot.keys.filter(({ reason }) => reason === 'disabled')).toHaveLength(50);
    expect(await world.metrics()).toMatch(/^keyvigil_outbox_pending\{receiver="hook"\} (5\d)$/m);
    sink.answer = 200;
    await world.until('all of them', 5 * MINUTE + 1_000, () => at.of('KeyvigilKeyInaccessible').length >= 50);
    await world.pass(MINUTE);
    const told = at.of('KeyvigilKeyInaccessible');
    expect(new Set(told.map(({ fingerprint }) => fingerprint)).size).toBe(50);
    expect(told).toHaveLength(50);
    for (const { startsAt } of told) expect(Date.parse(startsAt) - brokeAt).toBeLessThan(BOUND);
  }, 60_000);

  it('and whose key recovers while the daemon is restarted still hears of the end', async () => {
    await using at = await watched(company(2));
    const { world, sink } = at;
    world.region.kms.disable('alias/key-1');
    await world.until('the alert', BOUND + 60_000, () => sink.told.length === 1);
    sink.answer = 'silence';
    world.region.kms.enable('alias/key-1');
    await world.until('the recovery', BOUND + 60_000, () => world.key('alias/key-1')?.health === 'accessible');
    await world.stop();
    sink.answer = 500;
    await world.start();
    await world.pass(30 * MINUTE);
    sink.answer = 200;
    await world.until('the end', 6 * MINUTE, () => at.of('KeyvigilKeyInaccessible').length > 1);
    await world.pass(10 * MINUTE);
    expect(at.of('KeyvigilKeyInaccessible').map(({ status }) => status)).toEqual(['firing', 'resolved']);
  }, 60_000);
});

describe('an alert about what is no longer watched', () => {
  it('ends with these words: nobody saw the key recover', async () => {
    await using at = await watched(company(2), { yaml: 'policy: { critical: ["prod/*"] }' });
    const { world } = at;
    world.region.kms.disable('alias/key-0');
    await world.until('the alert', BOUND + 60_000, () => at.sink.told.length === 1);
    world.region.secrets.delete('prod/secret-1', { RecoveryWindowInDays: 30 });
    await world.until('the other', BOUND + 60_000, () => at.sink.told.length === 2);
    await world.stop();
    // Newly excluded, and a whole service that was taken out.
    await world.start({ services: '{ secrets-manager: { exclude: ["prod/secret-1"] } }' });
    await world.until('their ends', BOUND, () => at.sink.told.length >= 4);
    await world.pass(5 * MINUTE);
    const ended = at.sink.told.slice(2);
    expect(ended.map(({ status, labels }) => `${status} ${labels.name}`).sort()).toEqual([
      'resolved alias/key-0',
      'resolved prod/secret-1',
    ]);
    for (const { annotations } of ended) {
      expect(annotations.reason).toBe('no longer watched');
      expect(annotations.summary).toMatch(/^No longer watched: /);
      expect(annotations.description).toContain('not because all is well');
    }
  });
});

describe('who is to be reminded', () => {
  it('hears of what still fires again, as often as was asked for, and of nothing that ended', async () => {
    await using at = await watched(company(2));
    const { world, sink } = at;
    await world.stop();
    const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}", remindEvery: 10m } }]`;
    await world.start({ yaml });
    world.region.kms.disable('alias/key-1');
    await world.until('the alert', BOUND + 60_000, () => sink.told.length === 1);
    const from = sink.told[0]!.at;
    await world.pass(31 * MINUTE);
    const minutes = sink.told.map(({ at: when }) => Math.round((when - from) / MINUTE));
    expect(minutes).toEqual([0, 10, 20, 30]);
    world.region.kms.enable('alias/key-1');
    await world.pass(25 * MINUTE);
    expect(sink.told.map(({ status }) => status)).toEqual(['firing', 'firing', 'firing', 'firing', 'resolved']);
  }, 120_000);
});

describe('restarts', () => {
  it('20 in a row with 30 alerts firing send nothing again', async () => {
    await using at = await watched(company(30));
    const { world, sink } = at;
    for (let key = 0; key < 30; key += 1) world.region.kms.disable(`alias/key-${key}`);
    await world.until('the alerts', BOUND + 60_000, () => sink.told.length === 30);
    for (let times = 0; times < 20; times += 1) {
      await world.stop();
      await world.start();
      await world.pass(15_000);
    }
    expect(sink.told).toHaveLength(30);
  }, 60_000);

  it('after three days of downtime tell each new version once, in order', async () => {
    await using at = await watched(company(1));
    const { world, sink } = at;
    await world.stop();
    const versions = [1, 2, 3].map((day) => {
      vi.setSystemTime(Date.now() + DAY);
      return world.region.secrets.putValue('prod/secret-0', `value ${day}`);
    });
    await world.start();
    await world.pass(20 * MINUTE);
    const told = at.of('KeyvigilNewKeyVersion').map(({ labels }) => labels.version);
    expect(told).toEqual(versions);
    expect(sink.told).toHaveLength(3);
  }, 60_000);
});

describe('a first start on an old account', () => {
  it('tells nothing of what was dead before and breaks nothing', async () => {
    await using at = await watched(({ kms, secrets }) => {
      for (let key = 0; key < 10; key += 1) {
        const { keyId } = kms.createKey();
        kms.alias(`alias/old-${key}`, keyId);
        kms.disable(keyId);
      }
      const used = kms.createKey();
      kms.alias('alias/used', used.keyId);
      secrets.create({ Name: 'prod/broken', SecretString: 'x', KmsKeyId: used.arn });
      kms.disable(used.keyId);
    });
    await at.world.pass(20 * MINUTE);
    expect(at.sink.told.map(({ labels }) => labels.name)).toEqual(['alias/used']);
  });
});
