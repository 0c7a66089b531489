/**
 * Whether the whole text matches the glob: `*` is any run of characters, `/` and none included, `?` is exactly one. There
 * is no escape and no other magic, and case counts. Takes at most pattern × text steps whatever the pattern: no
 * backtracking beyond the last star, so a hostile name cannot stall the daemon.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let at = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = glob[position];
    if (wanted === '*') {
      star = position++;
      resume = at;
    } else if (wanted === text[at] || wanted === '?') {
      position++;
      at++;
    } else if (star >= 0) {
      position = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (glob[position] === '*') position++;
  return position === glob.length;
}

/** Whether any of the globs matches any of the names. */
export function matchesAny(globs: readonly string[], ...names: readonly string[]): boolean {
  return globs.some((glob) => names.some((name) => matchesGlob(glob, name)));
}
