import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeCalls, onlineText } from '../../src/cli/check-online.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createPlace, type Place, runCli } from './child.ts';

function configOf(targets: string) {
  const { config, issues } = parseConfig(`targets: [${targets}]`, '/keyvigil.yml', { env: {}, services: SERVICES });
  if (!config) throw new Error(JSON.stringify(issues));
  return config;
}

const AWS = configOf('{ name: prod, provider: aws, regions: [eu-west-1], services: { secrets-manager: {}, kms: {} } }');
const call = (service: string, operation: string, code = '200') =>
  ({ target: 'prod', service, operation, code, seconds: 0.1 }) as const;
const standing = (check: ReturnType<typeof judgeCalls>, action: string) =>
  check.permissions.find(({ actions }) => actions.includes(action))?.standing;

describe('what the calls of a look prove', () => {
  it('of each permission: granted, missing, granted for some, or nothing', () => {
    const check = judgeCalls(
      AWS,
      [
        call('secrets-manager', 'ListSecrets'),
        call('secrets-manager', 'DescribeSecret'),
        call('secrets-manager', 'DescribeSecret', 'denied'),
        call('kms', 'ListKeys', 'denied'),
        call('kms', 'DescribeKey', 'not_found'),
      ],
      [],
    );
    expect(standing(check, 'secretsmanager:ListSecrets')).toBe('granted');
    expect(standing(check, 'secretsmanager:DescribeSecret')).toBe('partly');
    expect(standing(check, 'kms:ListKeys')).toBe('missing');
    expect(standing(check, 'kms:DescribeKey')).toBe('granted');
    expect(standing(check, 'kms:ListResourceTags')).toBe('untried');
    expect(check.ok).toBe(false);
    const text = onlineText(check);
    expect(text).toContain('✖ prod: kms:ListKeys on *: missing\n    without it: no key is found\n');
    expect(text).toContain('secretsmanager:DescribeSecret on arn:PARTITION');
  });

  it('does not take trouble on the way for a permission that is granted or missing', () => {
    const check = judgeCalls(AWS, [call('kms', 'ListKeys', 'timeout'), call('kms', 'ListKeys', 'throttled')], []);
    expect(standing(check, 'kms:ListKeys')).toBe('untried');
    expect(check.ok).toBe(true);
  });

  it('names sources that could not be read for another reason', () => {
    const source = { target: 'prod', location: 'eu-west-1', service: 'kms', up: false, reason: 'credentials' } as const;
    const check = judgeCalls(AWS, [], [source]);
    expect(check).toMatchObject({ ok: false, sources: [{ service: 'kms', reason: 'credentials' }] });
    expect(onlineText(check)).toMatch(/^✖ prod\/eu-west-1\/kms cannot be read: .* \(credentials\)$/m);
  });

  it('knows an operation for every permission, and every operation is one that the service calls', () => {
    for (const { name, apis, permissions } of SERVICES) {
      for (const { actions, operations = actions.map((action) => action.split(':')[1] ?? '') } of permissions) {
        for (const operation of operations)
          expect([name, actions, Object.keys(apis)]).toEqual([name, actions, expect.arrayContaining([operation])]);
      }
    }
  });
});

describe.concurrent('check-config --online', { timeout: 60_000 }, () => {
  const places: Place[] = [];
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 6 });
  });
  afterAll(async () => {
    for (const place of places) place[Symbol.dispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  function placeFor(id: string): Place {
    const place = createPlace(sandbox.aws.account(id).credentials);
    places.push(place);
    const { kms, secrets } = sandbox.aws.account(id).region('eu-west-1');
    secrets.create({ Name: 'app', SecretString: 'x', KmsKeyId: kms.createKey().arn });
    place.file(
      'keyvigil.yml',
      `targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }]\n`,
    );
    return place;
  }

  it('exits 0 when everything is granted', async () => {
    const { code, out } = await runCli(['check-config', '--online'], placeFor('111111111111'));
    expect(out).toMatch(/\n\d+ permissions were used and are granted\.\n/);
    expect([code, out.includes('✖')]).toEqual([0, false]);
  });

  it('exits 2 and says what is missing and what that costs, as data too', async () => {
    const place = placeFor('222222222222');
    sandbox.faults.add(
      { kind: 'access-denied' },
      { service: 'kms', operation: 'DescribeKey', account: '222222222222' },
    );
    const [text, json] = await Promise.all([
      runCli(['check-config', '--online'], place),
      runCli(['check-config', '--online', '--output', 'json'], place),
    ]);
    expect([text.code, json.code]).toEqual([2, 2]);
    expect(text.out).toContain('kms:DescribeKey');
    expect(text.out).toContain('without it: the state of the keys is unknown');
    const { online } = JSON.parse(json.out);
    expect(online.permissions.find(({ standing: one }: { standing: string }) => one === 'missing').actions).toEqual([
      'kms:DescribeKey',
    ]);
  });
});
