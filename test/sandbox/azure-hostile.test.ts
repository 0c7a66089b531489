import { Agent, request } from 'node:https';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { tokenOf } from './azure-clients.ts';

const PROVIDERS = ['KeyVault/vaults', 'KeyVault/managedHSMs', 'Media/mediaservices', 'Storage/storageAccounts'];
const FIELDS = [
  ...['location', 'properties', 'identity', 'tags', 'sku', 'name', 'accessPolicies', 'tenantId', 'objectId', 'keys'],
  ...['networkAcls', 'ipRules', 'value', 'enableRbacAuthorization', 'softDeleteRetentionInDays', 'createMode'],
  ...['encryption', 'type', 'keyVaultProperties', 'keyIdentifier', 'userAssignedIdentities', 'permissions'],
  ...[
    'storageAccounts',
    'keySource',
    'keyvaultproperties',
    'keyvaulturi',
    'keyname',
    'principalId',
    'roleDefinitionId',
  ],
];

function send(sandbox: Sandbox, agent: Agent, method: string, path: string, token: string, body: string) {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${token}` };
  const outgoing = request(`${sandbox.azure.url}${path}`, { method, agent, headers }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve(answer.statusCode ?? 0));
  });
  outgoing.on('error', reject);
  outgoing.end(method === 'GET' ? undefined : body);
  return promise;
}

test('no input makes Resource Manager or the authority fail in any other way than Azure fails', async () => {
  await using sandbox = await startSandbox({ seed: 9 });
  const subscription = sandbox.azure.subscription();
  const vault = subscription.vault('contoso', { purgeProtection: false });
  const key = `${vault.url}/keys/cmk`;
  vault.keys.create('cmk');
  subscription.mediaAccount('channel', { key });
  const token = await tokenOf(sandbox, subscription, subscription.owner);
  const agent = new Agent({ keepAlive: true, ca: sandbox.azure.ca });

  const leaf = fc.oneof(
    fc.constantFrom<unknown>('westeurope', 'CustomerKey', 'SystemAssigned', 'recover', 'Microsoft.Keyvault', key, ''),
    fc.constantFrom<unknown>(0, -1, true, null, { toString: 1 }, [null], '__proto__', 'constructor'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('tree'), { maxLength: 2 }),
      tie('node'),
    ),
    node: fc.dictionary(fc.constantFrom(...FIELDS), tie('tree'), { maxKeys: 5 }),
  }));
  const segment = fc.constantFrom('contoso', 'channel', 'new-one', 'newone', '__proto__', '%zz', '%2F', 'é', "a'b");
  const path = fc
    .tuple(
      fc.constantFrom(`/subscriptions/${subscription.id}`, '/subscriptions/x', '', '//'),
      fc.constantFrom('/resourceGroups/media', '/resourceGroups/none', ''),
      fc.constantFrom(...PROVIDERS),
      fc.array(fc.oneof(segment, fc.constantFrom('keys', 'versions', 'assets', 'accessPolicies', 'add')), {
        maxLength: 4,
      }),
      fc.constantFrom('?api-version=2023-07-01', '?api-version=2023-07-01&$top=x&$skiptoken=%00', '', '?%'),
    )
    .map(([at, group, provider, rest, query]) => {
      const end = rest.length > 0 ? `/${rest.map((part) => encodeURI(part)).join('/')}` : '';
      return `${at}${group}/providers/Microsoft.${provider}${end}${query}`;
    });
  const method = fc.constantFrom('GET', 'PUT', 'PATCH', 'POST', 'DELETE');

  await fc.assert(
    fc.asyncProperty(method, path, tree, async (verb, where, body) => {
      const status = await send(sandbox, agent, verb, where, token, JSON.stringify(body) ?? '');
      expect(status).toBeGreaterThanOrEqual(200);
      expect(status).toBeLessThan(500);
    }),
    { numRuns: 600, seed: 11 },
  );

  const assertion = fc
    .tuple(tree, tree)
    .map(([header, claims]) =>
      [header, { iss: subscription.monitor.clientId, ...(claims as object) }, 'x']
        .map((part) => Buffer.from(JSON.stringify(part) ?? '').toString('base64url'))
        .join('.'),
    );
  await fc.assert(
    fc.asyncProperty(fc.oneof(assertion, fc.string()), fc.string(), async (jwt, scope) => {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: subscription.monitor.clientId,
        client_assertion: jwt,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        scope,
      });
      const where = `/${subscription.tenant}/oauth2/v2.0/token`;
      expect(await send(sandbox, agent, 'POST', where, '', form.toString())).toBe(401);
    }),
    { numRuns: 200, seed: 12 },
  );
  agent.destroy();
});
