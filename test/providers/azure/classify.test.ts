import { describe, expect, it } from 'vitest';
import { BadAnswer } from '../../../src/providers/azure/ask.ts';
import { classify } from '../../../src/providers/azure/classify.ts';
import { CallFailed } from '../../../src/providers/provider.ts';
import { failureOf, freshClients } from '../../fixtures/azure-clients.ts';
import { type Answer, ARM, armError, VAULT, vaultError } from '../../fixtures/azure-wire.ts';

const at = freshClients();

const getKey = (host = VAULT) =>
  failureOf(at.clients, 'GetKey', (options) => at.clients.keys(host).getKey('cmk', options));
const listKeys = () =>
  failureOf(at.clients, 'ListKeys', (options) => at.clients.keys(VAULT).listPropertiesOfKeys(options).byPage().next());
const getVault = () =>
  failureOf(at.clients, 'Vaults.Get', (options) => at.clients.arm.vaults.get('group', 'contoso', options));
const getAccount = () =>
  failureOf(at.clients, 'mediaservices.get', (options) => at.clients.media.mediaservices.get('group', 'tv', options));

function vaultSays(...answers: Answer[]): void {
  at.wire.on('GET', VAULT, /^\/(deleted)?keys/, ...answers);
}
function armSays(...answers: Answer[]): void {
  at.wire.on('GET', ARM, /./, ...answers);
}

const RBAC =
  'Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions ' +
  'were changed recently, please observe propagation time.\r\nCaller: appid=11111111-2222-3333-4444-555555555555;' +
  'oid=66666666-7777-8888-9999-000000000000;iss=https://sts.windows.net/99999999-8888-7777-6666-555555555555/\r\n' +
  "Action: 'Microsoft.KeyVault/vaults/keys/read'\r\nResource: '/subscriptions/s/resourcegroups/g/providers/" +
  "microsoft.keyvault/vaults/contoso/keys/cmk'\r\nAssignment: (not found)\r\nDecisionReason: 'DeniedWithNoValidRBAC' " +
  '\r\nVault: contoso;location=westeurope\r\n';
const POLICY =
  "The user, group or application 'appid=11111111-2222-3333-4444-555555555555;oid=66666666-7777-8888-9999-000000000000;" +
  "numgroups=1;iss=https://sts.windows.net/99999999-8888-7777-6666-555555555555/' does not have keys get permission on " +
  "key vault 'contoso;location=westeurope'.";
const FIREWALL =
  'Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\nCaller: ' +
  'appid=11111111-2222-3333-4444-555555555555;oid=66666666;iss=x\r\nVault: contoso;location=westeurope';
const PRIVATE =
  'Public network access is disabled and request is not from a trusted service nor via an approved private link.';
const MISSING =
  'A key with (name/id) cmk was not found in this key vault. If you recently deleted this key you may be able to recover it.';

