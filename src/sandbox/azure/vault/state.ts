import type { Random } from '../../random.ts';
import { badParameter, conflict, deletedKeyNotFound, forbidden, keyNotFound, VaultError } from './errors.ts';
import { KeyMint } from './material.ts';
import { after, newPolicy, type RotationPolicy, type RotationPolicyInput, rotatesAt } from './rotation.ts';
import {
  changedVersion,
  checkName,
  type DeletedVaultKey,
  type KeyChange,
  type KeyVersion,
  type NewKey,
  newestOf,
  newVersion,
  type VaultKey,
  versionOf,
} from './versions.ts';

/** What the vault itself says about the keys in it. Read again at every use: a vault's settings change under its keys. */
export type VaultSettings = {
  /** As it stands in URLs, without a port. */
  readonly host: string;
  /** A managed HSM: HSM keys only, a hundred versions of each, soft delete always on. */
  readonly hsm: boolean;
  readonly softDelete: boolean;
  readonly purgeProtection: boolean;
  /** 7 to 90. */
  readonly retentionDays: number;
};

/** What the model of a vault's keys needs from the world around it. */
export type VaultKeysOptions = {
  readonly settings: () => VaultSettings;
  readonly random: Random;
  /** ms. */
  readonly now: () => number;
  /** Called after every change of a key, those that time brought included as soon as somebody looks. */
  readonly changed?: (name: string) => void;
  /** For how long after a delete a key reads 404 everywhere and cannot be purged, in ms; 65 s as recorded. */
  readonly deletingMs?: number;
  /** For how long after a recover a key still reads 404, in ms. */
  readonly recoveringMs?: number;
  /** Where key material comes from; one of its own unless given. Sharing one saves time. */
  readonly mint?: KeyMint;
};

type Deletion = { readonly at: number; readonly purgeAt: number };
type Entry = { readonly key: VaultKey; readonly deletion: Deletion | undefined; readonly hiddenUntil: number };

const DAY_MS = 86_400_000;
const DELETING_MS = 65_000;
const RECOVERING_MS = 15_000;
const MAX_HSM_VERSIONS = 100;

/**
 * The keys of one vault or managed HSM: versions, soft delete, purge, rotation by policy. What time does (a purge date, a
 * rotation) happens when somebody looks, as of the moment at which it was due. Changes throw VaultError as the data plane
 * answers it.
 */
export class VaultKeys {
  readonly #options: VaultKeysOptions;
  readonly #mint: KeyMint;
  readonly #entries = new Map<string, Entry>();
  /** The ids of all entries in order, undefined when it is to be made again. */
  #order: readonly string[] | undefined;

  constructor(options: VaultKeysOptions) {
    this.#options = options;
    this.#mint = options.mint ?? new KeyMint();
  }

  /** The vault's settings as of now. */
  get settings(): VaultSettings {
    return this.#options.settings();
  }

  /** The time of the sandbox, ms. */
  get now(): number {
    return this.#options.now();
  }

  /** The key as the data plane shows it: not while it is deleted, being deleted or being recovered. */
  get(name: string): VaultKey | undefined {
    const entry = this.#settled(name);
    return entry && !entry.deletion && entry.hiddenUntil <= this.now ? entry.key : undefined;
  }

  /** The deleted key as the data plane shows it: not before its deletion is through. */
  deleted(name: string): DeletedVaultKey | undefined {
    const entry = this.#settled(name);
    return entry?.deletion && entry.hiddenUntil <= this.now ? deletedKey(entry.key, entry.deletion) : undefined;
  }

  /** The names of what `get` shows, in alphabetical order. */
  names(): readonly string[] {
    return this.#sorted((id) => this.get(id)?.name);
  }

  /** The names of what `deleted` shows, in alphabetical order. */
  deletedNames(): readonly string[] {
    return this.#sorted((id) => this.deleted(id)?.key.name);
  }

