import { createHmac, createPublicKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Random } from '../random.ts';

/** Somebody that tokens are made for: an application, or the identity of a resource. */
export type Principal = {
  readonly clientId: string;
  readonly objectId: string;
  readonly tenant: string;
  /** Undefined for identities of resources, which never sign in here. */
  readonly secret: string | undefined;
  readonly keys: KeyObject[];
  readonly issuers: { readonly issuer: string; readonly subject: string; readonly key: KeyObject }[];
};

/** What a token says, once it was found genuine. Times are ms. */
export type Claims = {
  readonly principal: Principal;
  readonly audience: string;
  /** In the past for tokens that were revoked. */
  readonly expiresAt: number;
};

/** The directory of every tenant: principals, groups, and the tokens that were made for them. */
export class Directory {
  readonly #random: Random;
  readonly #secret: string;
  readonly #byClient = new Map<string, Principal>();
  readonly #byObject = new Map<string, Principal>();
  readonly #groups = new Map<string, readonly string[]>();
  readonly #tenants = new Set<string>();
  /** Tokens of earlier generations are expired. */
  #generation = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#secret = random.hex(64);
  }

  /** Registers a principal; the tenant exists from then on. */
  add(tenant: string, kind: 'application' | 'identity'): Principal {
    const principal: Principal = {
      clientId: this.#random.uuid(),
      objectId: this.#random.uuid(),
      tenant,
      secret: kind === 'application' ? `${this.#random.hex(3)}8Q~${this.#random.hex(34)}` : undefined,
      keys: [],
      issuers: [],
    };
    this.#tenants.add(tenant);
    this.#byClient.set(principal.clientId, principal);
    this.#byObject.set(principal.objectId, principal);
    return principal;
  }

  /** Registers a group of object ids and gives its own. */
  addGroup(members: readonly string[]): string {
    const id = this.#random.uuid();
    this.#groups.set(id, members);
    return id;
  }

  /** The principal with this client id. */
  byClient(clientId: string): Principal | undefined {
    return this.#byClient.get(clientId.toLowerCase());
  }

  /** The kind of an object id, in ARM's words. */
  typeOf(objectId: string): 'Group' | 'ServicePrincipal' {
    return this.#groups.has(objectId) ? 'Group' : 'ServicePrincipal';
  }

  /** The object id itself and the groups that it is in. */
  identities(objectId: string): readonly string[] {
    const groups = [...this.#groups].filter(([, members]) => members.includes(objectId));
    return [objectId, ...groups.map(([id]) => id)];
  }

  knowsTenant(tenant: string): boolean {
    return this.#tenants.has(tenant.toLowerCase());
  }

  /** Accepts assertions signed by the private half of this certificate or public key (PEM). Throws for anything else. */
  trust(principal: Principal, pem: string): void {
    principal.keys.push(createPublicKey(pem));
  }

  /** A signed token (a JWT, opaque to clients). */
  mint(principal: Principal, audience: string, now: number, lifetimeMs: number): string {
    const payload = {
      aud: audience,
      iss: `https://sts.windows.net/${principal.tenant}/`,
      iat: Math.floor(now / 1000),
      nbf: Math.floor(now / 1000),
      exp: Math.floor((now + lifetimeMs) / 1000),
      appid: principal.clientId,
      idtyp: 'app',
      oid: principal.objectId,
      sub: principal.objectId,
      tid: principal.tenant,
      uti: `${this.#generation}.${this.#random.hex(16)}`,
      ver: '1.0',
    };
    const unsigned = `${encoded({ typ: 'JWT', alg: 'HS256' })}.${encoded(payload)}`;
    return `${unsigned}.${this.#sign(unsigned)}`;
  }

  /** What a token says; undefined when it is none of this directory's. Expiry is the caller's to judge. */
  read(token: string): Claims | undefined {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const expected = Buffer.from(this.#sign(`${header}.${payload}`));
    const given = Buffer.from(signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const principal = this.#byObject.get(claims.oid);
    if (!principal) return undefined;
    const revoked = Number.parseInt(claims.uti, 10) < this.#generation;
    return { principal, audience: claims.aud, expiresAt: (revoked ? claims.iat : claims.exp) * 1000 };
  }

  /** Makes every token that was made until now expired. */
  expireAll(): void {
    this.#generation += 1;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
