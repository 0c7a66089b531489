import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, der, integer, oid, sequence } from './der.ts';

/** A server's certificate and its key, PEM. */
export type Certificate = { readonly cert: string; readonly key: string };

/** A server's identity and the authority that vouches for it, all PEM. */
export type TlsIdentity = Certificate & { readonly ca: string };

/** From when until when a certificate is valid, ms; whole seconds count. */
export type Validity = { readonly from: number; readonly until: number };

/** A certificate authority. */
export type Authority = {
  /** PEM. */
  readonly ca: string;
  /**
   * Makes a server certificate for DNS `names` (with `*.` for one label) and IPv4 `addresses`; valid from 2000 to 2099 unless
   * given, because the clients' clocks and the sandbox's need not agree.
   */
  readonly issue: (names: readonly string[], addresses?: readonly string[], validity?: Validity) => Certificate;
};

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

const EVER: Validity = { from: Date.UTC(2000, 0), until: Date.UTC(2099, 11, 31, 23, 59, 59) };

/** A fresh authority and one server certificate of it, made as `Authority.issue` does; the authority's key is thrown away. */
export function makeTlsIdentity(names: readonly string[], addresses: readonly string[]): TlsIdentity {
  const { ca, issue } = makeAuthority();
  return { ca, ...issue(names, addresses) };
}

/**
 * Makes a fresh certificate authority. What it issues satisfies OpenSSL's strict checks (RFC 5280: key identifiers, key usage);
 * its key never leaves it.
 */
export function makeAuthority(): Authority {
  const authority = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const issuer = name('Sandbox certificate authority');
  const signer = { issuer, key: authority.privateKey };
  const ca = certificate(signer, issuer, authority.publicKey, EVER, [
    extension(BASIC_CONSTRAINTS, true, sequence(TRUE)),
    // keyCertSign and cRLSign
    extension(KEY_USAGE, true, der(0x03, Buffer.from([1, 0b0000_0110]))),
    extension(SUBJECT_KEY_ID, false, der(0x04, keyId(authority.publicKey))),
  ]);
  return {
    ca,
    issue: (names, addresses = [], validity = EVER) => {
      const server = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const alternatives = [
        ...names.map((dns) => der(0x82, Buffer.from(dns, 'ascii'))),
        ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
      ];
      const cert = certificate(signer, name('Sandbox'), server.publicKey, validity, [
        extension(BASIC_CONSTRAINTS, true, sequence()),
        // digitalSignature
        extension(KEY_USAGE, true, der(0x03, Buffer.from([7, 0b1000_0000]))),
        extension(EXTENDED_KEY_USAGE, false, sequence(oid(SERVER_AUTH))),
        extension(SUBJECT_KEY_ID, false, der(0x04, keyId(server.publicKey))),
        extension(AUTHORITY_KEY_ID, false, sequence(der(0x80, keyId(authority.publicKey)))),
        extension(ALTERNATIVE_NAMES, false, sequence(...alternatives)),
      ]);
      return { cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

function certificate(
  signer: { readonly issuer: Buffer; readonly key: KeyObject },
  subject: Buffer,
  publicKey: KeyObject,
  validity: Validity,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(oid(ECDSA_SHA256));
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    // A leading byte in 1..127 keeps the serial positive and without needless zeros.
    integer(Buffer.concat([Buffer.from([0x4b]), randomBytes(15)])),
    algorithm,
    signer.issuer,
    sequence(time(validity.from), time(validity.until)),
    subject,
    spki(publicKey),
    der(0xa3, sequence(...extensions)),
  );
  const whole = sequence(body, algorithm, bitString(sign('sha256', body, signer.key)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** RFC 5280, 4.1.2.5: two digits of the year until 2049, four from then on. */
function time(at: number): Buffer {
  const digits = `${new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/\D/g, '')}Z`;
  const isShort = new Date(at).getUTCFullYear() < 2050;
  return isShort ? der(0x17, Buffer.from(digits.slice(2), 'ascii')) : der(0x18, Buffer.from(digits, 'ascii'));
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
