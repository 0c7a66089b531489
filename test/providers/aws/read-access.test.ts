import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import { secretsManager } from '../../../src/providers/aws/secrets-manager/index.ts';
import type { Connection, Described, ServiceSession } from '../../../src/providers/provider.ts';
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
import { plainContext } from '../../fixtures/context.ts';

const CANARY = 'canary-7f3a9c';
const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/db-AbCdEf`;
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd`;
const HOUR = 3_600_000;
const stub = {
  resource: ARN,
  kind: 'aws-secret',
  name: 'prod/db',
  provider: 'aws',
  account: ACCOUNT,
  location: REGION,
} as const;
const refused = awsError(
  'DecryptionFailure',
  `Secrets Manager can't decrypt the secret value: ${KEY} is disabled. (Service: AWSKMS; Error Code: DisabledException)`,
);
const value = { body: { ARN, Name: 'prod/db', VersionId: 'v1', SecretString: CANARY, SecretBinary: 'Y2FuYXJ5' } };

let wire: Wire;
let connection: Connection;
let session: ServiceSession;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
  ({ connection, session } = await openSession(wire, 'secrets-manager', { access: 'read' }));
  wire.on('GetSecretValue', value);
  current('v1');
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await connection[Symbol.asyncDispose]();
  expect(undeclared(wire, secretsManager)).toEqual([]);
  await wire[Symbol.asyncDispose]();
});

function current(version: string): void {
  wire.on('DescribeSecret', { body: { ARN, Name: 'prod/db', VersionIdsToStages: { [version]: ['AWSCURRENT'] } } });
}

async function look(known?: KeyFacts): Promise<Described> {
  const described = await session.describe(stub, known, plainContext);
  if (!('facts' in described)) throw new Error('a secret is never foreign');
  return described;
}

/** A look after which a first read is over and the next one is not due. */
async function readOnce(): Promise<KeyFacts> {
  const first = await look();
  vi.setSystemTime(NOW + HOUR);
  return (await look(first.facts)).facts;
}

const reads = () => wire.asked('GetSecretValue').length;

