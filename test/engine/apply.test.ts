import { describe, expect, it } from 'vitest';
import type { SourceRecord } from '../../src/core/model.ts';
import { createLedger } from '../../src/engine/apply.ts';
import { POLICY } from '../core/support/looks.ts';

describe('the sources of a snapshot', () => {
  it('stand in one order, whichever ended its sweep first', async () => {
    const ledger = createLedger({
      policy: POLICY,
      serviceOf: () => undefined,
      configured: () => true,
      watched: () => true,
      now: () => 0,
      onEvents: () => undefined,
      onStore: () => undefined,
    });
    const common = { provider: 'aws', failures: {}, transitions: {} } as const;
    const ended: SourceRecord[] = [
      { ...common, target: 'video', location: 'eu-west-1', service: 'secrets-manager' },
      { ...common, target: 'video', location: 'eu-west-1', service: 'kms' },
      { ...common, target: 'audio', location: 'us-east-1', service: 'kms' },
    ];
    for (const source of ended) await ledger.source(source);
    expect(ledger.snapshot.sources).toEqual(ended.toReversed());
  });
});
