/** What a sweep looks at and keeps a record of: keys and consumers alike. */
import { unsettledConsumer } from '../core/consumers.ts';
import { stillSuspect, unsettled } from '../core/health.ts';
import {
  type ConsumerObservation,
  type ConsumerRecord,
  isConsumerStub,
  type KeyRecord,
  type Observation,
} from '../core/model.ts';
import type { KeyRules, Service } from '../providers/provider.ts';

export type Tracked = KeyRecord | ConsumerRecord;
export type AnyObservation = Observation | ConsumerObservation;

export function isConsumerRecord(record: Tracked): record is ConsumerRecord {
  return isConsumerStub(record.stub);
}

/** A look at a consumer rather than at a key. */
export function isOfConsumer(observation: AnyObservation): observation is ConsumerObservation {
  return 'consumer' in observation || ('stub' in observation && isConsumerStub(observation.stub));
}

/** Whether the record wants another look within seconds. */
export function isSuspect(record: Tracked): boolean {
  return isConsumerRecord(record) ? record.pending !== undefined : stillSuspect(record) !== undefined;
}

/** Whether the next sweep must describe it, whatever its listing says. */
export function isUnsettled(record: Tracked): boolean {
  return isConsumerRecord(record) ? unsettledConsumer(record) : unsettled(record);
}

/** The rules for the keys that a service told of. @throws TypeError where it has none: a bug of the service */
export function keyRulesOf({ keys, name }: Service): KeyRules {
  if (!keys) throw new TypeError(`${name} tells of a key, and has no rules for keys`);
  return keys;
}
