/** Flows of MediaConnect and their keys, from the cloud to the page: what breaks, why, since when, and the way back. */
import { describe, expect, it } from 'vitest';
import { ACCOUNT, REGION, series, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
/** One interval, the looks that confirm, and the flow that is looked at after its key. */
const BOUND = 80_000;
const SERVICES = '{ secrets-manager: {}, kms: {}, mediaconnect: {} }';
const KEY = 'alias/video';

interface Setting {
  readonly world: World;
  readonly flow: string;
  readonly kms: string;
  readonly secret: string;
  readonly role: string;
}

/** A flow whose output is encrypted with a secret under a customer managed key, running. */
async function running(more: { services?: string; other?: string } = {}): Promise<Setting> {
  let flow = '';
  let kms = '';
  let secret = '';
  let role = '';
  const world = await startWorld(
    (region, sandbox) => {
      sandbox.aws.settings.keyRefreshMs = 5 * MINUTE;
      role = sandbox.aws.account(ACCOUNT).role('MediaConnect-ASM', { services: ['mediaconnect.amazonaws.com'] });
      const key = region.kms.createKey();
      kms = key.arn;
      region.kms.alias(KEY, key.keyId);
      const SecretString = '0123456789abcdef0123456789abcdef';
      secret = region.secrets.create({ Name: 'video/key', SecretString, KmsKeyId: kms }).arn;
      flow = region.mediaConnect.createFlow({
        name: 'Awards',
        source: { name: 'Cam', protocol: 'srt-listener' },
        outputs: [
          {
            name: 'Test',
            protocol: 'zixi-push',
            encryption: { keyType: 'static-key', algorithm: 'aes128', roleArn: role, secretArn: more.other ?? secret },
          },
        ],
      });
      region.mediaConnect.activate(flow);
    },
    { services: more.services ?? SERVICES },
  );
  return { world, flow, kms, secret, role };
}

const findings = (world: World) => world.consumer('Awards')?.findings.map(({ id, severity }) => [id, severity]);

describe('a flow', () => {
  it('is impaired with the KMS key behind its secret, which is the root, and recovers with it', async () => {
    const { world, flow, kms, secret } = await running();
    await using _ = world;
    expect(world.consumer('Awards')).toMatchObject({ kind: 'mediaconnect-flow', health: 'at_risk', state: 'ACTIVE' });
    expect(findings(world)).toEqual([
      ['mediaconnect.default-key', 'warning'],
      ['mediaconnect.plaintext-unverified', 'info'],
    ]);
    expect(world.consumer('Awards')?.uses).toMatchObject([
      { key: secret, role: 'output-encryption', part: 'output Test' },
    ]);

    world.region.kms.disable(kms);
    await world.until('the loss', BOUND, () => world.consumer('Awards')?.health === 'impaired');
    expect(world.consumer('Awards')).toMatchObject({ reason: 'key_inaccessible', rootCauses: [kms] });
    expect(world.key('video/key')).toMatchObject({ health: 'inaccessible', reason: 'dependency', rootCauses: [kms] });
    expect(world.key(KEY)).toMatchObject({ health: 'inaccessible', reason: 'disabled', consumers: 2 });
    const page = await world.metrics();
    expect(series(page, 'keyvigil_consumer_ok', flow)).toBe(0);
    expect(series(page, 'keyvigil_consumer_key', flow, secret, 'role="output-encryption"')).toBe(1);

    // The flow goes on until it reads its key again; what it says then is explained by its key already.
    await world.pass(6 * MINUTE);
    expect(world.region.mediaConnect.takenOff(flow)).toHaveLength(1);
    expect(world.consumer('Awards')).toMatchObject({ reason: 'key_inaccessible', rootCauses: [kms] });
    const reported = world.consumer('Awards')?.findings.find(({ id }) => id === 'mediaconnect.reported');
    expect(reported).toMatchObject({ severity: 'critical', impairs: 'reported_by_service' });

    world.region.kms.enable(kms);
    await world.pass(8 * MINUTE);
    expect(world.consumer('Awards')).toMatchObject({ health: 'at_risk', rootCauses: [] });
    expect(findings(world)?.map(([id]) => id)).not.toContain('mediaconnect.reported');
    const told = (await world.events()).filter(({ type, resource }) => type === 'transition' && resource === kms);
    expect(told.map(({ to }) => to)).toEqual(['inaccessible', 'accessible']);
  });

  it('whose role may not read the secret any more has lost its access, and no key is blamed', async () => {
    const { world, flow, secret, role } = await running();
    await using _ = world;
    const denial = world.sandbox.aws.account(ACCOUNT).revoke(role, secret);
    await world.pass(6 * MINUTE);
    expect(world.consumer('Awards')).toMatchObject({ health: 'impaired', reason: 'access_revoked', rootCauses: [] });
    expect(world.key('video/key')?.health).toBe('accessible');
    const finding = world.consumer('Awards')?.findings.find(({ id }) => id === 'mediaconnect.reported');
    expect(finding?.remedy).toContain('aws iam put-role-policy --role-name MediaConnect-ASM');
    expect(finding?.remedy).toContain('kms:Decrypt');
    expect(series(await world.metrics(), 'keyvigil_consumer_reason', flow, 'access_revoked')).toBe(1);

    denial.remove();
    await world.pass(8 * MINUTE);
    expect(world.consumer('Awards')?.health).toBe('at_risk');
  });

  it('at rest is told of its dead key before anybody starts it', async () => {
    const { world, flow, kms } = await running();
    await using _ = world;
    world.region.mediaConnect.stop(flow);
    await world.pass(2 * MINUTE);
    expect(world.consumer('Awards')?.state).toBe('STANDBY');
    world.region.kms.scheduleDeletion(kms, 7);
    await world.until('the loss', BOUND, () => world.consumer('Awards')?.health === 'impaired');
    expect(world.consumer('Awards')?.rootCauses).toEqual([kms]);
  });

  it('with the secret of another account breaks a rule, whatever is watched', async () => {
    const { world } = await running({ other: `arn:aws:secretsmanager:${REGION}:444455556666:secret:theirs-AbCdEf` });
    await using _ = world;
    expect(findings(world)).toContainEqual(['mediaconnect.secret-account', 'critical']);
  });

  it('is judged by the bytes of the value where reading is on, and the value is nowhere', async () => {
    const canary = 'canary-7f3a9c';
    const { world, flow } = await running({
      services: '{ secrets-manager: { access: read }, kms: {}, mediaconnect: {} }',
    });
    await using _ = world;
    // A new version is read at once.
    world.region.secrets.putValue('video/key', JSON.stringify({ password: canary }));
    await world.pass(2 * MINUTE);
    expect(findings(world)).toEqual([
      ['mediaconnect.default-key', 'warning'],
      ['mediaconnect.new-version', 'warning'],
      ['mediaconnect.plaintext', 'critical'],
    ]);
    world.region.secrets.putValue('video/key', 'fedcba9876543210fedcba9876543210');
    await world.pass(2 * MINUTE);
    expect(findings(world)?.map(([id]) => id)).toEqual(['mediaconnect.default-key', 'mediaconnect.new-version']);
    const shown = await Promise.all(
      ['/', '/metrics', '/api/v1/keys', '/api/v1/consumers', `/api/v1/consumers/${encodeURIComponent(flow)}`].map(
        async (path) => (await world.get(path)).text(),
      ),
    );
    expect([...shown, ...world.logged].join('\n')).not.toContain(canary);
  });

  it('that is deleted is forgotten, and its key has one dependent less', async () => {
    const { world, flow } = await running();
    await using _ = world;
    expect(world.key('video/key')?.consumers).toBe(1);
    world.region.mediaConnect.stop(flow);
    await world.pass(2 * MINUTE);
    world.region.mediaConnect.delete(flow);
    await world.pass(5 * MINUTE);
    expect(world.consumer('Awards')).toBeUndefined();
    expect(world.key('video/key')?.consumers).toBe(0);
  });

  it('stays what it was while MediaConnect fails, is refused or throttles', async () => {
    const { world } = await running();
    await using _ = world;
    const before = world.consumer('Awards')?.health;
    for (const effect of [{ kind: 'server-error' }, { kind: 'access-denied' }, { kind: 'throttle' }] as const) {
      const fault = world.sandbox.faults.add(effect, { when: ({ service }) => service === 'mediaconnect' });
      await world.pass(3 * MINUTE);
      const source = world.app.snapshot.sources.find(({ service }) => service === 'mediaconnect');
      expect([effect.kind, source?.up]).toEqual([effect.kind, false]);
      expect(world.consumer('Awards')?.health).toBe(before);
      fault.remove();
      await world.pass(2 * MINUTE);
    }
    expect((await world.events()).filter(({ type }) => type === 'transition')).toEqual([]);
  });
});
