import { type Logger, pino } from 'pino';
import { visible } from '../core/text.ts';
import type { Io } from './io.ts';

/** The daemon's log, on stderr: JSON lines, or one readable line each. Data never goes there. */
export function createLog(options: { readonly level: string; readonly format: 'json' | 'text' }, io: Io): Logger {
  const write = options.format === 'json' ? (line: string) => io.err(line) : (line: string) => io.err(readable(line));
  return pino(
    {
      name: 'keyvigil',
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorChain },
    },
    { write },
  );
}

/** An error with its causes, without stacks of what is expected and without the fields that SDKs hang on their errors. */
function errorChain(error: unknown): unknown {
  const chain: Array<{ name: string; message: string; stack?: string }> = [];
  for (let at: unknown = error; at instanceof Error && chain.length < 5; at = at.cause) {
    const bug = at instanceof TypeError || at instanceof RangeError || at instanceof ReferenceError;
    chain.push({ name: at.name, message: at.message, ...(bug && at.stack ? { stack: at.stack } : {}) });
  }
  return chain.length > 0 ? chain : String(error);
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

function readable(line: string): string {
  const { time, level, msg, name: _name, ...fields } = JSON.parse(line);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  // A name from a cloud is data: what would move a terminal's cursor is made visible.
  return `${visible([time, (LEVELS[level] ?? String(level)).toUpperCase(), msg, ...rest].join(' '))}\n`;
}
