import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyFacts, KeyStub, Verdict } from '../../../src/core/model.ts';
import { kms } from '../../../src/providers/aws/kms/index.ts';
import type { Connection, ServiceSession } from '../../../src/providers/provider.ts';
import {
  ACCOUNT,
  awsError,
  NOW,
  openSession,
  REGION,
  startWire,
  undeclared,
  type Wire,
} from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const PREFIX = `arn:aws:kms:${REGION}:${ACCOUNT}:`;
const DAY = 86_400_000;
const A = 'aaaaaaaa-1111-1111-1111-111111111111';
const B = 'bbbbbbbb-2222-2222-2222-222222222222';
const MANAGED = 'cccccccc-3333-3333-3333-333333333333';

const arn = (id: string) => `${PREFIX}key/${id}`;
const alias = (name: string, TargetKeyId?: string) => ({
  AliasName: `alias/${name}`,
  AliasArn: `${PREFIX}alias/${name}`,
  ...(TargetKeyId === undefined ? {} : { TargetKeyId }),
});
const stub = (id = A): KeyStub => ({
  resource: arn(id),
  kind: 'aws-kms-key',
  name: id,
  provider: 'aws',
  account: ACCOUNT,
  location: REGION,
});
const metadata = (more: object = {}, id = A) => ({
  KeyMetadata: {
    Arn: arn(id),
    KeyId: id,
    KeyState: 'Enabled',
    Enabled: true,
    KeyManager: 'CUSTOMER',
    KeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    Origin: 'AWS_KMS',
    MultiRegion: false,
    CreationDate: (NOW - 400 * DAY) / 1000,
    CurrentKeyMaterialId: 'material-1',
    ...more,
  },
});

let wire: Wire;
let connection: Connection;
let session: ServiceSession;
beforeEach(async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
  ({ connection, session } = await openSession(wire, 'kms'));
  wire.on('ListAliases', { body: { Aliases: [alias('prod', A), alias('aws/ebs', MANAGED), alias('aws/never-used')] } });
  wire.on('ListKeys', { body: { Keys: [A, B, MANAGED].map((id) => ({ KeyId: id, KeyArn: arn(id) })) } });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await connection[Symbol.asyncDispose]();
  expect(undeclared(wire, kms)).toEqual([]);
  await wire[Symbol.asyncDispose]();
});

async function look(more: object = {}, known?: KeyFacts): Promise<KeyFacts> {
  wire.on('DescribeKey', { body: metadata(more) });
  const described = await session.describe(stub(), known, plainContext);
  if (!('facts' in described)) throw new Error('foreign');
  return described.facts;
}

const names = async (on = session, referenced: readonly string[] = []) =>
  (await listAll(on, { referenced: () => referenced })).listed.map((listed) => listed.stub.name);

