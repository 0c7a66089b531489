import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planCommand } from '../../src/cli/plan.ts';
import { recordedIo } from '../cli/io.ts';
import { ACCOUNT, series, startWorld, type World, type WorldOptions } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DEFINITIONS = 'key-vault RoleDefinitions.GetById';

interface PlanJson {
  readonly complete: boolean;
  readonly callsPerMonth: number;
  readonly usdPerMonth: number;
  readonly sources: ReadonlyArray<{
    readonly target: string;
    readonly location: string;
    readonly service: string;
    readonly counted: string;
    readonly objects: Readonly<Record<string, number>>;
    readonly critical: number;
    readonly detectionBoundSeconds: number;
    readonly sweepSeconds: number;
    readonly usdPerMonth: number;
    readonly calls: ReadonlyArray<{ operation: string; perSweep: number; perMonth: number; usdPerMonth: number }>;
  }>;
}

async function planned(world: World, ...objects: readonly string[]): Promise<PlanJson> {
  const { config, env } = world.configured();
  const io = recordedIo({ env });
  const stop = new AbortController().signal;
  expect(await planCommand({ config, output: 'json', objects, version: '0.0.0-test', stop }, io)).toBe(0);
  expect(io.written.err).toBe('');
  return JSON.parse(io.written.out) as PlanJson;
}

type Counts = ReadonlyMap<string, number>;

