import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import { secretsManager } from '../../../src/providers/aws/secrets-manager/index.ts';
import type { ServiceSession } from '../../../src/providers/provider.ts';
import { ACCOUNT, NOW, openSession, REGION, startWire, undeclared, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/db-AbCdEf`;
const NAME_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/db`;
const KMS = `arn:aws:kms:${REGION}:${ACCOUNT}:`;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const V1 = '11111111-1111-1111-1111-111111111111';
const V2 = '22222222-2222-2222-2222-222222222222';
const stub = {
  resource: ARN,
  kind: 'aws-secret',
  name: 'prod/db',
  provider: 'aws',
  account: ACCOUNT,
  location: REGION,
} as const;

/** Wire dates are seconds. */
const wireDate = (ms: number) => ms / 1000;
const entry = (more: object = {}) => ({ ARN, Name: 'prod/db', ...more });

let wire: Wire;
let session: ServiceSession;
let dispose: () => PromiseLike<void>;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  wire = await startWire();
  const opened = await openSession(wire, 'secrets-manager', { include: ['prod/*'], exclude: ['*/tmp'] });
  session = opened.session;
  dispose = () => opened.connection[Symbol.asyncDispose]();
});
afterEach(async () => {
  vi.useRealTimers();
  await dispose();
  expect(undeclared(wire, secretsManager)).toEqual([]);
  await wire[Symbol.asyncDispose]();
});

async function look(described: object, known?: KeyFacts): Promise<KeyFacts> {
  wire.on('DescribeSecret', { body: entry(described) });
  const result = await session.describe(stub, known, plainContext);
  if (!('facts' in result)) throw new Error('a secret is never foreign');
  return result.facts;
}

async function enriched(facts: KeyFacts, ...versions: object[]): Promise<KeyFacts> {
  wire.on('ListSecretVersionIds', { body: { ARN, Name: 'prod/db', Versions: versions } });
  const details = await session.enrich?.(facts, Date.now(), plainContext);
  if (!details) throw new Error('no details');
  return details;
}

const verdict = (facts: KeyFacts) => secretsManager.keys.verdict({ facts });

describe('listing secrets', () => {
  it('follows the pages, empty ones included, and asks for scheduled deletions too', async () => {
    wire.on(
      'ListSecrets',
      { body: { SecretList: [entry()], NextToken: 'a' } },
      { body: { SecretList: [], NextToken: 'b' } },
      { body: { SecretList: [entry({ ARN: ARN.replace('db', 'api'), Name: 'prod/api' })], NextToken: '' } },
    );
    const { listed, outcome } = await listAll(session);
    expect(listed.map(({ stub: { name } }) => name)).toEqual(['prod/db', 'prod/api']);
    expect(listed[0]?.stub).toEqual(stub);
    expect(outcome).toEqual({ complete: true, exclusive: false });
    expect(wire.asked('ListSecrets').map(({ body }) => body)).toEqual([
      { IncludePlannedDeletion: true, MaxResults: 100 },
      { IncludePlannedDeletion: true, MaxResults: 100, NextToken: 'a' },
      { IncludePlannedDeletion: true, MaxResults: 100, NextToken: 'b' },
    ]);
  });

  it('throws on a token that comes back, and on an entry without identity', async () => {
    wire.on('ListSecrets', { body: { SecretList: [entry()], NextToken: 'again' } });
    await expect(listAll(session)).rejects.toThrow('goes in a circle');
    wire.on('ListSecrets', { body: { SecretList: [{ Name: 'x' }] } });
    await expect(listAll(session)).rejects.toThrow('has no ARN');
    wire.on('ListSecrets', {
      body: { SecretList: [{ Name: 'x', ARN: stub.resource.replace(ACCOUNT, '999988887777') }] },
    });
    await expect(listAll(session)).rejects.toThrow('of another account');
  });

  it.each<[string, object, boolean]>([
    ['a label', { SecretVersionsToStages: { [V1]: ['AWSPREVIOUS'], [V2]: ['AWSCURRENT'] } }, true],
    ['a change date', { LastChangedDate: wireDate(NOW) }, true],
    ['a deletion', { DeletedDate: wireDate(NOW) }, true],
    ['another key', { KmsKeyId: 'alias/x' }, true],
    ['a tag', { Tags: [{ Key: 'team', Value: 'video' }] }, true],
    ['rotation', { RotationEnabled: true }, true],
    ['only that somebody read it', { LastAccessedDate: wireDate(NOW) }, false],
  ])('its digest tells %s', async (_, more, changes) => {
    const before = { SecretVersionsToStages: { [V1]: ['AWSCURRENT'] } };
    wire.on(
      'ListSecrets',
      { body: { SecretList: [entry(before)] } },
      { body: { SecretList: [entry({ ...before, ...more })] } },
    );
    const first = (await listAll(session)).listed[0]?.digest;
    const second = (await listAll(session)).listed[0]?.digest;
    expect(first !== second).toBe(changes);
  });

  it('watches what is included and not excluded', () => {
    const watches = (name: string) => session.watches({ ...stub, name });
    expect([watches('prod/a/b'), watches('dev/a'), watches('prod/tmp')]).toEqual([true, false, false]);
  });
});

