import type { VaultSettings } from './state.ts';
import { type DeletedVaultKey, type KeyVersion, newestOf, type VaultKey } from './versions.ts';

/** Whose keys are shown, where, and to which version of the API. */
export type Viewer = {
  /** `https://host` of the request. */
  readonly base: string;
  readonly settings: VaultSettings;
  readonly query: URLSearchParams;
};

type Wire = Readonly<Record<string, unknown>>;

/** The fields of a soft-deleted key that say so. */
function deletion(deleted: DeletedVaultKey, viewer: Viewer): Wire {
  return {
    recoveryId: `${viewer.base}/deletedkeys/${deleted.key.name}`,
    deletedDate: seconds(deleted.deletedAt),
    scheduledPurgeDate: seconds(deleted.scheduledPurgeAt),
  };
}

/** A key with the public half of one version. */
export function bundle(key: VaultKey, version: KeyVersion, viewer: Viewer): Wire {
  const { kty, operations, material } = version;
  return {
    key: { kid: versionId(key, version, viewer.base), kty, key_ops: operations, ...material.jwk() },
    ...facts(key, version, viewer),
  };
}

/** A deleted key, as DELETE and GET of a deleted key answer. */
export function deletedBundle(deleted: DeletedVaultKey, viewer: Viewer): Wire {
  return { ...deletion(deleted, viewer), ...bundle(deleted.key, newestOf(deleted.key), viewer) };
}

/** A key in a list: no type, no version. */
export function item(key: VaultKey, viewer: Viewer): Wire {
  return { kid: `${viewer.base}/keys/${key.name}`, ...facts(key, newestOf(key), viewer) };
}

/** A version in a list. */
export function versionItem(key: VaultKey, version: KeyVersion, viewer: Viewer): Wire {
  return { kid: versionId(key, version, viewer.base), ...facts(key, version, viewer) };
}

/** A deleted key in a list. */
export function deletedItem(deleted: DeletedVaultKey, viewer: Viewer): Wire {
  return { ...deletion(deleted, viewer), ...item(deleted.key, viewer) };
}

/** The identifier of a version. */
export function versionId(key: VaultKey, version: KeyVersion, base: string): string {
  return `${base}/keys/${key.name}/${version.id}`;
}

function facts(key: VaultKey, version: KeyVersion, viewer: Viewer): Wire {
  return {
    attributes: attributes(key, version, viewer),
    ...(version.tags === undefined ? {} : { tags: version.tags }),
    ...(key.managed ? { managed: true } : {}),
  };
}

function attributes(key: VaultKey, version: KeyVersion, viewer: Viewer): Wire {
  const minor = minorVersion(viewer.query);
  const { recoveryLevel, recoverableDays } = recovery(viewer.settings);
  return {
    enabled: version.enabled,
    ...(version.notBefore === undefined ? {} : { nbf: seconds(version.notBefore) }),
    ...(version.expires === undefined ? {} : { exp: seconds(version.expires) }),
    created: seconds(version.createdAt),
    updated: seconds(version.updatedAt),
    recoveryLevel,
    ...(minor >= 1 ? { recoverableDays } : {}),
    ...(minor >= 3 && !key.managed ? { exportable: false } : {}),
    ...(minor >= 5 ? { hsmPlatform: version.kty.endsWith('-HSM') ? '2' : '0' } : {}),
  };
}

/**
 * The minor number of the 7.x version that is asked for, by which fields come and go: recordings of 7.3 and 7.4 have
 * `exportable`, those of 7.5 `hsmPlatform` too, those of 2020 neither. A version that is a date is newer; none counts as 7.1.
 */
function minorVersion(query: URLSearchParams): number {
  const asked = query.get('api-version') ?? '7.1';
  const minor = /^7\.(\d+)/.exec(asked)?.[1];
  if (minor !== undefined) return Number(minor);
  return asked >= '2025' ? Number.POSITIVE_INFINITY : 0;
}

/** What the vault's settings make of a deletion, in the words of the key attributes. */
export function recovery(settings: VaultSettings): {
  readonly recoveryLevel: string;
  readonly recoverableDays: number;
} {
  if (!settings.softDelete && !settings.hsm) return { recoveryLevel: 'Purgeable', recoverableDays: 0 };
  const level = settings.retentionDays < 90 ? 'CustomizedRecoverable' : 'Recoverable';
  return {
    recoveryLevel: settings.purgeProtection ? level : `${level}+Purgeable`,
    recoverableDays: settings.retentionDays,
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
