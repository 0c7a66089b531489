import { isRecord } from '../input.ts';

/** What a buildspec says that matters here: the references of `env.secrets-manager`, or that it is no buildspec at all. */
export type Buildspec = { readonly ok: true; readonly secrets: readonly string[] } | { readonly ok: false };

/**
 * Reads an inline buildspec: JSON, or YAML whose `env` is written line by line, as every documented example is (no `{…}`, no
 * anchors). One without a line break names a file of the source, which is not imitated: it has no secrets.
 */
export function parseBuildspec(buildspec: string): Buildspec {
  if (!buildspec.includes('\n')) return { ok: true, secrets: [] };
  if (buildspec.trimStart().startsWith('{')) return parseJson(buildspec);
  const lines = buildspec.split(/\r?\n/).filter((line) => !/^\s*(#.*)?$/.test(line) && !/^(---|\.\.\.)\s*$/.test(line));
  // At the left edge a document like this has nothing but keys, and the items of lists.
  if (!lines.every((line) => /^\s+\S|^- |^[^\s:]+:(\s|$)/.test(line)) || lines.some((line) => /^\s*\t/.test(line))) {
    return { ok: false };
  }
  const secrets = below(below(lines, 'env'), 'secrets-manager');
  return { ok: true, secrets: secrets.map(referenceOf).filter((value) => value !== '') };
}

function parseJson(buildspec: string): Buildspec {
  try {
    const document: unknown = JSON.parse(buildspec);
    const env = isRecord(document) ? document.env : undefined;
    const secrets = isRecord(env) ? env['secrets-manager'] : undefined;
    const values = isRecord(secrets) ? Object.values(secrets) : [];
    return { ok: true, secrets: values.filter((value) => typeof value === 'string') };
  } catch {
    return { ok: false };
  }
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** The lines that belong to the key `name`, which stands at the least indent of `lines`. */
function below(lines: readonly string[], name: string): readonly string[] {
  const indent = indentOf(lines[0] ?? '');
  const start = lines.findIndex((line) => indentOf(line) === indent && keyOf(line) === name);
  if (start === -1) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => indentOf(line) <= indent);
  return end === -1 ? rest : rest.slice(0, end);
}

function keyOf(line: string): string {
  return unquoted(/^\s*("[^"]*"|'[^']*'|[^\s:]+)\s*:(\s|$)/.exec(line)?.[1] ?? '');
}

/** The text after the key, without a comment. */
function referenceOf(line: string): string {
  const value = /^\s*(?:"[^"]*"|'[^']*'|[^\s:]+)\s*:\s+(.*)$/.exec(line)?.[1] ?? '';
  return unquoted(value.replace(/\s+#.*$/, '').trim());
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}
