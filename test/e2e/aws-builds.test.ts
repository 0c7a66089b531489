/** CodeBuild projects and the secrets and keys that they use: from the cloud to the page, the metrics and the alerts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, REGION, series, startWorld, type World, type WorldOptions } from './world.ts';

const MINUTE = 60_000;
/** A sweep every minute, its own time, and what confirms a loss. */
const BOUND = 75_000;
const SERVICES = '{ secrets-manager: {}, kms: {}, codebuild: {} }';

type Region = World['region'];

function variable(value: string, name = 'SECRET') {
  return { environmentVariables: [{ name, value, type: 'SECRETS_MANAGER' as const }] };
}

function world(fill: (region: Region) => void, options: WorldOptions = {}): Promise<World> {
  return startWorld(fill, { services: SERVICES, ...options });
}

const health = (at: World) =>
  Object.fromEntries(at.app.snapshot.consumers.map(({ name, health: word }) => [name, word]));

/** The ARN of a secret without its random suffix. */
const partial = (arn: string) => arn.replace(/-\w{6}$/, '');

describe('a secret that projects refer to', () => {
  it('by name, partial and full ARN impairs exactly those while its deletion is scheduled, as one incident', async () => {
    let resource = '';
    await using at = await world(({ secrets, codeBuild }) => {
      resource = secrets.create({ Name: 'prod/db', SecretString: '{"password":"x"}' }).arn;
      const other = secrets.create({ Name: 'prod/db2', SecretString: 'x' }).arn;
      codeBuild.createProject({ name: 'by-name', environment: variable('prod/db:password') });
      codeBuild.createProject({ name: 'by-partial', environment: variable(partial(resource)) });
      codeBuild.createProject({ name: 'by-full', environment: variable(`${resource}:password:AWSCURRENT`) });
      codeBuild.createProject({ name: 'by-other', environment: variable(other) });
      codeBuild.createProject({
        name: 'by-buildspec',
        source: {
          type: 'NO_SOURCE',
          buildspec: 'version: 0.2\nenv:\n  secrets-manager:\n    A: prod/db\nphases: {}\n',
        },
      });
      codeBuild.createProject({ name: 'without' });
    });
    const users = ['by-buildspec', 'by-full', 'by-name', 'by-partial'];
    expect(health(at)).toEqual(Object.fromEntries([...users, 'by-other', 'without'].map((name) => [name, 'ok'])));
    expect(at.key('prod/db')).toMatchObject({ health: 'accessible', consumers: 4 });

    at.region.secrets.delete('prod/db');
    await at.until('the projects', BOUND, () => at.consumer('by-name')?.health === 'impaired');
    const impaired = at.app.snapshot.consumers.filter((one) => one.health === 'impaired');
    expect(impaired.map(({ name }) => name)).toEqual(users);
    for (const one of impaired) {
      expect(one).toMatchObject({ reason: 'key_inaccessible', rootCauses: [resource] });
      expect(one.uses[0]?.key).toBe(resource);
    }
    expect(at.app.snapshot.incidents).toMatchObject([
      { root: resource, reason: 'pending_deletion', consumers: impaired.map((one) => one.resource) },
    ]);
    const lost = await at.metrics();
    expect(series(lost, 'keyvigil_key_consumers', resource)).toBe(4);
    expect(series(lost, 'keyvigil_consumer_ok', 'project/by-name"')).toBe(0);
    expect(series(lost, 'keyvigil_consumer_ok', 'project/by-other"')).toBe(1);
    const page = await (await at.get(`/consumers/${encodeURIComponent(impaired[0]!.resource)}`)).text();
    expect(page).toContain('restore-secret');

    at.region.secrets.restore('prod/db');
    await at.until('recovery', BOUND, () => at.consumer('by-name')?.health === 'ok');
    expect(new Set(Object.values(health(at)))).toEqual(new Set(['ok']));
    expect(at.app.snapshot.incidents).toEqual([]);
  });

  it('that was made anew under its name is the one that the name means; who has the old ARN has nothing', async () => {
    let old = '';
    await using at = await world(({ secrets, codeBuild }) => {
      old = secrets.create({ Name: 'prod/db', SecretString: 'x' }).arn;
      codeBuild.createProject({ name: 'by-name', environment: variable('prod/db') });
      codeBuild.createProject({ name: 'by-full', environment: variable(old) });
    });
    at.region.secrets.delete('prod/db', { ForceDeleteWithoutRecovery: true });
    await at.until('the loss', 8 * MINUTE, () => at.key(old)?.health === 'inaccessible');
    const made = at.region.secrets.create({ Name: 'prod/db', SecretString: 'y' }).arn;
    await at.until('the new secret', 8 * MINUTE, () => at.consumer('by-name')?.uses[0]?.key === made);
    await at.until('recovery', BOUND, () => at.consumer('by-name')?.health === 'ok');
    expect(at.consumer('by-full')).toMatchObject({ health: 'impaired', rootCauses: [old] });
    // However often the dead one is looked at again.
    await at.pass(5 * MINUTE);
    expect(at.consumer('by-name')).toMatchObject({ health: 'ok', rootCauses: [] });
  });

  it('and that does not exist is what breaks them, until it is made or nothing names it any more', async () => {
    const never = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/never`;
    const old = `${never}-0ld123`;
    await using at = await world(({ secrets, codeBuild }) => {
      secrets.create({ Name: 'prod/db', SecretString: 'x' });
      codeBuild.createProject({ name: 'web', environment: variable('prod/never:key') });
      codeBuild.createProject({ name: 'old', environment: variable(old) });
      codeBuild.createProject({ name: 'well', environment: variable('prod/db') });
    });
    await at.until('the loss', 2 * BOUND, () => at.app.snapshot.incidents.length === 2);
    expect(health(at)).toEqual({ web: 'impaired', old: 'impaired', well: 'ok' });
    expect(at.consumer('web')).toMatchObject({ reason: 'key_inaccessible', rootCauses: [never] });
    expect(at.key(never)).toMatchObject({
      health: 'inaccessible',
      reason: 'not_found',
      name: 'prod/never',
      consumers: 1,
    });
    expect(at.key(old)).toMatchObject({ reason: 'not_found', name: 'prod/never' });

    at.region.codeBuild.updateProject('old', {
      environment: { ...(at.region.codeBuild.describe('old')?.environment as object), environmentVariables: [] },
    });
    await at.until('the end of what nothing names', 2 * BOUND, () => at.key(old) === undefined);
    const { arn } = at.region.secrets.create({ Name: 'prod/never', SecretString: 'y' });
    await at.until('the new secret', 8 * MINUTE, () => at.consumer('web')?.uses[0]?.key === arn);
    await at.until('recovery', BOUND, () => at.consumer('web')?.health === 'ok');
    expect(at.key(never)).toBeUndefined();
    expect(at.app.snapshot.incidents).toEqual([]);
  });

  it('whose new version a pinned project does not follow is drift', async () => {
    await using at = await world(({ secrets, codeBuild }) => {
      const { versionId } = secrets.create({ Name: 'prod/db', SecretString: 'x' });
      codeBuild.createProject({ name: 'pinned', environment: variable(`prod/db:::${versionId}`) });
      codeBuild.createProject({ name: 'following', environment: variable('prod/db') });
    });
    const pinned = () => at.consumer('pinned')?.findings.find(({ id }) => id === 'codebuild.pinned-version');
    expect([pinned()?.severity, at.consumer('pinned')?.health]).toEqual(['info', 'ok']);
    at.region.secrets.putValue('prod/db', 'y');
    await at.until('the drift', BOUND, () => pinned()?.severity === 'warning');
    expect(at.consumer('pinned')).toMatchObject({ health: 'at_risk', uses: [{ pinned: true }] });
    expect(at.consumer('following')).toMatchObject({ health: 'ok' });
    expect(await at.metrics()).toMatch(/keyvigil_consumer_outdated_since_timestamp_seconds\{.*project\/pinned/);
  });
});

describe('the key of a project', () => {
  it('that is disabled impairs who stores with it, by alias or ARN, and who only names it in a variable', async () => {
    let arn = '';
    let keyId = '';
    await using at = await world(({ kms, codeBuild }) => {
      ({ arn, keyId } = kms.createKey());
      kms.alias('alias/builds', keyId);
      codeBuild.createProject({ name: 'by-alias', encryptionKey: 'alias/builds' });
      codeBuild.createProject({ name: 'by-arn', encryptionKey: arn });
      const environmentVariables = [{ name: 'CODEBUILD_KMS_KEY', value: keyId, type: 'PLAINTEXT' as const }];
      codeBuild.createProject({ name: 'by-variable', environment: { environmentVariables } });
      codeBuild.createProject({ name: 'by-default' });
    });
    expect(at.key(arn)).toMatchObject({ consumers: 3 });
    at.region.kms.disable(keyId);
    await at.until('the projects', BOUND, () => at.consumer('by-variable')?.health === 'impaired');
    expect(health(at)).toEqual({
      'by-alias': 'impaired',
      'by-arn': 'impaired',
      'by-variable': 'impaired',
      'by-default': 'ok',
    });
    expect(at.app.snapshot.incidents).toHaveLength(1);
  });

  it('is two causes where another key takes the secret of a project too, and both are named', async () => {
    const keys: string[] = [];
    await using at = await world(({ kms, secrets, codeBuild }) => {
      keys.push(kms.createKey().arn, kms.createKey().arn);
      secrets.create({ Name: 'prod/db', SecretString: 'x', KmsKeyId: keys[0]! });
      codeBuild.createProject({ name: 'web', environment: variable('prod/db'), encryptionKey: keys[1]! });
    });
    for (const key of keys) at.region.kms.disable(key);
    await at.until('both', BOUND, () => at.consumer('web')?.rootCauses.length === 2);
    expect(at.consumer('web')?.rootCauses.toSorted()).toEqual(keys.toSorted());
    expect(at.app.snapshot.incidents.map(({ root }) => root).toSorted()).toEqual(keys.toSorted());
  });
});

describe('a project', () => {
  it('is seen when it is made, changed and deleted', async () => {
    await using at = await world(({ secrets, codeBuild }) => {
      secrets.create({ Name: 'prod/db', SecretString: 'x' });
      codeBuild.createProject({ name: 'first' });
    });
    at.region.codeBuild.createProject({ name: 'second', environment: variable('prod/db') });
    await at.until('the new one', BOUND, () => at.consumer('second') !== undefined);
    expect(at.key('prod/db')?.consumers).toBe(1);
    at.region.codeBuild.deleteProject('second');
    await at.until('its end', BOUND, () => at.consumer('second') === undefined);
    expect(at.key('prod/db')?.consumers).toBe(0);
    const events = await at.events();
    expect(events.filter(({ resource }) => resource.endsWith('/second')).map(({ type }) => type)).toEqual([
      'first_seen',
      'removed',
    ]);
  });

  it('costs one listing and one batch for each hundred in a sweep, the first included', async () => {
    await using at = await world(({ codeBuild }) => {
      for (let index = 0; index < 230; index += 1) codeBuild.createProject({ name: `p${index}` });
    });
    const calls = () =>
      at.sandbox.requests
        .list()
        .filter(({ service, operation }) => service === 'codebuild' && operation.startsWith('B')).length;
    expect(at.app.snapshot.consumers).toHaveLength(230);
    expect(calls()).toBe(3);
    await at.pass(MINUTE);
    expect(calls()).toBe(6);
  });
});

describe('builds: true', () => {
  it('tells that a build was refused a secret though both are well, and that a later one was not', async () => {
    let secret = '';
    let role = '';
    await using at = await startWorld(
      ({ secrets, codeBuild }, sandbox) => {
        role = sandbox.aws.account(ACCOUNT).role('build', { services: ['codebuild.amazonaws.com'] });
        secret = secrets.create({ Name: 'prod/db', SecretString: 'x' }).arn;
        codeBuild.createProject({ name: 'web', environment: variable('prod/db'), serviceRole: role });
      },
      { services: '{ secrets-manager: {}, kms: {}, codebuild: { builds: true } }' },
    );
    const account = at.sandbox.aws.account(ACCOUNT);
    at.region.codeBuild.startBuild('web');
    await at.pass(2 * MINUTE);
    expect(at.consumer('web')).toMatchObject({ health: 'ok' });

    const refusal = account.revoke(role, secret);
    at.region.codeBuild.startBuild('web');
    await at.until('the refusal', 2 * BOUND, () => at.consumer('web')?.health === 'impaired');
    expect(at.consumer('web')).toMatchObject({ reason: 'access_revoked', rootCauses: [] });
    const finding = at.consumer('web')?.findings.find(({ id }) => id === 'codebuild.access-denied');
    expect(finding?.remedy).toContain(`aws iam put-role-policy --role-name build`);
    expect(finding?.remedy).toContain(`${partial(secret)}-??????`);

    refusal.remove();
    at.region.codeBuild.startBuild('web');
    await at.until('recovery', 2 * BOUND, () => at.consumer('web')?.health === 'ok');
  });
});

describe('a canary', () => {
  it('in plaintext, commands and sources of a project is found in no log, metric, page, API answer or state file', async () => {
    const canary = 'CANARY-pl41nt3xt';
    const buildspec = `version: 0.2
env:
  variables: { A: "${canary}" }
  secrets-manager: { DB: "prod/db:${canary}" }
phases: { build: { commands: ["echo ${canary}"] } }
`;
    const services = '{ secrets-manager: {}, kms: {}, codebuild: { builds: true } }';
    const yaml = 'receivers: [{ name: hook, webhook: { url: "http://127.0.0.1:1/" } }]\nlog: { level: debug }';
    await using at = await startWorld(
      ({ secrets, codeBuild }, sandbox) => {
        const serviceRole = sandbox.aws.account(ACCOUNT).role('build', { services: ['codebuild.amazonaws.com'] });
        secrets.create({ Name: 'prod/db', SecretString: `{"${canary}":"${canary}"}` });
        codeBuild.createProject({
          name: 'web',
          description: canary,
          serviceRole,
          source: { type: 'GITHUB', location: `https://user:${canary}@example.com/x.git`, buildspec },
          environment: {
            environmentVariables: [
              { name: 'PASSWORD', value: canary, type: 'PLAINTEXT' },
              { name: 'PARAMETER', value: `/x/${canary}`, type: 'PARAMETER_STORE' },
              { name: 'CODEBUILD_KMS_KEY_ID', value: canary, type: 'PLAINTEXT' },
              { name: 'DB', value: `prod/db:${canary}`, type: 'SECRETS_MANAGER' },
              { name: 'URL', value: `postgres://user:${canary}@db`, type: 'SECRETS_MANAGER' },
            ],
          },
        });
        codeBuild.startBuild('web');
      },
      { services, yaml },
    );
    at.region.secrets.delete('prod/db');
    await at.until('the loss', BOUND, () => at.consumer('web')?.health === 'impaired');
    // An answer that breaks off is quoted by whatever tries to read it.
    at.sandbox.faults.add({ kind: 'body', body: 'truncated' }, { operation: 'BatchGetProjects' });
    await at.pass(3 * MINUTE);
    expect(at.app.snapshot.sources.find(({ service }) => service === 'codebuild')).toMatchObject({
      up: false,
      reason: 'bad_response',
    });
    const { resource } = at.consumer('web')!;
    const paths = [
      '/',
      `/consumers/${encodeURIComponent(resource)}`,
      `/keys/${encodeURIComponent(at.key('prod/db')!.resource)}`,
      '/metrics',
      '/api/v1/keys',
      '/api/v1/consumers',
      `/api/v1/consumers/${encodeURIComponent(resource)}`,
      '/api/v1/events',
      '/api/v1/sources',
    ];
    const answers = await Promise.all(paths.map(async (path) => (await at.get(path)).text()));
    await at.stop();
    const files = readdirSync(at.directory).map((name) => readFileSync(join(at.directory, name), 'latin1'));
    expect(files.join('')).toContain('variable DB');
    expect(files.join('')).toContain(`arn:aws:codebuild:${REGION}:${ACCOUNT}:project/web`);
    for (const text of [...answers, ...files, ...at.logged]) {
      expect(text).not.toContain('CANARY');
      expect(text).not.toContain(Buffer.from(canary).toString('base64').slice(0, 20));
    }
  });
});
