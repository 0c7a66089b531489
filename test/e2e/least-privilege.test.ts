/** What the printed policy grants is what a run needs: nothing is refused, nothing is granted in vain. */
import { isWildcardOnlyAction, runSimulation } from '@cloud-copilot/iam-simulate';
import { expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { PROVIDERS, SERVICES } from '../../src/providers/index.ts';
import { ACCOUNT, REGION, startWorld, type World } from './world.ts';

const HOUR = 3_600_000;
const VALUES = ['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue', 'kms:Decrypt'];

/** The default policy of a KMS key: it leaves the decision to IAM. */
const DELEGATES = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }],
};

interface Policy {
  readonly Statement: ReadonlyArray<{ readonly Effect: string; readonly Action: readonly string[] }>;
}

function policyFor(services: string): Policy {
  const yaml = `targets: [{ name: prod, provider: aws, regions: [${REGION}], services: ${services} }]`;
  const { config } = parseConfig(yaml, '/keyvigil.yml', { env: {}, services: SERVICES });
  const aws = PROVIDERS.find(({ name }) => name === 'aws');
  return aws?.policy(config?.targets[0], ACCOUNT).document as Policy;
}

/** What an evaluator of policies that is not ours makes of one request. */
async function decision(policy: Policy, action: string, resource: string, context: Record<string, string> = {}) {
  const wildcard = await isWildcardOnlyAction(...(action.split(':') as [string, string]));
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/keyvigil`,
        action,
        resource: { resource: wildcard ? '*' : resource, accountId: ACCOUNT },
        contextVariables: context,
      },
      identityPolicies: [{ name: 'printed', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(action.startsWith('kms:') && !wildcard && { resourcePolicy: DELEGATES }),
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  return result.overallResult;
}

function company(region: World['region'], sandbox: World['sandbox']): void {
  const { kms, secrets, mediaConnect, codeBuild, apiGateway } = region;
  codeBuild.createProject({ name: 'web', encryptionKey: 'alias/app' });
  const there = sandbox.aws.account('444455556666').region(REGION).mediaConnect;
  const shared = there.createFlow({ name: 'origin', source: { name: 'in', protocol: 'rtp' } });
  const entitlementArn = there.grant(shared, { name: 'show', subscribers: [ACCOUNT] });
  mediaConnect.createFlow({ name: 'subscriber', source: { name: 'show', entitlementArn } });
  const speke = {
    keyType: 'speke',
    algorithm: 'aes128',
    roleArn: `arn:aws:iam::${ACCOUNT}:role/speke`,
    region: REGION,
    resourceId: 'r',
    deviceId: 'd',
  } as const;
  const encryption = { ...speke, url: apiGateway.create().url };
  mediaConnect.createFlow({
    name: 'granting',
    source: { name: 'in', protocol: 'rtp' },
    entitlements: [{ name: 'partner', subscribers: ['444455556666'], encryption }],
  });
  const { keyId, arn } = kms.createKey();
  kms.alias('alias/app', keyId);
  const { arn: secretArn } = secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: arn });
  const roleArn = sandbox.aws.account(ACCOUNT).iam.createRole('reader', ['mediaconnect.amazonaws.com'], '/video/');
  const decryption = { keyType: 'static-key', algorithm: 'aes128', roleArn, secretArn } as const;
  mediaConnect.createFlow({ name: 'sealed', source: { name: 'in', protocol: 'zixi-push', decryption } });
  secrets.create({ Name: 'prod/by-alias', SecretString: 'x', KmsKeyId: 'alias/app' });
}

/** Calls of the daemon by action, with the resources that they named. */
function callsOf(world: World): ReadonlyMap<string, ReadonlySet<string>> {
  const calls = new Map<string, Set<string>>();
  for (const { service, operation, resource } of world.sandbox.requests.list()) {
    // Who the monitor is may be asked by everybody, and an unsigned request is one of nobody.
    if (service === 'sts' || service === 'execute-api') continue;
    // IAM knows the operations of API Gateway by their HTTP methods.
    const action = service === 'apigateway' ? 'apigateway:GET' : `${service}:${operation}`;
    const named = calls.get(action) ?? new Set();
    named.add(whole(world, service, resource));
    calls.set(action, named);
  }
  return calls;
}

/** IAM judges by the resource itself, whatever name a request uses for it. */
function whole(world: World, service: string, resource: string | undefined): string {
  if (resource === undefined || resource.startsWith('arn:')) return resource ?? '*';
  if (service === 'apigateway') return `arn:aws:apigateway:${REGION}::/restapis/${resource}/stages/prod`;
  if (service === 'iam') return `arn:aws:iam::${ACCOUNT}:role/video/${resource}`;
  const { keys, consumers } = world.app.snapshot;
  const bears = (one: { readonly name: string; readonly resource: string }) =>
    one.name === resource || one.resource.endsWith(`/${resource}`);
  // Builds go by the name of their project, `web:1234…`.
  const project = service === 'codebuild' ? resource.split(':')[0] : undefined;
  const found = keys.find(bears) ?? consumers.find(({ name }) => name === project);
  return found?.resource ?? `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}

it.each([
  ['metadata alone', '{ secrets-manager: {}, kms: {} }', VALUES],
  ['keys that are referenced', '{ secrets-manager: {}, kms: { discover: referenced } }', VALUES],
  ['projects', '{ secrets-manager: {}, kms: {}, codebuild: {} }', VALUES],
  ['projects and their builds', '{ secrets-manager: {}, kms: {}, codebuild: { builds: true } }', VALUES],
  ['flows of MediaConnect', '{ secrets-manager: {}, kms: {}, mediaconnect: {} }', VALUES],
  ['the roles of flows', '{ secrets-manager: {}, kms: {}, mediaconnect: {}, iam: {} }', VALUES],
  ['key providers of flows', '{ secrets-manager: {}, kms: {}, mediaconnect: {}, speke: {} }', VALUES],
  ['values read', '{ secrets-manager: { access: read }, kms: {} }', ['secretsmanager:BatchGetSecretValue']],
])('the policy for %s', async (_what, services, denied) => {
  const policy = policyFor(services);
  await using world = await startWorld(company, { services });
  world.region.secrets.putValue('prod/app', 'y');
  world.region.codeBuild.startBuild('web');
  await world.pass(HOUR);
  const calls = callsOf(world);
  expect(calls.size).toBeGreaterThan(4);
  for (const [action, resources] of calls) {
    for (const resource of resources)
      expect([action, await decision(policy, action, resource)]).toEqual([action, 'Allowed']);
  }
  const granted = policy.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
  // Secrets Manager decrypts in the caller's name: no request of ours says so.
  expect(granted.filter((action) => !calls.has(action) && action !== 'kms:Decrypt')).toEqual([]);
  for (const action of denied) {
    const service = action.split(':')[0];
    const resource =
      service === 'kms' ? `key/${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}` : 'secret:prod/app-AbCdEf';
    const arn = `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
    expect([action, await decision(policy, action, arn)]).toEqual([action, 'ExplicitlyDenied']);
  }
});

it('a key is decrypted with only through Secrets Manager', async () => {
  const policy = policyFor('{ secrets-manager: { access: read }, kms: {} }');
  const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/00000000-0000-0000-0000-000000000000`;
  const through = { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` };
  expect(await decision(policy, 'kms:Decrypt', arn, through)).toBe('Allowed');
  expect(await decision(policy, 'kms:Decrypt', arn)).toBe('ImplicitlyDenied');
});
