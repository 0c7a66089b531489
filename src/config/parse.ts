/** The text of a configuration to its values or to everything that is wrong with it. Does no IO. */
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { type ConfigIssue, checkSchema, tidy } from './check.ts';
import type { Config } from './config.ts';
import { type Place, readDocument } from './document.ts';
import { pathText } from './messages.ts';
import { resolveConfig } from './resolve.ts';
import { applyRules, type FileReference, type Violation } from './rules.ts';
import { configFor, type ServiceDeclaration } from './schema.ts';

/** What a configuration is read with. */
export interface LoadOptions {
  /** For `${ENV}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the registry of providers. */
  readonly services: readonly ServiceDeclaration[];
}

/** What the text of a file comes to, before the files that it names are looked at. */
export interface Parsed {
  /** Absent if there are issues. */
  readonly config?: Config;
  /** In the order of the file. */
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** Broken as well, unless the web.configFile lets nobody in who cannot prove who they are. */
  readonly unlessAuthenticated: readonly ConfigIssue[];
  /** Changes with every value of the file, as it is after `${ENV}`; tells none of them. */
  readonly digest: string;
  /** Files that must be there. */
  readonly files: readonly (FileReference & { readonly place: Place })[];
}

/**
 * Reads the text of a configuration. Does no IO.
 * @param file where it came from: what issues name and relative paths start at
 */
export function parseConfig(text: string, file: string, options: LoadOptions): Parsed {
  const document = readDocument(text, options.env);
  if (!('value' in document)) {
    return { issues: tidy(file, document.problems), warnings: [], unlessAuthenticated: [], digest: '', files: [] };
  }

  const ruling = applyRules(document.value, options.services, (path) => document.place(path, 'value').line);
  const checked = checkSchema(document, configFor(options.services));
  const placed = (violations: readonly Violation[]) =>
    violations
      .filter(({ path }) => document.origin(path) !== 'unresolved')
      .map(({ path, at, message }) => ({ ...document.place(path, at), message }));
  const issues = tidy(file, [...document.problems, ...placed(ruling.violations), ...checked.problems]);
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
    unlessAuthenticated: tidy(file, placed(ruling.unlessAuthenticated)),
    digest: hash('sha256', JSON.stringify(document.value) ?? ''),
    files: ruling.files
      .filter(({ path }) => document.origin(path) !== 'unresolved')
      .map((reference) => ({ ...reference, place: document.place(reference.path, 'value') })),
  };
}
