/** When `access: read` reads a value, and what the outcome says. Pure: the value itself never comes here. */
import { createHash } from 'node:crypto';
import type { Failure, KeyFacts, Scalar } from '../../../core/model.ts';
import type { ValueShape } from './shape.ts';

const HOUR_MS = 3_600_000;

/** Why a secret is read now; undefined: it is not. */
export type ReadReason = 'new_version' | 'failed_before' | 'due';

/**
 * Whether to read. Each read is a billed decryption, an entry in the audit log and moves `LastAccessedDate`, so it is
 * sparse: within the first hour after first sight, on each new version, at every look while the value could not be
 * decrypted, and else an hour or more apart.
 */
export function readReason(facts: KeyFacts, known: KeyFacts | undefined, now: number): ReadReason | undefined {
  if (facts.state !== 'Active' || !known) return undefined;
  if (known.version?.id !== facts.version?.id) return 'new_version';
  if (couldNotDecrypt(facts, known)) return 'failed_before';
  const dueAt = known.attributes.readDueAt;
  return typeof dueAt === 'number' && now >= dueAt ? 'due' : undefined;
}

/** Whether the last conclusive read of this very version was refused. */
export function couldNotDecrypt(facts: KeyFacts, known: KeyFacts | undefined): boolean {
  return known?.version?.id === facts.version?.id && known?.attributes.readResult === 'decrypt_failed';
}

/**
 * What was known of reads, carried over to fresh facts; at first sight, when the first read is due. The shape is that of one
 * version.
 */
export function carryReads(facts: KeyFacts, known: KeyFacts | undefined, now: number): KeyFacts {
  const { readAt, readResult, readDueAt, valueShape } = known?.attributes ?? {};
  const reads: Record<string, Scalar> = { readDueAt: readDueAt ?? Math.round(now + jitter(facts.resource) * HOUR_MS) };
  if (readAt !== undefined) reads.readAt = readAt;
  if (readResult !== undefined) reads.readResult = readResult;
  if (valueShape !== undefined && known?.version?.id === facts.version?.id) reads.valueShape = valueShape;
  return { ...facts, attributes: { ...facts.attributes, ...reads } };
}

/** The facts after a read that told something. @param shape what the value that was read looks like */
export function withRead(
  facts: KeyFacts,
  readResult: 'ok' | 'denied' | 'decrypt_failed',
  now: number,
  shape?: ValueShape,
): KeyFacts {
  const readDueAt = Math.round(now + HOUR_MS * (1 + jitter(facts.resource)));
  const read = { readAt: now, readResult, readDueAt, ...(shape !== undefined && { valueShape: shape }) };
  return { ...facts, attributes: { ...facts.attributes, ...read } };
}

/** Points at which the spread of the reads is averaged. */
const SAMPLES = 100;

/** How many reads one look at a secret makes on average, while all of them succeed: a read that is due waits for a look. */
export function readsPerLook(lookEveryMs: number): number {
  let sum = 0;
  for (let at = 0.5; at < SAMPLES; at += 1) sum += 1 / Math.ceil((HOUR_MS * (1 + at / SAMPLES)) / lookEveryMs);
  return sum / SAMPLES;
}

/** What a failed read proves: `retry` is nothing at all. */
export function readOutcome(failure: Failure): 'denied' | 'decrypt_failed' | 'retry' {
  const { reason } = failure;
  return reason === 'denied' || reason === 'decrypt_failed' ? reason : 'retry';
}

/** Spreads the reads of many secrets: 0 to 1, the same for one secret ever after. */
function jitter(resource: string): number {
  return createHash('sha256').update(resource).digest().readUInt32BE(0) / 2 ** 32;
}
