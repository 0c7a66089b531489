import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rhythmOf } from '../../src/engine/rhythm.ts';

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

beforeEach(() => {
  // A Sunday: the 30 days from here have 21 working days, and two working hours of the Tuesday on which they end.
  vi.useFakeTimers({ now: Date.parse('2026-11-22T10:00:00.500Z'), toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('sweeps in 30 days', () => {
  it.each([
    ['0 * * * * *', 43_200],
    ['* * * * *', 43_200],
    ['* * * * * *', 2_592_000],
    ['*/10 * * * * *', 259_200],
    ['0 */5 * * * *', 8_640],
    ['0,30 1-3,7 * * * *', 5_760],
    ['30 0-10/5 * * * *', 2_160],
    ['0 0 3 * * *', 30],
    ['0 0 */6 * * *', 120],
    ['0 */30 9-16 * * 1-5', (21 * 8 + 2) * 2],
    ['0 0 4 1 * *', 1],
  ])('%s are %i', (expression, sweeps) => {
    expect(rhythmOf(expression, 'UTC', logger).sweepsPerMonth).toBe(sweeps);
  });
});

describe('the longest pause', () => {
  it.each([
    ['0 * * * * *', '0:01:00'],
    ['*/10 * * * * *', '0:00:10'],
    ['0,10 * * * * *', '0:00:50'],
    ['* 0-10 * * * *', '0:49:01'],
    ['0 0 * * * *', '1:00:00'],
    ['0 * 9-16 * * *', '16:01:00'],
    ['* * 9-16 * * *', '16:00:01'],
    ['0 */30 9-16 * * 1-5', '64:30:00'],
    ['0 0 3 * * *', '24:00:00'],
    ['0 0 4 1 * *', '744:00:00'],
  ])('of %s is %s', (expression, time) => {
    const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
    expect(rhythmOf(expression, 'UTC', logger).pauseMs).toBe((hours * 3_600 + minutes * 60 + seconds) * 1_000);
  });
});
