/** The text of a configuration to its values or to everything that is wrong with it. Does no IO. */
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { type ConfigDocument, type Path, type Place, readDocument } from './document.ts';
import { expectation, pathText, unknownKey } from './messages.ts';
import type { ServiceDeclaration } from './planned.ts';
import { resolveConfig } from './resolve.ts';
import { applyRules, type FileReference } from './rules.ts';
import { configFor, knownServices, type ParsedConfig } from './schema.ts';

/** One thing that is wrong, or worth a warning. Line and column count from 1. */
export interface ConfigIssue extends Place {
  /** The file's name as it was given. */
  readonly file: string;
  readonly message: string;
}

/** `file:line:column: message`, which editors and terminals make a link of. */
export function issueText({ file, line, column, message }: ConfigIssue): string {
  return `${file}:${line}:${column}: ${message}`;
}

/** What a configuration is read with. */
export interface LoadOptions {
  /** For `${ENV}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The active services, from the registry of providers. */
  readonly services: readonly ServiceDeclaration[];
}

/** What the text of a file comes to, before the files that it names are looked at. */
export interface Parsed {
  /** Absent if there are issues. */
  readonly config?: Config;
  /** In the order of the file. */
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** Files that must be there. */
  readonly files: readonly (FileReference & { readonly place: Place })[];
}

/** More than anybody reads at once. */
const MAX_ISSUES = 100;

/** Sorts by line, then column. */
export function byPlace(a: Place, b: Place): number {
  return a.line - b.line || a.column - b.column;
}

/** In order, each once, and no more of them than anybody reads. */
function tidy(file: string, found: readonly (Place & { readonly message: string })[]): readonly ConfigIssue[] {
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
 * Reads the text of a configuration. Does no IO.
 * @param file where it came from: what issues name and relative paths start at
 */
export function parseConfig(text: string, file: string, options: LoadOptions): Parsed {
  const document = readDocument(text, options.env);
  if (!('value' in document)) return { issues: tidy(file, document.problems), warnings: [], files: [] };

  const services = knownServices(options.services).map(({ name }) => name);
  const ruling = applyRules(document.value, services, (path) => document.place(path, 'value').line);
  const checked = checkSchema(document, options.services);
  const broken = ruling.violations
    .filter(({ path }) => document.origin(path) !== 'unresolved')
    .map(({ path, at, message }) => ({ ...document.place(path, at), message }));
  const issues = tidy(file, [...document.problems, ...broken, ...checked.problems]);
  const inline = ruling.inlineSecrets
    .filter((path) => document.origin(path) === 'literal')
    .map((path) => ({
      ...document.place(path, 'key'),
      message: `${pathText(path)}: a secret stands in this file: keep it in a file of its own (${path.at(-1)}File), or in the environment`,
    }));
  return {
    ...(issues.length === 0 &&
      checked.parsed && { config: resolveConfig(checked.parsed, resolve(file), options.services) }),
    issues,
    warnings: tidy(file, inline),
    files: ruling.files
      .filter(({ path }) => document.origin(path) !== 'unresolved')
      .map((reference) => ({ ...reference, place: document.place(reference.path, 'value') })),
  };
}

function checkSchema(document: ConfigDocument, services: readonly ServiceDeclaration[]) {
  const valid = new Map<string, readonly string[]>();
  const result = configFor(services).safeParse(document.value, {
    error: (issue) => {
      // Only here is the object at hand whose key is not known; the issue that comes out has no more than the key.
      const shape = (issue.inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
      if (issue.code === 'unrecognized_keys') valid.set(pathText(pathOf(issue.path)), Object.keys(shape ?? {}));
      return expectation(issue);
    },
  });
  if (result.success) return { parsed: result.data satisfies ParsedConfig, problems: [] };
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
