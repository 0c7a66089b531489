/** Rules on what an account says of itself, whatever is known of its key. */
import type { ConsumerFacts } from '../../../core/model.ts';
import { visible } from '../../../core/text.ts';
import type { Ruling } from '../../rulings.ts';
import { az } from '../commands.ts';
import { type KeyUrl, parseKeyUrl } from '../names.ts';

const STATUS_LENGTH = 200;

/** "…the only supported operations are account GET, LIST and DELETE; all other requests … will fail until access … is restored." */
const RESTORE =
  'Give the account access to its key again: recover or enable the key, recover the vault, or grant its identity get, ' +
  'wrapKey and unwrapKey. Do not delete the account: it works again once it can use the key.';

export const ACCOUNT_RULES: readonly ((account: ConsumerFacts) => Ruling)[] = [
  status,
  keyUnknown,
  notAdopted,
  systemKey,
  provisioning,
];

/**
 * "Media Services will transition the account to the Customer Key Inaccessible State". How that reads in `status` is
 * documented nowhere (azure.md 0.2), and healthy accounts have no status at all (0a.3): whatever it says is shown.
 */
function status({ state, attributes }: ConsumerFacts): Ruling {
  if (state === undefined) return {};
  const said = `"${visible(state.slice(0, STATUS_LENGTH))}"`;
  if (attributes.statusInaccessible === true) {
    return {
      finding: {
        id: 'media-services.status',
        severity: 'critical',
        summary: `Media Services reports trouble with its key: ${said}.`,
        remedy: RESTORE,
        impairs: 'reported_by_service',
      },
    };
  }
  return {
    finding: {
      id: 'media-services.status',
      severity: 'info',
      summary: `Media Services says of its key: ${said}; nobody has documented what that means.`,
      remedy: 'If it means that the key cannot be used, add it to inaccessibleStatus of media-services.',
    },
  };
}

/** A missing or unknown `encryption` is unknown, never a key of Microsoft (azure.md 0a.3). */
function keyUnknown({ resource, attributes }: ConsumerFacts): Ruling {
  const { encryption, keyIdentifier, currentKeyIdentifier } = attributes;
  if (encryption === 'SystemKey') return {};
  const names = [keyIdentifier, currentKeyIdentifier].filter((text) => typeof text === 'string');
  if (encryption === 'CustomerKey' && names.some((text) => parseKeyUrl(text))) return {};
  return {
    finding: {
      id: 'media-services.key-unknown',
      severity: 'warning',
      summary:
        encryption === 'CustomerKey'
          ? 'It uses a key of its owner, but Azure does not tell which.'
          : 'Azure does not tell whether it uses a key of its owner or one of Microsoft.',
      remedy: `Look at what Azure tells: ${az('resource', 'show', '--ids', resource, '--query', 'properties.encryption')}`,
    },
  };
}

/** A changed key was in use at once wherever that was recorded: one that is not was refused, or cannot be reached. */
function notAdopted({ attributes }: ConsumerFacts): Ruling {
  const { keyIdentifier, currentKeyIdentifier } = attributes;
  const configured = parseKeyUrl(typeof keyIdentifier === 'string' ? keyIdentifier : undefined);
  const current = parseKeyUrl(typeof currentKeyIdentifier === 'string' ? currentKeyIdentifier : undefined);
  if (attributes.encryption !== 'CustomerKey' || !configured || !current) return {};
  const sameVersion = configured.version === undefined || configured.version === current.version;
  if (configured.resource === current.resource && sameVersion) return {};
  return {
    finding: {
      id: 'media-services.key-not-adopted',
      severity: 'warning',
      summary: `It is set to ${spelled(configured)} but still uses ${spelled(current)}.`,
      remedy: 'Keep the key in use until the account has moved, and check that its identity may use the other one.',
    },
  };
}

function spelled({ resource, version }: KeyUrl): string {
  return version === undefined ? resource : `${resource}/${version}`;
}

/** "A default account key is created for all accounts which is encrypted by a system key owned by Media Services." */
function systemKey({ attributes }: ConsumerFacts): Ruling {
  if (attributes.encryption !== 'SystemKey') return {};
  return {
    finding: {
      id: 'media-services.system-key',
      severity: 'info',
      summary: 'It uses a key of Microsoft: there is nothing to watch.',
    },
  };
}

/** Beside `status` the only field that could show trouble (azure.md 1.4). */
function provisioning({ resource, attributes }: ConsumerFacts): Ruling {
  if (attributes.provisioningState !== 'Failed') return {};
  return {
    finding: {
      id: 'media-services.provisioning-failed',
      severity: 'info',
      summary: 'The last change of the account failed.',
      remedy: `Make the change again, or look it up: ${az('monitor', 'activity-log', 'list', '--resource-id', resource)}`,
    },
  };
}