describe('listing keys', () => {
  it('follows markers, names keys by their first alias and leaves out what AWS manages', async () => {
    wire.on(
      'ListAliases',
      { body: { Aliases: [alias('zebra', A)], Truncated: true, NextMarker: 'm' } },
      { body: { Aliases: [alias('apple', A), alias('aws/ebs', MANAGED)], Truncated: false } },
    );
    wire.on(
      'ListKeys',
      { body: { Keys: [{ KeyArn: arn(A) }, { KeyArn: arn(MANAGED) }], Truncated: true, NextMarker: 'n' } },
      { body: { Keys: [{ KeyArn: arn(B) }], Truncated: false } },
    );
    const { listed, outcome } = await listAll(session);
    expect(listed).toEqual([
      { stub: { ...stub(A), name: 'alias/apple' }, digest: '' },
      { stub: stub(B), digest: '' },
    ]);
    expect(outcome).toEqual({ complete: true, exclusive: false });
    expect(wire.asked('ListKeys').map(({ body }) => body)).toEqual([{ Limit: 1000 }, { Limit: 1000, Marker: 'n' }]);
  });

  it('looks at what is referenced though it is not listed, in its own account and region only', async () => {
    const gone = 'dddddddd-4444-4444-4444-444444444444';
    const referenced = [
      arn(gone),
      arn(A),
      arn(MANAGED),
      `${PREFIX}alias/prod`,
      `arn:aws:kms:us-east-1:${ACCOUNT}:key/other`,
      `arn:aws:kms:${REGION}:999988887777:key/other`,
    ];
    expect(await names(session, referenced)).toEqual(['alias/prod', B, gone]);
  });

  it('discover: referenced lists what is named, aliases resolved, and nothing else', async () => {
    const own = await openSession(wire, 'kms', { discover: 'referenced' });
    await using _ = own.connection;
    const { listed, outcome } = await listAll(own.session, {
      referenced: () => [`${PREFIX}alias/prod`, arn(B), `${PREFIX}alias/unknown`],
    });
    expect(listed.map((one) => one.stub.resource)).toEqual([arn(A), arn(B)]);
    expect(outcome).toEqual({ complete: true, exclusive: true });
    expect(wire.asked('ListKeys')).toEqual([]);
  });

  it('goes on without aliases where it may not list them', async () => {
    wire.on('ListAliases', awsError('AccessDeniedException', 'no'));
    expect(await names()).toEqual([A, B, MANAGED]);
  });

  it('takes keys of another account for no answer: the credentials lead elsewhere by now', async () => {
    const theirs = arn(B).replace(ACCOUNT, '999988887777');
    wire.on('ListKeys', { body: { Keys: [{ KeyArn: arn(A) }, { KeyArn: theirs }] } });
    await expect(listAll(session)).rejects.toThrow('of another account');
    expect(session.watches(stub())).toBe(true);
    expect(session.watches({ ...stub(), account: '999988887777' })).toBe(false);
    // A bare id is looked for in whatever account asks: its absence there says nothing about the key that was meant.
    const absent = (resource: string) => awsError('NotFoundException', `Key '${resource}' does not exist`);
    wire.on('DescribeKey', absent(arn(A).replace(ACCOUNT, '999988887777')), absent(arn(A)));
    for (const reason of ['bad_response', 'not_found']) {
      const error = await session.describe(stub(), undefined, plainContext).catch((thrown: unknown) => thrown);
      expect(connection.classify(error, 'DescribeKey').reason).toBe(reason);
    }
  });

  it('throws where a token loops, more is announced without a marker, or a key has no ARN', async () => {
    wire.on('ListKeys', { body: { Keys: [], Truncated: true, NextMarker: 'again' } });
    await expect(listAll(session)).rejects.toThrow('goes in a circle');
    wire.on('ListKeys', { body: { Keys: [{ KeyArn: arn(A) }], Truncated: true } });
    await expect(listAll(session)).rejects.toThrow('without a marker');
    wire.on('ListKeys', { body: { Keys: [{ KeyId: A }] } });
    await expect(listAll(session)).rejects.toThrow('has no ARN');
    wire.on('ListAliases', awsError('ThrottlingException', 'slow'));
    await expect(listAll(session)).rejects.toThrow('ListAliases failed');
  });

  it('finds out about keys that AWS manages once, and never asks again', async () => {
    wire.on('DescribeKey', { body: metadata({ KeyManager: 'AWS' }, B) });
    expect(await session.describe(stub(B), undefined, plainContext)).toEqual({ foreign: 'cloud_managed' });
    expect(await session.describe(stub(B), undefined, plainContext)).toEqual({ foreign: 'cloud_managed' });
    expect(wire.asked('DescribeKey').map(({ body }) => body)).toEqual([{ KeyId: B }]);
    expect(await names()).toEqual(['alias/prod']);
    expect([session.watches(stub(A)), session.watches(stub(B))]).toEqual([true, false]);
  });
});

