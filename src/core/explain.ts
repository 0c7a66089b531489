/** Everything that is known of one key or consumer, and why: for whoever was just woken up by it. Pure. */
import { type AlertBrief, type AlertSources, alertsOn, type Silence, silenceOf } from './alerting.ts';
import { blastOf } from './blast.ts';
import { harmsOf, noReturnOf } from './harm.ts';
import { type HarmBrief, harmOf } from './harm-brief.ts';
import { type ConsumerKind, type Evidence, isConsumerKind, type KeyKind, type StoredEvent } from './model.ts';
import { type Generation, meaningOf } from './readers.ts';
import type { Relations } from './relations.ts';
import type { ConsumerView, KeyView } from './snapshot.ts';
import { iso } from './text.ts';
import {
  type Brief,
  briefOf,
  type Dependent,
  dependentsTree,
  type Needed,
  needsTree,
  type TreeOptions,
} from './tree.ts';
import { KIND_WORDS, REASON_WORDS } from './words.ts';

type Optional<T> = T | undefined;

/** A rule that is broken, and what to do. */
export interface FindingBrief {
  readonly id: string;
  readonly severity: string;
  readonly summary: string;
  readonly remedy?: Optional<string>;
  readonly since?: Optional<string>;
}

/** One generation of a key. */
export interface VersionBrief {
  readonly version: string;
  readonly current?: Optional<boolean>;
  readonly createdAt?: Optional<string>;
  readonly detectedAt?: Optional<string>;
  readonly enabled?: Optional<boolean>;
  readonly expiresAt?: Optional<string>;
}

/** One entry of the durable log. */
export interface EventBrief {
  readonly at: string;
  readonly type: StoredEvent['type'];
  readonly kind: StoredEvent['kind'];
  readonly from?: Optional<string>;
  readonly to?: Optional<string>;
  readonly reason?: Optional<string>;
  readonly version?: Optional<string>;
}

/** All of it, as the API answers it and the terminal prints it. Times are ISO 8601; what is not known is absent. */
export interface Explanation extends Brief {
  /** When what it rests on was put together. */
  readonly at: string;
  /** It rests on a look of its own rather than on what a daemon knows: there is no timeline, and nobody was told. */
  readonly live: boolean;
  readonly kind: KeyKind | ConsumerKind;
  readonly provider: string;
  readonly targets: readonly string[];
  readonly critical?: Optional<boolean>;
  /** Dead since first sight. */
  readonly baseline?: Optional<boolean>;
  /** Why it has this health, in a sentence. */
  readonly why: string;
  /** What is believed of a key by itself, dependencies aside, and since when. */
  readonly verdict?: Optional<{
    readonly status: string;
    readonly reason?: Optional<string>;
    readonly since?: Optional<string>;
  }>;
  /** What was seen instead, and is being confirmed. */
  readonly pending?: Optional<{
    readonly status: string;
    readonly seen?: Optional<number>;
    readonly of?: Optional<number>;
    readonly since?: Optional<string>;
  }>;
  readonly blindReason?: Optional<string>;
  /** The service's own word. */
  readonly state?: Optional<string>;
  readonly evidence: Evidence;
  readonly checkedAt?: Optional<string>;
  readonly conclusiveAt?: Optional<string>;
  readonly deletionAt?: Optional<string>;
  readonly recoverableUntil?: Optional<string>;
  readonly expiresAt?: Optional<string>;
  readonly lastRotatedAt?: Optional<string>;
  readonly nextRotationAt?: Optional<string>;
  readonly undo?: Optional<string>;
  readonly findings: readonly FindingBrief[];
  /** Oldest first. */
  readonly versions: readonly VersionBrief[];
  /** The keys to blame. */
  readonly rootCauses: readonly string[];
  /** What it needs, broken first. */
  readonly needs: readonly Needed[];
  readonly moreNeeds?: Optional<number>;
  /** How many depend on it, directly or through others. */
  readonly dependents: { readonly keys: number; readonly consumers: number };
  /** What needs it, worst first. */
  readonly tree: readonly Dependent[];
  readonly more?: Optional<number>;
  /** What it means that consumers of these kinds do not work. */
  readonly meanings: readonly string[];
  /** When the loss hurts, worst first; empty: nothing is lost, or nobody is hurt. */
  readonly harm: readonly HarmBrief[];
  /** Of a key that is lost: until when that can be undone, in a sentence. */
  readonly undoing?: Optional<string>;
  readonly alerts: readonly AlertBrief[];
  /** Why there is none; absent: there is one. */
  readonly silence?: Optional<Silence>;
  /** Ids of rules of its service that the policy has switched off. */
  readonly rulesOff: readonly string[];
  /** Newest last; absent: a look of its own knows none. */
  readonly events?: Optional<readonly EventBrief[]>;
}

export interface ExplainOptions extends TreeOptions {
  readonly alerts: AlertSources;
  /** Absent: a look of its own. */
  readonly events?: readonly StoredEvent[];
  /** Oldest first. */
  readonly versions: readonly Generation[];
}

/** The service whose rules are about a kind: their ids begin with it. */
const SERVICE_OF: Readonly<Record<KeyKind | ConsumerKind, string>> = {
  'aws-secret': 'secrets-manager',
  'aws-kms-key': 'kms',
  'azure-key': 'key-vault',
  'azure-vault': 'key-vault',
  'speke-provider': 'speke',
  'mediaconnect-flow': 'mediaconnect',
  'codebuild-project': 'codebuild',
  'media-services-account': 'media-services',
  'storage-account': 'storage',
};

