import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onceCommand } from '../../src/cli/once.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createPlace, type Place, runCli, startCli } from './child.ts';
import { recordedIo } from './io.ts';

type Region = ReturnType<ReturnType<Sandbox['aws']['account']>['region']>;

/** A key with an alias, and a secret under it. */
function pair({ kms, secrets }: Region, name: string): string {
  const { arn, keyId } = kms.createKey();
  kms.alias(`alias/${name}`, keyId);
  secrets.create({ Name: `prod/${name}`, SecretString: 'x', KmsKeyId: arn, Tags: [{ Key: 'team', Value: 'video' }] });
  return arn;
}

const ALWAYS = {
  key: 'resource kind name provider account location targets tags health since rootCauses consumers findings checkedAt',
  source: 'target location service',
};
const SOMETIMES = {
  key: 'reason blindSince blindReason blindRoots version versionCreatedAt expiresAt deletionAt recoverableUntil nextRotationAt',
  source: 'up reason lastSuccessAt objects',
};
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function expectFields(object: Readonly<Record<string, unknown>>, what: 'key' | 'source'): void {
  const allowed = `${ALWAYS[what]} ${SOMETIMES[what]}`.split(' ');
  expect(Object.keys(object)).toEqual(expect.arrayContaining(ALWAYS[what].split(' ')));
  expect(Object.keys(object).filter((name) => !allowed.includes(name))).toEqual([]);
  // Absent values are absent: no null, no empty text.
  expect(Object.values(object).filter((value) => value === null || value === '')).toEqual([]);
  for (const [name, value] of Object.entries(object)) {
    if (/(At|Until|[sS]ince)$/.test(name)) expect(value).toMatch(ISO);
  }
}