describe('a key', () => {
  it.each<[string, Verdict]>([
    ['Enabled', { status: 'accessible' }],
    ['Updating', { status: 'accessible' }],
    ['Disabled', { status: 'inaccessible', reason: 'disabled' }],
    ['PendingDeletion', { status: 'inaccessible', reason: 'pending_deletion' }],
    ['PendingReplicaDeletion', { status: 'inaccessible', reason: 'pending_deletion' }],
    ['PendingImport', { status: 'inaccessible', reason: 'pending_import' }],
    ['Unavailable', { status: 'inaccessible', reason: 'store_unavailable' }],
    ['Creating', { status: 'unknown', reason: 'transitional' }],
    ['Dreaming', { status: 'unknown', reason: 'bad_response' }],
    ['enabled', { status: 'unknown', reason: 'bad_response' }],
  ])('in state %s', async (KeyState, verdict) => {
    const facts = await look({ KeyState, Enabled: KeyState === 'Enabled' });
    expect(facts.state).toBe(KeyState);
    expect(kms.keys.verdict({ facts })).toEqual(verdict);
  });

  it('tells what DescribeKey tells', async () => {
    await listAll(session);
    const facts = await look({
      KeyState: 'PendingDeletion',
      Enabled: false,
      DeletionDate: 1.7952768e9,
      MultiRegion: true,
      MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', PrimaryKey: { Arn: arn(B), Region: 'us-east-1' } },
    });
    expect(facts).toEqual({
      ...stub(),
      name: 'alias/prod',
      state: 'PendingDeletion',
      spec: 'SYMMETRIC_DEFAULT',
      tags: {},
      aliases: [`${PREFIX}alias/prod`],
      version: { id: 'material-1' },
      createdAt: NOW - 400 * DAY,
      deletionAt: 1_795_276_800_000,
      recoverableUntil: 1_795_276_800_000,
      dependsOn: [],
      attributes: {
        origin: 'AWS_KMS',
        keyManager: 'CUSTOMER',
        keyUsage: 'ENCRYPT_DECRYPT',
        enabled: false,
        multiRegion: true,
        multiRegionType: 'REPLICA',
        primaryKey: arn(B),
      },
    });
  });

  it('keeps the version of deleted material, and expires only where the material does', async () => {
    const lost = await look({ KeyState: 'PendingImport', Origin: 'EXTERNAL' });
    expect(lost.version).toEqual({ id: 'material-1' });
    const ValidTo = (NOW + DAY) / 1000;
    expect((await look({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo })).expiresAt).toBe(NOW + DAY);
    expect((await look({ ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', ValidTo })).expiresAt).toBeUndefined();
  });

  it('whose deletion was cancelled is still disabled, and told as such until it is enabled', async () => {
    const dying = await look({ KeyState: 'PendingDeletion' });
    const cancelled = await look({ KeyState: 'Disabled' }, dying);
    expect(cancelled.attributes.cancelledDeletion).toBe(true);
    const still = await look({ KeyState: 'Disabled' }, cancelled);
    expect(still.attributes.cancelledDeletion).toBe(true);
    const enabled = await look({}, still);
    expect(enabled.attributes.cancelledDeletion).toBeUndefined();
    const again = await look({ KeyState: 'Disabled' }, enabled);
    expect(again.attributes.cancelledDeletion).toBeUndefined();
  });

  it('keeps its known names while aliases were not listed', async () => {
    await listAll(session);
    const facts = await look();
    const fresh = await openSession(wire, 'kms');
    await using _ = fresh.connection;
    const described = await fresh.session.describe(stub(), facts, plainContext);
    expect(described).toMatchObject({ facts: { name: 'alias/prod', aliases: [`${PREFIX}alias/prod`] } });
  });

  it('an answer about another key, or about none, is no news', async () => {
    wire.on('DescribeKey', { body: metadata({}, B) }, { body: {} });
    await expect(session.describe(stub(), undefined, plainContext)).rejects.toThrow('about another key');
    await expect(session.describe(stub(), undefined, plainContext)).rejects.toThrow('has no ARN');
  });
});

describe('the details of a key', () => {
  const status = { KeyRotationEnabled: true, RotationPeriodInDays: 90, NextRotationDate: (NOW + 60 * DAY) / 1000 };
  const rotation = (id: string, days: number, more: object = {}) => ({
    KeyId: arn(A),
    KeyMaterialId: id,
    RotationDate: (NOW - days * DAY) / 1000,
    ...more,
  });

  beforeEach(() => {
    wire.on('GetKeyRotationStatus', { body: status });
    wire.on('ListKeyRotations', { body: { Rotations: [rotation('material-0', 120), rotation('material-1', 30)] } });
    wire.on('ListResourceTags', { body: { Tags: [{ TagKey: 'team', TagValue: 'video' }], Truncated: false } });
  });

  async function details(facts: KeyFacts): Promise<KeyFacts> {
    const detailed = await session.enrich?.(facts, NOW, plainContext);
    if (!detailed) throw new Error('no details');
    return detailed;
  }

  it('tell rotations, the age of the material and tags, and later looks keep them', async () => {
    const facts = await details(await look());
    const told = {
      version: { id: 'material-1', createdAt: NOW - 30 * DAY },
      lastRotatedAt: NOW - 30 * DAY,
      nextRotationAt: NOW + 60 * DAY,
      rotationEnabled: true,
      tags: { team: 'video' },
      attributes: { rotationPeriodDays: 90 },
      detailKey: 'material-1',
      detailedAt: NOW,
    };
    expect(facts).toMatchObject(told);
    expect(await look({}, facts)).toMatchObject(told);
    const rotated = await look({ CurrentKeyMaterialId: 'material-2' }, facts);
    expect(rotated).toMatchObject({ version: { id: 'material-2' }, tags: { team: 'video' }, detailKey: 'material-1' });
    expect(rotated.version?.createdAt).toBeUndefined();
    expect(kms.keys.detailKey?.(rotated)).toBe('material-2');
  });

  it('a key that never rotated has material as old as itself', async () => {
    wire.on('ListKeyRotations', { body: { Rotations: [], Truncated: false } });
    expect((await details(await look())).version?.createdAt).toBe(NOW - 400 * DAY);
    expect((await details(await look({ Origin: 'EXTERNAL' }))).version?.createdAt).toBeUndefined();
  });

  it('one refused call takes none of the others with it', async () => {
    const before = await details(await look());
    wire.on('ListKeyRotations', awsError('AccessDeniedException', 'because no resource-based policy allows'));
    wire.on('ListResourceTags', awsError('AccessDeniedException', 'no'));
    const facts = await details(await look({}, before));
    expect(facts).toMatchObject({
      rotationEnabled: true,
      lastRotatedAt: NOW - 30 * DAY,
      tags: { team: 'video' },
      attributes: { rotationDenied: true, tagsDenied: true },
    });
    wire.on('ListKeyRotations', { body: { Rotations: [] } });
    wire.on('ListResourceTags', { body: { Tags: [] } });
    const after = await details(facts);
    expect(after.attributes.rotationDenied).toBeUndefined();
    expect(after.attributes.tagsDenied).toBeUndefined();
    expect(after.tags).toEqual({});
  });

  it('are asked for only where the key has them', async () => {
    await details(await look({ Origin: 'EXTERNAL' }));
    await details(await look({ KeySpec: 'RSA_2048', CurrentKeyMaterialId: undefined }));
    await details(await look({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1' }));
    expect(wire.asked('GetKeyRotationStatus')).toHaveLength(0);
    expect(wire.asked('ListKeyRotations')).toHaveLength(1);
    wire.on('GetKeyRotationStatus', awsError('UnsupportedOperationException', 'not valid for this operation.'));
    const facts = await details(await look());
    expect(facts.rotationEnabled).toBeUndefined();
    expect(facts.attributes.rotationDenied).toBeUndefined();
  });

  it('count old material that is missing', async () => {
    const lost = rotation('material-0', 120, { ImportState: 'PENDING_IMPORT', KeyMaterialState: 'NON_CURRENT' });
    wire.on('ListKeyRotations', { body: { Rotations: [lost, rotation('material-1', 30)] } });
    expect((await details(await look({ Origin: 'EXTERNAL' }))).attributes.missingMaterials).toBe(1);
  });

  it('trouble on the way is thrown: it proves nothing', async () => {
    wire.on('ListResourceTags', awsError('KMSInternalException', 'oops', 500));
    await expect(details(await look())).rejects.toThrow('ListResourceTags failed');
  });
});
