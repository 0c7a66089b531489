import { badParameter } from './errors.ts';
import { CURVES, ecMaterial, type KeyMint, type Material, octMaterial } from './material.ts';
import type { RotationPolicy } from './rotation.ts';

/** One version of a key, immutable. Times are ms. */
export type KeyVersion = {
  /** 32 hex digits. */
  readonly id: string;
  readonly kty: KeyType;
  /** Bits; undefined for EC keys. */
  readonly size: number | undefined;
  /** EC keys only. */
  readonly curve: string | undefined;
  readonly operations: readonly string[];
  readonly enabled: boolean;
  readonly notBefore: number | undefined;
  readonly expires: number | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Undefined where none were ever given: real vaults answer without the field then. */
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly material: Material;
};

const KEY_TYPES = ['RSA', 'RSA-HSM', 'EC', 'EC-HSM', 'oct-HSM'] as const;

/** The key types that vaults and managed HSMs know. */
export type KeyType = (typeof KEY_TYPES)[number];

/** Whether a text of a request is a key type. */
export function isKeyType(text: string | undefined): text is KeyType {
  return KEY_TYPES.some((type) => type === text);
}

/** A key with all its versions, immutable. */
export type VaultKey = {
  /** As it was first written; names are compared without regard to case. */
  readonly name: string;
  /** Oldest first, at least one. */
  readonly versions: readonly KeyVersion[];
  readonly policy: RotationPolicy | undefined;
  /** True for a key that backs a certificate. */
  readonly managed: boolean;
};

/** A soft-deleted key. Times are ms. */
export type DeletedVaultKey = {
  readonly key: VaultKey;
  readonly deletedAt: number;
  /** It is purged by itself then. */
  readonly scheduledPurgeAt: number;
};

/** What a new version is made with. Times are ms. */
export type NewKey = {
  readonly kty?: KeyType;
  /** Bits. */
  readonly size?: number;
  readonly curve?: string;
  readonly enabled?: boolean;
  readonly notBefore?: number;
  readonly expires?: number;
  readonly operations?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  /** It backs a certificate. */
  readonly managed?: boolean;
  /** Imported material, instead of new one. */
  readonly material?: Material;
};

/** What changes of a version; null takes a date away. */
export type KeyChange = {
  readonly enabled?: boolean;
  readonly notBefore?: number | null;
  readonly expires?: number | null;
  readonly operations?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
};

const OPERATIONS = {
  RSA: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
  EC: ['sign', 'verify'],
  oct: ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'],
} as const;
const LAST_DATE = Date.UTC(9999, 11, 31);
const NAME = /^[0-9a-zA-Z-]{1,127}$/;
const SIZES = { RSA: [2048, 3072, 4096], oct: [128, 192, 256] } as const;
const DEFAULT_SIZE = { RSA: 2048, oct: 256 } as const;

/** Throws BadParameter for a name that no key can have. */
export function checkName(name: string): void {
  if (!NAME.test(name)) throw badParameter(`The request URI contains an invalid name: ${name}`);
}

/** RSA, EC or oct, whether in an HSM or not. */
export function familyOf(kty: KeyType): 'RSA' | 'EC' | 'oct' {
  if (kty === 'RSA' || kty === 'RSA-HSM') return 'RSA';
  return kty === 'oct-HSM' ? 'oct' : 'EC';
}

/** A version as `options` want it. Throws BadParameter for what the vault refuses. */
export function newVersion(
  options: NewKey,
  made: { readonly hsm: boolean; readonly id: string; readonly now: number; readonly mint: KeyMint },
): KeyVersion {
  const kty = options.kty ?? (made.hsm ? 'RSA-HSM' : 'RSA');
  if (made.hsm && !kty.endsWith('-HSM')) throw badParameter(`Managed HSM does not support keys of type ${kty}.`);
  if (!made.hsm && kty === 'oct-HSM') throw badParameter('Keys of type oct-HSM need a managed HSM.');
  const family = familyOf(kty);
  const size = family === 'EC' ? undefined : (options.size ?? DEFAULT_SIZE[family]);
  const curve = family === 'EC' ? (options.curve ?? 'P-256') : undefined;
  if (family !== 'EC' && !SIZES[family].some((known) => known === size))
    throw badParameter('The key size is not supported.');
  if (curve !== undefined && !Object.hasOwn(CURVES, curve)) throw badParameter(`The curve ${curve} is not supported.`);
  const operations = options.operations ?? OPERATIONS[family];
  checkOperations(family, operations);
  checkDates(options.notBefore, options.expires);
  return {
    id: made.id,
    kty,
    size,
    curve,
    operations,
    enabled: options.enabled ?? true,
    notBefore: options.notBefore,
    expires: options.expires,
    createdAt: made.now,
    updatedAt: made.now,
    tags: options.tags,
    material: options.material ?? newMaterial(made.mint, size, curve, family),
  };
}

function newMaterial(
  mint: KeyMint,
  size: number | undefined,
  curve: string | undefined,
  family: 'RSA' | 'EC' | 'oct',
): Material {
  if (curve !== undefined) return ecMaterial(curve);
  if (size === undefined) throw new Error(`a ${family} key without a size`);
  return family === 'RSA' ? mint.rsa(size) : octMaterial(size);
}

/** The version after `change`. Throws BadParameter. */
export function changedVersion(version: KeyVersion, change: KeyChange, now: number): KeyVersion {
  const operations = change.operations ?? version.operations;
  const notBefore = change.notBefore === undefined ? version.notBefore : (change.notBefore ?? undefined);
  const expires = change.expires === undefined ? version.expires : (change.expires ?? undefined);
  checkOperations(familyOf(version.kty), operations);
  checkDates(notBefore, expires);
  return {
    ...version,
    operations,
    notBefore,
    expires,
    enabled: change.enabled ?? version.enabled,
    tags: change.tags ?? version.tags,
    updatedAt: now,
  };
}

function checkOperations(family: 'RSA' | 'EC' | 'oct', operations: readonly string[]): void {
  const known: readonly string[] = family === 'RSA' ? [...OPERATIONS.RSA, 'import'] : OPERATIONS[family];
  const other = operations.find((operation) => !known.includes(operation));
  if (other !== undefined) throw badParameter(`Key operation ${other} is not supported by a key of type ${family}.`);
}

function checkDates(notBefore: number | undefined, expires: number | undefined): void {
  for (const date of [notBefore, expires]) {
    if (date !== undefined && (date < 0 || date > LAST_DATE)) throw badParameter('A date of a key is out of range.');
  }
  if (notBefore !== undefined && expires !== undefined && notBefore >= expires) {
    throw badParameter('The property nbf must be before exp.');
  }
}

/** The newest version, which is what a key without a version means, enabled or not. */
export function newestOf(key: VaultKey): KeyVersion {
  const newest = key.versions.at(-1);
  if (!newest) throw new Error(`the key ${key.name} has no version`);
  return newest;
}

/** One version by its id. */
export function versionOf(key: VaultKey | undefined, id: string): KeyVersion | undefined {
  return key?.versions.find((version) => version.id === id.toLowerCase());
}
