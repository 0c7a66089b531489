import type { Records } from '../core/relations.ts';
import type { Ledger } from './apply.ts';
import { isConsumerRecord } from './tracked.ts';

/** The records behind the ledger's snapshot; live, so they are read in the same turn of the event loop as that. */
export function recordsOf(ledger: Pick<Ledger, 'record' | 'keyFacts'>): Records {
  const key: Records['key'] = (resource) => {
    const record = ledger.record(resource);
    return record && !isConsumerRecord(record) ? record : undefined;
  };
  return { key, resolve: (name) => (key(name) ? name : ledger.keyFacts(name)?.resource) };
}
