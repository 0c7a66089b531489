import type { Revocable } from '../revocable.ts';
import type { CloudName } from './clouds.ts';
import type { VaultKeys } from './vault/state.ts';

/** Credentials of an application (service principal) and its object id in the directory. */
export type Application = {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Object id: what roles and access policies are granted to. */
  readonly principal: string;
  /** Registers a certificate or public key (PEM): client assertions that its private key signed are accepted then. */
  readonly trustCertificate: (pem: string) => void;
  /** Accepts tokens of another issuer as client assertion; `publicKey` (PEM) must have signed them. */
  readonly trustIssuer: (trust: { issuer: string; subject: string; publicKey: string }) => void;
};

/** What the whole imitation does; change the fields at any time. Times are ms of the sandbox's clock. */
export type AzureSettings = {
  /** Items of a page of ARM's lists. */
  pageSize: number;
  /** Puts a page without items, with a nextLink, before every page of ARM's lists. */
  emptyPages: boolean;
  /** How long a vault that was made through ARM is RegisteringDns and its host cannot be reached. */
  dnsDelayMs: number;
  /** How long tokens are valid. */
  tokenLifetimeMs: number;
  /** After how long Media Services takes a new version of a key that it follows. */
  pickUpDelayMs: number;
  /** What the host of a soft-deleted vault does: its name is not found, or it answers 404. Azure's documents do not say. */
  deletedVaultHost: 'unresolvable' | 'not-found';
};

/** How a host is for whoever comes through the proxy: `unresolvable` answers 502, `closed` cuts the connection. */
export type Reach = 'open' | 'unresolvable' | 'closed';

/** Codes with which ARM answers for a provider that is retired or was never registered. */
export type RetiredCode = 'InvalidResourceNamespace' | 'DisallowedProvider' | 'MissingSubscriptionRegistration';

/** The imitated Azure, for scripts. Calls made here are made by the sandbox's owner: no token, no rule, no fault, no log. */
export type AzureCloud = {
  /** https://127.0.0.1:PORT: ARM and the authority answer here, told apart by path. */
  readonly url: string;
  /** http://127.0.0.1:PORT: leads the real host names of the imitation to it, and refuses every other host. */
  readonly proxyUrl: string;
  /** http://127.0.0.1:PORT: gives tokens to managed identities at /metadata/identity/oauth2/token. */
  readonly identityUrl: string;
  /** The certificate authority of every host (PEM). */
  readonly ca: string;
  readonly settings: AzureSettings;
  /** The subscription with this id; it exists from the first time it is named. `options` count then only. */
  readonly subscription: (id?: string, options?: { tenant?: string; cloud?: CloudName }) => Subscription;
  /** How a host (login.microsoftonline.com, a vault's) is reached through the proxy; open connections to it are cut. */
  readonly reach: (host: string, reach: Reach) => void;
  /** Makes every token that was given out expire now. */
  readonly expireTokens: () => void;
  /** Whose tokens the managed identity endpoint gives out; the monitor of the first subscription unless set. */
  readonly setMachineIdentity: (clientId: string) => void;
};

/** One subscription. */
export type Subscription = {
  readonly id: string;
  readonly tenant: string;
  /** Reader of the subscription, and of the keys in every vault of it. */
  readonly monitor: Application;
  /** Owner of the subscription and administrator of the keys in every vault of it. */
  readonly owner: Application;
  /** Another application without any right. */
  readonly application: (name: string) => Application;
  /** A group of the directory: its members have what it is granted. Gives its object id. */
  readonly group: (name: string, members: readonly string[]) => string;
  /** Assigns a role, by the name of a built-in one or the id of a custom one, at a scope (the subscription unless given). */
  readonly assignRole: (principal: string, role: string, scope?: string) => Revocable;
  /** Makes a custom role and gives its id. */
  readonly customRole: (
    name: string,
    rights: { actions?: readonly string[]; dataActions?: readonly string[] },
  ) => string;
  /** The vault with this name; made with `options` when there is none. It is `Succeeded` at once. */
  readonly vault: (name: string, options?: VaultOptions) => Vault;
  /** The managed HSM with this name; made with `options` when there is none. */
  readonly hsm: (name: string, options?: HsmOptions) => Hsm;
  /** The Media Services account with this name; made with `options` when there is none, whatever rules its key breaks. */
  readonly mediaAccount: (name: string, options?: MediaOptions) => MediaAccount;
  /** Makes a storage account and gives its ARM id. */
  readonly storageAccount: (name: string, options?: { location?: string; group?: string }) => string;
  /** Retires Microsoft.Media: every request for it is refused with this code. Undefined: it works again. */
  readonly retireMedia: (code: RetiredCode | undefined) => void;
  /** Lets ARM refuse everything to the monitor (AuthorizationFailed), whatever its roles, and ends that. */
  readonly denyMonitor: () => void;
  readonly allowMonitor: () => void;
};

