import {
  constants,
  createECDH,
  createHash,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { badParameter } from './errors.ts';
import { CURVES, inverse } from './material.ts';
import { familyOf, type KeyVersion } from './versions.ts';

/**
 * Signatures of digests. Key Vault gets the digest, not the message, and node:crypto cannot sign a finished digest with PSS
 * or ECDSA: the encodings are made here, the arithmetic with the key stays node:crypto's where there is one.
 */
type Hash = { readonly name: 'sha256' | 'sha384' | 'sha512'; readonly bytes: number; readonly der: string };

const HASHES: Readonly<Record<string, Hash>> = {
  '256': { name: 'sha256', bytes: 32, der: '3031300d060960864801650304020105000420' },
  '384': { name: 'sha384', bytes: 48, der: '3041300d060960864801650304020205000430' },
  '512': { name: 'sha512', bytes: 64, der: '3051300d060960864801650304020305000440' },
};

/** Orders of the curves' groups (SEC 2), and the algorithm that goes with each. */
const EC: Readonly<Record<string, { readonly alg: string; readonly order: bigint; readonly bytes: number }>> = {
  'P-256': {
    alg: 'ES256',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    bytes: 32,
  },
  'P-384': {
    alg: 'ES384',
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    bytes: 48,
  },
  'P-521': {
    alg: 'ES512',
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    bytes: 66,
  },
  'P-256K': {
    alg: 'ES256K',
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    bytes: 32,
  },
};

/** Signs a digest. Throws BadParameter when the algorithm, the digest and the key do not fit. */
export function signDigest(version: KeyVersion, alg: string, digest: Buffer): Buffer {
  const hash = hashOf(version, alg, digest);
  if (familyOf(version.kty) === 'EC') return ecdsaSign(version, digest);
  const key = privateKey(version);
  if (alg.startsWith('RS'))
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(hash, digest));
  const encoded = pssEncode(hash, digest, version.size ?? 0);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

/** Whether `signature` is one of this digest. Throws BadParameter like `signDigest`. */
export function verifyDigest(version: KeyVersion, alg: string, digest: Buffer, signature: Buffer): boolean {
  const hash = hashOf(version, alg, digest);
  if (familyOf(version.kty) === 'EC') return ecdsaVerify(version, digest, signature);
  const key = version.material.publicKey();
  try {
    if (!alg.startsWith('RS')) {
      return pssFits(hash, digest, publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature));
    }
    const content = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return content.equals(digestInfo(hash, digest));
  } catch {
    // What does not decode is no signature of this key.
    return false;
  }
}

function hashOf(version: KeyVersion, alg: string, digest: Buffer): Hash {
  const match = /^(?:RS|PS|ES)(256|384|512)K?$/.exec(alg);
  const hash = match?.[1] === undefined ? undefined : HASHES[match[1]];
  const fits = familyOf(version.kty) === 'RSA' ? /^[RP]S\d+$/.test(alg) : EC[version.curve ?? '']?.alg === alg;
  if (!hash || !fits) {
    throw badParameter(`Key and signing algorithm are incompatible: '${version.kty}' and '${alg}'.`);
  }
  if (digest.length !== hash.bytes) throw badParameter(`Invalid length of digest: ${digest.length}.`);
  return hash;
}

function privateKey(version: KeyVersion) {
  const key = version.material.privateKey();
  if (!key) throw badParameter('Only the public half of this key was imported.');
  return key;
}

function digestInfo(hash: Hash, digest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(hash.der, 'hex'), digest]);
}

/** EMSA-PSS (RFC 8017, 9.1) for moduli of whole bytes, with a salt as long as the hash. */
function pssEncode(hash: Hash, digest: Buffer, bits: number): Buffer {
  const salt = randomBytes(hash.bytes);
  const checked = createHash(hash.name).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const block = Buffer.alloc(bits / 8 - hash.bytes - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  const masked = xor(block, mask(hash, checked, block.length));
  masked.writeUInt8(masked.readUInt8(0) & 0x7f, 0);
  return Buffer.concat([masked, checked, Buffer.from([0xbc])]);
}

function pssFits(hash: Hash, digest: Buffer, encoded: Buffer): boolean {
  const masked = encoded.subarray(0, encoded.length - hash.bytes - 1);
  const checked = encoded.subarray(masked.length, -1);
  const block = xor(masked, mask(hash, checked, masked.length));
  block.writeUInt8(block.readUInt8(0) & 0x7f, 0);
  const start = block.length - hash.bytes;
  const isPadded = block.subarray(0, start - 1).every((byte) => byte === 0) && block[start - 1] === 1;
  const salt = block.subarray(start);
  const expected = createHash(hash.name).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  return encoded.at(-1) === 0xbc && isPadded && timingSafeEqual(expected, checked);
}

function mask(hash: Hash, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0; counter * hash.bytes < length; counter += 1) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(counter);
    parts.push(createHash(hash.name).update(seed).update(index).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)));
}

function curveOf(version: KeyVersion) {
  const curve = EC[version.curve ?? ''];
  if (!curve) throw new Error(`an EC key on the unknown curve ${version.curve}`);
  return curve;
}

/** ECDSA as r and s side by side. The point multiplication is ECDH's: the public key of the private number k is k·G. */
function ecdsaSign(version: KeyVersion, digest: Buffer): Buffer {
  const { order, bytes } = curveOf(version);
  const d = secretNumber(version);
  for (;;) {
    const k = (number(randomBytes(bytes + 8)) % (order - 1n)) + 1n;
    const r = abscissa(version, k) % order;
    const s = (inverse(k, order) * (number(digest) + r * d)) % order;
    if (r !== 0n && s !== 0n) return Buffer.concat([bytesOf(r, bytes), bytesOf(s, bytes)]);
  }
}

/** The vault knows the private number, so that u1·G + u2·Q is one multiplication: (u1 + u2·d)·G. */
function ecdsaVerify(version: KeyVersion, digest: Buffer, signature: Buffer): boolean {
  const { order, bytes } = curveOf(version);
  const r = number(signature.subarray(0, bytes));
  const s = number(signature.subarray(bytes));
  if (signature.length !== 2 * bytes || r === 0n || s === 0n || r >= order || s >= order) return false;
  const k = (inverse(s, order) * (number(digest) + r * secretNumber(version))) % order;
  return k !== 0n && abscissa(version, k) % order === r;
}

function secretNumber(version: KeyVersion): bigint {
  return number(Buffer.from(privateKey(version).export({ format: 'jwk' }).d ?? '', 'base64url'));
}

function abscissa(version: KeyVersion, k: bigint): bigint {
  const { bytes } = curveOf(version);
  const ecdh = createECDH(CURVES[version.curve ?? ''] ?? '');
  ecdh.setPrivateKey(bytesOf(k, bytes));
  return number(ecdh.getPublicKey().subarray(1, 1 + bytes));
}

function number(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function bytesOf(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
