/** Azure CLI commands for remedies. */
import { shellCommand } from '../shell.ts';

/** `az` with these words, quoted as needed. */
export function az(...words: readonly string[]): string {
  return shellCommand('az', ...words);
}

/** Sets one property of a resource, whatever its type. */
export function setProperty(resourceId: string, property: string, value: string): string {
  return az('resource', 'update', '--ids', resourceId, '--set', `properties.${property}=${value}`);
}
