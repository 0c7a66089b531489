/**
 * Whether any of the globs matches the whole of any of the names: `*` is any run of characters, `/` and none included,
 * `?` is exactly one. There is no escape and no other magic, and case counts.
 */
export function matchesAny(globs: readonly string[], ...names: readonly string[]): boolean {
  return globs.some((glob) => names.some((name) => matchesGlob(glob, name)));
}

// No backtracking beyond the last star: at most glob × text steps, so a hostile name cannot stall the daemon.
function matchesGlob(glob: string, text: string): boolean {
  if (glob === '*') return true;
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