/** Everything about one key or consumer of the snapshot. */
export function explain(view: KeyView | ConsumerView, relations: Relations, options: ExplainOptions): Explanation {
  const { snapshot } = relations;
  const { alerts: sources, events } = options;
  const isKey = 'dependsOn' in view;
  const record = isKey ? relations.records.key(view.resource) : undefined;
  const alerts = alertsOn(view, snapshot, sources);
  const needs = needsTree(view, relations, options);
  return {
    ...briefOf(view, options.tagLabels),
    at: iso(snapshot.at) ?? '',
    live: events === undefined,
    provider: view.provider,
    targets: view.targets,
    why: whyOf(view),
    ...(isKey ? ofKey(view, record?.pending?.seen, options) : {}),
    state: view.state,
    evidence: view.evidence,
    checkedAt: iso(view.checkedAt),
    conclusiveAt: iso(view.conclusiveAt),
    findings: view.findings.map(({ id, severity, summary, remedy, since }) => {
      return { id, severity, summary, remedy, since: iso(since) };
    }),
    versions: options.versions.map((one) => ({
      version: one.version,
      ...(isKey && one.version === view.version && { current: true }),
      createdAt: iso(one.createdAt),
      detectedAt: iso(one.detectedAt),
      enabled: one.enabled,
      expiresAt: iso(one.expiresAt),
    })),
    rootCauses: view.rootCauses,
    needs: needs.needs,
    moreNeeds: needs.more,
    ...behind(view, relations, options),
    alerts,
    silence: alerts.length > 0 ? undefined : silenceOf(view, record, sources.context),
    rulesOff: rulesOff(view.kind, sources.context.policy.rules),
    events: events?.map(({ at, type, kind, from, to, reason, version }) => {
      return { at: iso(at) ?? '', type, kind, from, to, reason, version };
    }),
  };
}

function ofKey(view: KeyView, seen: number | undefined, { alerts }: ExplainOptions): Partial<Explanation> {
  const { own, pending } = view;
  return {
    critical: view.critical,
    baseline: view.baseline,
    verdict: own && { status: own.status, reason: own.reason, since: iso(own.since) },
    pending: pending && {
      status: pending.status,
      seen,
      of: alerts.context.policy.confirmations[pending.status],
      since: iso(pending.since),
    },
    blindReason: view.blindReason,
    deletionAt: iso(view.deletionAt),
    recoverableUntil: iso(view.recoverableUntil),
    expiresAt: iso(view.expiresAt),
    lastRotatedAt: iso(view.lastRotatedAt),
    nextRotationAt: iso(view.nextRotationAt),
    undo: view.undo,
  };
}

type Behind = Pick<Explanation, 'dependents' | 'tree' | 'more' | 'meanings' | 'harm' | 'undoing'>;

function behind(view: KeyView | ConsumerView, relations: Relations, options: TreeOptions): Behind {
  if (!('dependsOn' in view)) {
    const meaning = meaningOf(view);
    const meanings = meaning ? [`${KIND_WORDS[view.kind]}: ${meaning.text}`] : [];
    const harm = harmsOf(view, (resource) => relations.snapshot.byResource.get(resource)).map(
      ({ cause, begins, at, text, noReturn }) => ({ cause, begins, at: iso(at), text, undoing: noReturn?.text }),
    );
    return { dependents: { keys: 0, consumers: 0 }, tree: [], meanings, harm };
  }
  const blast = blastOf(view.resource, relations);
  const { children, more } = dependentsTree(blast, relations, options);
  const kinds = new Map(
    [...blast.consumers.keys()].map((one) => [one.kind, meaningOf(one)] as const).filter(([, one]) => one),
  );
  return {
    dependents: { keys: blast.keys.size, consumers: blast.consumers.size },
    tree: children,
    more,
    meanings: [...kinds].map(([kind, meaning]) => `${KIND_WORDS[kind]}: ${meaning?.text}`),
    harm: view.health === 'inaccessible' ? harmOf(blast, relations, ['already']) : [],
    undoing: view.own?.status === 'inaccessible' ? noReturnOf(view).text : undefined,
  };
}

/** One sentence, whatever the health is. */
export function whyOf(view: KeyView | ConsumerView): string {
  if (view.reason !== undefined) return REASON_WORDS[view.reason].text;
  if (!isConsumerKind(view.kind)) return 'It can be used.';
  if (view.health === 'impaired') return 'It is impaired.';
  if (view.health === 'unknown') return 'Nothing conclusive is known of it.';
  if (view.health === 'at_risk') {
    const [first] = view.findings.filter(({ severity }) => severity !== 'info');
    return first?.summary ?? 'It works, but something is wrong with a key that it needs.';
  }
  return 'uses' in view && view.uses.length > 0
    ? 'It works, as far as its keys go.'
    : 'It works, and needs no key of yours.';
}

function rulesOff(kind: KeyKind | ConsumerKind, rules: AlertSources['context']['policy']['rules']): readonly string[] {
  return Object.keys(rules).filter((id) => rules[id] === 'off' && id.startsWith(`${SERVICE_OF[kind]}.`));
}