  #sorted(nameOf: (id: string) => string | undefined): readonly string[] {
    this.#order ??= [...this.#entries.keys()].toSorted();
    return this.#order.map(nameOf).filter((name) => name !== undefined);
  }

  /** A new key, or a new version of one that exists. Throws VaultError. */
  create(name: string, options: NewKey = {}): KeyVersion {
    const existing = this.#available(name);
    const { settings, now } = this;
    const version = newVersion(options, { hsm: settings.hsm, id: this.#options.random.hex(32), now, mint: this.#mint });
    this.#add(existing ?? { name, versions: [], policy: undefined, managed: options.managed === true }, version);
    return version;
  }

  /** A new version like the newest one. Throws VaultError. */
  rotate(name: string): KeyVersion {
    const key = this.#existing(name);
    const version = this.#successor(key, this.now);
    this.#add(key, version);
    return version;
  }

  /** Changes one version, the newest if `version` is undefined. Throws VaultError. */
  update(name: string, version: string | undefined, change: KeyChange): KeyVersion {
    const key = this.#existing(name);
    const before = version === undefined ? newestOf(key) : versionOf(key, version);
    if (!before) throw keyNotFound(`${name}/${version}`);
    const after = changedVersion(before, change, this.now);
    this.#put({ ...key, versions: key.versions.map((one) => (one === before ? after : one)) });
    return after;
  }

  /** Soft-deletes the key, or removes it for good where the vault has no soft delete. Throws VaultError. */
  delete(name: string): DeletedVaultKey {
    const key = this.#existing(name);
    const { now, settings } = this;
    const deletion = { at: now, purgeAt: now + settings.retentionDays * DAY_MS };
    if (settings.softDelete || settings.hsm) {
      this.#put(key, deletion, now + (this.#options.deletingMs ?? DELETING_MS));
    } else {
      this.#remove(key.name);
    }
    return deletedKey(key, deletion);
  }

  /** Brings a deleted key back with all its versions. Throws VaultError. */
  recover(name: string): VaultKey {
    const { key } = this.#existingDeleted(name);
    this.#put(key, undefined, this.now + (this.#options.recoveringMs ?? RECOVERING_MS));
    return key;
  }

  /** Destroys a deleted key. Throws VaultError. */
  purge(name: string): void {
    const { key } = this.#existingDeleted(name);
    if (this.settings.purgeProtection) {
      throw forbidden(
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.',
      );
    }
    this.#remove(key.name);
  }

  /** Sets the rotation policy; undefined forgets it. Throws VaultError. */
  setRotationPolicy(name: string, policy: RotationPolicyInput | undefined): RotationPolicy | undefined {
    const key = this.#existing(name);
    const next = policy && newPolicy(policy, key.policy, this.settings.hsm, this.now);
    this.#put({ ...key, policy: next });
    return next;
  }

  /** Puts back a key with all its versions, out of a backup. Throws VaultError. */
  restore(key: VaultKey): VaultKey {
    if (this.#available(key.name)) throw new VaultError(409, 'Conflict', `Key ${key.name} already exists.`);
    this.#put(key);
    return key;
  }

  /** Whether an envelope made with this version (the newest if absent) can be unwrapped now. */
  usable(name: string, version?: string): 'ok' | 'missing' | 'disabled' {
    const key = this.get(name);
    const found = version === undefined ? key && newestOf(key) : versionOf(key, version);
    if (!found) return 'missing';
    return found.enabled ? 'ok' : 'disabled';
  }

  /** The key under a name that may be written to: undefined when it is free. */
  #available(name: string): VaultKey | undefined {
    checkName(name);
    const entry = this.#settled(name);
    if (!entry) return undefined;
    const hidden = entry.hiddenUntil > this.now;
    if (entry.deletion && hidden) throw beingDeleted();
    if (hidden) throw conflict('ObjectIsBeingRecovered', 'Key is currently being recovered.');
    if (!entry.deletion) return entry.key;
    throw conflict(
      'ObjectIsDeletedButRecoverable',
      `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.`,
    );
  }

  #existing(name: string): VaultKey {
    const key = this.get(name);
    if (!key) throw keyNotFound(name);
    return key;
  }

  #existingDeleted(name: string): Entry {
    const entry = this.#settled(name);
    if (!entry?.deletion) throw deletedKeyNotFound(name);
    if (entry.hiddenUntil > this.now) throw beingDeleted();
    return entry;
  }

  /** The entry after everything that was due until now. */
  #settled(name: string): Entry | undefined {
    const entry = this.#entries.get(name.toLowerCase());
    if (!entry) return undefined;
    const { now } = this;
    if (entry.deletion) {
      if (entry.deletion.purgeAt > now) return entry;
      this.#remove(name);
      return undefined;
    }
    const due = this.#dueVersions(entry, now);
    if (due.length === 0) return entry;
    this.#put({ ...entry.key, versions: [...entry.key.versions, ...due] }, undefined, entry.hiddenUntil);
    return this.#entries.get(name.toLowerCase());
  }

  /** What the rotation policy made since somebody last looked. Nothing happens before the policy was set, or to a deleted key. */
  #dueVersions({ key, hiddenUntil }: Entry, now: number): KeyVersion[] {
    const due: KeyVersion[] = [];
    for (;;) {
      const newest = due.at(-1) ?? newestOf(key);
      const wanted = rotatesAt(key.policy, newest);
      if (!key.policy || wanted === undefined) return due;
      const at = Math.max(wanted, key.policy.updatedAt, hiddenUntil);
      if (at > now || key.versions.length + due.length >= this.#maxVersions) return due;
      due.push(this.#successor({ ...key, versions: [newest] }, at));
    }
  }

  #successor(key: VaultKey, at: number): KeyVersion {
    const { kty, size, curve, operations, tags } = newestOf(key);
    const expiryTime = key.policy?.expiryTime;
    return newVersion(
      {
        kty,
        operations,
        ...(size === undefined ? {} : { size }),
        ...(curve === undefined ? {} : { curve }),
        ...(tags === undefined ? {} : { tags }),
        ...(expiryTime === undefined ? {} : { expires: after(at, expiryTime) }),
      },
      { hsm: this.settings.hsm, id: this.#options.random.hex(32), now: at, mint: this.#mint },
    );
  }

  get #maxVersions(): number {
    return this.settings.hsm ? MAX_HSM_VERSIONS : Number.POSITIVE_INFINITY;
  }

  #add(key: VaultKey, version: KeyVersion): void {
    if (key.versions.length >= this.#maxVersions) {
      throw badParameter(`A key can have at most ${MAX_HSM_VERSIONS} versions.`);
    }
    this.#put({ ...key, versions: [...key.versions, version] });
  }

  #put(key: VaultKey, deletion?: Deletion, hiddenUntil = 0): void {
    const id = key.name.toLowerCase();
    if (!this.#entries.has(id)) this.#order = undefined;
    this.#entries.set(id, { key, deletion, hiddenUntil });
    this.#options.changed?.(key.name);
  }

  #remove(name: string): void {
    this.#entries.delete(name.toLowerCase());
    this.#order = undefined;
    this.#options.changed?.(name);
  }
}

function beingDeleted(): VaultError {
  return conflict('ObjectIsBeingDeleted', 'Key is currently being deleted.');
}

function deletedKey(key: VaultKey, deletion: Deletion): DeletedVaultKey {
  return { key, deletedAt: deletion.at, scheduledPurgeAt: deletion.purgeAt };
}
