/** What becomes of looks in time. */
import { step } from '../../../src/core/health.ts';
import type { KeyEvent, KeyRecord, KeyStub, Observation } from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { keyVault } from '../../../src/providers/azure/key-vault/index.ts';
import type { Look } from '../../../src/providers/provider.ts';
import { POLICY } from './replay.ts';

/** What is believed of a key from look to look. */
export function lifeOf(stub: KeyStub) {
  const policy: Policy = {
    ...POLICY,
    confirmations: { inaccessible: 2, accessible: 2, blind: 3 },
    critical: [],
    rules: {},
  };
  const rules = {
    policy,
    versionsCanReturn: true,
    judge: () => ({ findings: [] }),
    purgedAfterMs: keyVault.keys?.purgedAfterMs ?? { alone: 0, agreed: 0 },
  };
  const source = { target: 'test', location: 'global', service: 'key-vault' };
  const events: KeyEvent[] = [];
  let record: KeyRecord | undefined;
  return {
    take(look: Look, now: number) {
      const verdict = keyVault.keys?.verdict(look) ?? { status: 'unknown', reason: 'never_checked' };
      const seen = 'facts' in look ? { facts: look.facts } : { stub, failure: look.failure };
      const evidence = { operation: 'GetKey' };
      const observation: Observation = { resource: stub.resource, source, at: now, verdict, evidence, ...seen };
      const result = step(record, observation, rules, now);
      record = result.record;
      events.push(...result.events);
    },
    told: () =>
      events.flatMap((event) => {
        if (event.type !== 'first_seen' && event.type !== 'transition') return [];
        return [event.reason === undefined ? event.to : `${event.to}: ${event.reason}`];
      }),
  };
}
