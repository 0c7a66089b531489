import { badParameter } from './errors.ts';

/** A trigger of a rotation policy, in the ISO 8601 words in which it was given. */
export type PolicyTrigger = { readonly timeAfterCreate: string } | { readonly timeBeforeExpiry: string };

/** The rotation policy of a key. Times are ms. */
export type RotationPolicy = {
  readonly actions: readonly { readonly type: 'Rotate' | 'Notify'; readonly trigger: PolicyTrigger }[];
  /** ISO 8601; how long new versions that a rotation makes are valid. */
  readonly expiryTime: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** What a policy is set to. */
export type RotationPolicyInput = Pick<RotationPolicy, 'actions'> & { readonly expiryTime?: string | undefined };

const DURATION = /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$/;
const DAY_MS = 86_400_000;
const MIN_DAYS = 7;
const MIN_DAYS_HSM = 28;
const MIN_VALID_DAYS = 28;
/** Long enough for any policy, short enough for any date. */
const MAX_DAYS = 36_525;

/** What vaults show for a key whose policy nobody set, and add to a policy without a Notify of its own. */
const IMPLICIT_NOTIFY = { type: 'Notify', trigger: { timeBeforeExpiry: 'P30D' } } as const;

/** The moment (ms) that lies an ISO 8601 duration of whole days, weeks, months and years after `from`; months are the calendar's. Throws BadParameter. */
export function after(from: number, duration: string): number {
  return shift(from, duration, 1);
}

function shift(from: number, duration: string, direction: 1 | -1): number {
  const match = DURATION.exec(duration);
  if (!match) throw badParameter(`The duration ${duration} is not valid.`);
  const [years, months, weeks, days] = match.slice(1).map((part) => direction * Number(part ?? 0));
  const date = new Date(from);
  date.setUTCMonth(date.getUTCMonth() + (years ?? 0) * 12 + (months ?? 0));
  return date.getTime() + ((weeks ?? 0) * 7 + (days ?? 0)) * DAY_MS;
}

/** When the policy makes the next version (ms), by the newest version's creation and expiry; undefined when it does not. */
export function rotatesAt(
  policy: RotationPolicy | undefined,
  newest: { readonly createdAt: number; readonly expires: number | undefined },
): number | undefined {
  const trigger = policy?.actions.find((action) => action.type === 'Rotate')?.trigger;
  if (!trigger) return undefined;
  if ('timeAfterCreate' in trigger) return after(newest.createdAt, trigger.timeAfterCreate);
  if (newest.expires === undefined) return undefined;
  // A version that is valid for less than the notice it should be given is not rotated before it exists.
  return Math.max(shift(newest.expires, trigger.timeBeforeExpiry, -1), newest.createdAt);
}

/** The policy that `input` makes out of the one before. Throws BadParameter for what vaults refuse. */
export function newPolicy(
  input: RotationPolicyInput,
  before: RotationPolicy | undefined,
  hsm: boolean,
  now: number,
): RotationPolicy {
  if (input.expiryTime !== undefined) checkDays(input.expiryTime, MIN_VALID_DAYS);
  for (const type of ['Rotate', 'Notify']) {
    if (input.actions.filter((action) => action.type === type).length > 1) {
      throw badParameter(`A rotation policy has at most one ${type} action.`);
    }
  }
  for (const action of input.actions) check(action, input.expiryTime, hsm);
  const hasNotify = hsm || input.actions.some((action) => action.type === 'Notify');
  return {
    actions: hasNotify ? input.actions : [...input.actions, IMPLICIT_NOTIFY],
    expiryTime: input.expiryTime,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
  };
}

function check(action: RotationPolicy['actions'][number], expiryTime: string | undefined, hsm: boolean): void {
  if (action.type === 'Notify' && hsm) throw badParameter('Managed HSM does not support Notify actions.');
  if (action.type === 'Notify' && 'timeAfterCreate' in action.trigger) {
    throw badParameter('A Notify action must be triggered by timeBeforeExpiry.');
  }
  const time = 'timeAfterCreate' in action.trigger ? action.trigger.timeAfterCreate : action.trigger.timeBeforeExpiry;
  const days = hsm ? MIN_DAYS_HSM : MIN_DAYS;
  checkDays(time, days);
  if (action.type === 'Notify' || 'timeAfterCreate' in action.trigger) return;
  if (expiryTime === undefined) throw badParameter('A Rotate action by timeBeforeExpiry needs an expiryTime.');
  // A version that is due for rotation at once would be followed by the next one without an end.
  if (shift(after(0, expiryTime), time, -1) < days * DAY_MS) {
    throw badParameter(`A version must live for at least ${days} days before it is rotated.`);
  }
}

function checkDays(duration: string, least: number): void {
  const days = after(0, duration) / DAY_MS;
  if (days >= least && days <= MAX_DAYS) return;
  throw badParameter(`The duration ${duration} must be at least ${least} and at most ${MAX_DAYS} days.`);
}

/** The policy as it is answered; one that was never set has no id and no attributes. */
export function policyView(policy: RotationPolicy | undefined, id: string, hsm: boolean): object {
  if (!policy) {
    return { lifetimeActions: hsm ? [] : [actionView(IMPLICIT_NOTIFY)], attributes: null };
  }
  return {
    id,
    lifetimeActions: policy.actions.map(actionView),
    attributes: {
      ...(policy.expiryTime === undefined ? {} : { expiryTime: policy.expiryTime }),
      created: Math.floor(policy.createdAt / 1000),
      updated: Math.floor(policy.updatedAt / 1000),
    },
  };
}

function actionView(action: RotationPolicy['actions'][number]): object {
  return { trigger: action.trigger, action: { type: action.type } };
}