describe('access: read', () => {
  it('reads the exact version within the first hour, then an hour or more apart', async () => {
    const first = await look();
    const due = Number(first.facts.attributes.readDueAt);
    expect(due).toBeGreaterThanOrEqual(NOW);
    expect(due).toBeLessThan(NOW + HOUR);
    expect(reads()).toBe(0);
    vi.setSystemTime(Math.ceil(due));
    const second = await look(first.facts);
    expect(wire.asked('GetSecretValue').map(({ body }) => body)).toEqual([{ SecretId: ARN, VersionId: 'v1' }]);
    expect(second.facts.attributes).toMatchObject({ readAt: Math.ceil(due), readResult: 'ok' });
    vi.setSystemTime(Math.ceil(due) + HOUR - 1);
    const third = await look(second.facts);
    expect(reads()).toBe(1);
    expect(third.facts.attributes).toMatchObject({ readAt: Math.ceil(due), readResult: 'ok' });
    vi.setSystemTime(Math.ceil(due) + 2 * HOUR);
    await look(third.facts);
    expect(reads()).toBe(2);
  });

  it('reads a new version at once', async () => {
    const known = await readOnce();
    current('v2');
    await look(known);
    expect(wire.asked('GetSecretValue').at(-1)?.body).toEqual({ SecretId: ARN, VersionId: 'v2' });
  });

  it('never makes the value a string, nor lets it out in any other way', async () => {
    const parse = vi.spyOn(JSON, 'parse');
    const decode = vi.spyOn(Buffer.prototype, 'toString');
    const known = await readOnce();
    expect(known.attributes.readResult).toBe('ok');
    const strings = [...parse.mock.calls, ...parse.mock.results, ...decode.mock.results];
    expect(JSON.stringify([known, strings])).not.toContain(CANARY);
    // The spies see what is parsed: the description is among it.
    expect(JSON.stringify(strings)).toContain('VersionIdsToStages');
  });

  it('keeps of the value only what form it has, as long as the version is current', async () => {
    const known = await readOnce();
    expect(known.attributes.valueShape).toBe('text');
    const again = await look(known);
    expect(again.facts.attributes.valueShape).toBe('text');
    current('v2');
    wire.on('GetSecretValue', { body: { ARN, SecretString: `{"key":"${CANARY}"}` } });
    const second = await look(again.facts);
    expect(second.facts.attributes.valueShape).toBe('json');
    current('v3');
    wire.on('GetSecretValue', refused);
    const third = await look(second.facts);
    expect(third.facts.attributes).not.toHaveProperty('valueShape');
    expect(JSON.stringify([known, again, second, third])).not.toContain(CANARY);
  });

  it('leaves nothing of the value in memory that it read', async () => {
    const judged: Buffer[] = [];
    const concat = Buffer.concat.bind(Buffer);
    vi.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
      const whole = concat(list, length);
      if (whole.includes(CANARY)) judged.push(whole, ...(list as Buffer[]));
      return whole;
    });
    const known = await readOnce();
    expect(known.attributes.valueShape).toBe('text');
    expect(judged.length).toBeGreaterThan(1);
    expect(judged.filter((bytes) => bytes.some((byte) => byte !== 0))).toEqual([]);
  });

  it('judges no answer that is larger than any value', async () => {
    wire.on('GetSecretValue', { body: { SecretString: 'x'.repeat(2 ** 20) } });
    const known = await readOnce();
    expect(known.attributes.readResult).toBe('ok');
    expect(known.attributes).not.toHaveProperty('valueShape');
  });

  it('lets nothing out of an answer that breaks off or is no JSON', async () => {
    const first = await look();
    vi.setSystemTime(NOW + HOUR);
    wire.on('GetSecretValue', { body: `{"SecretString":"${CANARY}`, ending: 'reset' }, { body: `<${CANARY}>` });
    const second = await look(first.facts);
    expect(JSON.stringify(second)).not.toContain(CANARY);
  });

  it('takes a refused decryption for a loss that names the key, until a read succeeds', async () => {
    const known = await readOnce();
    current('v2');
    wire.on('GetSecretValue', refused);
    const lost = await look(known);
    expect(secretsManager.keys.verdict(lost)).toEqual({ status: 'inaccessible', reason: 'decrypt_failed' });
    expect(lost).toMatchObject({
      names: [KEY],
      evidence: { operation: 'GetSecretValue', status: 400, code: 'DecryptionFailure' },
      facts: { version: { id: 'v2' }, attributes: { readResult: 'decrypt_failed' } },
    });
    const before = reads();
    const again = await look(lost.facts);
    expect(reads()).toBe(before + 1);
    wire.on('GetSecretValue', value);
    const back = await look(again.facts);
    expect(secretsManager.keys.verdict(back)).toEqual({ status: 'accessible' });
  });

  it.each([
    ['throttling', awsError('ThrottlingException', 'Rate exceeded'), 'throttled'],
    ['a permission that was taken away', awsError('AccessDeniedException', 'Access to KMS is not allowed'), 'denied'],
  ])('%s does not take a refused decryption back', async (_, answer, reason) => {
    const known = await readOnce();
    current('v2');
    wire.on('GetSecretValue', refused);
    const lost = await look(known);
    wire.on('GetSecretValue', answer);
    const failed = await look(lost.facts).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({ reason });
  });

  it('a refused permission leaves what the description says, with a finding', async () => {
    const first = await look();
    vi.setSystemTime(NOW + HOUR);
    wire.on('GetSecretValue', awsError('AccessDeniedException', 'Access to KMS is not allowed'));
    const denied = await look(first.facts);
    expect(secretsManager.keys.verdict(denied)).toEqual({ status: 'accessible' });
    expect(denied.facts.attributes.readResult).toBe('denied');
  });

  it('trouble on the way leaves what is known and is tried again at the next look', async () => {
    const first = await look();
    vi.setSystemTime(NOW + HOUR);
    wire.on('GetSecretValue', awsError('ThrottlingException', 'Rate exceeded'));
    const second = await look(first.facts);
    expect(second.facts.attributes.readResult).toBeUndefined();
    wire.on('GetSecretValue', value);
    expect((await look(second.facts)).facts.attributes.readResult).toBe('ok');
  });

  it('reads nothing that is being deleted', async () => {
    const first = await look();
    vi.setSystemTime(NOW + HOUR);
    wire.on('DescribeSecret', {
      body: { ARN, Name: 'prod/db', DeletedDate: NOW / 1000, VersionIdsToStages: { v1: ['AWSCURRENT'] } },
    });
    await look(first.facts);
    expect(reads()).toBe(0);
  });
});