// Real processes, each loading a cloud's SDK, all at once: on two busy cores that takes its time.
describe.concurrent('a single look', { timeout: 90_000 }, () => {
  const places: Place[] = [];
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 3 });
  });
  afterAll(async () => {
    for (const place of places) place[Symbol.dispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  /** An account of its own for each test, and the place from which it is looked at. */
  function account(id: string, fill: (region: Region) => void, endpoint = sandbox.url, more = ''): Place {
    const { credentials } = sandbox.aws.account(id);
    const place = createPlace(credentials);
    places.push(place);
    fill(sandbox.aws.account(id).region('eu-west-1'));
    place.file(
      'keyvigil.yml',
      `targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${endpoint}", services: { secrets-manager: {}, kms: {} } }]\n${more}`,
    );
    return place;
  }

  it('exits 0 when all is accessible: a table for a pipe, no word on stderr, no state', async () => {
    const name = `app-${'long-'.repeat(40)}`;
    const place = account('111111111111', (region) => void pair(region, name));
    const { code, out, err } = await runCli(['once'], place, { FORCE_COLOR: '1' });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^HEALTH +NAME +KIND/);
    // Nothing is cut where there is no terminal that it would have to fit.
    expect(out).toContain(`alias/${name} `);
    expect(out).toContain('2 keys: 2 accessible; 2 of 2 sources read');
    expect(out).not.toContain('\u001b');
    expect(readdirSync(place.directory)).toEqual(['keyvigil.yml']);
  });

  it('exits 3 for an inaccessible key, even beside an unknown one, with exactly the fields of the contract', async () => {
    let dead = '';
    let denied = '';
    const place = account('222222222222', (region) => {
      dead = pair(region, 'dead');
      denied = pair(region, 'denied');
      region.kms.disable(dead);
      region.secrets.create({ Name: 'leaving', SecretString: 'x' });
      region.secrets.delete('leaving', { RecoveryWindowInDays: 7 });
    });
    sandbox.aws.deny({ account: '222222222222', action: 'kms:DescribeKey', resource: denied });
    const { code, out, err } = await runCli(['once', '--output', 'json'], place);
    expect({ code, err }).toEqual({ code: 3, err: '' });
    const answer = JSON.parse(out) as Record<'keys' | 'consumers' | 'sources', Record<string, unknown>[]>;
    expect(Object.keys(answer)).toEqual(['keys', 'consumers', 'sources']);
    expect(answer.keys).toHaveLength(5);
    expect(answer.sources).toHaveLength(2);
    for (const key of answer.keys) expectFields(key, 'key');
    for (const source of answer.sources) expectFields(source, 'source');
    expect(answer.keys.find(({ resource }) => resource === dead)).toMatchObject({
      kind: 'aws-kms-key',
      name: 'alias/dead',
      health: 'inaccessible',
      reason: 'disabled',
      account: '222222222222',
      targets: ['prod'],
      consumers: 1,
    });
    expect(answer.keys.find(({ name }) => name === 'prod/dead')).toMatchObject({
      health: 'inaccessible',
      reason: 'dependency',
      rootCauses: [dead],
      tags: { team: 'video' },
    });
    expect(answer.keys.find(({ resource }) => resource === denied)).toMatchObject({
      health: 'unknown',
      reason: 'denied',
    });
    const leaving = answer.keys.find(({ name }) => name === 'leaving');
    expect(leaving).toMatchObject({ health: 'inaccessible', reason: 'pending_deletion' });
    expect(leaving?.recoverableUntil).toMatch(ISO);
  });

  it('exits 4 when something is unknown, and when a source cannot be read', async () => {
    const unknown = account('333333333333', (region) => {
      sandbox.aws.deny({ account: '333333333333', action: 'kms:DescribeKey', resource: pair(region, 'app') });
    });
    const unread = account('444444444444', (region) => void pair(region, 'app'));
    sandbox.aws.deny({ account: '444444444444', action: 'kms:ListKeys' });
    const [first, second] = await Promise.all([runCli(['once'], unknown), runCli(['once'], unread)]);
    expect([first.code, second.code]).toEqual([4, 4]);
    expect(first.out).toMatch(/unknown +alias\/app/);
    expect(second.out).toMatch(/source \S*kms cannot be read: /);
    expect(second.out).toContain('1 of 2 sources read');
  });

  it('exits 1 when nothing could be read, and 2 where there is nothing to look at', async () => {
    const silent = account('555555555555', () => undefined, 'http://127.0.0.1:1');
    const helping = createPlace();
    places.push(helping);
    helping.file(
      'keyvigil.yml',
      'targets: [{ name: media, provider: aws, regions: [eu-west-1], services: { iam: {} } }]\n',
    );
    const [first, second] = await Promise.all([runCli(['once'], silent), runCli(['once'], helping)]);
    expect([first.code, second.code]).toEqual([1, 2]);
    expect(first.out).toContain('0 keys; 0 of 2 sources read');
    expect(second.err).toContain('services');
  });

  it('speaks of both clouds in the same words', async () => {
    const subscription = sandbox.azure.subscription('99999999-9999-4999-8999-999999999999');
    const vault = subscription.vault('contoso-once');
    vault.keys.create('cmk');
    vault.keys.update('cmk', undefined, { enabled: false });
    vault.grant(subscription.mediaAccount('contoso', { key: `${vault.url}/keys/cmk` }).principal);
    subscription.mediaAccount('plain');
    const azure = `  - { name: media, provider: azure, subscription: ${subscription.id} }`;
    const place = account('999999999999', (region) => void pair(region, 'app'));
    const ca = place.file('ca.pem', sandbox.azure.ca);
    place.file(
      'keyvigil.yml',
      `targets:
  - { name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }
${azure}
outbound: { proxy: env, caFile: "${ca}" }
`,
    );
    const env = {
      AZURE_TENANT_ID: subscription.tenant,
      AZURE_CLIENT_ID: subscription.monitor.clientId,
      AZURE_CLIENT_SECRET: subscription.monitor.clientSecret,
      HTTPS_PROXY: sandbox.azure.proxyUrl,
      NO_PROXY: '127.0.0.1',
    };
    const [json, table] = await Promise.all([
      runCli(['once', '--output', 'json'], place, env),
      runCli(['once'], place, env),
    ]);
    expect([json.code, json.err, table.code, table.err]).toEqual([3, '', 3, '']);
    const answer = JSON.parse(json.out) as Record<'keys' | 'consumers' | 'sources', Record<string, unknown>[]>;
    for (const key of answer.keys) expectFields(key, 'key');
    for (const source of answer.sources) expectFields(source, 'source');
    expect(new Set(answer.keys.map(({ provider }) => provider))).toEqual(new Set(['aws', 'azure']));
    expect(answer.keys.find(({ name }) => name === 'cmk')).toMatchObject({ reason: 'disabled', consumers: 1 });
    expect(answer.consumers).toMatchObject([
      { name: 'contoso', health: 'impaired', reason: 'key_inaccessible', rootCauses: [`${vault.url}/keys/cmk`] },
      { name: 'plain', health: 'ok' },
    ]);
    expect(answer.consumers[0]?.meaning).toContain('JobInputHttp');
    expect(table.out).toMatch(/Media Services account contoso: a key is unusable/);
    expect(table.out).toContain('4 of 4 sources read');
  });

  it('stops at once when it is interrupted, and prints no half of an answer', async () => {
    const place = account('666666666666', (region) => void pair(region, 'app'));
    const fault = sandbox.faults.add({ kind: 'stall' }, { account: '666666666666' });
    await using child = startCli(['once'], place);
    await child.until('a request that stalls', () => (fault.hits() > 0 ? true : undefined));
    child.signal('SIGINT');
    expect(await child.until('the end', () => child.ending)).toBe(130);
    expect([child.out, child.err]).toEqual(['', '']);
  });

  it.each([
    { terminal: true, name: 'draws a bar and colours on a terminal' },
    { terminal: false, name: 'draws nothing elsewhere' },
  ])('$name', async ({ terminal }) => {
    const id = terminal ? '777777777777' : '888888888888';
    const place = account(id, (region) => region.kms.disable(pair(region, 'app')));
    sandbox.faults.add({ kind: 'slow', ms: 150 }, { account: id });
    const io = recordedIo({
      env: place.env,
      ...(terminal ? { tty: true, color: true, columns: 100 } : {}),
    });
    const file = join(place.directory, 'keyvigil.yml');
    const { config } = await loadConfig(file, { env: place.env, services: SERVICES });
    const { signal } = new AbortController();
    expect(await onceCommand({ config, output: 'text', version: '0', stop: signal }, io)).toBe(3);
    if (terminal) {
      expect(io.written.err.startsWith('\r\u001b[2K[')).toBe(true);
      expect(io.written.err).toMatch(/[#.]{10}\] \d\/\d keys {2}prod eu-west-1 /);
      expect(io.written.err.endsWith('\r\u001b[2K')).toBe(true);
      expect(io.written.out).toContain('\u001b[31m');
    } else {
      expect(io.written.err).toBe('');
      expect(io.written.out).not.toContain('\u001b');
    }
  });
});
