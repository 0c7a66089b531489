/** Rules on the generation of the key that an account uses. */
import type { KeyFacts, Version } from '../../../core/model.ts';
import { utc } from '../../../core/text.ts';
import type { Ruling } from '../../rulings.ts';
import { az, setProperty } from '../commands.ts';
import { type Edge, type Rule, vaultName, versionInUse, versionsOf } from './edge.ts';

const MINUTE_MS = 60_000;
/** "Create another key version for the same key -- Media Services should detect this key after 5 minutes." */
const LAG_WARNING_MS = 15 * MINUTE_MS;
const LAG_CRITICAL_MS = 60 * MINUTE_MS;

export const VERSION_RULES: readonly Rule[] = [inUseDisabled, inUseGone, lag, pinned];

/** Old versions must stay enabled until everything is wrapped anew (azure.md 2, az.rotation.oldversion). */
function inUseDisabled(edge: Edge): Ruling {
  const inUse = versionInUse(edge);
  const newer = newerVersions(edge);
  if (!isUsable(edge.key) || inUse?.enabled !== false || newer.length === 0) return {};
  return {
    finding: {
      id: 'media-services.version-in-use-disabled',
      severity: 'critical',
      summary: `The version that it uses, ${inUse.id}, is disabled; a newer one is enabled, but the account key is not wrapped with that.`,
      remedy: az('keyvault', 'key', 'set-attributes', '--id', `${edge.use.resource}/${inUse.id}`, '--enabled', 'true'),
      impairs: 'version_in_use_disabled',
    },
  };
}

/** Versions are never deleted one by one: a key without them was made anew under the same name. */
function inUseGone(edge: Edge): Ruling {
  const { use, key } = edge;
  if (!isUsable(key) || !key.versions?.length || use.versionInUse === undefined) return {};
  if (versionsOf(key).some(({ id }) => id === use.versionInUse)) return {};
  return {
    finding: {
      id: 'media-services.version-in-use-gone',
      severity: 'critical',
      summary: `The key has no version ${use.versionInUse}, which it uses: most likely it was made anew under the same name.`,
      remedy: `Restore the old key from a backup: ${az('keyvault', 'key', 'restore', '--vault-name', vaultName(edge), '--file', 'key.backup')}`,
    },
  };
}

/**
 * "When you use only a key name, Media Services will use the latest key version. New versions of customer keys are
 * automatically detected, and the account key is re-encrypted." Counted from the oldest version that it could have moved
 * to, so that one more new version does not make it look punctual again.
 */
function lag(edge: Edge): Ruling {
  const { use, key, now, account } = edge;
  if (use.pinned !== false || !isUsable(key)) return {};
  const newer = newerVersions(edge).flatMap((version) => {
    const { createdAt, notBeforeAt } = version;
    return createdAt === undefined
      ? []
      : { id: version.id, createdAt, usableAt: Math.max(createdAt, notBeforeAt ?? 0) };
  });
  const newest = newer.reduce<(typeof newer)[number] | undefined>(
    (latest, version) => (latest && latest.createdAt >= version.createdAt ? latest : version),
    undefined,
  );
  if (!newest) return {};
  const since = Math.min(...newer.map(({ usableAt }) => usableAt));
  const warningAt = since + LAG_WARNING_MS;
  const criticalAt = since + LAG_CRITICAL_MS;
  if (now < warningAt) return { until: warningAt };
  const finding = {
    id: 'media-services.rotation-lag',
    severity: now < criticalAt ? ('warning' as const) : ('critical' as const),
    summary: `It still uses version ${use.versionInUse}, though ${newest.id} exists and it could have moved on since ${utc(since)}.`,
    remedy: `Keep the old version enabled, check that its identity may use the key, then set the key again: ${setProperty(account.resource, 'encryption.keyVaultProperties.keyIdentifier', use.resource)}`,
  };
  return now < criticalAt ? { finding, until: criticalAt } : { finding };
}

/** "You can specify a key name and key version, or just a key name." */
function pinned(edge: Edge): Ruling {
  const { use, account } = edge;
  if (use.pinned !== true) return {};
  const [newer] = isUsable(edge.key) ? newerVersions(edge) : [];
  const instead = newer ? `; a newer one exists, ${newer.id}` : '';
  return {
    finding: {
      id: 'media-services.pinned-version',
      severity: 'info',
      summary: `It stays with one version of its key and follows no rotation${instead}.`,
      remedy: setProperty(account.resource, 'encryption.keyVaultProperties.keyIdentifier', use.resource),
    },
  };
}

/**
 * Enabled versions that came after the one in use, the current one first. With versions listed and the one in use not
 * among them nothing can be said of before and after.
 */
function newerVersions(edge: Edge): readonly Version[] {
  const { use, key } = edge;
  const inUse = versionInUse(edge);
  if (!key || use.versionInUse === undefined || (key.versions?.length && !inUse)) return [];
  return versionsOf(key).filter(
    (version) => version.id !== use.versionInUse && version.enabled !== false && cameAfter(version, inUse, key),
  );
}

/** What a key hands out by itself is its newest version, also when two were made within a second. */
function cameAfter(version: Version, inUse: Version | undefined, key: KeyFacts): boolean {
  const current = version.id === key.version?.id;
  if (inUse?.createdAt === undefined || version.createdAt === undefined) return current;
  return current ? version.createdAt >= inUse.createdAt : version.createdAt > inUse.createdAt;
}

/** A key that is lost itself is told as that. */
function isUsable(key: KeyFacts | undefined): key is KeyFacts {
  return key?.state === 'Enabled';
}
