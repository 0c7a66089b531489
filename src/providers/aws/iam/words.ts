/** The words of policy simulation. An answer says what policies say; it never proves that a call would succeed or fail. */
import type { UnknownReason } from '../../../core/reasons.ts';
import type { CallContext } from '../../provider.ts';

/**
 * What an answer can be. `conditional`: the role trusts the service under a condition that cannot be judged from outside.
 */
export type Word =
  | 'allowed'
  | 'conditional'
  | 'implicitly-denied'
  | 'explicitly-denied'
  | 'untrusted'
  | 'role-not-found'
  | 'cannot-tell';

/**
 * Which policy says no: the role's own policies, its permissions boundary, a policy of the organization, or the policy of the
 * secret or key.
 */
export type Denier = 'role' | 'boundary' | 'organization' | 'resource';

/**
 * Why something cannot be told, or what an answer did not see: `denied` is about the monitor. `conditions`: it hangs on
 * circumstances of the call that nobody outside of it knows. `resource_gone`: the secret or key itself has trouble of its own.
 */
export type Unseen =
  | UnknownReason
  | 'conditions'
  | 'other_account'
  | 'no_role'
  | 'not_watched'
  | 'custom_domain'
  | 'unreadable_policy'
  | 'resource_gone';

export interface Answer {
  readonly word: Word;
  /** With a denial; with `untrusted` only where the trust policy denies it in so many words. */
  readonly by?: Denier;
  /** With a denial: the actions that are not allowed. */
  readonly actions?: readonly string[];
  /** With `cannot-tell`: why. With another word: what was not seen of it. */
  readonly reason?: Unseen;
}

/** An answer, and when the cloud gave it (ms); absent: the cloud was not asked. */
export interface Dated {
  readonly answer: Answer;
  readonly at?: number;
}

/** May this role do all of these things to this resource? */
export interface Question {
  /** ARN. */
  readonly role: string;
  /** `secretsmanager:GetSecretValue`, … */
  readonly actions: readonly string[];
  /** Full ARN. */
  readonly resource: string;
  /** Of a KMS key: ARN of the secret that it is needed for. Secrets Manager then calls KMS in the name of the role. */
  readonly forSecret?: string;
}

/** How many new questions one look may still ask the cloud. */
export interface Allowance {
  left: number;
}

/**
 * Policy simulation, as other services' looks use it. A question whose answer is known is answered from memory. One that must
 * be asked may be put off: it is answered with what was known before, or not at all, rather than making a look wait for
 * the questions of all others.
 */
export interface Simulation {
  /** Whether the role lets a service (`mediaconnect`) take it on. */
  trust(role: string, service: string, context: CallContext, allowance: Allowance): Promise<Dated | undefined>;
  /** Whether policies let the role do it. */
  may(question: Question, context: CallContext, allowance: Allowance): Promise<Dated | undefined>;
}
