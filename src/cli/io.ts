/**
 * What a command may touch of the world around it: data goes to `out`, everything else to `err`. Commands take this
 * instead of `process`, so that a test reads what they print.
 */
export interface Io {
  /** Writes data to standard output, as it is: the caller ends its lines. */
  out(text: string): void;
  /** Writes messages to standard error, as they are. */
  err(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person watches standard error, so that progress may be drawn. */
  readonly tty: boolean;
  /** Whether escape sequences may be used on standard output. */
  readonly color: boolean;
  /** Width of the terminal that standard output is, in characters; absent where it is none (a pipe, a file). */
  readonly columns: number | undefined;
}