/** What a vault is made with. */
export type VaultOptions = {
  /** `westeurope` unless given. */
  readonly location?: string;
  /** Resource group, `media` unless given. */
  readonly group?: string;
  /** Access policies, or Azure RBAC (the default). */
  readonly access?: 'policy' | 'rbac';
  readonly sku?: 'standard' | 'premium';
  /** True unless given; false is a vault of the years before 2021. */
  readonly softDelete?: boolean;
  /** True unless given. */
  readonly purgeProtection?: boolean;
  /** 90 unless given. */
  readonly retentionDays?: number;
  readonly tags?: Readonly<Record<string, string>>;
};

/** What a managed HSM is made with. */
export type HsmOptions = Omit<VaultOptions, 'access' | 'sku' | 'softDelete'>;

/** Who may come in: everybody, nobody (trusted services may), nobody at all, or private endpoints only. */
export type FirewallMode = 'open' | 'deny' | 'deny-all' | 'private';

/** Keys and rights of a vault or HSM. */
type KeyHolder = {
  readonly name: string;
  /** https://NAME.vault.azure.net, no slash at the end. */
  readonly url: string;
  readonly host: string;
  /** ARM id. */
  readonly resource: string;
  readonly keys: VaultKeys;
  /** What Azure refuses to the monitor here: everything about keys. */
  readonly denyMonitor: () => void;
  readonly allowMonitor: () => void;
  /** Soft-deletes it with all its keys; without soft delete it is gone. */
  readonly delete: () => void;
  /**
   * Brings it back. Azure gives the role assignments at a vault not back with it: somebody has to make them again, which
   * this does too unless `lost` is said.
   */
  readonly recover: (roles?: 'restored' | 'lost') => void;
  /** Removes it for good, whatever protects it. */
  readonly purge: () => void;
  /** Whether its host name can be found through the proxy, while ARM goes on showing it. */
  readonly unresolvable: (on: boolean) => void;
};

/** One vault. */
export type Vault = KeyHolder & {
  /**
   * Grants key permissions (`get`, `wrapKey`, …) to an object id: by access policy, or by a role at the vault that has them
   * (the smallest built-in one; the permissions unless given are those of a service that encrypts).
   */
  readonly grant: (principal: string, permissions?: readonly string[]) => void;
  /** Takes every grant at this vault from an object id. */
  readonly revoke: (principal: string) => void;
  readonly firewall: (mode: FirewallMode) => void;
  /** Changes what ARM shows of it: settings that options made. */
  readonly configure: (change: Pick<VaultOptions, 'softDelete' | 'purgeProtection' | 'retentionDays' | 'tags'>) => void;
};

/** One managed HSM; its own roles are granted by name. */
export type Hsm = KeyHolder & {
  readonly grant: (
    principal: string,
    role: 'Managed HSM Crypto Auditor' | 'Managed HSM Crypto Service Encryption User' | 'Managed HSM Crypto Officer',
  ) => void;
  readonly revoke: (principal: string) => void;
};

/** What a Media Services account is made with. */
export type MediaOptions = {
  /** `West Europe` unless given; Media Services shows display names. */
  readonly location?: string;
  readonly group?: string;
  /** URL of the key, without a version; a SystemKey account without it. */
  readonly key?: string;
  /** Uses the newest version of now for ever, instead of following the key. */
  readonly pinned?: boolean;
  /** The identity that reads the key; the key is not granted to it. `system` unless given. */
  readonly identity?: 'system' | 'user';
  /** ARM ids. */
  readonly storage?: readonly string[];
};

/** One Media Services account. */
export type MediaAccount = {
  readonly name: string;
  /** ARM id. */
  readonly resource: string;
  /** Object id of the identity that reads the key. */
  readonly principal: string;
  /** What `encryption.status` says; undefined while the key can be used, as in Azure. */
  readonly status: () => string | undefined;
  /** The version of the key in use; undefined for a SystemKey account. */
  readonly version: () => string | undefined;
  readonly delete: () => void;
};
