import { expect, test } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { runPython } from '../tools.ts';

const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const REGION = 'eu-west-1';

test('boto3 drives every operation of the sandbox, paging and errors included, and finds what AWS answers', async () => {
  await using sandbox = await startSandbox();
  const account = sandbox.aws.account(ACCOUNT);
  const region = account.region(REGION);
  // What is waited for takes milliseconds here; a minute is only the usual pace.
  Object.assign(sandbox.aws.settings, { flowChangeMs: 300, keyRefreshMs: 20, buildPhaseMs: 5 });
  const services = (name: string) => [`${name}.amazonaws.com`];
  const buildRole = account.role('build', { services: services('codebuild') });
  const action = 'secretsmanager:GetSecretValue';
  sandbox.aws.deny({ account: ACCOUNT, action, resource: 'codebuild/revoked', principal: buildRole });
  for (const service of ['mediaconnect', 'codebuild']) {
    sandbox.faults.add({ kind: 'access-denied' }, { service, resource: 'denied' });
    sandbox.faults.add({ kind: 'throttle' }, { service, resource: 'throttled' });
    sandbox.faults.add({ kind: 'server-error' }, { service, resource: 'broken' });
  }
  const code503 = { code: 'ServiceUnavailableException', status: 503, message: 'Service unavailable' };
  sandbox.faults.add({ kind: 'error', ...code503 }, { service: 'mediaconnect', resource: 'unavailable' });
  const accessLog = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:keys`;
  const logging = { executionLog: 'INFO', dataTrace: true, accessLog } as const;
  const apis = {
    quiet: region.apiGateway.create({ stage: 'live' }).id,
    logged: region.apiGateway.create({ stage: 'live', logging }).id,
    accessLog,
  };
  const { code, stdout, stderr } = await runPython('drive_sandbox.py', {
    endpoint: sandbox.url,
    account: ACCOUNT,
    otherAccount: OTHER,
    region: REGION,
    otherRegion: 'us-east-1',
    credentials: account.credentials,
    otherCredentials: sandbox.aws.account(OTHER).credentials,
    roleArn: sandbox.aws.account(OTHER).role('keyvigil', { externalId: 'e-1' }),
    mediaRole: account.role('media', { services: services('mediaconnect') }),
    buildRole,
    apis,
    rotationDone: region.rotationFunction('rotate'),
    rotationStuck: region.rotationFunction('broken', 'stuck'),
  });
  expect({ code, stderr }, `${stdout}\n${stderr}`).toEqual({ code: 0, stderr: '' });
  const report: { checks: number; driven: string[] } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  console.log(`boto3: ${report.checks} checks, ${report.driven.length} operations`);
  expect(report.driven.toSorted()).toEqual(sandbox.aws.operations);
  expect(report.checks).toBeGreaterThan(300);
});
