/** What a rule is asked about: one use of one key by one flow. */
import type { ConsumerFacts, Finding, KeyFacts, KeyUse, Scalar, Severity } from '../../../core/model.ts';
import { visible } from '../../../core/text.ts';
import type { KeyLookup } from '../../provider.ts';
import type { Ruling } from '../../rulings.ts';
import { type Arn, customerKeyArn, parseArn } from '../arn.ts';
import { type RuleId, severityOf } from './rule-table.ts';

/** A KMS key that decrypts the secret. Without facts it is not watched. */
export interface Protector {
  readonly name: string;
  readonly facts?: KeyFacts;
}

export interface Edge {
  readonly flow: ConsumerFacts;
  readonly use: KeyUse;
  /** Attributes of the use. */
  readonly told: Readonly<Record<string, Scalar>>;
  /** What the ARN of the secret says; absent for a SPEKE provider. */
  readonly arn?: Arn;
  /** Absent: not watched, or never seen. A rule says nothing of what it does not know. */
  readonly secret?: KeyFacts;
  /** Customer managed keys that the secret is encrypted with; none where that is the default key. */
  readonly protectors: readonly Protector[];
  readonly now: number;
}

/** What a rule says of one use, or of the flow itself. */
export interface Breach {
  readonly rule: RuleId;
  /** Where it differs from the rule's own. */
  readonly severity?: Severity;
  /** Parts of the flow that it is about: `output Test`. None: the flow itself. */
  readonly parts: readonly string[];
  /** Goes on after `output Test: `; a whole sentence without its full stop. */
  readonly said: string;
  readonly remedy?: string;
  readonly impairs?: Finding['impairs'];
  /** When it may be over because a date passes, ms. */
  readonly until?: number;
}

export type Rule = (edge: Edge) => Omit<Breach, 'parts'> | undefined;

export function edgeOf(flow: ConsumerFacts, use: KeyUse, lookup: KeyLookup, now: number): Edge {
  const arn = parseArn(use.resource);
  const found = arn && lookup(use.resource);
  const secret = found?.kind === 'aws-secret' ? found : undefined;
  return {
    flow,
    use,
    told: use.attributes ?? {},
    now,
    protectors: secret ? protectorsOf(secret, lookup) : [],
    ...(arn && { arn }),
    ...(secret && { secret }),
  };
}

/** What really encrypted the current version, where that is known; else the key that is configured. */
function protectorsOf(secret: KeyFacts, lookup: KeyLookup): readonly Protector[] {
  const { kmsKeyId } = secret.attributes;
  const home = parseArn(secret.resource);
  const configured = home && customerKeyArn(typeof kmsKeyId === 'string' ? kmsKeyId : undefined, home);
  const names = new Set([
    ...secret.dependsOn.filter(({ role }) => role === 'decrypts').flatMap(({ anyOf }) => anyOf),
    ...(configured === undefined ? [] : [configured]),
  ]);
  return [...names].map((name) => {
    const facts = lookup(name);
    return facts ? { name, facts } : { name };
  });
}

const PARTS_NAMED = 5;
const SAID_AT_MOST = 3;

/**
 * One finding for each rule, however many parts break it: a finding is known by its id. The worst severity counts.
 */
export function rulingsOf(breaches: readonly Breach[]): readonly Ruling[] {
  const byRule = Map.groupBy(breaches, ({ rule }) => rule);
  return [...byRule].map(([rule, all]) => {
    const said = [...Map.groupBy(all, ({ said }) => said)].map(([text, alike]) => sentence(alike, text));
    const more = said.length > SAID_AT_MOST ? [`And ${said.length - SAID_AT_MOST} more like this.`] : [];
    const remedies = [...new Set(all.flatMap(({ remedy }) => remedy ?? []))];
    const impairs = all.some((breach) => breach.impairs === 'access_revoked') ? 'access_revoked' : all[0]?.impairs;
    const until = Math.min(...all.map((breach) => breach.until ?? Number.POSITIVE_INFINITY));
    return {
      finding: {
        id: rule,
        severity: worst(all.map((breach) => breach.severity ?? severityOf(rule))),
        summary: [...said.slice(0, SAID_AT_MOST), ...more].join(' '),
        ...(remedies.length > 0 && { remedy: joined(remedies) }),
        ...(impairs && { impairs }),
      },
      ...(Number.isFinite(until) && { until }),
    };
  });
}

function sentence(alike: readonly Breach[], said: string): string {
  const parts = [...new Set(alike.flatMap((breach) => breach.parts))].map((part) => visible(part).slice(0, 200));
  if (parts.length === 0) return `${said}.`;
  const rest = parts.length - PARTS_NAMED;
  const list = parts.slice(0, PARTS_NAMED).join(', ');
  const subject = rest > 0 ? `${list} and ${rest} more` : list;
  return `${subject.charAt(0).toUpperCase()}${subject.slice(1)}: ${said}.`;
}

function joined(remedies: readonly string[]): string {
  const rest = remedies.length - PARTS_NAMED;
  const first = remedies.slice(0, PARTS_NAMED).join('; ');
  return rest > 0 ? `${first}; and ${rest} more like this` : first;
}

function worst(severities: readonly Severity[]): Severity {
  if (severities.includes('critical')) return 'critical';
  return severities.includes('warning') ? 'warning' : 'info';
}
