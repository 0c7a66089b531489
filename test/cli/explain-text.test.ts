import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explanationText, impactText } from '../../src/cli/explain-text.ts';
import type { Explanation } from '../../src/core/explain.ts';
import type { Impact } from '../../src/core/impact.ts';

const NOW = Date.UTC(2026, 10, 20, 10, 30);
const AT = new Date(NOW - 60_000).toISOString();
const STYLE = { color: false, columns: 80, now: NOW };

/** Everything that comes from a cloud, or from a daemon that is none, says the same. */
function told(text: string): { explanation: Explanation; impact: Impact } {
  const brief = {
    resource: text,
    kind: 'aws-secret',
    name: text,
    account: text,
    location: text,
    health: 'inaccessible',
    reason: 'disabled',
    since: AT,
    owners: { [text]: text },
  } as const;
  const use = { role: text, part: text, versionInUse: text };
  const tree = [
    { ...brief, fate: 'breaks', uses: [use] },
    { ...brief, fate: 'unsure', instead: [text] },
    { ...brief, fate: 'spared', instead: [text] },
  ] as const;
  const needs = [
    { role: text, use, anyOf: [{ name: text, key: brief, root: true, undo: text }] },
    {
      role: text,
      anyOf: [
        { name: text, notWatched: { reason: 'unclear', hint: text } },
        { name: text, key: brief },
      ],
    },
  ] as const;
  const explanation: Explanation = {
    ...brief,
    at: AT,
    live: false,
    provider: text,
    targets: [text],
    why: text,
    verdict: { status: text, reason: text, since: text },
    pending: { status: text },
    blindSince: AT,
    blindReason: text,
    state: text,
    evidence: { operation: text, status: 400, code: text, message: text, requestId: text },
    checkedAt: text,
    conclusiveAt: AT,
    undo: text,
    undoing: text,
    findings: [{ id: text, severity: text, summary: text, remedy: text }],
    versions: [{ version: text }],
    rootCauses: [text],
    needs,
    dependents: { keys: 3, consumers: 0 },
    tree,
    meanings: [text],
    harm: [{ begins: 'now', text, undoing: text }],
    alerts: [
      {
        name: text,
        severity: text,
        since: text,
        summary: text,
        about: text,
        told: [{ receiver: text, state: 'told', at: AT }],
      },
    ],
    rulesOff: [text],
    events: [{ at: AT, type: 'transition', kind: 'aws-secret', from: text, to: text, reason: text }],
  };
  const none = { breaks: 1, unsure: 1, already: 0, one_remove: 0, spared: 1 };
  const impact: Impact = {
    at: text,
    live: true,
    resource: text,
    key: brief,
    outcome: 'something',
    keys: none,
    consumers: none,
    meanings: [text],
    harm: [{ begins: 'now', text }],
    tree,
    gaps: [{ kind: 'unseen', text, names: [text] }],
    restsOn: [{ service: text, objects: 1 }],
  };
  return { explanation, impact };
}

describe('what is printed for people', () => {
  it('is plain text in lines of our own, whatever a name says', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('\u001b[2J', 'a\r\nb', '\u202eevil', '\u0000', 'x'.repeat(400), '__proto__', 'constructor'),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const { explanation, impact } = told(text);
        for (const printed of [explanationText(explanation, STYLE), impactText(impact, STYLE)]) {
          expect(printed.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        }
      }),
      { seed: 20260707, numRuns: 300 },
    );
  });

  it('says the same on a terminal and in a pipe, but for colours', () => {
    const { explanation } = told('prod/db');
    const coloured = explanationText(explanation, { ...STYLE, color: true });
    expect(coloured).not.toBe(explanationText(explanation, STYLE));
    expect(coloured.replaceAll(/\p{Cc}\[\d+m/gu, '')).toBe(explanationText(explanation, STYLE));
  });

  it('never cuts or wraps a command', () => {
    const undo = `aws kms enable-key --key-id ${'1234abcd-'.repeat(30)} --region eu-west-1`;
    const printed = explanationText({ ...told('x').explanation, undo }, STYLE);
    expect(printed.split('\n').map((line) => line.trim())).toContain(undo);
  });
});
