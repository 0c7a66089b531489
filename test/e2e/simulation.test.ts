/** Policy simulation, from the roles of flows to findings and back, with the real daemon. */
import { expect, it } from 'vitest';
import { ACCOUNT, REGION, startWorld, type World } from './world.ts';

const SERVICES = 'secrets-manager: {}, kms: {}, mediaconnect: {}';
const MINUTE = 60_000;

/** A flow whose source is decrypted through a role that may do nothing. */
function company({ secrets, kms, mediaConnect }: World['region'], sandbox: World['sandbox']): void {
  const { arn: key } = kms.createKey();
  const { arn: secretArn } = secrets.create({ Name: 'prod/key', SecretString: '0'.repeat(32), KmsKeyId: key });
  const roleArn = sandbox.aws.account(ACCOUNT).iam.createRole('reader', ['mediaconnect.amazonaws.com']);
  const decryption = { keyType: 'static-key' as const, algorithm: 'aes128' as const, roleArn, secretArn };
  mediaConnect.createFlow({ name: 'live', source: { name: 'in', protocol: 'zixi-push', decryption } });
}

const ofRole = (world: World) =>
  (world.consumer('live')?.findings ?? []).map(({ id }) => id).filter((id) => id.startsWith('mediaconnect.role-'));

it('says what a role may not do, puts the flow at risk, and nothing more, until the role may', async () => {
  await using world = await startWorld(company, { services: `{ ${SERVICES}, iam: { every: 10m } }` });
  await world.until('the role is denied', 5 * MINUTE, () => ofRole(world).length === 2);
  expect(ofRole(world)).toEqual(['mediaconnect.role-denied-secret', 'mediaconnect.role-denied-key']);
  expect(world.consumer('live')).toMatchObject({ health: 'at_risk' });
  expect(world.key('prod/key')?.health).toBe('accessible');

  // What failed for a while closes nothing, and a restart neither.
  const fault = world.sandbox.faults.add({ kind: 'throttle' }, { service: 'iam' });
  await world.pass(15 * MINUTE);
  await world.stop();
  await world.start();
  await world.pass(2 * MINUTE);
  expect(ofRole(world)).toHaveLength(2);
  fault.remove();

  world.sandbox.aws.account(ACCOUNT).iam.putRolePolicy('reader', 'read', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['secretsmanager:*', 'kms:Decrypt'], Resource: '*' }],
  });
  await world.until('the role may', 15 * MINUTE, () => ofRole(world).length === 0);
  // They were there at first sight, and were never closed in between.
  const told = (await world.events()).filter(({ to }) => to?.startsWith('mediaconnect.role-'));
  expect(told.map(({ type }) => type)).toEqual(['finding_closed', 'finding_closed']);
  const asked = world.sandbox.requests.list().filter(({ service }) => service === 'iam');
  expect(new Set(asked.map(({ operation }) => operation))).toEqual(new Set(['GetRole', 'SimulatePrincipalPolicy']));
  expect(new Set(asked.map(({ region }) => region))).toEqual(new Set(['us-east-1']));
});

it('asks IAM nothing where nobody asked for it, and IAM is no source', async () => {
  await using world = await startWorld(company, { services: `{ ${SERVICES} }` });
  await world.pass(5 * MINUTE);
  expect(world.sandbox.requests.list().filter(({ service }) => service === 'iam')).toEqual([]);
  expect(ofRole(world)).toEqual([]);
  await world.reload({ services: `{ ${SERVICES}, iam: {} }` });
  await world.until('the role is denied', 5 * MINUTE, () => ofRole(world).length > 0);
  const { sources } = (await (await world.get('/api/v1/sources')).json()) as { sources: { service: string }[] };
  expect(new Set(sources.map(({ service }) => service))).toEqual(new Set(['secrets-manager', 'kms', 'mediaconnect']));
  expect(sources.every((one) => (one as { location?: string }).location === REGION)).toBe(true);
});

it('asks the same of the role of a project, whose listing tells all that a look would', async () => {
  const build = ({ secrets, codeBuild }: World['region'], sandbox: World['sandbox']) => {
    const { arn } = secrets.create({ Name: 'prod/token', SecretString: 'x' });
    const serviceRole = sandbox.aws.account(ACCOUNT).iam.createRole('build', ['codebuild.amazonaws.com']);
    const variable = { name: 'TOKEN', value: arn, type: 'SECRETS_MANAGER' as const };
    codeBuild.createProject({ name: 'web', serviceRole, environment: { environmentVariables: [variable] } });
  };
  const services = '{ secrets-manager: {}, kms: {}, codebuild: {}, iam: { every: 5m } }';
  await using world = await startWorld(build, { services });
  const found = () => (world.consumer('web')?.findings ?? []).find(({ id }) => id === 'codebuild.role-denied-secret');
  await world.until('the role is denied', 5 * MINUTE, () => found() !== undefined);
  expect(found()?.summary).toMatch(/^Policy simulation says that role \S+:role\/build may not read the secret/);
  world.sandbox.requests.clear();
  await world.pass(3 * MINUTE);
  expect(world.sandbox.requests.count('iam:SimulatePrincipalPolicy')).toBe(0);
  world.sandbox.aws.account(ACCOUNT).iam.putRolePolicy('build', 'read', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }],
  });
  await world.until('the role may', 10 * MINUTE, () => found() === undefined);
  // One call for all projects in each sweep, and none for a look at one.
  const sweeps = world.sandbox.requests.count('codebuild:ListProjects');
  expect(world.sandbox.requests.count('codebuild:BatchGetProjects')).toBe(sweeps);
});
