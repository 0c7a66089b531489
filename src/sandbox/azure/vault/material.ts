import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  generatePrimeSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { FIRST_PRIMES } from './primes.ts';

/** What a version is made of. Everything is made when it is first asked for, and then stays. */
export type Material = {
  /** The public half in the words of a JWK: n and e, or crv, x and y; nothing of a symmetric key. */
  readonly jwk: () => Readonly<Record<string, string>>;
  readonly publicKey: () => KeyObject;
  /** Undefined where only a public half was imported. */
  readonly privateKey: () => KeyObject | undefined;
  /** The bytes of a symmetric key. */
  readonly secret: () => Buffer | undefined;
};

/** The curves of Key Vault; P-256K is its word for secp256k1. */
export const CURVES: Readonly<Record<string, string>> = {
  'P-256': 'prime256v1',
  'P-384': 'secp384r1',
  'P-521': 'secp521r1',
  'P-256K': 'secp256k1',
};

const EXPONENT = 65_537n;

type Factors = { readonly p: bigint; readonly q: bigint };

/**
 * Makes the keys of a sandbox. RSA moduli are products of two primes out of a small, slowly growing stock, because finding
 * primes is what makes RSA keys expensive: n keys need about √(2n) primes. Every modulus of a mint is another one and every
 * key works, but whoever has two moduli of the same stock may factor them: these keys protect nothing.
 */
export class KeyMint {
  readonly #primes = new Map<number, bigint[]>();
  readonly #made = new Map<number, number>();

  /** An RSA key of `bits`. */
  rsa(bits: number): Material {
    const factors = lazy(() => this.#factors(bits));
    const privateKey = lazy(() => createPrivateKey({ key: rsaJwk(factors()), format: 'jwk' }));
    const jwk = lazy(() => ({ n: base64url(factors().p * factors().q), e: base64url(EXPONENT) }));
    return {
      jwk,
      publicKey: lazy(() => createPublicKey({ key: { kty: 'RSA', ...jwk() }, format: 'jwk' })),
      privateKey,
      secret: () => undefined,
    };
  }

  /** The next pair of the stock, which grows when every pair was taken: (1,0), (2,0), (2,1), (3,0), … */
  #factors(bits: number): Factors {
    const made = this.#made.get(bits) ?? 0;
    this.#made.set(bits, made + 1);
    const greater = Math.floor((1 + Math.sqrt(1 + 8 * made)) / 2);
    const lesser = made - (greater * (greater - 1)) / 2;
    return { p: this.#prime(bits / 2, greater), q: this.#prime(bits / 2, lesser) };
  }

  #prime(bits: number, index: number): bigint {
    const stock = this.#primes.get(bits) ?? (FIRST_PRIMES[bits] ?? []).map(fromBase64url);
    this.#primes.set(bits, stock);
    while (stock.length <= index) stock.push(freshPrime(bits, stock));
    const prime = stock[index];
    if (prime === undefined) throw new Error(`the stock of primes ends before ${index}`);
    return prime;
  }
}

/** Both of its highest bits are set, so that a product of two has exactly twice the bits; never 1 modulo the exponent. */
function freshPrime(bits: number, taken: readonly bigint[]): bigint {
  for (;;) {
    const prime = generatePrimeSync(bits, { bigint: true });
    if ((prime - 1n) % EXPONENT !== 0n && prime >> BigInt(bits - 2) === 3n && !taken.includes(prime)) return prime;
  }
}

/** An EC key on one of `CURVES`. */
export function ecMaterial(curve: string): Material {
  const pair = lazy(() => generateKeyPairSync('ec', { namedCurve: CURVES[curve] ?? curve }));
  const jwk = lazy(() => {
    const { x = '', y = '' } = pair().publicKey.export({ format: 'jwk' });
    return { crv: curve, x, y };
  });
  return { jwk, publicKey: () => pair().publicKey, privateKey: () => pair().privateKey, secret: () => undefined };
}

/** A symmetric key of `bits`, which shows nothing. */
export function octMaterial(bits: number): Material {
  const secret = lazy(() => randomBytes(bits / 8));
  return { jwk: () => ({}), publicKey: noPublicKey, privateKey: () => undefined, secret };
}

function noPublicKey(): never {
  throw new Error('a symmetric key has no public half');
}

/** The inverse of `value` modulo `modulus`, which must share no factor with it. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [rest, next] = [modulus, ((value % modulus) + modulus) % modulus];
  let [factor, following] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, following] = [following, factor - quotient * following];
  }
  return ((factor % modulus) + modulus) % modulus;
}

function rsaJwk({ p, q }: Factors): JsonWebKey {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  return {
    kty: 'RSA',
    n: base64url(p * q),
    e: base64url(EXPONENT),
    d: base64url(d),
    p: base64url(p),
    q: base64url(q),
    dp: base64url(d % (p - 1n)),
    dq: base64url(d % (q - 1n)),
    qi: base64url(inverse(q, p)),
  };
}

function fromBase64url(text: string): bigint {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);
}

function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
