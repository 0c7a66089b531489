import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  sign as signMessage,
  verify as verifyMessage,
} from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { codes, DAY, START, testVault } from './vault.ts';

const ENVELOPE = Buffer.from('a data encryption key, wrapped').toString('base64url');
const MESSAGE = Buffer.from('what is signed');

function digestOf(hash: string, message = MESSAGE): string {
  return createHash(hash).update(message).digest('base64url');
}

describe('wrapping and encrypting', () => {
  test.each([
    [2048, 'RSA-OAEP'],
    [2048, 'RSA-OAEP-256'],
    [2048, 'RSA1_5'],
    [3072, 'RSA-OAEP-256'],
    [4096, 'RSA-OAEP-256'],
  ])('what an RSA key of %i bits wraps with %s, only its own version unwraps', (size, alg) => {
    const { keys, ask } = testVault();
    const old = keys.create('k', { size });
    for (const [seal, open] of [
      ['wrapkey', 'unwrapkey'],
      ['encrypt', 'decrypt'],
    ]) {
      const sealed = ask('POST', `/keys/k/${old.id}/${seal}`, { alg, value: ENVELOPE });
      expect(sealed).toMatchObject({ status: 200, body: { kid: expect.stringContaining(old.id) } });
      keys.rotate('k');
      const { value } = sealed.body;
      expect(ask('POST', `/keys/k/${old.id}/${open}`, { alg, value }).body).toEqual({
        kid: sealed.body.kid,
        value: ENVELOPE,
      });
      expect(ask('POST', `/keys/k/${open}`, { alg, value }).body.value).not.toBe(ENVELOPE);
    }
  });

  test('what somebody else encrypted with the public half can be unwrapped', () => {
    const { keys, ask } = testVault();
    keys.create('k');
    const publicKey = createPublicKey({ key: ask('GET', '/keys/k').body.key, format: 'jwk' });
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const value = publicEncrypt({ key: publicKey, padding, oaepHash: 'sha256' }, MESSAGE).toString('base64url');
    const { body } = ask('POST', '/keys/k/unwrapkey', { alg: 'RSA-OAEP-256', value });
    expect(body.value).toBe(MESSAGE.toString('base64url'));
  });

  test('a damaged ciphertext is a bad parameter, with the words of a real vault', () => {
    const { keys, ask } = testVault();
    keys.create('k');
    const { value } = ask('POST', '/keys/k/wrapkey', { alg: 'RSA-OAEP', value: ENVELOPE }).body;
    for (const damaged of [`A${value.slice(1, -3)}AAA`, value.slice(4), 'AAAA']) {
      expect(ask('POST', '/keys/k/unwrapkey', { alg: 'RSA-OAEP', value: damaged })).toEqual({
        status: 400,
        body: { error: { code: 'BadParameter', message: 'The parameter is incorrect.\r\n' } },
      });
    }
    const long = Buffer.alloc(400).toString('base64url');
    expect(codes(ask('POST', '/keys/k/wrapkey', { alg: 'RSA-OAEP', value: long }))).toEqual([
      400,
      'BadParameter',
      undefined,
    ]);
  });

  test('an EC key wraps nothing, a symmetric key of a managed HSM wraps with AES', () => {
    const { keys, ask } = testVault();
    keys.create('ec', { kty: 'EC' });
    expect(codes(ask('POST', '/keys/ec/wrapkey', { alg: 'RSA-OAEP', value: ENVELOPE }))).toEqual([
      403,
      'Forbidden',
      'KeyOperationForbidden',
    ]);
    const hsm = testVault({ hsm: true });
    hsm.keys.create('aes', { kty: 'oct-HSM' });
    const value = Buffer.alloc(32, 7).toString('base64url');
    const wrapped = hsm.ask('POST', '/keys/aes/wrapkey', { alg: 'A256KW', value }).body.value;
    expect(hsm.ask('POST', '/keys/aes/unwrapkey', { alg: 'A256KW', value: wrapped }).body.value).toBe(value);
    expect(hsm.ask('GET', '/keys/aes').body.key).not.toHaveProperty('k');
    for (const body of [
      { alg: 'A128KW', value },
      { alg: 'RSA-OAEP', value },
    ]) {
      expect(codes(hsm.ask('POST', '/keys/aes/wrapkey', body))).toEqual([400, 'BadParameter', undefined]);
    }
  });
});