describe('the facts of a secret', () => {
  it('are those that DescribeSecret tells', async () => {
    const facts = await look({
      VersionIdsToStages: { [V1]: ['AWSPREVIOUS'], [V2]: ['AWSCURRENT'] },
      KmsKeyId: 'alias/prod',
      CreatedDate: wireDate(NOW - 9 * DAY),
      LastChangedDate: wireDate(NOW - DAY),
      RotationEnabled: true,
      LastRotatedDate: wireDate(NOW - DAY),
      NextRotationDate: wireDate(NOW + DAY),
      RotationRules: { AutomaticallyAfterDays: 2, Duration: '3h' },
      OwningService: 'rds',
      Tags: [
        { Key: 'team', Value: 'video' },
        { Key: '__proto__', Value: '<b>' },
      ],
    });
    expect(facts).toEqual({
      resource: ARN,
      kind: 'aws-secret',
      name: 'prod/db',
      provider: 'aws',
      account: ACCOUNT,
      location: REGION,
      state: 'Active',
      tags: Object.fromEntries([
        ['team', 'video'],
        ['__proto__', '<b>'],
      ]),
      aliases: [NAME_ARN],
      version: { id: V2 },
      previousVersion: { id: V1 },
      createdAt: NOW - 9 * DAY,
      changedAt: NOW - DAY,
      rotationEnabled: true,
      lastRotatedAt: NOW - DAY,
      nextRotationAt: NOW + DAY,
      dependsOn: [{ anyOf: [`${KMS}alias/prod`], role: 'decrypts', assumed: true }],
      attributes: { kmsKeyId: 'alias/prod', owningService: 'rds', rotationDuration: '3h' },
    });
    expect(verdict(facts)).toEqual({ status: 'accessible' });
  });

  it('is known by its ARN without the random suffix, and by nothing else', async () => {
    const named = async (name: string, suffix = '-AbCdEf') => {
      const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}${suffix}`;
      wire.on('DescribeSecret', { body: { ARN: arn, Name: name } });
      const result = await session.describe({ ...stub, resource: arn, name }, undefined, plainContext);
      return 'facts' in result ? result.facts.aliases : 'no facts';
    };
    const bare = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:`;
    expect(await named('prod/db')).toEqual([`${bare}prod/db`]);
    // A name that ends as a suffix does loses only what Secrets Manager added.
    expect(await named('foo-AbCdEf', '-XyZ123')).toEqual([`${bare}foo-AbCdEf`]);
    expect(await named('foo', '-AbCdEf')).toEqual([`${bare}foo`]);
    // An ARN that is not made of the name (moto of old, answers of somebody else) says nothing about other names.
    expect(await named('foo-AbCdEf', '')).toBeUndefined();
    expect(await named('foo', '-toolong1')).toBeUndefined();
  });

  it('tell which versions carry labels of one’s own', async () => {
    const stages = { [V1]: ['AWSPREVIOUS', 'green'], [V2]: ['AWSCURRENT', 'AWSPENDING', 'blue'] };
    const facts = await look({ VersionIdsToStages: stages });
    expect(facts.attributes.customStages).toBe(`blue=${V2} green=${V1}`);
  });

  it('a pending version counts only apart from the current one, since it was first seen', async () => {
    const apart = { VersionIdsToStages: { [V1]: ['AWSCURRENT'], [V2]: ['AWSPENDING'] } };
    const first = await look(apart);
    expect(first).toMatchObject({ pendingVersion: { id: V2 }, attributes: { pendingSince: NOW } });
    vi.setSystemTime(NOW + HOUR);
    expect((await look(apart, first)).attributes.pendingSince).toBe(NOW);
    const done = await look(
      { VersionIdsToStages: { [V1]: ['AWSPREVIOUS'], [V2]: ['AWSCURRENT', 'AWSPENDING'] } },
      first,
    );
    expect(done.pendingVersion).toBeUndefined();
    expect(done.attributes.pendingSince).toBeUndefined();
  });

  it('a deletion is over seven days after it was asked for, at the earliest', async () => {
    const facts = await look({ VersionIdsToStages: { [V1]: ['AWSCURRENT'] }, DeletedDate: wireDate(NOW - HOUR) });
    expect(facts).toMatchObject({
      state: 'ScheduledForDeletion',
      deletionAt: NOW - HOUR + 7 * DAY,
      recoverableUntil: NOW - HOUR + 7 * DAY,
      version: { id: V1 },
      attributes: { deletionRequestedAt: NOW - HOUR },
    });
    expect(verdict(facts)).toEqual({ status: 'inaccessible', reason: 'pending_deletion' });
    expect(secretsManager.keys.remedy('pending_deletion', facts)).toBe(
      `aws secretsmanager restore-secret --secret-id ${ARN} --region ${REGION}`,
    );
  });

  it('a deletion date ahead is taken as it is, unless a clock that is behind explains it', async () => {
    expect((await look({ DeletedDate: wireDate(NOW + 9 * DAY) })).deletionAt).toBe(NOW + 9 * DAY);
    expect((await look({ DeletedDate: wireDate(NOW + 300_000) })).deletionAt).toBe(NOW + 300_000 + 7 * DAY);
  });

  it('never filled is not lost, and no current label is', async () => {
    const empty = await look({});
    expect([empty.state, verdict(empty)]).toEqual(['NeverFilled', { status: 'accessible' }]);
    const emulated = await look({ VersionIdsToStages: { [V1]: [] } });
    expect(emulated.state).toBe('NeverFilled');
    const lost = await look({ VersionIdsToStages: { [V1]: ['AWSPREVIOUS'] } });
    expect([lost.state, verdict(lost)]).toEqual([
      'NoCurrentVersion',
      { status: 'inaccessible', reason: 'no_current_version' },
    ]);
    expect(secretsManager.keys.remedy('no_current_version', lost)).toContain(`--move-to-version-id ${V1}`);
    const filled = await look({ VersionIdsToStages: { [V1]: ['AWSCURRENT'] } });
    const bare = await look({}, filled);
    expect([bare.state, verdict(bare)]).toEqual([
      'NoCurrentVersion',
      { status: 'inaccessible', reason: 'no_current_version' },
    ]);
  });

  it('a failed replica is told with its region', async () => {
    const facts = await look({
      PrimaryRegion: REGION,
      ReplicationStatus: [
        { Region: 'us-east-1', Status: 'InSync' },
        { Region: 'eu-north-1', Status: 'Failed', StatusMessage: 'Name exists' },
      ],
    });
    expect(facts.attributes).toMatchObject({
      primaryRegion: REGION,
      replicas: 'us-east-1 eu-north-1',
      replication: 'Failed',
      replicationFailed: 'eu-north-1',
      replicationMessage: 'Name exists',
    });
  });
});

