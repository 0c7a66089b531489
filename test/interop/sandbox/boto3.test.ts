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
  const { code, stdout, stderr } = await runPython('drive_sandbox.py', {
    endpoint: sandbox.url,
    account: ACCOUNT,
    otherAccount: OTHER,
    region: REGION,
    otherRegion: 'us-east-1',
    credentials: account.credentials,
    otherCredentials: sandbox.aws.account(OTHER).credentials,
    roleArn: sandbox.aws.account(OTHER).role('keyvigil', { externalId: 'e-1' }),
    rotationDone: region.rotationFunction('rotate'),
    rotationStuck: region.rotationFunction('broken', 'stuck'),
  });
  expect({ code, stderr }, `${stdout}\n${stderr}`).toEqual({ code: 0, stderr: '' });
  const report: { checks: number; driven: string[] } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  console.log(`boto3: ${report.checks} checks, ${report.driven.length} operations`);
  expect(report.driven.toSorted()).toEqual(sandbox.aws.operations);
  expect(report.checks).toBeGreaterThan(100);
});
