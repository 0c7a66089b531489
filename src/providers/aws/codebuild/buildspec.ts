/**
 * What a buildspec that stands in the project itself says of keys. Pure. It is full of commands and values: nothing of it
 * leaves this file but names of variables and what they refer to.
 */
import { parseDocument } from 'yaml';

/** Names of variables that say which KMS key a build is to use, the document's older spelling included. */
export const BUILD_KEY_VARIABLES: readonly string[] = ['CODEBUILD_KMS_KEY_ID', 'CODEBUILD_KMS_KEY'];

/** A variable and what it is set to, a reference. */
export type Variable = readonly [name: string, text: string];

export type Buildspec =
  /** In the repository, in a bucket, or brought along by the pipeline: nobody but a build sees it. */
  | { readonly place: 'source' }
  /** In the project, and it speaks of secrets or keys, but as no YAML or JSON that can be read. */
  | { readonly place: 'unreadable' }
  | {
      readonly place: 'inline';
      /** `env.secrets-manager`. */
      readonly secrets: readonly Variable[];
      /** Of `env.variables` only those of `BUILD_KEY_VARIABLES`. */
      readonly buildKeys: readonly Variable[];
    };

/** Far above what AWS takes for one, far below what would keep a parser busy. */
const MAX_LENGTH = 128 * 1024;
/** How many values the aliases of one YAML document may stand for: a bomb of them grows by powers. */
const MAX_ALIASES = 100;

/** What a buildspec that matters here has in it somewhere. */
const MENTIONS = /secrets-manager|CODEBUILD_KMS_KEY/;

/** A buildspec inline has several lines, or is JSON; else the field is a path, or the ARN of an object in S3. */
function isInline(text: string): boolean {
  return /\n|^\s*\{|^\s*version\s*:\s/.test(text);
}

/** @param text `source.buildspec` of the project */
export function readBuildspec(text: string | undefined): Buildspec {
  if (text === undefined || !isInline(text)) return { place: 'source' };
  // Most say nothing of secrets, and parsing every one of them in every sweep would take its time.
  if (!MENTIONS.test(text)) return { place: 'inline', secrets: [], buildKeys: [] };
  const document = mapOf(parse(text));
  const env = document && mapOf(document.env ?? {});
  if (!env) return { place: 'unreadable' };
  return {
    place: 'inline',
    secrets: variablesOf(env['secrets-manager']),
    buildKeys: variablesOf(env.variables).filter(([name]) => BUILD_KEY_VARIABLES.includes(name)),
  };
}

/** JSON is YAML. The parser's errors quote the text, so that none of them may get out. */
function parse(text: string): unknown {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false, uniqueKeys: false });
    return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return undefined;
  }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

function variablesOf(value: unknown): readonly Variable[] {
  return Object.entries(mapOf(value) ?? {}).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : []));
}