describe('what a version refuses', () => {
  const VALUES = { value: digestOf('sha256'), digest: digestOf('sha256') };
  const FIRST = ['encrypt', 'wrapkey'] as const;

  function refused(change: object): Record<string, readonly unknown[]> {
    const { keys, ask } = testVault();
    keys.create('k');
    const sealed = ask('POST', '/keys/k/wrapkey', { alg: 'RSA-OAEP', value: ENVELOPE }).body.value;
    const signed = ask('POST', '/keys/k/sign', { alg: 'RS256', ...VALUES }).body.value;
    keys.update('k', undefined, change);
    const all = [
      ...FIRST.map((use) => [use, { alg: 'RSA-OAEP', value: ENVELOPE }] as const),
      ['decrypt', { alg: 'RSA-OAEP', value: sealed }] as const,
      ['unwrapkey', { alg: 'RSA-OAEP', value: sealed }] as const,
      ['sign', { alg: 'RS256', ...VALUES }] as const,
      ['verify', { alg: 'RS256', digest: VALUES.digest, value: signed }] as const,
    ];
    const answers = all.map(([use, body]) => [use, codes(ask('POST', `/keys/k/${use}`, body))] as const);
    return Object.fromEntries(answers.filter(([, [status]]) => status !== 200));
  }

  test('a disabled one refuses what needs its private half', () => {
    const disabled = [403, 'Forbidden', 'KeyDisabled'];
    expect(refused({ enabled: false })).toEqual({ decrypt: disabled, unwrapkey: disabled, sign: disabled });
  });

  test('one outside its dates refuses what makes new envelopes and signatures, and opens the old ones', () => {
    const [early, late] = [
      [403, 'Forbidden', 'KeyNotYetValid'],
      [403, 'Forbidden', 'KeyExpired'],
    ];
    expect(refused({ notBefore: START + DAY })).toEqual({ encrypt: early, wrapkey: early, sign: early });
    expect(refused({ expires: START })).toEqual({ encrypt: late, wrapkey: late, sign: late });
  });

  test('an operation that is not among its own is forbidden', () => {
    expect(refused({ operations: ['wrapKey', 'verify', 'sign', 'encrypt', 'decrypt'] })).toEqual({
      unwrapkey: [403, 'Forbidden', 'KeyOperationForbidden'],
    });
  });

  test('a deleted key is not found, by name and by version', () => {
    const { keys, ask } = testVault();
    const { id } = keys.create('k');
    keys.delete('k');
    for (const path of ['/keys/k/unwrapkey', `/keys/k/${id}/unwrapkey`]) {
      expect(codes(ask('POST', path, { alg: 'RSA-OAEP', value: ENVELOPE }))).toEqual([404, 'KeyNotFound', undefined]);
    }
  });
});

