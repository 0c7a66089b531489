/** What a secret can be wrong in without being lost. Pure. */
import type { Finding, KeyFacts } from '../../../core/model.ts';
import type { Judgement } from '../../provider.ts';
import { command } from './remedies.ts';

const HOUR_MS = 3_600_000;
/** A good rotation leaves AWSPENDING for minutes at most; AWS goes on trying a failing one for hours. */
const STUCK_AFTER_MS = 6 * HOUR_MS;

interface Ruling {
  readonly finding?: Finding;
  /** When this rule may say something else, ms. */
  readonly until?: number;
}

/** Every rule of Secrets Manager at `now`. */
export function judge(facts: KeyFacts, now: number): Judgement {
  const rulings = [
    overdue(facts, now),
    stuck(facts, now),
    neverFilled(facts),
    replicationFailed(facts),
    readDenied(facts),
  ];
  const findings = rulings.flatMap(({ finding }) => finding ?? []);
  const until = Math.min(...rulings.map((ruling) => ruling.until ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(until) ? { findings, until } : { findings };
}

function overdue(facts: KeyFacts, now: number): Ruling {
  const { nextRotationAt, rotationEnabled } = facts;
  if (nextRotationAt === undefined || rotationEnabled === false || facts.state === 'ScheduledForDeletion') return {};
  const dueBy = nextRotationAt + Math.max(HOUR_MS, windowMs(facts));
  if (now < dueBy) return { until: dueBy };
  return {
    finding: {
      id: 'secrets-manager.rotation-overdue',
      severity: 'warning',
      summary: 'Its scheduled rotation did not happen.',
      remedy: command(facts, 'rotate-secret'),
    },
  };
}

/** The rotation window as Secrets Manager spells it (`3h`), ms; 0 where none is set. */
function windowMs({ attributes }: KeyFacts): number {
  const hours = /^(\d{1,3})h$/.exec(String(attributes.rotationDuration ?? ''))?.[1];
  return Number(hours ?? 0) * HOUR_MS;
}

function stuck(facts: KeyFacts, now: number): Ruling {
  const { pendingVersion } = facts;
  const since = pendingVersion?.createdAt ?? facts.attributes.pendingSince;
  if (!pendingVersion || typeof since !== 'number' || facts.state === 'ScheduledForDeletion') return {};
  if (now - since < STUCK_AFTER_MS) return { until: since + STUCK_AFTER_MS };
  const release = command(
    facts,
    'update-secret-version-stage',
    '--version-stage',
    'AWSPENDING',
    '--remove-from-version-id',
    pendingVersion.id,
  );
  return {
    finding: {
      id: 'secrets-manager.rotation-stuck',
      severity: 'warning',
      summary: 'A rotation began and never ended: AWSPENDING is apart from AWSCURRENT, and every later rotation fails.',
      remedy: `${release} && ${command(facts, 'rotate-secret')}`,
    },
  };
}

function neverFilled(facts: KeyFacts): Ruling {
  if (facts.state !== 'NeverFilled') return {};
  return {
    finding: {
      id: 'secrets-manager.never-filled',
      severity: 'info',
      summary: 'It was never given a value.',
      remedy: command(facts, 'put-secret-value', '--secret-string', 'file://value'),
    },
  };
}

function replicationFailed(facts: KeyFacts): Ruling {
  const failed = facts.attributes.replicationFailed;
  if (typeof failed !== 'string') return {};
  const regions = failed.split(' ');
  return {
    finding: {
      id: 'secrets-manager.replication-failed',
      severity: 'warning',
      summary: `Its copy in ${regions.join(', ')} is not kept up to date.`,
      remedy: command(
        facts,
        'replicate-secret-to-regions',
        '--add-replica-regions',
        ...regions.map((region) => `Region=${region}`),
      ),
    },
  };
}

function readDenied(facts: KeyFacts): Ruling {
  if (facts.attributes.readResult !== 'denied') return {};
  return {
    finding: {
      id: 'secrets-manager.read-denied',
      severity: 'info',
      summary: 'keyvigil may not read it, so nothing proves that it can be decrypted.',
      remedy: 'Allow secretsmanager:GetSecretValue on it and kms:Decrypt on its key, or set access to metadata.',
    },
  };
}
