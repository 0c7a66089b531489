/** Rules on the key that an account uses: what Media Services demands of it, and its dates. */
import type { Version } from '../../../core/model.ts';
import { utc } from '../../../core/text.ts';
import type { Ruling } from '../../rulings.ts';
import { az } from '../commands.ts';
import { type Edge, type Rule, versionInUse } from './edge.ts';

const RSA: readonly string[] = ['RSA', 'RSA-HSM'];
const SIZES: readonly number[] = [2048, 3072, 4096];
const OPERATIONS: readonly string[] = ['wrapKey', 'unwrapKey'];
/** Less time than this until the key expires is critical. */
const CRITICAL_MS = 3 * 86_400_000;
/** A date that makes a key valid at once. */
const LONG_AGO = '2000-01-01T00:00:00Z';

export const KEY_RULES: readonly Rule[] = [keyType, keySize, operations, notYetValid, expiry];

/** "EC keys are not supported." "…both HSM and software keys are supported." */
function keyType({ key, account }: Edge): Ruling {
  const type = key?.attributes.keyType;
  if (typeof type !== 'string' || RSA.includes(type)) return {};
  return {
    finding: {
      id: 'media-services.key-type',
      severity: 'critical',
      summary: `Its key is of type ${type}; Media Services can use RSA keys only.`,
      remedy: replace(account.resource),
    },
  };
}

/** "Your key can be a 2048, 3072, or a 4096 RSA key". */
function keySize({ key, account }: Edge): Ruling {
  const { keySize: bits, keyType: type } = key?.attributes ?? {};
  if (typeof bits !== 'number' || SIZES.includes(bits) || (typeof type === 'string' && !RSA.includes(type))) return {};
  return {
    finding: {
      id: 'media-services.key-size',
      severity: 'critical',
      summary: `Its key has ${bits} bits; Media Services can use 2048, 3072 or 4096.`,
      remedy: replace(account.resource),
    },
  };
}

/** "When you use your own key, the account key is encrypted with your key": it is wrapped and unwrapped. */
function operations({ key, use }: Edge): Ruling {
  const said = key?.attributes.operations;
  if (typeof said !== 'string') return {};
  const allowed = said.split(',').filter((operation) => operation !== '');
  const missing = OPERATIONS.filter(
    (operation) => !allowed.some((known) => known.toLowerCase() === operation.toLowerCase()),
  );
  if (missing.length === 0) return {};
  return {
    finding: {
      id: 'media-services.key-operations',
      severity: 'critical',
      summary: `Its key does not permit ${missing.join(' and ')}.`,
      remedy: az('keyvault', 'key', 'set-attributes', '--id', use.resource, '--ops', ...allowed, ...missing),
    },
  };
}

/** Outside its dates a key unwraps what was wrapped, but wraps nothing any more (azure.md 0.5). */
function notYetValid(edge: Edge): Ruling {
  const version = inForce(edge);
  const from = version?.notBeforeAt;
  if (from === undefined || edge.now >= from) return {};
  return {
    finding: {
      id: 'media-services.key-not-yet-valid',
      severity: 'critical',
      summary: `Its key is not valid before ${utc(from)}: until then nothing new can be wrapped with it.`,
      remedy: az(...versionCommand(edge, version), '--not-before', LONG_AGO),
    },
    until: from,
  };
}

function expiry(edge: Edge): Ruling {
  const version = inForce(edge);
  const expiresAt = version?.expiresAt;
  if (expiresAt === undefined) return {};
  const { now, policy } = edge;
  const postpone = az(...versionCommand(edge, version), '--expires', 'YYYY-MM-DDThh:mm:ssZ');
  const rotate = az('keyvault', 'key', 'rotate', '--id', edge.use.resource);
  const remedy = edge.use.pinned ? postpone : `${rotate}, or put the date off: ${postpone}`;
  if (now >= expiresAt) {
    const summary = `Its key expired on ${utc(expiresAt)}: it still unwraps, but nothing new can be wrapped with it.`;
    return { finding: { id: 'media-services.key-expired', severity: 'critical', summary, remedy } };
  }
  const criticalAt = expiresAt - CRITICAL_MS;
  // A short warning period does not silence the last days.
  const warningAt = Math.min(expiresAt - policy.expiryWarningMs, criticalAt);
  if (now < warningAt) return { until: warningAt };
  const severity = now < criticalAt ? 'warning' : 'critical';
  const summary = `Its key expires on ${utc(expiresAt)}; from then on nothing new can be wrapped with it.`;
  return {
    finding: { id: 'media-services.key-expiring', severity, summary, remedy },
    until: now < criticalAt ? criticalAt : expiresAt,
  };
}

/** The generation whose dates count: the one in use, or the current one where the account does not tell. */
function inForce(edge: Edge): Version | undefined {
  const { key, use } = edge;
  if (use.versionInUse !== undefined) return versionInUse(edge);
  return key?.version;
}

function versionCommand({ use }: Edge, version: Version | undefined): readonly string[] {
  const id = version ? `${use.resource}/${version.id}` : use.resource;
  return ['keyvault', 'key', 'set-attributes', '--id', id];
}

function replace(account: string): string {
  return `Create an RSA key of 2048, 3072 or 4096 bits in the same vault and set it as properties.encryption.keyVaultProperties.keyIdentifier of ${account}.`;
}
