/**
 * The closed lists in plain words, for the page, the terminal and notifications. Records rather than switches, so that
 * the compiler refuses a reason, kind or health without its words.
 */
import {
  type ConsumerHealth,
  type ConsumerKind,
  type EventType,
  type Health,
  isConsumerKind,
  type KeyEvent,
  type KeyKind,
} from './model.ts';
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
    text: 'It was deleted and refuses every use. It can still be recovered, until it is purged.',
  },
  purged: {
    brief: 'purged for good',
    text: 'It was purged, and the cloud keeps nothing of it. Without a backup of your own, what was encrypted with it is lost.',
  },
  not_found: {
    brief: 'not found',
    text: 'The cloud says that it does not exist: it was deleted, or what names it has the wrong name. What was deleted only minutes ago may not show as recoverable yet.',
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
    brief: 'lost with its key or vault',
    text: 'Nothing is wrong with it by itself: what it depends on is lost, every key that could decrypt it or the vault that holds it.',
  },
  finding: {
    brief: 'breaks a rule',
    text: 'It works, but it breaks at least one rule.',
  },
  denied: {
    brief: 'keyvigil may not look',
    text: 'keyvigil itself is refused: it lacks a permission, or a network rule shuts it out. That says nothing about the key.',
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
    text: 'The name of the endpoint does not resolve. That alone proves no loss.',
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
    text: 'The cloud has retired this service, or does not offer it to this account. There is nothing to watch; that is no failure.',
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

/**
 * What it means that a consumer is impaired: what of it stops, what goes on, what not to do. True whatever the reason is:
 * its key is lost, or its way to it.
 */
export const CONSUMER_WORDS: Readonly<Record<ConsumerKind, { readonly impaired: Words }>> = {
  'media-services-account': {
    impaired: {
      brief: 'only GET, LIST and DELETE work',
      text:
        'The account key no longer unwraps: encoding, streaming, key delivery, JobInputHttp URLs and symmetric token validation keys stop. ' +
        'Only GET, LIST and DELETE of the account work. Restore access to the key; do not delete the account in panic.',
    },
  },
  'mediaconnect-flow': {
    impaired: {
      brief: 'decryption or encryption with the key stops',
      text:
        'Whatever needs the key stops: a source is not decrypted, an output or entitlement is not encrypted, and MediaConnect takes such an ' +
        'output off the flow until that is fixed. A running flow may go on until it next needs the key.',
    },
  },
  'codebuild-project': {
    impaired: {
      brief: 'builds that need the key fail',
      text: 'Builds that need the key fail: they cannot fetch their secrets, or read and write the artifacts that are encrypted with it.',
    },
  },
  'storage-account': {
    impaired: {
      brief: 'reads and writes are refused',
      text: 'Reads and writes of its data are refused with 403 until it has access to its key again.',
    },
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

/** What an event of a key is called; of a consumer, see `eventWord`. */
const EVENT_WORDS: Readonly<Record<EventType, string>> = {
  first_seen: 'first seen',
  transition: 'changed',
  new_version: 'new version',
  rolled_back: 'rolled back',
  finding_opened: 'finding opened',
  finding_closed: 'finding closed',
  replaced: 'replaced',
  removed: 'removed',
};

/** An event of a key or a consumer in words: a consumer has no versions of its own, it moves to one of its key's. */
export function eventWord({ type, kind }: Pick<KeyEvent, 'type' | 'kind'>): string {
  if (!isConsumerKind(kind)) return EVENT_WORDS[type];
  if (type === 'new_version') return 'moved to a new version';
  return type === 'rolled_back' ? 'went back to an older version' : EVENT_WORDS[type];
}
