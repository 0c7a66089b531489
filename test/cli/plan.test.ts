import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planCommand } from '../../src/cli/plan.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { createPlace, runCli } from './child.ts';
import { recordedIo } from './io.ts';

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';
const AWS =
  '{ name: prod, provider: aws, regions: [eu-west-1, us-east-1], services: { secrets-manager: {}, kms: {} } }';
const AZURE = `{ name: media, provider: azure, subscription: ${SUBSCRIPTION}, services: { key-vault: {}, media-services: {} } }`;
const BOTH = `targets: [${AWS}, ${AZURE}]`;

async function planned(yaml: string, objects: readonly string[], output: 'text' | 'json' = 'text') {
  const { config, issues } = parseConfig(yaml, '/keyvigil.yml', { env: {}, services: SERVICES });
  if (!config) throw new Error(JSON.stringify(issues));
  const io = recordedIo();
  const stop = new AbortController().signal;
  const code = await planCommand({ config, output, objects, version: '0.0.0-test', stop }, io);
  return { code, ...io.written };
}

const plain = (text: string) => text.replaceAll(/\s+/g, ' ');
const ALL = ['secrets-manager=1200', 'kms=30000', 'azure-key=200', 'azure-vault=4', 'media-services=2'];

describe('plan, without asking anybody', () => {
  it('says calls, share of quota, worst detection time and money for each source and in all, in 80 columns', async () => {
    const { code, out, err } = await planned(BOTH, ALL);
    expect([code, err]).toEqual([0, '']);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(out).toContain('prod / us-east-1 / secrets-manager\n  1,200 secrets, as given; every 1 min (0 * * * * *)\n');
    expect(out).toMatch(/ {2}a change is confirmed within 6 min \d+ s at worst/);
    expect(out).toMatch(/^ {4}ListSecrets +12 +518,400 +0\.20 % +2\.59$/m);
    expect(out).toMatch(/^ {4}Vaults\.ListBySubscription +1 +43,200 +0\.07 % +free$/m);
    expect(out).toMatch(/^In all: [\d,]+ calls and [\d.]+ USD a month\.$/m);
    expect(plain(out)).toMatch(/List prices of \d{4}-\d\d-\d\d, without free tiers, discounts and taxes\./);
    expect(out).not.toContain('\u001b');
  });

  it('warns where the budget does not suffice, and says what would', async () => {
    const { out } = await planned(BOTH, ALL);
    expect(plain(out)).toContain(
      '! The budget is enough for 21,600 looks in a sweep: what nothing depends on may wait for 5 sweeps. ' +
        'What would do: a budget of 0.28 or a schedule of every 2 min or discover: referenced.',
    );
    const enough = await planned(`${BOTH}\nbudget: 0.28`, ALL);
    expect(plain(enough.out)).not.toContain('The budget is enough for');
    expect(enough.out).toContain('within a budget of 28 % of each quota');
  });

  it('says what critical secrets would cost, as nobody knows which they are', async () => {
    const yaml = `${BOTH}\npolicy: { critical: ["prod/*"] }`;
    const { out } = await planned(yaml, ALL);
    expect(plain(out)).toMatch(/if policy\.critical named all, it would be 52,358,400 calls and 261\.79 USD\./);
    // A KMS key is described in every sweep anyway.
    expect(out.match(/named all/g)).toHaveLength(2);
  });

  it('says of what the number was not given, and calls the sum a part', async () => {
    const { code, out } = await planned(BOTH, ['secrets-manager=10']);
    expect(code).toBe(0);
    expect(plain(out)).toContain('prod / eu-west-1 / kms nobody knows how much;');
    expect(plain(out)).toContain('--objects kms=N plans without asking.');
    expect(plain(out)).toMatch(/In all at least .*: not every source could be counted\./);
  });

  it('names another time zone and a rarer schedule', async () => {
    const { out } = await planned(`${BOTH}\nschedule: "0 */30 * * * *"\ntimezone: Europe/Berlin`, ALL);
    expect(out).toContain('every 30 min (0 */30 * * * * Europe/Berlin)');
    expect(out).toMatch(/^ {4}ListSecrets +12 +17,280 /m);
  });

  it('says that a schedule rests, and counts that in', async () => {
    const { out } = await planned(`${BOTH}\nschedule: "0 * 9-16 * * *"`, ALL);
    expect(plain(out)).toContain('! Its schedule rests for up to 16 h 1 min: a change meanwhile is seen after that');
    expect((await planned(`${BOTH}\nschedule: "0 0 3 * * *"`, ALL)).out).not.toContain('rests');
  });

  it('as JSON has the same, with absent for what is not known', async () => {
    const { out, err } = await planned(BOTH, ['kms=30000'], 'json');
    expect(err).toBe('');
    const plan = JSON.parse(out);
    expect(plan).toMatchObject({ complete: false, pricesAsOf: expect.any(String), assumptions: expect.any(Array) });
    const [secrets, , kms] = plan.sources;
    expect(secrets).toMatchObject({ service: 'secrets-manager', counted: 'unknown', notes: [expect.any(String)] });
    for (const field of ['calls', 'objects', 'usdPerMonth', 'detectionBoundSeconds'])
      expect(secrets[field]).toBeUndefined();
    expect(kms).toMatchObject({
      target: 'prod',
      location: 'eu-west-1',
      provider: 'aws',
      counted: 'given',
      objects: { 'aws-kms-key': 30_000 },
      intervalSeconds: 60,
      sweepsPerMonth: 43_200,
      warnings: [{ is: 'looks_over_budget', capacity: 21_600, rounds: 5, budget: 0.28 }, { is: 'slow_sweep' }],
    });
    const sum = plan.sources.reduce(
      (usd: number, source: { usdPerMonth?: number }) => usd + (source.usdPerMonth ?? 0),
      0,
    );
    expect(plan.usdPerMonth).toBeCloseTo(sum, 3);
  });

  it.each([
    ['kms', 'expected SERVICE=N, such as secrets-manager=1200'],
    ['kms=', 'expected SERVICE=N'],
    ['kms=-1', 'expected SERVICE=N'],
    ['kms=1.5', 'expected SERVICE=N'],
    ['km\u001b[2J=1', 'km\\u{1b}[2J=1: expected SERVICE=N'],
    [
      'kmss=1',
      'nothing of that name is configured; there is azure-key, azure-vault, key-vault, kms, media-services, secrets-manager',
    ],
  ])('refuses --objects %j with exit 2', async (text, says) => {
    const { code, out, err } = await planned(BOTH, [text]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(says);
  });
});

describe.concurrent('plan, as a process', () => {
  const place = createPlace();
  afterAll(() => place[Symbol.dispose]());

  it('takes --objects again and again', async () => {
    const file = join(place.directory, 'plan.yml');
    writeFileSync(file, `${BOTH}\n`);
    const args = ['plan', '--config.file', file, ...ALL.flatMap((one) => ['--objects', one])];
    const { code, out, err } = await runCli(args, place);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('200 vault keys, 4 key vaults, as given');
    expect(out).not.toContain('at least');
  });

  it('exits 2 on a configuration that is none', async () => {
    const { code, out, err } = await runCli(['plan', '--config.file', join(place.directory, 'none.yml')], place);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('none.yml');
  });
});
