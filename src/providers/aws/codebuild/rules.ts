/** Every rule of CodeBuild. Pure. */
import type { ConsumerFacts } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { ConsumerJudgement, KeyLookup } from '../../provider.ts';
import { judgementOf } from '../../rulings.ts';
import { simulationRulings } from '../iam/rules.ts';
import { BUILD_RULES } from './build-rules.ts';
import { sceneOf } from './edge.ts';
import { PROJECT_RULES } from './project-rules.ts';
import { SECRET_RULES } from './secret-rules.ts';
import { VERSION_RULES } from './version-rules.ts';

const RULES = [...BUILD_RULES, ...VERSION_RULES, ...SECRET_RULES, ...PROJECT_RULES];

/** What the rules say at `now`. */
export function judge(project: ConsumerFacts, key: KeyLookup, now: number, policy: Policy): ConsumerJudgement {
  const scene = sceneOf(project, key, now);
  const rulings = [...RULES.map((rule) => rule(scene)), ...simulationRulings(project, 'codebuild')];
  return judgementOf(rulings, policy);
}
