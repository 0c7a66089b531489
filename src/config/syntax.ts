/** What YAML itself demands, in plain words, and how deep a file nests. */
import type { CST, ErrorCode } from 'yaml';

export type Token = CST.Token;

/**
 * What to say of a syntax error. The parser's own messages repeat pieces of the file, which may be a secret.
 * @param code the parser's
 */
export function syntaxMessage(code: ErrorCode): string {
  return `this is not valid YAML: ${CAUSES[code] ?? 'check the indentation, colons, quotes and brackets around here'}`;
}

const CAUSES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ALIAS_PROPS: 'an alias (*) takes neither an anchor nor a tag',
  BAD_ALIAS: 'an anchor (&) or alias (*) needs a name',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes: write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is not closed',
  BAD_SCALAR_START: 'a value that starts with this character must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second colon on one line: put the value in quotes, or on a line of its own',
  BLOCK_IN_FLOW: 'a block cannot stand inside [ ] or { }',
  KEY_OVER_1024_CHARS: 'this key is far too long: is a quote or a line break missing?',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing before this, or the indentation is wrong',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line: is a colon missing?',
  NON_STRING_KEY: 'a key must be text',
  TAB_AS_INDENT: 'a tab cannot indent: use spaces',
  TAG_RESOLVE_FAILED: 'tags (!) are not supported',
};

/** The collections that a token holds, and the tokens directly in them. */
function within(token: Token): readonly Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!('items' in token)) return [];
  const inner: Token[] = [];
  for (const item of token.items) {
    if (item.key) inner.push(item.key);
    if (item.value) inner.push(item.value);
  }
  return inner;
}

/**
 * Where a file nests deeper than `limit`: the composer that follows is recursive.
 * @returns the offset of the first token that lies too deep; undefined if none does
 */
export function depthOf(tokens: readonly Token[], limit: number): number | undefined {
  let level = tokens;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return level[0]?.offset;
    level = level.flatMap(within);
  }
  return undefined;
}
