/** Azure CLI commands for remedies. */

/** One word of a command line for a POSIX shell, quoted where it must be: a hostile name stays data. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `az` with these words, quoted as needed. */
export function az(...words: readonly string[]): string {
  return ['az', ...words].map(shellWord).join(' ');
}

/** Sets one property of a resource, whatever its type. */
export function setProperty(resourceId: string, property: string, value: string): string {
  return az('resource', 'update', '--ids', resourceId, '--set', `properties.${property}=${value}`);
}
