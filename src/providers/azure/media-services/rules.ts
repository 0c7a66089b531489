/** What an account and the key that it uses can be wrong in. Pure. */
import { type ConsumerFacts, STORES } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { ConsumerReason } from '../../../core/reasons.ts';
import type { ConsumerJudgement, KeyLookup } from '../../provider.ts';
import { access } from './access.ts';
import { ACCOUNT_RULES } from './account-rules.ts';
import { edgeOf, type Rule, type Ruling } from './edge.ts';
import { KEY_RULES } from './key-rules.ts';
import { VAULT_RULES } from './vault-rules.ts';
import { VERSION_RULES } from './version-rules.ts';

const EDGE_RULES: readonly Rule[] = [...VERSION_RULES, access, ...KEY_RULES, ...VAULT_RULES];

/** The one that says most of what to undo first. */
const IMPAIRMENTS: readonly ConsumerReason[] = ['version_in_use_disabled', 'access_revoked', 'reported_by_service'];

/** Every rule of Media Services at `now`. */
export function judge(account: ConsumerFacts, key: KeyLookup, now: number, policy: Policy): ConsumerJudgement {
  const edges = account.uses.filter(({ role }) => role !== STORES).map((use) => edgeOf(account, use, key, now, policy));
  const rulings: readonly Ruling[] = [
    ...ACCOUNT_RULES.map((rule) => rule(account)),
    ...edges.flatMap((edge) => EDGE_RULES.map((rule) => rule(edge))),
  ].map((ruling) => (isSilenced(ruling, policy) ? withoutImpairment(ruling) : ruling));
  const until = Math.min(...rulings.map((ruling) => ruling.until ?? Number.POSITIVE_INFINITY));
  const impairment = IMPAIRMENTS.find((reason) => rulings.some((ruling) => ruling.impairment === reason));
  return {
    findings: rulings.flatMap(({ finding }) => finding ?? []),
    ...(Number.isFinite(until) && { until }),
    ...(impairment && { impairment }),
  };
}

/** Whoever switches a rule off, or makes it a remark, does not want to hear that it proves trouble. */
function isSilenced({ finding, impairment }: Ruling, { rules }: Policy): boolean {
  if (!finding || !impairment) return false;
  return rules[finding.id] === 'off' || rules[finding.id] === 'info';
}

function withoutImpairment({ impairment: _ignored, ...ruling }: Ruling): Ruling {
  return ruling;
}
