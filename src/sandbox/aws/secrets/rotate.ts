import { AwsError, secretsError } from '../errors.ts';
import { needText, record, text } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { encryptionKey } from './keys.ts';
import { syncReplicas } from './replicate.ts';
import { moveStages } from './stages.ts';
import { changeableSecret, type Rotation, type Secret, saveSecret, type Version, versionWith } from './state.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Rotation by functions that scripts register with their outcome. The function runs at once and is done (or stuck) when
 * the call answers; rotations by schedule do not happen by themselves.
 */
export const rotateOperations: Operations = { RotateSecret, CancelRotateSecret };

function RotateSecret(call: Call) {
  const { input, store } = call;
  const secret = changeableSecret(call, needText(input, 'SecretId'));
  const lambdaArn = text(input, 'RotationLambdaARN') ?? secret.rotation?.lambdaArn;
  if (lambdaArn === undefined) {
    throw secretsError('InvalidRequestException', 'No Lambda rotation function ARN is associated with this secret.');
  }
  const outcome = store.rotationFunctions.get(lambdaArn);
  if (outcome === undefined) {
    throw new AwsError(
      'AccessDeniedException',
      'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.',
      'Message',
    );
  }
  const pending = versionWith(secret, 'AWSPENDING');
  if (pending && !pending.stages.includes('AWSCURRENT')) {
    throw secretsError(
      'InvalidRequestException',
      "A previous rotation isn't complete. That rotation will be reattempted.",
    );
  }
  const rules = readRules(call) ?? secret.rotation?.rules;
  const rotation: Rotation = {
    enabled: true,
    lambdaArn,
    rules,
    lastAt: secret.rotation?.lastAt,
    nextAt: nextRotation(rules, call.now),
  };
  if (input.RotateImmediately === false) {
    saveSecret(call, { ...secret, rotation });
    return { ARN: secret.arn, Name: secret.name };
  }
  const id = text(input, 'ClientRequestToken') ?? call.world.random.uuid();
  const rotated = outcome === 'done' ? finish(call, secret, id) : leavePending(call, secret, id);
  const lastAt = outcome === 'done' ? call.now : rotation.lastAt;
  syncReplicas(call, saveSecret(call, { ...rotated, rotation: { ...rotation, lastAt } }));
  return { ARN: secret.arn, Name: secret.name, VersionId: id };
}

function finish(call: Call, secret: Secret, id: string): Secret {
  const version: Version = {
    id,
    stages: [],
    createdAt: call.now,
    accessedAt: undefined,
    keys: [encryptionKey(call, secret.kmsKeyId)],
    value: { string: `rotated-${call.world.random.hex(16)}` },
  };
  return { ...secret, versions: moveStages([...secret.versions, version], id, ['AWSCURRENT']) };
}

/** The label is there before any value is: what a function that failed leaves behind. */
function leavePending(call: Call, secret: Secret, id: string): Secret {
  const version: Version = { id, stages: [], createdAt: call.now, accessedAt: undefined, keys: [], value: undefined };
  return { ...secret, versions: moveStages([...secret.versions, version], id, ['AWSPENDING']) };
}

function readRules(call: Call): Rotation['rules'] {
  const rules = record(call.input, 'RotationRules');
  if (!rules) return undefined;
  const days = rules.AutomaticallyAfterDays;
  if (days !== undefined && !(typeof days === 'number' && days >= 1 && days <= 1000)) {
    throw secretsError('InvalidParameterException', 'RotationRules.AutomaticallyAfterDays must be within 1-1000.');
  }
  return rules;
}

/**
 * The end of the next rotation window: of the day for rules in days, of the hour for `rate(n hours)`. A cron() schedule has
 * no next date here.
 */
function nextRotation(rules: Rotation['rules'], now: number): number | undefined {
  const days = rules?.AutomaticallyAfterDays;
  const rate = /^rate\((\d+) (hour|day)s?\)$/.exec(String(rules?.ScheduleExpression ?? ''));
  if (rate?.[2] === 'hour') return endOf(now + Number(rate[1]) * HOUR_MS, HOUR_MS);
  if (rate) return endOf(now + Number(rate[1]) * DAY_MS, DAY_MS);
  return typeof days === 'number' ? endOf(now + days * DAY_MS, DAY_MS) : undefined;
}

function endOf(at: number, unit: number): number {
  return Math.floor(at / unit) * unit + unit - 1000;
}

function CancelRotateSecret(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const pending = versionWith(secret, 'AWSPENDING');
  const rotation = secret.rotation && { ...secret.rotation, enabled: false, nextAt: undefined };
  saveSecret(call, { ...secret, rotation });
  return { ARN: secret.arn, Name: secret.name, VersionId: pending?.id };
}
