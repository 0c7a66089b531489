/** What a rule is asked about: one use of one key by one account. */
import type { ConsumerFacts, KeyFacts, KeyUse, Version } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { KeyLookup } from '../../provider.ts';
import type { Ruling } from '../../rulings.ts';
import { vaultOf } from '../names.ts';

export interface Edge {
  readonly account: ConsumerFacts;
  readonly use: KeyUse;
  /** Absent: not watched, or never seen. A rule says nothing of what it does not know. */
  readonly key?: KeyFacts;
  readonly vault?: KeyFacts;
  readonly now: number;
  readonly policy: Policy;
}

export type Rule = (edge: Edge) => Ruling;

/** The edge from an account to the key of one of its uses. */
export function edgeOf(account: ConsumerFacts, use: KeyUse, lookup: KeyLookup, now: number, policy: Policy): Edge {
  const key = known(lookup(use.resource), 'azure-key');
  const holder = key?.dependsOn.find(({ role }) => role === 'holds')?.anyOf[0] ?? vaultOf(use.resource);
  const vault = known(lookup(holder), 'azure-vault');
  return { account, use, now, policy, ...(key && { key }), ...(vault && { vault }) };
}

function known(facts: KeyFacts | undefined, kind: KeyFacts['kind']): KeyFacts | undefined {
  return facts?.kind === kind ? facts : undefined;
}

/** Every generation of the key that is known, the newest look first. */
export function versionsOf({ version, versions = [] }: KeyFacts): readonly Version[] {
  return version ? [version, ...versions.filter(({ id }) => id !== version.id)] : versions;
}

/** The generation that the account's key is wrapped with; undefined where that is not known. */
export function versionInUse({ use, key }: Edge): Version | undefined {
  return key && versionsOf(key).find(({ id }) => id === use.versionInUse);
}

/** The name by which commands mean the vault, known or not: the first label of its host. */
export function vaultName({ use, vault }: Edge): string {
  return vault?.name ?? new URL(use.resource).hostname.split('.')[0] ?? '';
}

/** Options that say which vault a command means. */
export function ofVault(edge: Edge, option = '--name'): readonly string[] {
  const subscription = edge.vault?.account ?? edge.key?.account;
  return [option, vaultName(edge), ...(subscription ? ['--subscription', subscription] : [])];
}