/** Calls so far by `service operation`, as the daemon counts them. */
async function counted(world: World): Promise<Counts> {
  const counts = new Map<string, number>();
  for (const line of (await world.metrics()).split('\n')) {
    const [, labels, value] = /^keyvigil_api_requests_total\{(.*)\} (\d+)$/.exec(line) ?? [];
    const of = (label: string) => new RegExp(`${label}="([^"]*)"`).exec(labels ?? '')?.[1];
    if (labels === undefined || of('operation') === 'GetCallerIdentity') continue;
    expect(of('code')).toBe('200');
    const key = `${of('service')} ${of('operation')}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(value));
  }
  return counts;
}

/** Calls that the clouds answered, as they count them; who somebody is, and for whom tokens are, is no call of a sweep. */
function answered({ sandbox }: World): number {
  const others = ['sts:GetCallerIdentity'];
  const all = sandbox.requests
    .list()
    .filter(({ operation }) => ['Challenge', 'Token', 'Discovery'].includes(operation));
  const names = new Set(all.map(({ service, operation }) => `${service}:${operation}`));
  return [...others, ...names].reduce((rest, name) => rest - sandbox.requests.count(name), sandbox.requests.count());
}

function since(before: Counts, after: Counts): Record<string, number> {
  const made: Record<string, number> = {};
  for (const [key, count] of after) if (count > (before.get(key) ?? 0)) made[key] = count - (before.get(key) ?? 0);
  return made;
}

/** What the plan says of so many sweeps. */
function foretold(plan: PlanJson, sweeps: number): Record<string, number> {
  const rows = plan.sources.flatMap(({ service, calls }) =>
    calls.map(({ operation, perSweep }) => [`${service} ${operation}`, Math.round(perSweep * sweeps)] as const),
  );
  return Object.fromEntries(rows.filter(([, count]) => count > 0));
}

/** Two clouds, with more than one page of nearly everything, and vaults that hold unequally much. */
function fill(
  { kms, secrets, codeBuild, mediaConnect }: World['region'],
  sandbox: World['sandbox'],
  subscription: World['subscription'],
): void {
  for (let at = 0; at < 12; at += 1) {
    const { keyId, arn } = kms.createKey();
    for (let alias = 0; alias < 10; alias += 1) kms.alias(`alias/key-${at}-${alias}`, keyId);
    if (at < 4) secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
  }
  for (let at = 0; at < 101; at += 1) secrets.create({ Name: `test/secret-${at}`, SecretString: 'x' });
  const serviceRole = sandbox.aws.account(ACCOUNT).role('build', { services: ['codebuild.amazonaws.com'] });
  for (let at = 0; at < 3; at += 1) {
    codeBuild.createProject({ name: `project-${at}`, serviceRole });
    codeBuild.startBuild(`project-${at}`);
  }
  for (let at = 0; at < 3; at += 1) {
    mediaConnect.createFlow({ name: `flow-${at}`, source: { name: 'Cam', protocol: 'srt-listener' } });
  }
  for (const [name, keys] of [
    ['large', 51],
    ['small', 2],
    ['other', 1],
  ] as const) {
    const vault = subscription.vault(`contoso-${name}`);
    for (let at = 0; at < keys; at += 1) vault.keys.create(`key-${at}`);
    if (name === 'other') continue;
    const storage = [subscription.storageAccount(`contoso${name}`)];
    const account = subscription.mediaAccount(`contoso${name}`, { key: `${vault.url}/keys/key-0`, storage });
    vault.grant(account.principal);
  }
}

const BOTH: WorldOptions = {
  clouds: ['aws', 'azure'],
  services:
    '{ secrets-manager: { exclude: ["test/secret-1??"] }, kms: {}, codebuild: { builds: true }, mediaconnect: {} }',
  // The whole quotas: budgets fill up by a clock that stands still here, and would make sweeps wait for minutes.
  yaml: 'policy: { critical: ["prod/*"] }\nbudget: 1',
};

describe('the plan of two clouds, against the daemon on them', () => {
  let world: World;
  let plan: PlanJson;
  beforeAll(async () => {
    world = await startWorld(fill, BOTH);
    // Away from the slots, and from when what is done every 15 minutes or every hour since the start is done again.
    await world.pass(10 * MINUTE + 45_000);
    plan = await planned(world);
  }, 120_000);
  afterAll(() => world[Symbol.asyncDispose]());

  it('counts what the daemon watches', () => {
    expect(plan.complete).toBe(true);
    const { keys, consumers } = world.app.snapshot;
    const kinds: Record<string, number> = {};
    for (const { kind } of [...keys, ...consumers]) kinds[kind] = (kinds[kind] ?? 0) + 1;
    expect(Object.assign({}, ...plan.sources.map(({ objects }) => objects))).toEqual(kinds);
    expect(plan.sources.map(({ counted: how }) => how)).toEqual(Array.from({ length: 6 }, () => 'listed'));
    expect(plan.sources[0]).toMatchObject({ service: 'secrets-manager', critical: 4 });
  });

  it('foretells the worst detection time that the daemon exports, but for how long a sweep really takes', async () => {
    const page = await world.metrics();
    for (const { location, service, detectionBoundSeconds, sweepSeconds } of plan.sources) {
      const labels = [`location="${location}"`, `service="${service}"`];
      const bound = series(page, 'keyvigil_source_detection_bound_seconds', ...labels)!;
      const took = series(page, 'keyvigil_source_sweep_duration_seconds', ...labels)!;
      expect(bound - took).toBeCloseTo(detectionBoundSeconds - sweepSeconds, 3);
    }
  });

  it('is exact to the call while nothing changes', async () => {
    const [before, atCloud] = [await counted(world), answered(world)];
    await world.pass(HOUR);
    const made = since(before, await counted(world));
    const { [DEFINITIONS]: definitions = 0, ...others } = made;
    const { [DEFINITIONS]: planDefinitions = 0, ...steady } = foretold(plan, 60);
    expect(others).toEqual(steady);
    // Two vaults that ask for the same role at the same moment both ask.
    expect(planDefinitions).toBe(2);
    expect(definitions).toBeGreaterThanOrEqual(planDefinitions);
    expect(definitions).toBeLessThanOrEqual(2 * planDefinitions);
    // Nothing is made that is not counted.
    const all = Object.values(made).reduce((sum, count) => sum + count, 0);
    expect(answered(world) - atCloud).toBe(all);

    const money = plan.sources.flatMap(({ service, calls }) =>
      calls.map(({ operation, perMonth, usdPerMonth }) =>
        perMonth === 0 ? 0 : ((made[`${service} ${operation}`] ?? 0) * 24 * 30 * usdPerMonth) / perMonth,
      ),
    );
    expect(money.reduce((sum, usd) => sum + usd, 0)).toBeCloseTo(plan.usdPerMonth, 3);
    expect(plan.usdPerMonth).toBeGreaterThan(1);
  }, 120_000);

  it('holds while things change, and each change costs a few calls more', async () => {
    const before = await counted(world);
    const changes = 15;
    for (let at = 0; at < changes; at += 1) {
      if (at % 3 === 0) world.region.secrets.putValue(`test/secret-${at}`, `${at}`);
      if (at % 3 === 1) world.region.kms.rotate(world.key(`alias/key-${at % 12}-0`)!.resource);
      if (at % 3 === 2) world.subscription.vault('contoso-large').keys.rotate(`key-${at}`);
      await world.pass(2 * MINUTE);
    }
    const made = since(before, await counted(world));
    const steady = foretold(plan, 2 * changes);
    const hourly = new Set(
      plan.sources.flatMap(({ service, calls }) =>
        calls.flatMap(({ operation, perSweep }) => (perSweep < 1 ? `${service} ${operation}` : [])),
      ),
    );
    let more = 0;
    for (const [key, count] of Object.entries(made)) {
      if (hourly.has(key)) continue;
      // A machine that is busy elsewhere lets a sweep or two outlive their slot on the simulated clock.
      expect([key, count >= 0.9 * (steady[key] ?? 0)]).toEqual([key, true]);
      more += Math.max(0, count - (steady[key] ?? 0));
    }
    // A changed secret or vault key is looked at; a KMS key is, anyway.
    expect(more).toBeGreaterThanOrEqual((changes / 3) * 2);
    expect(more).toBeLessThanOrEqual(4 * changes);
  }, 120_000);

  it('says the same of numbers that are given, and asks nobody', async () => {
    const before = world.sandbox.requests.count();
    const kinds = plan.sources.flatMap(({ objects }) => Object.entries(objects).map(([kind, n]) => `${kind}=${n}`));
    const names = kinds.map((text) => text.replace('aws-secret', 'secrets-manager').replace('aws-kms-key', 'kms'));
    const given = await planned(
      world,
      ...names.map((text) =>
        text
          .replace('media-services-account', 'media-services')
          .replace('codebuild-project', 'codebuild')
          .replace('mediaconnect-flow', 'mediaconnect'),
      ),
    );
    expect(world.sandbox.requests.count()).toBe(before);
    const of = (one: PlanJson, service: string) => one.sources.find((source) => source.service === service)!;
    expect(of(given, 'media-services').calls).toEqual(of(plan, 'media-services').calls);
    // Nobody tells which secrets are critical, how many are left out, nor how many aliases and keys of a vault there are.
    expect(of(given, 'kms').calls.filter(({ operation }) => operation !== 'ListAliases')).toEqual(
      of(plan, 'kms').calls.filter(({ operation }) => operation !== 'ListAliases'),
    );
    expect(of(given, 'key-vault').calls.map(({ operation }) => operation)).toEqual(
      of(plan, 'key-vault').calls.map(({ operation }) => operation),
    );
  });
});

describe('the plan with `access: read`', () => {
  it('foretells reads to a tenth, and everything else to the call, by another schedule', async () => {
    await using world = await startWorld(
      ({ secrets }) => {
        for (let at = 0; at < 60; at += 1) secrets.create({ Name: `secret-${at}`, SecretString: 'x' });
      },
      { services: '{ secrets-manager: { access: read } }', yaml: 'schedule: "0 */5 * * * *"' },
    );
    await world.pass(2 * HOUR + 4 * MINUTE);
    const before = await counted(world);
    await world.pass(4 * HOUR);
    const { 'secrets-manager GetSecretValue': reads = 0, ...made } = since(before, await counted(world));
    const { 'secrets-manager GetSecretValue': planReads = 0, ...steady } = foretold(await planned(world), 48);
    expect(made).toEqual(steady);
    expect(Math.abs(reads - planReads) / planReads).toBeLessThan(0.1);
  }, 120_000);
});

describe('the plan where something cannot be listed', () => {
  async function plannedBut(options: WorldOptions, spoil: (world: World) => void) {
    await using world = await startWorld(fill, { ...BOTH, ...options, idle: true });
    spoil(world);
    const { config, env } = world.configured();
    const io = recordedIo({ env });
    const stop = new AbortController().signal;
    const code = await planCommand({ config, output: 'text', objects: [], version: '0.0.0-test', stop }, io);
    return { code, out: io.written.out.replaceAll(/\s+/g, ' ') };
  }

  it('plans what is known, and says that it is not all', async () => {
    const { code, out } = await plannedBut({}, ({ sandbox }) => {
      sandbox.faults.add({ kind: 'access-denied' }, { operation: ['ListKeys'] });
    });
    expect(code).toBe(0);
    expect(out).toMatch(
      /prod \/ eu-west-1 \/ kms nobody knows how much.* ! It could not be listed: .*\(ListKeys: \w+\)/,
    );
    expect(out).toContain('--objects kms=N');
    expect(out).toMatch(/DescribeSecret [\d.]+ /);
    expect(out).toMatch(/In all at least [\d,]+ calls and [\d.]+ USD a month/);
  });

  it('plans what was seen where a listing is of several parts', async () => {
    const azureServices = '{ key-vault: { vaults: ["https://contoso-small.vault.azure.net"] } }';
    const { code, out } = await plannedBut({ clouds: ['azure'], azureServices }, ({ subscription }) => {
      subscription.denyMonitor();
    });
    expect(code).toBe(0);
    expect(out).toContain('2 vault keys, 1 key vault;');
    expect(out).toMatch(/ListKeys 1 43,200 /);
    expect(out).toMatch(/It could not be listed whole: .*What was seen is planned\./);
    expect(out).toContain('In all at least');
  });

  it('does not take for nothing what only others name', async () => {
    const services = '{ secrets-manager: {}, kms: { discover: referenced } }';
    const { code, out } = await plannedBut({ clouds: ['aws'], services }, () => undefined);
    expect(code).toBe(0);
    expect(out).toContain('! It watches only what others name, which one listing does not tell: --objects kms=N');
    expect(out).toContain('In all at least');
  });

  it('exits 1 where nothing could be listed at all', async () => {
    await using world = await startWorld(fill, { ...BOTH, idle: true });
    const { config, env } = world.configured();
    const io = recordedIo({ env: { ...env, AWS_SECRET_ACCESS_KEY: 'wrong', AZURE_CLIENT_SECRET: 'wrong' } });
    const stop = new AbortController().signal;
    expect(await planCommand({ config, output: 'text', objects: [], version: '0.0.0-test', stop }, io)).toBe(1);
    expect(io.written.out.match(/It could not be listed: /g)).toHaveLength(6);
    expect(io.written.out).not.toContain('wrong');
  });
});
