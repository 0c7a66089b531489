import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/core/model.ts';
import { classify } from '../../../src/providers/azure/classify.ts';
import { clientsOf, failureOf, freshClients } from '../../fixtures/azure-clients.ts';
import { type Answer, AUTHORITY, NOWHERE, VAULT, vaultError } from '../../fixtures/azure-wire.ts';
import { contextWith } from '../../fixtures/context.ts';

const at = freshClients();

const MISSING = vaultError(404, 'KeyNotFound', undefined, 'A key with (name/id) cmk was not found in this key vault.');
const getKey = (host = VAULT, by = at.clients) =>
  failureOf(by, 'GetKey', (options) => by.keys(host).getKey('cmk', options));

function vaultSays(...answers: Answer[]): void {
  at.wire.on('GET', VAULT, /^\/(deleted)?keys/, ...answers);
}

describe('the way there', () => {
  it.each(['ENOTFOUND', 'EAI_AGAIN'])('that fails at the lookup with %s is dns', async (code) => {
    at.wire.lookupCode = code;
    expect(await getKey(NOWHERE)).toMatchObject({ reason: 'dns', evidence: { code } });
  });

  it('that is cut before the answer is network, after one retry', async () => {
    vaultSays({ ending: 'drop' });
    expect(await getKey()).toMatchObject({ reason: 'network', evidence: { code: 'ECONNRESET', attempts: 3 } });
  });

  it('that is cut within the body is network', async () => {
    vaultSays({ ending: 'reset', body: '{"key":', headers: { 'content-length': '1000' } });
    expect((await getKey()).reason).toBe('network');
  });

  it('without a certificate that is trusted is network', async () => {
    const { trust: _, ...options } = at.wire.options;
    const failed = await clientsOf({ options }).catch((error: unknown) => error);
    expect(classify(failed, 'outer')).toMatchObject({
      reason: 'network',
      evidence: { operation: 'GetToken', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });

  it('through a proxy that refuses the tunnel, or is not there, is network', async () => {
    const env = { ...at.wire.env, HTTPS_PROXY: 'http://127.0.0.1:1' };
    const failed = await clientsOf({ options: { ...at.wire.options, env } }).catch((error: unknown) => error);
    expect(classify(failed, 'outer')).toMatchObject({ reason: 'network', evidence: { operation: 'GetToken' } });
  });

  it.each(['silence', 'stall'] as const)('that ends in %s is a timeout of two requests', async (ending) => {
    // Two requests must get to the wire within it, also on a machine that does other things.
    await using hasty = await clientsOf(at.wire, {}, { callTimeoutMs: 1_200 });
    vaultSays({ ending, body: '{"key":' });
    const seen = await getKey(VAULT, hasty);
    expect(seen).toMatchObject({ reason: 'timeout', evidence: { code: 'ETIMEDOUT', attempts: 3 } });
    expect(at.wire.requests).toHaveLength(2);
  });

  it('that stalls within a compressed body is a timeout too', async () => {
    await using hasty = await clientsOf(at.wire, {}, { callTimeoutMs: 300 });
    const body = gzipSync(JSON.stringify({ key: 'x'.repeat(1000) })).subarray(0, 20);
    vaultSays({ ending: 'stall', body, headers: { 'content-encoding': 'gzip' } });
    const seen = await getKey(VAULT, hasty);
    expect(seen.reason).toBe('timeout');
  });

  it('that was lost once is gone a second time', async () => {
    await using hasty = await clientsOf(at.wire, {}, { callTimeoutMs: 600 });
    vaultSays({ ending: 'silence' }, MISSING);
    const seen = await getKey(VAULT, hasty);
    expect(seen).toMatchObject({ reason: 'not_found', evidence: { attempts: 3 } });
  });

  it('is not waited for longer than the call has time', async () => {
    vaultSays({ ...vaultError(429, 'Throttled', undefined, 'Later.'), headers: { 'retry-after': '3600' } });
    expect(await getKey()).toMatchObject({ reason: 'throttled', evidence: { attempts: 2 } });
    vaultSays({ ...vaultError(429, 'Throttled', undefined, 'Later.'), headers: { 'retry-after-ms': '10' } }, MISSING);
    expect(await getKey()).toMatchObject({ reason: 'not_found' });
  });

  it('ends with a shutdown at once, which the engine tells from a timeout by its own signal', async () => {
    const control = new AbortController();
    vaultSays({ ending: 'silence' });
    const ended = failureOf(
      at.clients,
      'GetKey',
      (options) => at.clients.keys(VAULT).getKey('cmk', options),
      contextWith(control.signal),
    );
    await at.wire.stalled;
    control.abort();
    expect(await ended).toMatchObject({ reason: 'timeout', evidence: { code: 'AbortError' } });
    expect(at.wire.requests).toHaveLength(1);
  });
});

describe('a token that is not had', () => {
  const entra = (status: number, error: string, description: string): Answer => ({
    status,
    body: { error, error_description: description, error_codes: [7000215], trace_id: 't', correlation_id: 'c' },
  });
  const SECRET =
    'AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, ' +
    "not the client secret ID, for a secret added to app 'cccccccc-0000-0000-0000-000000000001'. Trace ID: 12345 " +
    'Correlation ID: 67890 Timestamp: 2026-11-22 03:00:00Z';

  async function identify(...answers: Answer[]): Promise<Failure> {
    at.wire.on('POST', AUTHORITY, /token$/, ...answers);
    const failed = await clientsOf(at.wire, {}, { callTimeoutMs: 1_000 }).catch((error: unknown) => error);
    return classify(failed, 'outer');
  }

  it.each([
    ['invalid_client', 401, SECRET, 'credentials'],
    ['unauthorized_client', 400, 'AADSTS700016: Application was not found in the directory.', 'credentials'],
    ['invalid_request', 400, "AADSTS90002: Tenant 'x' not found.", 'credentials'],
    [
      'temporarily_unavailable',
      503,
      'AADSTS90033: A transient error has occurred. Please try again.',
      'provider_error',
    ],
    ['too_many_requests', 429, 'AADSTS90055: Too many requests.', 'throttled'],
  ])('because of %s (%i) is named', async (error, status, text, reason) => {
    const seen = await identify(entra(status, error, text));
    expect(seen.reason).toBe(reason);
    expect(seen.evidence.operation).toBe('GetToken');
  });

  it('is told without the ids of one request', async () => {
    const { evidence } = await identify(entra(401, 'invalid_client', SECRET));
    expect(evidence.message).toContain('AADSTS7000215: Invalid client secret provided.');
    expect(evidence.message).not.toMatch(/Trace ID|Timestamp|12345|the-client-secret/);
  });

  it.each([
    [{ ending: 'silence' as const }, 'timeout'],
    [{ ending: 'reset' as const, body: '' }, 'network'],
    [{ ending: 'drop' as const }, 'network'],
    [{ status: 502, body: '<html>' }, 'provider_error'],
  ])('because the authority answers %j is %s', async (answer, reason) => {
    expect((await identify(answer)).reason).toBe(reason);
  });

  it('because the authority does not resolve is dns', async () => {
    const target = { endpoints: { authority: `https://${NOWHERE}` } };
    const failed = await clientsOf(at.wire, target, { callTimeoutMs: 1_000 }).catch((error: unknown) => error);
    expect(classify(failed, 'outer')).toMatchObject({ reason: 'dns', evidence: { code: 'ENOTFOUND' } });
  });

  it('is never told with the body that holds it', async () => {
    const seen = await identify({ body: '{"access_token":"hush-hush"' });
    expect(JSON.stringify(seen)).not.toContain('hush');
  });

  it('for a vault alone is no loss of its keys', async () => {
    at.wire.on('POST', AUTHORITY, /token$/, entra(401, 'invalid_client', SECRET));
    expect(await getKey()).toMatchObject({ reason: 'credentials' });
  });

  it('because the challenge names another domain is bad_response', async () => {
    at.wire.on('CHALLENGE', VAULT, /./, {
      ...vaultError(401, 'Unauthorized', undefined, 'AKV10000'),
      headers: {
        'www-authenticate': 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://evil.test"',
      },
    });
    expect(await getKey()).toMatchObject({
      reason: 'bad_response',
      evidence: { message: expect.stringContaining('does not match the requested domain') },
    });
    expect(at.wire.tokens.every(({ body }) => !body.includes('evil'))).toBe(true);
  });
});