describe('what decrypts a secret', () => {
  const current = { VersionIdsToStages: { [V1]: ['AWSCURRENT'] } };

  it.each<[string, string | undefined, string | undefined]>([
    ['a key id', '1234abcd-12ab', `${KMS}key/1234abcd-12ab`],
    ['a multi-Region key id', 'mrk-1234abcd', `${KMS}key/mrk-1234abcd`],
    [
      'a key ARN of another account',
      `arn:aws:kms:${REGION}:999988887777:key/x`,
      `arn:aws:kms:${REGION}:999988887777:key/x`,
    ],
    ['an alias name', 'alias/prod', `${KMS}alias/prod`],
    ['an alias ARN', `${KMS}alias/prod`, `${KMS}alias/prod`],
    ['nothing: the default key', undefined, undefined],
    ['the default key by name', 'alias/aws/secretsmanager', undefined],
    ['the default key by ARN', `${KMS}alias/aws/secretsmanager`, undefined],
    ['the default key as versions spell it', 'DefaultEncryptionKey', undefined],
  ])('is assumed from its settings: %s', async (_, KmsKeyId, arn) => {
    const { dependsOn } = await look({ ...current, KmsKeyId });
    expect(dependsOn).toEqual(arn === undefined ? [] : [{ anyOf: [arn], role: 'decrypts', assumed: true }]);
  });

  it('is known from the keys of the current version, and a re-pointed alias does not move it', async () => {
    const settings = { ...current, KmsKeyId: 'alias/prod' };
    const version = { VersionId: V1, VersionStages: ['AWSCURRENT'], CreatedDate: wireDate(NOW - DAY) };
    const facts = await enriched(await look(settings), { ...version, KmsKeyIds: [`${KMS}key/old`] });
    const certain = [{ anyOf: [`${KMS}key/old`], role: 'decrypts' }];
    expect(facts).toMatchObject({ dependsOn: certain, version: { id: V1, createdAt: NOW - DAY }, detailedAt: NOW });
    expect(facts.detailKey).toBe(secretsManager.keys.detailKey?.(facts));
    const later = await look(settings, facts);
    expect(later).toMatchObject({ dependsOn: certain, version: { createdAt: NOW - DAY }, detailedAt: NOW });
  });

  it('is assumed again when the version or the configured key changed', async () => {
    const facts = await enriched(await look({ ...current, KmsKeyId: 'alias/prod' }), {
      VersionId: V1,
      KmsKeyIds: [`${KMS}key/old`],
    });
    const other = await look({ ...current, KmsKeyId: 'new' }, facts);
    expect(other.dependsOn).toEqual([{ anyOf: [`${KMS}key/new`], role: 'decrypts', assumed: true }]);
    expect(other.detailKey).toBeUndefined();
    const rotated = await look({ VersionIdsToStages: { [V2]: ['AWSCURRENT'] }, KmsKeyId: 'alias/prod' }, facts);
    expect(rotated.dependsOn).toEqual([{ anyOf: [`${KMS}alias/prod`], role: 'decrypts', assumed: true }]);
  });

  it('any of several keys will do, and the default key among them makes it invisible', async () => {
    const facts = await look({ ...current, KmsKeyId: 'new' });
    const two = [`${KMS}key/old`, `${KMS}key/new`];
    expect((await enriched(facts, { VersionId: V1, KmsKeyIds: two })).dependsOn).toEqual([
      { anyOf: two, role: 'decrypts' },
    ]);
    const mixed = ['DefaultEncryptionKey', `${KMS}key/new`];
    expect((await enriched(facts, { VersionId: V1, KmsKeyIds: mixed })).dependsOn).toEqual([]);
  });

  it('stays assumed where an imitation tells no keys', async () => {
    const facts = await enriched(await look({ ...current, KmsKeyId: 'new' }), { VersionId: V1 });
    expect(facts.dependsOn).toEqual([{ anyOf: [`${KMS}key/new`], role: 'decrypts', assumed: true }]);
    expect(facts.detailKey).toBe(secretsManager.keys.detailKey?.(facts));
  });

  it('is not settled by a list that lags behind', async () => {
    const facts = await look({ VersionIdsToStages: { [V2]: ['AWSCURRENT'] } });
    await expect(enriched(facts, { VersionId: V1 })).rejects.toThrow('does not know the current version');
  });

  it('a secret without a version needs no call for details', async () => {
    const facts = await session.enrich?.(await look({}), NOW, plainContext);
    expect(facts?.detailedAt).toBe(NOW);
    expect(wire.asked('ListSecretVersionIds')).toEqual([]);
  });
});
