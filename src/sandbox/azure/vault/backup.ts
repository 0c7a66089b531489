import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { badParameter } from './errors.ts';
import { CURVES, type Material } from './material.ts';
import type { KeyType, KeyVersion, NewKey, VaultKey } from './versions.ts';
import { invalid, textIn } from './wire.ts';

/** JWK names of the curves that Key Vault names differently. */
const JWK_CURVES: Readonly<Record<string, string>> = { 'P-256K': 'secp256k1' };

/** The parts of a new version that an imported JWK decides. A public half alone is taken too. Throws BadParameter. */
export function importedMaterial(
  jwk: Readonly<Record<string, unknown>>,
  hsm: boolean,
): Pick<NewKey, 'kty' | 'material' | 'size' | 'curve'> {
  const type = textIn(jwk, 'kty')?.replace(/-HSM$/, '');
  if (type === 'oct' && hsm) {
    const secret = Buffer.from(textIn(jwk, 'k') ?? '', 'base64url');
    return { kty: 'oct-HSM', size: secret.length * 8, material: secretMaterial(secret) };
  }
  if (type !== 'RSA' && type !== 'EC') throw invalid('kty');
  const family = { RSA: { soft: 'RSA', hard: 'RSA-HSM' }, EC: { soft: 'EC', hard: 'EC-HSM' } } as const;
  const kty: KeyType = hsm ? family[type].hard : family[type].soft;
  if (type === 'EC') {
    const curve = textIn(jwk, 'crv') ?? '';
    if (!Object.hasOwn(CURVES, curve)) throw invalid('crv');
    return { kty, curve, material: pairMaterial({ ...jwk, kty: type, crv: JWK_CURVES[curve] ?? curve }, curve) };
  }
  const material = pairMaterial({ ...jwk, kty: type }, undefined);
  return { kty, material, size: material.publicKey().asymmetricKeyDetails?.modulusLength ?? 0 };
}

function pairMaterial(jwk: JsonWebKey, curve: string | undefined): Material {
  const privateKey = jwk.d === undefined ? undefined : opened(() => createPrivateKey({ key: jwk, format: 'jwk' }));
  const publicKey = privateKey
    ? createPublicKey(privateKey)
    : opened(() => createPublicKey({ key: jwk, format: 'jwk' }));
  const { n = '', e = '', x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const shown = curve === undefined ? { n, e } : { crv: curve, x, y };
  return { jwk: () => shown, publicKey: () => publicKey, privateKey: () => privateKey, secret: () => undefined };
}

function opened(open: () => KeyObject): KeyObject {
  try {
    return open();
  } catch {
    // Whatever is wrong with the key, vaults say only that the parameter is.
    throw badParameter();
  }
}

function secretMaterial(secret: Buffer): Material {
  return {
    jwk: () => ({}),
    publicKey: () => {
      throw new Error('a symmetric key has no public half');
    },
    privateKey: () => undefined,
    secret: () => secret,
  };
}

type Kept = Omit<KeyVersion, 'material'> & { readonly jwk: JsonWebKey };

const CHECKSUM_BYTES = 32;

function checksum(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}

/** A key with all its versions as one text, in base64url. Real backups are encrypted; this one has only a checksum. */
export function exported(key: VaultKey): string {
  const versions = key.versions.map(({ material, ...version }): Kept => {
    const secret = material.secret();
    const pair = secret ? undefined : (material.privateKey() ?? material.publicKey());
    const jwk = pair ? pair.export({ format: 'jwk' }) : { kty: 'oct', k: secret?.toString('base64url') ?? '' };
    return { ...version, jwk: version.curve === undefined ? jwk : { ...jwk, crv: version.curve } };
  });
  const content = Buffer.from(JSON.stringify({ ...key, versions }));
  return Buffer.concat([checksum(content), content]).toString('base64url');
}

/** The key out of such a text. Throws BadParameter for any other text. */
export function restored(backup: Buffer): VaultKey {
  const content = backup.subarray(CHECKSUM_BYTES);
  if (!checksum(content).equals(backup.subarray(0, CHECKSUM_BYTES))) throw badParameter();
  const key: Omit<VaultKey, 'versions'> & { readonly versions: readonly Kept[] } = JSON.parse(content.toString());
  return {
    name: key.name,
    managed: key.managed,
    policy: key.policy,
    versions: key.versions.map(({ jwk, ...version }): KeyVersion => {
      const { material } = importedMaterial({ ...jwk }, version.kty.endsWith('-HSM'));
      if (!material) throw badParameter();
      return { ...version, material };
    }),
  };
}
