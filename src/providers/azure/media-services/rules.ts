/** What an account and the key that it uses can be wrong in. Pure. */
import { type ConsumerFacts, STORES } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { ConsumerJudgement, KeyLookup } from '../../provider.ts';
import { judgementOf, type Ruling } from '../../rulings.ts';
import { access } from './access.ts';
import { ACCOUNT_RULES } from './account-rules.ts';
import { edgeOf, type Rule } from './edge.ts';
import { KEY_RULES } from './key-rules.ts';
import { VAULT_RULES } from './vault-rules.ts';
import { VERSION_RULES } from './version-rules.ts';

const EDGE_RULES: readonly Rule[] = [...VERSION_RULES, access, ...KEY_RULES, ...VAULT_RULES];

/** Every rule of Media Services at `now`. */
export function judge(account: ConsumerFacts, key: KeyLookup, now: number, policy: Policy): ConsumerJudgement {
  const edges = account.uses.filter(({ role }) => role !== STORES).map((use) => edgeOf(account, use, key, now, policy));
  const rulings: readonly Ruling[] = [
    ...ACCOUNT_RULES.map((rule) => rule(account)),
    ...edges.flatMap((edge) => EDGE_RULES.map((rule) => rule(edge))),
  ];
  return judgementOf(rulings, policy);
}
