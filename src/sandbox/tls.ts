import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, der, integer, oid, sequence } from './der.ts';

/** A server's identity and the authority that vouches for it, all PEM. */
export type TlsIdentity = { readonly ca: string; readonly cert: string; readonly key: string };

const COMMON_NAME = '2.5.4.3';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALTERNATIVE_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

const TRUE = der(0x01, Buffer.from([0xff]));

/**
 * Makes a fresh certificate authority and a server certificate that it signed, for DNS `names` (with `*.` for one label) and
 * IPv4 `addresses`. Both are valid from 2000 to 2099, because the clients' clocks and the sandbox's need not agree. They
 * satisfy OpenSSL's strict checks (RFC 5280: key identifiers, key usage); the authority's key is thrown away.
 */
export function makeTlsIdentity(names: readonly string[], addresses: readonly string[]): TlsIdentity {
  const authority = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const server = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const issuer = name('Sandbox certificate authority');
  const ca = certificate(issuer, issuer, authority.publicKey, authority.privateKey, [
    extension(BASIC_CONSTRAINTS, true, sequence(TRUE)),
    // keyCertSign and cRLSign
    extension(KEY_USAGE, true, der(0x03, Buffer.from([1, 0b0000_0110]))),
    extension(SUBJECT_KEY_ID, false, der(0x04, keyId(authority.publicKey))),
  ]);
  const alternatives = [
    ...names.map((dns) => der(0x82, Buffer.from(dns, 'ascii'))),
    ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const cert = certificate(issuer, name('Sandbox'), server.publicKey, authority.privateKey, [
    extension(BASIC_CONSTRAINTS, true, sequence()),
    // digitalSignature
    extension(KEY_USAGE, true, der(0x03, Buffer.from([7, 0b1000_0000]))),
    extension(EXTENDED_KEY_USAGE, false, sequence(oid(SERVER_AUTH))),
    extension(SUBJECT_KEY_ID, false, der(0x04, keyId(server.publicKey))),
    extension(AUTHORITY_KEY_ID, false, sequence(der(0x80, keyId(authority.publicKey)))),
    extension(ALTERNATIVE_NAMES, false, sequence(...alternatives)),
  ]);
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function certificate(
  issuer: Buffer,
  subject: Buffer,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(oid(ECDSA_SHA256));
  const validity = sequence(
    der(0x17, Buffer.from('000101000000Z', 'ascii')),
    der(0x18, Buffer.from('20991231235959Z', 'ascii')),
  );
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    // A leading byte in 1..127 keeps the serial positive and without needless zeros.
    integer(Buffer.concat([Buffer.from([0x4b]), randomBytes(15)])),
    algorithm,
    issuer,
    validity,
    subject,
    spki(publicKey),
    der(0xa3, sequence(...extensions)),
  );
  const whole = sequence(body, algorithm, bitString(sign('sha256', body, signer)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), der(0x04, value));
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20);
}
