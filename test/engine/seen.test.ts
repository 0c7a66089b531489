import { describe, expect, it } from 'vitest';
import { createSeen } from '../../src/engine/seen.ts';
import { key } from '../core/support/graphs.ts';
import { OTHER_SOURCE, SOURCE, T0 } from '../core/support/looks.ts';

const witness = (source: typeof SOURCE) => ({ ...source, at: T0, conclusive: true });

describe('what a source has seen', () => {
  it('is every record that it is a witness of, as it stands, until it is no longer', () => {
    const seen = createSeen();
    const [a, b] = [key('a', { witnesses: [witness(SOURCE)] }), key('b', { witnesses: [witness(SOURCE)] })];
    seen.replace(undefined, a);
    seen.replace(undefined, b);
    expect(seen.by(SOURCE)).toEqual([a, b]);
    expect(seen.by(OTHER_SOURCE)).toEqual([]);

    const both = key('a', { witnesses: [witness(SOURCE), witness(OTHER_SOURCE)], checkedAt: T0 + 1 });
    seen.replace(a, both);
    expect(seen.by(SOURCE)[0]).toBe(both);
    expect(seen.by(OTHER_SOURCE)).toEqual([both]);

    seen.replace(both, key('a', { witnesses: [witness(OTHER_SOURCE)] }));
    seen.replace(b, undefined);
    expect(seen.by(SOURCE)).toEqual([]);
    expect(seen.by(OTHER_SOURCE)).toHaveLength(1);
  });
});
