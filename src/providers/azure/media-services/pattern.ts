/** Patterns that an operator may give for words of Azure: none that takes for ever on a word that nobody expected. */

/** What is longer is cut before it is matched: no status that was ever seen has more than a few words. */
const MAX_STATUS = 200;
const MAX_QUANTIFIERS = 2;

/** A regular expression for `matchesStatus`; case does not count. @throws SyntaxError for none */
export function statusPattern(text: string): RegExp {
  return new RegExp(text, 'iu');
}

/** Whether a status matches, in bounded time for a pattern that `isBounded` let pass. */
export function matchesStatus(pattern: RegExp, status: string): boolean {
  return pattern.test(status.slice(0, MAX_STATUS));
}

/**
 * Whether a regular expression is one whose time grows slowly with the text: no repeated group, no back reference, and at
 * most two repetitions in each alternative.
 */
export function isBounded(text: string): boolean {
  try {
    statusPattern(text);
  } catch {
    return false;
  }
  if (/\\[1-9k]/.test(text)) return false;
  const bare = text
    .replaceAll(/\\./gu, 'x')
    .replaceAll(/\[[^\]]*\]/g, 'x')
    .replaceAll(/\(\?(?:[:=!]|<[=!]|<\w+>)/g, '(');
  if (/\)[*+?{]/.test(bare)) return false;
  return bare
    .split('|')
    .every((alternative) => (alternative.match(/[*+{]|[^*+}?]\?/g) ?? []).length <= MAX_QUANTIFIERS);
}