describe('signatures', () => {
  const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, undefined] as const);
  const EC = [
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
    ['ES256K', 'P-256K'],
  ] as const;

  /** How node:crypto makes and checks the same signature over the whole message. */
  function options(alg: string) {
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    if (alg.startsWith('PS')) return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
    return alg.startsWith('ES') ? ({ dsaEncoding: 'ieee-p1363' } as const) : {};
  }

  test.each([...RSA, ...EC])('%s is what everybody else understands', (alg, curve) => {
    const { keys, ask } = testVault();
    const { material } = keys.create('k', curve === undefined ? {} : { kty: 'EC', curve });
    const hash = `sha${/\d+/.exec(alg)?.[0]}`;
    const digest = digestOf(hash);
    const publicKey = material.publicKey();
    const signed = ask('POST', '/keys/k/sign', { alg, value: digest });
    const signature = Buffer.from(signed.body.value, 'base64url');
    expect(verifyMessage(hash, MESSAGE, { key: publicKey, ...options(alg) }, signature)).toBe(true);
    const verified = (value: string, of = digest) =>
      ask('POST', '/keys/k/verify', { alg, digest: of, value }).body.value;
    expect(verified(signed.body.value)).toBe(true);
    const theirs = signMessage(hash, MESSAGE, { key: material.privateKey()!, ...options(alg) });
    expect(verified(theirs.toString('base64url'))).toBe(true);
    expect(verified(signed.body.value, digestOf(hash, Buffer.from('something else')))).toBe(false);
    expect(verified(signed.body.value.slice(4))).toBe(false);
  });

  test('an algorithm of another type of key and a digest of another length are refused', () => {
    const { keys, ask } = testVault();
    keys.create('k');
    keys.create('ec', { kty: 'EC' });
    const bad = [400, 'BadParameter', undefined];
    expect(codes(ask('POST', '/keys/k/sign', { alg: 'ES256', value: digestOf('sha256') }))).toEqual(bad);
    expect(codes(ask('POST', '/keys/ec/sign', { alg: 'RS256', value: digestOf('sha256') }))).toEqual(bad);
    expect(codes(ask('POST', '/keys/ec/sign', { alg: 'ES384', value: digestOf('sha384') }))).toEqual(bad);
    expect(codes(ask('POST', '/keys/k/sign', { alg: 'RS256', value: digestOf('sha512') }))).toEqual(bad);
  });
});

describe('import, backup and restore', () => {
  test('an imported key unwraps, an imported public half only wraps', () => {
    const { ask } = testVault();
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const imported = ask('PUT', '/keys/own', {
      key: { ...privateKey.export({ format: 'jwk' }), key_ops: ['unwrapKey'] },
    });
    expect(imported.body.key).toMatchObject({ ...publicKey.export({ format: 'jwk' }), key_ops: ['unwrapKey'] });
    expect(imported.body.key).not.toHaveProperty('d');
    ask('PUT', '/keys/half', { key: publicKey.export({ format: 'jwk' }), Hsm: true, attributes: { enabled: true } });
    expect(ask('GET', '/keys/half').body.key.kty).toBe('RSA-HSM');
    const { value } = ask('POST', '/keys/half/wrapkey', { alg: 'RSA-OAEP', value: ENVELOPE }).body;
    expect(ask('POST', '/keys/own/unwrapkey', { alg: 'RSA-OAEP', value }).body.value).toBe(ENVELOPE);
    const refused = ask('POST', '/keys/half/unwrapkey', { alg: 'RSA-OAEP', value });
    expect(codes(refused)).toEqual([400, 'BadParameter', undefined]);
  });

  test('a backup brings every version of a key into another vault, once', () => {
    const [from, to] = [testVault(), testVault()];
    const old = from.keys.create('k', { tags: { a: '1' }, enabled: false });
    from.keys.create('k', { kty: 'EC', curve: 'P-256K', expires: START + DAY });
    const { value } = from.ask('POST', '/keys/k/backup').body;
    expect(to.ask('POST', '/keys/restore', { value }).body).toEqual(from.ask('GET', '/keys/k').body);
    expect(to.ask('GET', `/keys/k/${old.id}`)).toEqual(from.ask('GET', `/keys/k/${old.id}`));
    expect(to.ask('GET', '/keys/k/versions')).toEqual(from.ask('GET', '/keys/k/versions'));
    expect(codes(to.ask('POST', '/keys/restore', { value }))).toEqual([409, 'Conflict', undefined]);
  });
});
