/** Builders of records for the graph; keys are named by single words. */
import { createGraph, type Graph, type GraphChange, type GraphOptions } from '../../../src/core/graph.ts';
import type {
  Belief,
  ConsumerRecord,
  Dependency,
  KeyFacts,
  KeyRecord,
  KeyUse,
  OpenFinding,
} from '../../../src/core/model.ts';
import type { InaccessibleReason, UnknownReason } from '../../../src/core/reasons.ts';
import type { ConsumerView, KeyView, Snapshot } from '../../../src/core/snapshot.ts';
import { POLICY, T0 } from './looks.ts';

export const OPTIONS: GraphOptions = { policy: POLICY, remedy: () => undefined };

interface KeyParts extends Partial<Omit<KeyRecord, 'facts' | 'resource' | 'stub'>> {
  readonly facts?: Partial<KeyFacts>;
  /** Each group needs one of its members. */
  readonly needs?: readonly (readonly string[])[];
  readonly role?: string;
}

/** A key that was looked at conclusively: accessible unless it says otherwise. */
export function key(resource: string, { facts, needs = [], role = 'decrypts', ...parts }: KeyParts = {}): KeyRecord {
  const stub = {
    resource,
    kind: 'aws-secret',
    name: resource,
    provider: 'aws',
    account: '1',
    location: 'eu-west-1',
  } as const;
  const dependsOn: readonly Dependency[] = needs.map((anyOf) => ({ anyOf, role }));
  return {
    resource,
    stub,
    facts: { ...stub, state: 'Enabled', tags: {}, dependsOn, attributes: {}, ...facts },
    firstSeenAt: T0,
    belief: { verdict: { status: 'accessible' }, since: T0, baseline: false },
    inconclusive: 0,
    versionChanges: 0,
    pastVersions: [],
    findings: [],
    checkedAt: T0,
    conclusiveAt: T0,
    evidence: { operation: 'DescribeSecret' },
    witnesses: [],
    ...parts,
  };
}

export function lostSince(since: number, reason: InaccessibleReason = 'disabled'): { belief: Belief } {
  return { belief: { verdict: { status: 'inaccessible', reason }, since, baseline: false } };
}

/** A key that only ever had inconclusive looks. */
export function neverKnown(
  resource: string,
  reason: UnknownReason = 'denied',
  parts: Partial<KeyRecord> = {},
): KeyRecord {
  const { facts, belief, conclusiveAt, ...record } = key(resource);
  return { ...record, inconclusive: 1, inconclusiveReason: reason, ...parts };
}

export function consumer(
  resource: string,
  uses: readonly (string | KeyUse)[],
  parts: Partial<ConsumerRecord> = {},
): ConsumerRecord {
  const stub = {
    resource,
    kind: 'mediaconnect-flow',
    name: resource,
    provider: 'aws',
    account: '1',
    location: 'eu-west-1',
  } as const;
  const named = uses.map((use) => (typeof use === 'string' ? { resource: use, role: 'decrypts' } : use));
  return {
    resource,
    stub,
    facts: { ...stub, tags: {}, uses: named, attributes: {} },
    firstSeenAt: T0,
    inconclusive: 0,
    findings: [],
    checkedAt: T0,
    evidence: { operation: 'DescribeFlow' },
    witnesses: [],
    ...parts,
  };
}

export function finding(severity: OpenFinding['severity'], since: number): OpenFinding {
  return { id: `secrets-manager.${severity}`, severity, summary: 'Broken.', since };
}

export function graphOf(
  records: readonly KeyRecord[],
  consumers: readonly ConsumerRecord[] = [],
  options = OPTIONS,
): Graph {
  const graph = createGraph(options);
  graph.update({ upserts: records, deletes: [], consumers: { upserts: consumers, deletes: [] } });
  return graph;
}

export function change(parts: Partial<GraphChange>): GraphChange {
  return { upserts: [], deletes: [], ...parts };
}

export function snap(graph: Graph): Snapshot {
  return graph.snapshot({ at: T0, sources: [], storeUp: true });
}

export function keyIn(graph: Graph, resource: string): KeyView {
  const view = snap(graph).byResource.get(resource);
  if (!view) throw new Error(`no ${resource}`);
  return view;
}

export function consumerIn(graph: Graph, resource: string): ConsumerView {
  const view = snap(graph).consumers.find((candidate) => candidate.resource === resource);
  if (!view) throw new Error(`no ${resource}`);
  return view;
}
