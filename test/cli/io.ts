import type { Io } from '../../src/cli/io.ts';

/** An `Io` that keeps what is written. */
export interface RecordedIo extends Io {
  readonly written: { out: string; err: string };
}

/** Neither end is a terminal unless `changed` says so. */
export function recordedIo(changed: Partial<Io> = {}): RecordedIo {
  const written = { out: '', err: '' };
  return {
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
    env: {},
    tty: false,
    color: false,
    columns: undefined,
    ...changed,
    written,
  };
}
