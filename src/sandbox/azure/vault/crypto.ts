import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt } from 'node:crypto';
import { badParameter, forbidden } from './errors.ts';
import { keyOf, versionIn } from './read.ts';
import { signDigest, verifyDigest } from './signatures.ts';
import { familyOf, type KeyVersion } from './versions.ts';
import { versionId } from './views.ts';
import { bodyOf, bytesIn, invalid, textIn, type VaultCall } from './wire.ts';

type Use = 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey' | 'sign' | 'verify';

/** What a disabled version refuses. Wrapping and verifying need only the public half, which everybody has. */
const REFUSED_DISABLED: readonly Use[] = ['decrypt', 'unwrapKey', 'sign'];
/** What a version refuses outside its dates; what was made with it before can always be opened. */
const REFUSED_BY_DATE: readonly Use[] = ['encrypt', 'wrapKey', 'sign'];

/** Operations with the key itself, with real cryptography. */
export const cryptoHandlers = {
  encrypt: (call: VaultCall) => transformed(call, 'encrypt', seal),
  decrypt: (call: VaultCall) => transformed(call, 'decrypt', open),
  wrapKey: (call: VaultCall) => transformed(call, 'wrapKey', seal),
  unwrapKey: (call: VaultCall) => transformed(call, 'unwrapKey', open),
  sign: (call: VaultCall) => transformed(call, 'sign', signDigest),
  verify: (call: VaultCall) => {
    const body = bodyOf(call.request);
    const { version } = usable(call, 'verify');
    return { value: verifyDigest(version, algorithm(call), bytesIn(body, 'digest'), bytesIn(body, 'value')) };
  },
};

function transformed(
  call: VaultCall,
  use: Use,
  transform: (version: KeyVersion, alg: string, value: Buffer) => Buffer,
): object {
  const value = bytesIn(bodyOf(call.request), 'value');
  const { kid, version } = usable(call, use);
  return { kid, value: transform(version, algorithm(call), value).toString('base64url') };
}

function algorithm(call: VaultCall): string {
  const alg = textIn(bodyOf(call.request), 'alg');
  if (alg === undefined) throw invalid('alg');
  return alg;
}

function usable(call: VaultCall, use: Use): { readonly kid: string; readonly version: KeyVersion } {
  const key = keyOf(call);
  const version = versionIn(call, key);
  const { now } = call.keys;
  if (!version.enabled && REFUSED_DISABLED.includes(use)) {
    throw forbidden(`Operation ${use} is not allowed on a disabled key.`, 'KeyDisabled');
  }
  // The inner codes of the next two were never seen in a real answer.
  if (REFUSED_BY_DATE.includes(use) && version.notBefore !== undefined && version.notBefore > now) {
    throw forbidden(`Operation ${use} is not allowed on a key that is not yet valid.`, 'KeyNotYetValid');
  }
  if (REFUSED_BY_DATE.includes(use) && version.expires !== undefined && version.expires <= now) {
    throw forbidden(`Operation ${use} is not allowed on an expired key.`, 'KeyExpired');
  }
  if (!version.operations.includes(use)) {
    throw forbidden(`Operation ${use} is not permitted on this key.`, 'KeyOperationForbidden');
  }
  return { kid: versionId(key, version, call.request.base), version };
}

type Padding = { readonly padding: number; readonly oaepHash?: string };

const PADDINGS: Readonly<Record<string, Padding>> = {
  'RSA-OAEP': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  'RSA-OAEP-256': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
  RSA1_5: { padding: constants.RSA_PKCS1_PADDING },
};

function padding(version: KeyVersion, alg: string): Padding {
  const found = Object.hasOwn(PADDINGS, alg) ? PADDINGS[alg] : undefined;
  if (!found || familyOf(version.kty) !== 'RSA') {
    throw badParameter(`Algorithm ${alg} cannot be used with a key of type '${version.kty}'.`);
  }
  return found;
}

function seal(version: KeyVersion, alg: string, value: Buffer): Buffer {
  if (familyOf(version.kty) === 'oct') return aesWrap(version, alg, value, 'seal');
  const found = padding(version, alg);
  return refusing(() => publicEncrypt({ key: version.material.publicKey(), ...found }, value));
}

function open(version: KeyVersion, alg: string, value: Buffer): Buffer {
  if (familyOf(version.kty) === 'oct') return aesWrap(version, alg, value, 'open');
  const found = padding(version, alg);
  const key = version.material.privateKey();
  if (!key) throw badParameter('Only the public half of this key was imported.');
  return refusing(() => privateDecrypt({ key, ...found }, value));
}

/** RFC 3394, the one symmetric algorithm that the sandbox has. */
function aesWrap(version: KeyVersion, alg: string, value: Buffer, direction: 'seal' | 'open'): Buffer {
  const secret = version.material.secret();
  if (!secret || alg !== `A${version.size}KW`) {
    throw badParameter(`Algorithm ${alg} cannot be used with a key of type '${version.kty}'.`);
  }
  const iv = Buffer.alloc(8, 0xa6);
  const cipher = direction === 'seal' ? createCipheriv : createDecipheriv;
  return refusing(() => {
    const work = cipher(`id-aes${version.size}-wrap`, secret, iv);
    return Buffer.concat([work.update(value), work.final()]);
  });
}

/** Vaults answer damaged and oversized values alike, without saying what is wrong. */
function refusing(work: () => Buffer): Buffer {
  try {
    return work();
  } catch {
    throw badParameter();
  }
}
