/** From what AWS's simulator says of a role, and what the policy of the resource says, to one answer. Pure. */
import { anyOf, type Circumstances } from './conditions.ts';
import { namesRole, type Said, said, statementsOf } from './policy.ts';
import type { Answer, Denier, Question, Unseen } from './words.ts';

/** What the policies of the role say of one action, as SimulatePrincipalPolicy tells it. */
export interface Simulated {
  readonly action: string;
  /** `unknown`: the simulator used a word that is not known. */
  readonly decision: 'allowed' | 'explicitly-denied' | 'implicitly-denied' | 'unknown';
  readonly by: Denier;
  /** Condition keys that the policies ask for and that were not given. */
  readonly missing: boolean;
}

/** The policy of the secret or key: its text, none, or why it could not be read. */
export type ResourcePolicy = { readonly text: string } | 'none' | { readonly unseen: Unseen };

/** What one action comes to. */
type Decision = Pick<Answer, 'word' | 'by' | 'reason'>;

/** The worst of several actions is what counts: most certain denial first. */
const WORST = ['explicitly-denied', 'implicitly-denied', 'cannot-tell', 'allowed'] as const;

/** The answer to a question about a role of `account`, from what its policies and that of the resource say of each action. */
export function decide(
  question: Question,
  simulated: readonly Simulated[],
  policy: ResourcePolicy,
  home: { readonly account: string; readonly sameAccount: boolean; readonly known: Circumstances },
): Answer {
  const decisions = question.actions.map((action) => {
    const role = simulated.find((one) => one.action.toLowerCase() === action.toLowerCase());
    if (!role) return { action, word: 'cannot-tell', reason: 'bad_response' } as const;
    const resource = sayingOf(question, action, policy, home);
    return { action, ...together(role, resource, home.sameAccount, isKey(question)) };
  });
  const worst = WORST.map((word) => decisions.find((one) => one.word === word)).find((one) => one !== undefined);
  if (!worst) return { word: 'cannot-tell', reason: 'bad_response' };
  const { action: _one, ...answer } = worst;
  if (answer.word === 'allowed' || answer.word === 'cannot-tell') return answer;
  const denied = decisions.filter(({ word }) => word === 'explicitly-denied' || word === 'implicitly-denied');
  return { ...answer, actions: denied.map(({ action }) => action) };
}

function isKey({ resource }: Question): boolean {
  return resource.split(':')[2] === 'kms';
}

const SILENT: Said = { denies: 'no', allows: 'no', delegates: 'no' };

function sayingOf(
  { role, resource }: Question,
  action: string,
  policy: ResourcePolicy,
  { account, known }: { readonly account: string; readonly known: Circumstances },
): Said | Unseen {
  if (policy === 'none') return SILENT;
  if ('unseen' in policy) return policy.unseen;
  const statements = statementsOf(policy.text);
  if (!statements) return 'unreadable_policy';
  return said(statements, { action, resource, known, named: (principal) => namesRole(principal, role, account) });
}

/** What the role's policies say by themselves. A denial that hangs on keys that were not given is none that can be told. */
function ofRole({ decision, by, missing }: Simulated): Decision {
  if (decision === 'unknown') return { word: 'cannot-tell', reason: 'bad_response' };
  if (decision === 'allowed') return { word: 'allowed' };
  return missing ? { word: 'cannot-tell', reason: 'conditions' } : { word: decision, by };
}

/** What no policy of a resource makes good again: a denial in so many words, a boundary, the organization. */
function isFinal({ word, by }: Decision): boolean {
  return word === 'explicitly-denied' || by === 'boundary' || by === 'organization';
}

/**
 * A secret goes by the policies of both sides: within an account either may allow it, across accounts both must. A key goes by
 * its own policy alone, and IAM's policies count only where that leaves it to the account (KMS developer guide, "Key policies":
 * no principal has any permission to a key unless the key policy allows it). A denial on either side counts.
 */
function together(simulated: Simulated, resource: Said | Unseen, sameAccount: boolean, key: boolean): Decision {
  const role = ofRole(simulated);
  if (isFinal(role)) return role;
  if (typeof resource === 'string') {
    if (sameAccount && role.word === 'allowed') return { ...role, reason: resource };
    return !sameAccount && role.word !== 'allowed' ? role : { word: 'cannot-tell', reason: resource };
  }
  if (resource.denies === 'yes') return { word: 'explicitly-denied', by: 'resource' };
  if (sameAccount && resource.allows === 'yes') return unlessDenied(resource);
  if (role.word !== 'allowed') {
    return sameAccount && resource.allows === 'unknown' ? { word: 'cannot-tell', reason: 'conditions' } : role;
  }
  const granted = sameAccount && !key ? 'yes' : anyOf([resource.allows, resource.delegates]);
  if (granted === 'no') return { word: 'implicitly-denied', by: 'resource' };
  return granted === 'yes' ? unlessDenied(resource) : { word: 'cannot-tell', reason: 'conditions' };
}

/** Allowed, and said so where a denial hangs on conditions. */
function unlessDenied({ denies }: Said): Decision {
  return denies === 'unknown' ? { word: 'allowed', reason: 'conditions' } : { word: 'allowed' };
}