describe('what Key Vault says', () => {
  it.each([
    ['Unauthorized', undefined, 401, 'AKV10022: Invalid audience.', 'credentials'],
    ['Forbidden', 'AccessDenied', 403, POLICY, 'denied'],
    ['Forbidden', 'ForbiddenByPolicy', 403, POLICY, 'denied'],
    ['Forbidden', 'ForbiddenByRbac', 403, RBAC, 'denied'],
    ['Forbidden', 'ForbiddenByFirewall', 403, FIREWALL, 'network'],
    ['Forbidden', 'ForbiddenByConnection', 403, PRIVATE, 'network'],
    ['Forbidden', 'KeyDisabled', 403, 'Operation get is not allowed on a disabled key.', 'disabled'],
    ['Forbidden', undefined, 403, 'Operation unwrapKey is not allowed on a disabled key.', 'disabled'],
    ['KeyDisabled', undefined, 403, 'The external key is disabled.', 'disabled'],
    ['Forbidden', 'KeyExpired', 403, 'The key is expired.', 'bad_response'],
    ['Forbidden', 'KeyNotYetValid', 403, 'The key is not yet valid.', 'bad_response'],
    ['Forbidden', undefined, 403, 'The key has expired.', 'bad_response'],
    ['Forbidden', undefined, 403, 'Operation wrapKey is not permitted on this key.', 'bad_response'],
    ['Forbidden', 'SomethingNew', 403, 'Nobody knows this yet.', 'denied'],
    ['KeyNotFound', undefined, 404, MISSING, 'not_found'],
    ['VaultNotFound', undefined, 404, 'The vault was not found.', 'not_found'],
    ['Conflict', 'ObjectIsBeingDeleted', 409, 'Key is currently being deleted.', 'transitional'],
    ['Conflict', 'ObjectIsBeingRecovered', 409, 'Key is currently being recovered.', 'transitional'],
    ['Conflict', 'ObjectIsDeletedButRecoverable', 409, 'Key is deleted but recoverable.', 'soft_deleted'],
    ['Conflict', undefined, 409, 'Something else is going on.', 'provider_error'],
    ['Throttled', undefined, 429, 'Request was not processed because too many requests were received.', 'throttled'],
    ['BadParameter', undefined, 400, 'The parameter is incorrect: the ciphertext is damaged.', 'bad_response'],
    ['InternalServerError', undefined, 500, 'Oops.', 'provider_error'],
    ['ServiceUnavailable', undefined, 503, 'Not now.', 'provider_error'],
    ['RequestTimeout', undefined, 408, 'Too slow.', 'timeout'],
  ] as const)('%s/%s (%i) is named', async (code, inner, status, text, reason) => {
    vaultSays(vaultError(status, code, inner, text));
    const seen = await getKey();
    expect(seen.reason).toBe(reason);
    expect(seen.evidence).toMatchObject({ operation: 'GetKey', status, code: inner ?? code, requestId: 'request-1' });
  });

  it('on a listing keeps its codes and words, which the SDK loses, and shows no key lost', async () => {
    vaultSays(
      vaultError(403, 'Forbidden', 'ForbiddenByRbac', RBAC),
      vaultError(404, 'KeyNotFound', undefined, MISSING),
    );
    expect(await listKeys()).toMatchObject({
      reason: 'denied',
      evidence: { code: 'ForbiddenByRbac', message: expect.stringMatching(/^Caller is not authorized/) },
    });
    expect(await listKeys()).toMatchObject({ reason: 'bad_response', evidence: { code: 'KeyNotFound', status: 404 } });
  });

  it('to a caller that it let in is about the object, whatever its code', async () => {
    const headers = { 'x-ms-keyvault-rbac-assignment-id': '12345' };
    vaultSays({ ...vaultError(403, 'Forbidden', 'SomethingNew', 'Nobody knows this yet.'), headers });
    expect((await getKey()).reason).toBe('bad_response');
  });

  it('is kept without the ids and the address of who asked', async () => {
    for (const [inner, text] of [
      ['ForbiddenByRbac', RBAC],
      ['AccessDenied', POLICY],
      ['ForbiddenByFirewall', FIREWALL],
    ] as const) {
      vaultSays(vaultError(403, 'Forbidden', inner, text));
      const { evidence } = await getKey();
      expect(evidence.message).not.toMatch(/appid|oid|iss=|11111111|66666666|99999999|203\.0\.113|Caller:|[\r\n]/);
      expect(evidence.message).toMatch(/contoso;location=westeurope/);
    }
  });

  it('is one line of at most 500 characters however long and hostile it is', async () => {
    vaultSays(vaultError(403, 'Forbidden\u0000<b>', undefined, `a\u001b[31m\n${'x'.repeat(100_000)}`));
    const { evidence } = await getKey();
    expect(evidence.message).toMatch(/^a \[31m x{1,500}$/);
    expect(evidence.message?.length).toBeLessThanOrEqual(500);
    expect(evidence.code).toMatch(/^[\w .-]*$/);
  });
});

describe('what Resource Manager says', () => {
  it.each([
    ['ResourceNotFound', 404, 'not_found'],
    ['ResourceGroupNotFound', 404, 'not_found'],
    ['VaultNotFound', 404, 'not_found'],
    ['DeletedVaultNotFound', 404, 'not_found'],
    ['SubscriptionNotFound', 404, 'denied'],
    ['AuthorizationFailed', 403, 'denied'],
    ['LinkedAuthorizationFailed', 403, 'denied'],
    ['InvalidAuthenticationToken', 401, 'credentials'],
    ['InvalidAuthenticationTokenTenant', 401, 'credentials'],
    ['ExpiredAuthenticationToken', 401, 'credentials'],
    ['SubscriptionRequestsThrottled', 429, 'throttled'],
    ['TooManyRequests', 429, 'throttled'],
    ['OperationsQuotaExceeded', 409, 'throttled'],
    ['InvalidResourceNamespace', 404, 'provider_retired'],
    ['DisallowedProvider', 409, 'provider_retired'],
    ['NoRegisteredProviderFound', 400, 'provider_retired'],
    ['MissingSubscriptionRegistration', 409, 'provider_retired'],
    ['InvalidResourceType', 400, 'provider_retired'],
    ['GatewayTimeout', 504, 'provider_error'],
    ['SomethingNew', 400, 'bad_response'],
    ['SomethingNew', 404, 'bad_response'],
  ])('%s (%i) is %s', async (code, status, reason) => {
    armSays(armError(status, code, 'Words.'));
    for (const seen of [await getVault(), await getAccount()]) {
      expect(seen).toMatchObject({ reason, evidence: { status, code, message: 'Words.' } });
    }
  });

  it('is kept without the name of the client', async () => {
    const text =
      "The client 'monitor@contoso.com' with object id '66666666-7777-8888-9999-000000000000' does not have authorization to " +
      "perform action 'Microsoft.KeyVault/vaults/read' over scope '/subscriptions/s'.";
    armSays(armError(403, 'AuthorizationFailed', text));
    const { evidence } = await getVault();
    expect(evidence.message).not.toMatch(/monitor@|66666666/);
    expect(evidence.message).toContain("perform action 'Microsoft.KeyVault/vaults/read'");
  });
});

describe('an answer that is none of the API', () => {
  it.each([
    [503, '', 'application/json', 'provider_error'],
    [503, '<html>Service Unavailable</html>', 'text/html', 'provider_error'],
    [502, '<?xml version="1.0"?><Error/>', 'application/xml', 'provider_error'],
    [500, '{"error":', 'application/json', 'provider_error'],
    [403, '', 'text/html', 'denied'],
    [404, '<html>no such page</html>', 'text/html', 'bad_response'],
    [404, '', 'application/json', 'bad_response'],
    [429, '', 'text/plain', 'throttled'],
    [407, '<html>log in</html>', 'text/html', 'bad_response'],
    [200, '<html>log in</html>', 'text/html', 'bad_response'],
    [200, '', 'application/json', 'bad_response'],
    [200, '[]', 'application/json', 'bad_response'],
    [200, '{"value":[', 'application/json', 'bad_response'],
    [200, '{"unexpected":true}', 'application/json', 'bad_response'],
  ])('%i %j (%s) is %s and keeps its status', async (status, body, type, reason) => {
    vaultSays({ status, body, headers: { 'content-type': type } });
    armSays({ status, body, headers: { 'content-type': type } });
    for (const seen of [await getKey(), await listKeys()]) {
      expect(seen).toMatchObject({ reason });
      if (status !== 200 || !body.startsWith('{"u')) expect(seen.evidence.status).toBe(status);
      expect(JSON.stringify(seen)).not.toMatch(/html|xml|unexpected/);
    }
    if (status !== 200) expect(await getVault()).toMatchObject({ reason, evidence: { status } });
    if (!body.startsWith('{"u')) expect(await getAccount()).toMatchObject({ reason, evidence: { status } });
  });
});

describe('anything else that is thrown', () => {
  const named = (name: string, fields: object = {}) => Object.assign(new Error('words'), { name, ...fields });

  it.each([
    [new TypeError("Cannot read properties of undefined (reading 'error')"), 'bad_response'],
    [new BadAnswer('no list'), 'bad_response'],
    [named('DeadlineExceeded'), 'timeout'],
    [named('AggregateAuthenticationError', { errors: [named('CredentialUnavailableError')] }), 'credentials'],
    [named('AuthenticationError', { statusCode: 400 }), 'credentials'],
    [named('AuthenticationError', { statusCode: 500 }), 'provider_error'],
    [named('AuthenticationRequiredError'), 'credentials'],
    [named('CredentialUnavailableError', { cause: named('RestError', { code: 'ECONNREFUSED' }) }), 'network'],
    [named('RestError', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'network'],
    [named('RestError', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), 'network'],
    [named('RestError', { code: 'ERR_PROXY_TUNNEL' }), 'network'],
    [named('RestError', { code: 'HPE_INVALID_CONSTANT' }), 'bad_response'],
    ['a string', 'provider_error'],
    [undefined, 'provider_error'],
    [null, 'provider_error'],
    [{}, 'provider_error'],
    [{ name: 1, code: {}, details: null, response: { status: 'x', headers: 7 } }, 'provider_error'],
  ])('%j is %#', (error, reason) => {
    expect(classify(error, 'GetKey').reason).toBe(reason);
  });

  it('never ends in a loop', () => {
    const round = named('CredentialUnavailableError');
    round.cause = round;
    expect(classify(round, 'GetKey').reason).toBe('credentials');
    expect(classify(new CallFailed('GetKey', new CallFailed('Inner', round)), 'x').evidence.operation).toBe('Inner');
  });
});
