/**
 * The closed lists in plain words, for the page, the terminal and notifications. Records rather than switches, so that
 * the compiler refuses a reason, kind or health without its words.
 */
import type { ConsumerHealth, ConsumerKind, EventType, Health, KeyKind } from './model.ts';
import type { ConsumerReason, KeyReason } from './reasons.ts';

/** `brief` fits a table cell; `text` is one or two sentences for somebody who has just been woken up. */
export interface Words {
  readonly brief: string;
  readonly text: string;
}

export const REASON_WORDS: Readonly<Record<KeyReason | ConsumerReason, Words>> = {
  disabled: {
    brief: 'disabled',
    text: 'It is disabled. Every use of it is refused until somebody enables it again.',
  },
  pending_deletion: {
    brief: 'deletion scheduled',
    text: 'Its deletion is scheduled and it refuses every use already. The deletion can still be cancelled.',
  },
  pending_import: {
    brief: 'key material missing',
    text: 'Its imported key material expired or was deleted. It works again once the same material is imported.',
  },
  soft_deleted: {
    brief: 'deleted, recoverable',
    text: 'It was deleted and can still be recovered.',
  },
  purged: {
    brief: 'purged for good',
    text: 'It was purged. Nothing brings it back; what was encrypted with it needs another copy.',
  },
  not_found: {
    brief: 'not found',
    text: 'It was there before, and now the cloud says that it does not exist.',
  },
  store_unavailable: {
    brief: 'key store unavailable',
    text: 'The store that holds it (custom key store, HSM or vault) is not available.',
  },
  decrypt_failed: {
    brief: 'cannot be decrypted',
    text: 'Its value cannot be decrypted: the key that protects it refused.',
  },
  no_current_version: {
    brief: 'no current version',
    text: 'It had a current version and has none any more, so readers get nothing.',
  },
  unreachable: {
    brief: 'endpoint unreachable',
    text: 'The key provider does not answer at its own endpoint.',
  },
  dependency: {
    brief: 'lost with its key',
    text: 'Nothing is wrong with it by itself: every key that could decrypt it is unusable.',
  },
  finding: {
    brief: 'breaks a rule',
    text: 'It works, but it breaks at least one rule.',
  },
  denied: {
    brief: 'keyvigil may not look',
    text: 'keyvigil itself lacks the permission to look at it. That says nothing about the key.',
  },
  credentials: {
    brief: 'no valid credentials',
    text: 'keyvigil has no valid credentials for this account. That says nothing about the key.',
  },
  throttled: {
    brief: 'throttled',
    text: 'The cloud throttles the requests of keyvigil.',
  },
  timeout: {
    brief: 'no answer in time',
    text: 'The cloud did not answer in time.',
  },
  network: {
    brief: 'network trouble',
    text: 'The connection to the cloud fails.',
  },
  dns: {
    brief: 'name does not resolve',
    text: 'The name of the endpoint does not resolve.',
  },
  provider_error: {
    brief: 'error of the cloud',
    text: 'The cloud answers with an error of its own.',
  },
  bad_response: {
    brief: 'answer not understood',
    text: 'The cloud gave an answer that keyvigil does not understand.',
  },
  provider_retired: {
    brief: 'service retired',
    text: 'The cloud has retired this service, or this version of its API.',
  },
  never_checked: {
    brief: 'not looked at yet',
    text: 'It is listed, but keyvigil has not had a look at it yet.',
  },
  transitional: {
    brief: 'changing state',
    text: 'It is in a passing state (being created or changed).',
  },
  key_inaccessible: {
    brief: 'a key is unusable',
    text: 'A key that it needs is unusable.',
  },
  access_revoked: {
    brief: 'access revoked',
    text: 'Its own access to a key that it needs was taken away. The key itself may be fine.',
  },
  version_in_use_disabled: {
    brief: 'version in use disabled',
    text: 'The key works, but the version that it still uses is disabled.',
  },
  reported_by_service: {
    brief: 'its service reports trouble',
    text: 'Its own service reports trouble with a key, and no watched key explains it.',
  },
  not_watched: {
    brief: 'key not watched',
    text: 'It uses a key that is not watched, so nothing can be said of it.',
  },
};

/** A health as a word and a shape, so that colour is never the only sign. */
export interface HealthWords {
  readonly word: string;
  readonly icon: string;
}

export const HEALTH_WORDS: Readonly<Record<Health | ConsumerHealth, HealthWords>> = {
  accessible: { word: 'accessible', icon: '✔' },
  degraded: { word: 'degraded', icon: '▲' },
  inaccessible: { word: 'inaccessible', icon: '✖' },
  unknown: { word: 'unknown', icon: '?' },
  ok: { word: 'ok', icon: '✔' },
  at_risk: { word: 'at risk', icon: '▲' },
  impaired: { word: 'impaired', icon: '✖' },
};

export const KIND_WORDS: Readonly<Record<KeyKind | ConsumerKind, string>> = {
  'aws-secret': 'secret',
  'aws-kms-key': 'KMS key',
  'azure-key': 'vault key',
  'azure-vault': 'key vault',
  'speke-provider': 'SPEKE key provider',
  'mediaconnect-flow': 'MediaConnect flow',
  'codebuild-project': 'CodeBuild project',
  'media-services-account': 'Media Services account',
  'storage-account': 'storage account',
};

export const EVENT_WORDS: Readonly<Record<EventType, string>> = {
  first_seen: 'first seen',
  transition: 'changed',
  new_version: 'new version',
  rolled_back: 'rolled back',
  finding_opened: 'finding opened',
  finding_closed: 'finding closed',
  replaced: 'replaced',
  removed: 'removed',
};
