/** What a daemon answers, taken only if it is what it should be: it may be of another version, or no keyvigil at all. */
import { z } from 'zod';
import { SILENCES } from '../core/alerting.ts';
import { FATES } from '../core/blast.ts';
import type { Explanation } from '../core/explain.ts';
import type { NotFound } from '../core/find.ts';
import { HARM_BEGINS } from '../core/harm.ts';
import { GAPS, type Impact, OUTCOMES } from '../core/impact.ts';
import { CONSUMER_HEALTHS, CONSUMER_KINDS, EVENT_TYPES, HEALTHS, KEY_KINDS } from '../core/model.ts';
import { NOT_WATCHED_REASONS } from '../core/not-watched.ts';
import { CONSUMER_REASONS, INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../core/reasons.ts';
import type { Dependent, Needed, NeededKey } from '../core/tree.ts';

const text = z.string();
const maybe = text.optional();
const count = z.number().nonnegative();
const kind = z.enum([...KEY_KINDS, ...CONSUMER_KINDS]);
const health = z.enum([...new Set([...HEALTHS, ...CONSUMER_HEALTHS])]);
const reason = z.enum([
  ...new Set([...INACCESSIBLE_REASONS, ...UNKNOWN_REASONS, ...CONSUMER_REASONS, 'dependency', 'finding'] as const),
]);

const brief = {
  resource: text,
  kind,
  name: text,
  account: text,
  location: text,
  health,
  reason: reason.optional(),
  since: maybe,
  blindSince: maybe,
  owners: z.record(text, text).optional(),
};
const use = z.object({
  role: text,
  part: maybe,
  versionInUse: maybe,
  pinned: z.boolean().optional(),
  outdatedSince: maybe,
});

const DependentAnswer: z.ZodType<Dependent> = z.object({
  ...brief,
  fate: z.enum(FATES),
  instead: z.array(text).optional(),
  assumed: z.boolean().optional(),
  uses: z.array(use).optional(),
  get children() {
    return z.array(DependentAnswer).optional();
  },
  more: count.optional(),
  again: z.boolean().optional(),
});

const NeededKeyAnswer: z.ZodType<NeededKey> = z.object({
  name: text,
  key: z.object(brief).optional(),
  notWatched: z
    .object({
      reason: z.enum(NOT_WATCHED_REASONS),
      hint: text,
      configure: z.object({ where: text, yaml: text }).exactOptional(),
    })
    .optional(),
  root: z.boolean().optional(),
  undo: maybe,
  recoverableUntil: maybe,
  get needs() {
    return z.array(NeededAnswer).optional();
  },
  again: z.boolean().optional(),
});

const NeededAnswer: z.ZodType<Needed> = z.object({
  role: text,
  assumed: z.boolean().optional(),
  use: use.optional(),
  get anyOf() {
    return z.array(NeededKeyAnswer);
  },
});

const harm = z.array(
  z.object({
    begins: z.enum(HARM_BEGINS),
    at: maybe,
    text,
    kind: z.enum(CONSUMER_KINDS).optional(),
    consumers: count.optional(),
    cause: maybe,
    undoing: maybe,
  }),
);

/** `GET /api/v1/explain`. */
export const ExplanationAnswer: z.ZodType<Explanation> = z.object({
  ...brief,
  at: text,
  live: z.boolean(),
  provider: text,
  targets: z.array(text),
  critical: z.boolean().optional(),
  baseline: z.boolean().optional(),
  why: text,
  verdict: z.object({ status: text, reason: maybe, since: maybe }).optional(),
  pending: z.object({ status: text, seen: count.optional(), of: count.optional(), since: maybe }).optional(),
  blindReason: maybe,
  state: maybe,
  evidence: z.object({
    operation: text,
    status: z.number().exactOptional(),
    code: text.exactOptional(),
    message: text.exactOptional(),
    requestId: text.exactOptional(),
    attempts: z.number().exactOptional(),
  }),
  checkedAt: maybe,
  conclusiveAt: maybe,
  deletionAt: maybe,
  recoverableUntil: maybe,
  expiresAt: maybe,
  lastRotatedAt: maybe,
  nextRotationAt: maybe,
  undo: maybe,
  findings: z.array(z.object({ id: text, severity: text, summary: text, remedy: maybe, since: maybe })),
  versions: z.array(
    z.object({
      version: text,
      current: z.boolean().optional(),
      createdAt: maybe,
      detectedAt: maybe,
      enabled: z.boolean().optional(),
      expiresAt: maybe,
    }),
  ),
  rootCauses: z.array(text),
  needs: z.array(NeededAnswer),
  moreNeeds: count.optional(),
  dependents: z.object({ keys: count, consumers: count }),
  tree: z.array(DependentAnswer),
  more: count.optional(),
  meanings: z.array(text),
  harm,
  undoing: maybe,
  alerts: z.array(
    z.object({
      name: text,
      severity: text,
      since: text,
      summary: text,
      finding: maybe,
      about: maybe,
      told: z.array(z.object({ receiver: text, state: z.enum(['told', 'waiting', 'refused']), at: maybe })),
    }),
  ),
  silence: z.object({ reason: z.enum(SILENCES), text }).optional(),
  rulesOff: z.array(text),
  events: z
    .array(
      z.object({
        at: text,
        type: z.enum(EVENT_TYPES),
        kind,
        from: maybe,
        to: maybe,
        reason: maybe,
        version: maybe,
      }),
    )
    .optional(),
});

const tally = z.object({ breaks: count, unsure: count, already: count, one_remove: count, spared: count });

/** `GET /api/v1/impact`. */
export const ImpactAnswer: z.ZodType<Impact> = z.object({
  at: text,
  live: z.boolean(),
  resource: text,
  key: z.object(brief).optional(),
  outcome: z.enum(OUTCOMES),
  keys: tally,
  consumers: tally,
  meanings: z.array(text),
  harm,
  tree: z.array(DependentAnswer),
  more: count.optional(),
  gaps: z.array(z.object({ kind: z.enum(GAPS), text, names: z.array(text).optional() })),
  restsOn: z.array(z.object({ service: text, objects: count })),
});

const candidates = z.array(z.object({ resource: text, kind: text, name: text })).optional();

/** What either answers when it tells nothing. */
export const Refusal: z.ZodType<NotFound> = z.object({ error: text, candidates, near: candidates });
