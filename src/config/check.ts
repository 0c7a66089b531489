/** What every file of settings is checked with: its schema, and one way to say what is wrong and where. */
import type { z } from 'zod';
import type { ConfigDocument, Path, Place } from './document.ts';
import { expectation, pathText, unknownKey } from './messages.ts';

/** One thing that is wrong, or worth a warning. Line and column count from 1. */
export interface ConfigIssue extends Place {
  /** The file's name as it was given. */
  readonly file: string;
  readonly message: string;
}

/** A configuration that cannot be used. Its message has a line for each issue; no message holds a secret. */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(issueText).join('\n'));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/** `file:line:column: message`, which editors and terminals make a link of. */
export function issueText({ file, line, column, message }: ConfigIssue): string {
  return `${file}:${line}:${column}: ${message}`;
}

/** More than anybody reads at once. */
const MAX_ISSUES = 100;

/** Sorts by line, then column. */
export function byPlace(a: Place, b: Place): number {
  return a.line - b.line || a.column - b.column;
}

/** In order, each once, and no more of them than anybody reads. */
export function tidy(file: string, found: readonly (Place & { readonly message: string })[]): readonly ConfigIssue[] {
  const issues = new Map<string, ConfigIssue>();
  for (const { line, column, message } of [...found].sort(byPlace)) {
    const issue = { file, line, column, message };
    issues.set(issueText(issue), issue);
  }
  const kept = [...issues.values()].slice(0, MAX_ISSUES);
  const last = kept.at(-1);
  if (last && issues.size > kept.length) {
    kept.push({ ...last, message: `and ${issues.size - kept.length} more problems from here on` });
  }
  return kept;
}

/**
 * Holds a file against its schema.
 * @returns what the schema makes of it, or every problem with its place
 */
export function checkSchema<Schema extends z.ZodType>(
  document: ConfigDocument,
  schema: Schema,
): { readonly parsed?: z.output<Schema>; readonly problems: readonly (Place & { readonly message: string })[] } {
  const valid = new Map<string, readonly string[]>();
  const result = schema.safeParse(document.value, {
    error: (issue) => {
      // Only here is the object at hand whose key is not known; the issue that comes out has no more than the key.
      const shape = (issue.inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
      if (issue.code === 'unrecognized_keys') valid.set(pathText(pathOf(issue.path)), Object.keys(shape ?? {}));
      return expectation(issue);
    },
  });
  if (result.success) return { parsed: result.data, problems: [] };
  const problems: (Place & { message: string })[] = [];
  for (const issue of result.error.issues) {
    const path = pathOf(issue.path);
    if (problems.length > MAX_ISSUES) break;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MAX_ISSUES)) {
        const message = unknownKey(key, path, valid.get(pathText(path)) ?? [], isBare(document.value, [...path, key]));
        problems.push({ ...document.place([...path, key], 'key'), message });
      }
      continue;
    }
    const origin = document.origin(path);
    if (origin === 'unresolved') continue;
    const at = issue.code === 'invalid_key' ? 'key' : 'value';
    const note = origin === 'interpolated' && issue.code === 'invalid_type' ? ', and a variable always gives text' : '';
    problems.push({ ...document.place(path, at), message: `${pathText(path)}: ${issue.message}${note}` });
  }
  return { problems };
}

function pathOf(path: readonly PropertyKey[] | undefined): Path {
  return (path ?? []).map((step) => (typeof step === 'symbol' ? String(step) : step));
}

function isBare(value: unknown, path: Path): boolean {
  let at: unknown = value;
  for (const step of path) at = (at as Record<string | number, unknown> | null | undefined)?.[step];
  return at === null || at === undefined;
}
