import { type Logger, pino } from 'pino';
import { visible } from '../core/text.ts';
import type { Io } from './io.ts';

/** The daemon's log, on stderr: JSON lines, or one readable line each. Data never goes there. */
export function createLog(options: { readonly level: string; readonly format: 'json' | 'text' }, io: Io): Logger {
  const shape = options.format === 'json' ? plainJson : readable;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorChain },
    },
    { write: (line: string) => io.err(`${shape(line.trimEnd())}\n`) },
  );
}

interface LoggedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** An error with its causes, without stacks of what is expected and without the fields that SDKs hang on their errors. */
function errorChain(error: unknown): readonly LoggedError[] {
  const chain: LoggedError[] = [];
  for (let at: unknown = error; at instanceof Error && chain.length < 5; at = at.cause) {
    const bug = at instanceof TypeError || at instanceof RangeError || at instanceof ReferenceError;
    chain.push({ name: at.name, message: at.message, ...(bug && at.stack ? { stack: at.stack } : {}) });
  }
  return chain.length > 0 ? chain : [{ name: typeof error, message: String(error) }];
}

/** What JSON lets stand as it is, but a terminal or a viewer acts on: C1 controls, format characters, line separators. */
const ACTIVE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The same JSON, in characters that do nothing but stand there. */
function plainJson(line: string): string {
  return line.replace(ACTIVE, (match) =>
    Array.from({ length: match.length }, (_, at) => `\\u${match.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };
/** Values that can stand without quotes and still end where they seem to end. */
const BARE = /^[\p{L}\p{N}_.:/@+-]+$/u;

/** `2026-11-20T10:15:03.000Z WARN key became inaccessible resource=arn:… name="a b"`: message first, then logfmt. */
function readable(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line);
  const rest = Object.entries(fields).map(([key, value]) => `${bare(key)}=${bare(value)}`);
  if (err !== undefined) rest.push(`err=${bare(chainText(err))}`);
  // A name from a cloud is data: what would move a terminal's cursor is made visible.
  return visible([time, LEVELS[level] ?? String(level), msg, ...rest].join(' '));
}

function bare(value: unknown): string {
  if (typeof value === 'string' && BARE.test(value)) return value;
  return JSON.stringify(value);
}

/** Causes that say nothing new are left out. */
function chainText(chain: readonly LoggedError[]): string {
  const told = chain.filter(
    ({ message }, at) => !chain.slice(0, at).some((before) => before.message.includes(message)),
  );
  return told.map(({ name, message, stack }) => stack ?? `${name}: ${message}`).join('; caused by ');
}
