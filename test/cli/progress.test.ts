import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from '../../src/cli/progress.ts';

const KMS = { target: 'aws', location: 'eu-west-1', service: 'kms' };
const SECRETS = { ...KMS, service: 'secrets-manager' };

describe('the progress of a single look', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function started(options: { tty: boolean; columns?: number }) {
    const written: string[] = [];
    const progress = createProgress({ write: (text) => written.push(text), now: () => Date.now(), ...options });
    return { progress, written };
  }

  it('draws one bar over all sources, with the time that is left', () => {
    const { progress, written } = started({ tty: true });
    const { update } = progress;
    update(SECRETS, 0, 1_000);
    update(KMS, 1_240, 3_000);
    vi.advanceTimersByTime(20_000);
    expect(written.at(-1)).toBe('\r\u001b[2K[###.......] 1,240/4,000 keys  aws eu-west-1 kms  eta 45s');
    update(SECRETS, 760, 1_000);
    vi.advanceTimersByTime(55_000);
    expect(written.at(-1)).toBe('\r\u001b[2K[#####.....] 2,000/4,000 keys  aws eu-west-1 secrets-manager  eta 1m15s');
    progress[Symbol.dispose]();
  });

  it('takes the bar away at the end and is silent then', () => {
    const { progress, written } = started({ tty: true });
    progress.update(KMS, 3, 3);
    vi.advanceTimersByTime(200);
    expect(written).toEqual(['\r\u001b[2K[##########] 3/3 keys  aws eu-west-1 kms']);
    progress[Symbol.dispose]();
    progress[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect(written.slice(1)).toEqual(['\r\u001b[2K']);
  });

  it('draws nothing for a look that is over at once', () => {
    const { progress, written } = started({ tty: true });
    progress.update(KMS, 1, 1);
    progress[Symbol.dispose]();
    expect(written).toEqual([]);
  });

  it('writes a line every 10 s where there is no terminal', () => {
    const { progress, written } = started({ tty: false });
    progress.update(KMS, 10, 40);
    vi.advanceTimersByTime(9_999);
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(written).toEqual(['[##........] 10/40 keys  aws eu-west-1 kms  eta 30s\n']);
    progress[Symbol.dispose]();
    expect(written).toHaveLength(1);
  });

  it('waits for the first number, and divides by no zero', () => {
    const { progress, written } = started({ tty: true });
    vi.advanceTimersByTime(5_000);
    expect(written).toEqual([]);
    progress.update(KMS, 0, 0);
    vi.advanceTimersByTime(200);
    expect(written).toEqual(['\r\u001b[2K[..........] 0/0 keys  aws eu-west-1 kms']);
    progress[Symbol.dispose]();
  });

  it('stays within a narrow terminal and lets no target name drive it', () => {
    const { progress, written } = started({ tty: true, columns: 30 });
    progress.update({ ...KMS, target: '\u001b[2J' }, 1, 2);
    vi.advanceTimersByTime(200);
    const [line = ''] = written;
    expect(line.slice('\r\u001b[2K'.length)).toHaveLength(29);
    expect(line.slice(4)).not.toContain('\u001b');
    progress[Symbol.dispose]();
  });
});
