import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { type Child, createPlace, listening, logLines, type Place, startCli } from '../cli/child.ts';
import { series } from './world.ts';

const ACCOUNT = '111122223333';

interface Stage extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly region: ReturnType<ReturnType<Sandbox['aws']['account']>['region']>;
  readonly place: Place;
}

/** A cloud with two keys and a secret under each, and a place from which a daemon watches it every second. */
async function setStage(yaml = ''): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const sandbox = stack.use(await startSandbox({ seed: 11 }));
  const account = sandbox.aws.account(ACCOUNT);
  const region = account.region('eu-west-1');
  for (const name of ['dead', 'well']) {
    const { arn, keyId } = region.kms.createKey();
    region.kms.alias(`alias/${name}`, keyId);
    region.secrets.create({ Name: `prod/${name}`, SecretString: 'CANARY-value', KmsKeyId: arn });
  }
  const place = stack.use(createPlace(account.credentials));
  place.file(
    'keyvigil.yml',
    `listen: 127.0.0.1:0
schedule: "*/1 * * * * *"
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }]
${yaml}`,
  );
  return { sandbox, region, place, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** Waits until the series with this part of its labels has this value, or any. */
function metric(child: Child, url: string, name: string, label: string, value?: number): Promise<true> {
  return child.until(`${name} of ${label} to be ${value ?? 'there'}`, async () => {
    const now = series(await metrics(url), name, label);
    return now !== undefined && now === (value ?? now) ? true : undefined;
  });
}

async function eventsOf(url: string): Promise<unknown[]> {
  const answer = await (await fetch(`${url}/api/v1/events`)).json();
  return (answer as { events: unknown[] }).events;
}

describe('kill -9 in the middle of a sweep', () => {
  it('and a start without a network: what was lost is lost from the first scrape on, and no event is repeated', async () => {
    await using stage = await setStage();
    const { sandbox, region, place } = stage;
    let events: unknown[];
    {
      await using child = startCli(['serve'], place);
      const url = await listening(child);
      await metric(child, url, 'keyvigil_key_accessible', ':prod/dead-', 1);
      region.kms.disable('alias/dead');
      await metric(child, url, 'keyvigil_key_accessible', ':prod/dead-', 0);
      events = await eventsOf(url);
      expect(events).toHaveLength(5);
      const slow = sandbox.faults.add({ kind: 'slow', ms: 5_000 });
      await child.until('a sweep to be under way', () => (slow.hits() > 0 ? true : undefined));
      child.signal('SIGKILL');
      expect(await child.ended).toBe('SIGKILL');
    }
    const state = readdirSync(place.directory).filter((name) => name.startsWith('keyvigil.db'));
    expect(state).toContain('keyvigil.db');
    for (const name of state) {
      expect([name, statSync(join(place.directory, name)).mode & 0o777]).toEqual([name, 0o600]);
    }

    await sandbox[Symbol.asyncDispose]();
    await using child = startCli(['serve'], place);
    const url = await listening(child);
    const first = await metrics(url);
    expect(series(first, 'keyvigil_key_accessible', '"alias/dead"')).toBe(0);
    expect(series(first, 'keyvigil_key_accessible', ':prod/dead-')).toBe(0);
    expect(series(first, 'keyvigil_key_accessible', '"alias/well"')).toBe(1);
    expect(series(first, 'keyvigil_key_accessible', ':prod/well-')).toBe(1);
    await metric(child, url, 'keyvigil_source_up', 'service="kms"', 0);
    await metric(child, url, 'keyvigil_source_up', 'service="secrets-manager"', 0);
    expect((await fetch(`${url}/-/ready`)).status).toBe(200);
    const later = await metrics(url);
    expect(series(later, 'keyvigil_key_accessible', ':prod/dead-')).toBe(0);
    expect(series(later, 'keyvigil_key_accessible', ':prod/well-')).toBe(1);
    expect(await eventsOf(url)).toEqual(events);
  });
});

describe('SIGTERM in the middle of a sweep that stalls', () => {
  it('ends the daemon with 0 within ten seconds', async () => {
    await using stage = await setStage();
    const fault = stage.sandbox.faults.add({ kind: 'stall' }, { operation: ['ListSecrets', 'DescribeKey'] });
    await using child = startCli(['serve'], stage.place);
    await listening(child);
    await child.until('both sources to hang', () => (fault.hits() >= 2 ? true : undefined));
    child.signal('SIGTERM');
    expect(await child.until('the end', () => child.ending, 10_000)).toBe(0);
    expect(logLines(child).at(-1)?.msg).toBe('stopped');
  });
});

const BAD_TIMES: ReadonlyArray<{ readonly effect: FaultEffect; readonly reason: string }> = [
  { effect: { kind: 'access-denied' }, reason: 'denied' },
  { effect: { kind: 'body', body: 'html', status: 502 }, reason: 'provider_error' },
  { effect: { kind: 'expired-token' }, reason: 'credentials' },
];

describe('a canary', () => {
  it('in the credentials and in the configuration is in no log line at level debug, in good times and in bad', async () => {
    await using stage = await setStage(`
log: { level: debug }
receivers:
  - { name: chat, slack: { url: "http://127.0.0.1:1/CANARY-hook" } }
  - { name: hook, webhook: { url: "http://127.0.0.1:1/?token=CANARY-token", secret: CANARY-secret } }
heartbeat: { url: "http://127.0.0.1:1/CANARY-beat" }
`);
    const { sandbox, place } = stage;
    const secretKey = sandbox.aws.account(ACCOUNT).credentials.secretAccessKey;
    await using good = startCli(['serve'], place);
    const url = await listening(good);
    await metric(good, url, 'keyvigil_key_accessible', ':prod/well-', 1);
    for (const { effect, reason } of BAD_TIMES) {
      using _fault = sandbox.faults.add(effect);
      await metric(good, url, 'keyvigil_source_failures_total', `service="kms",reason="${reason}"`);
    }
    good.signal('SIGTERM');
    await good.ended;

    await using bad = startCli(['serve'], place, { AWS_SECRET_ACCESS_KEY: 'CANARY-wrong-key' });
    const next = await listening(bad);
    await metric(bad, next, 'keyvigil_source_up', 'service="kms"', 0);
    bad.signal('SIGTERM');
    await bad.ended;

    expect(logLines(good).filter(({ level }) => level === 20)).not.toEqual([]);
    // Still down where the last of the bad times was not over when the daemon before ended.
    const down = { msg: expect.stringMatching(/^source is (still )?down$/), reason: 'credentials' };
    expect(logLines(bad)).toContainEqual(expect.objectContaining(down));
    for (const text of [good.err, bad.err]) {
      expect(text).not.toContain('CANARY');
      expect(text).not.toContain(secretKey);
    }
    for (const name of readdirSync(place.directory).filter((file) => file !== 'keyvigil.yml')) {
      const bytes = readFileSync(join(place.directory, name), 'latin1');
      expect(bytes).not.toContain('CANARY');
      expect(bytes).not.toContain(secretKey);
    }
  });
});
