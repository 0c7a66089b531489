/** What a rule is asked about: a project, and the secrets that it refers to as far as they are known. */
import type { ConsumerFacts, Finding, KeyFacts, KeyUse } from '../../../core/model.ts';
import { counted } from '../../../core/text.ts';
import type { KeyLookup } from '../../provider.ts';
import type { Ruling } from '../../rulings.ts';
import { type Arn, parseArn } from '../arn.ts';

export interface Edge {
  readonly use: KeyUse;
  /** Parts of the reference, which names an account and a Region however short it is written. */
  readonly arn: Arn;
  /** Absent: not watched, or never seen. A rule says nothing of what it does not know. */
  readonly secret?: KeyFacts;
}

export interface Scene {
  readonly project: ConsumerFacts;
  /** One for each use of a secret. */
  readonly edges: readonly Edge[];
  readonly now: number;
}

/** Says one thing of a project, however many parts of it are concerned. */
export type Rule = (scene: Scene) => Ruling;

export function sceneOf(project: ConsumerFacts, key: KeyLookup, now: number): Scene {
  const edges = project.uses.flatMap((use): readonly Edge[] => {
    const arn = parseArn(use.resource);
    if (arn?.service !== 'secretsmanager') return [];
    const secret = key(use.resource);
    return [secret?.kind === 'aws-secret' ? { use, arn, secret } : { use, arn }];
  });
  return { project, edges, now };
}

/** The finding about those edges that break the rule; none of them does: nothing. `make` is given the first. */
export function about(
  edges: readonly Edge[],
  breaks: (edge: Edge) => boolean,
  make: (parts: string, first: Edge, broken: readonly Edge[]) => Finding,
): Ruling {
  const broken = edges.filter(breaks);
  const [first] = broken;
  return first ? { finding: make(partsOf(broken), first, broken) } : {};
}

/** Parts that are named before the rest is only counted. */
const NAMED = 5;

/** `variable A, variable B and 3 more`. */
export function partsOf(edges: readonly Edge[]): string {
  const parts = [...new Set(edges.map(({ use }) => use.part ?? use.role))];
  const more = parts.length - NAMED;
  const named = parts.slice(0, NAMED).join(', ');
  return more > 0 ? `${named} and ${counted(more, 'more', 'more')}` : named;
}

/** The name in the reference; where that is a complete ARN, with the random suffix. */
export function secretName({ arn }: Edge): string {
  return arn.resource.slice('secret:'.length);
}
