/** The front door of the configuration: a file in, a configuration or all its errors out. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { MAX_FILE_BYTES, TOO_LARGE } from './document.ts';
import { pathText } from './messages.ts';
import { byPlace, type ConfigIssue, issueText, type LoadOptions, parseConfig } from './parse.ts';
import type { FileReference } from './rules.ts';

export { parseConfig } from './parse.ts';
export { inactiveParts, policyOf, redacted, scheduleOf } from './views.ts';

/** A configuration that cannot be used. Its message has a line for each issue; no message holds a secret. */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(issueText).join('\n'));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/**
 * Reads a configuration file and looks at the files that it names.
 * @returns the configuration, and warnings as `file:line:column: message`
 * @throws ConfigError with everything that is wrong, the file itself included
 */
export async function loadConfig(
  file: string,
  options: LoadOptions,
): Promise<{ readonly config: Config; readonly warnings: readonly string[] }> {
  const parsed = parseConfig(await readText(file), file, options);
  const issues: ConfigIssue[] = [...parsed.issues];
  const warnings: ConfigIssue[] = [...parsed.warnings];
  for (const reference of parsed.files) {
    const { error, warning } = await lookAt(reference, resolve(file, '..'));
    const place = { file, ...reference.place };
    if (error) issues.push({ ...place, message: `${pathText(reference.path)}: ${error}` });
    if (warning) warnings.push({ ...place, message: `${pathText(reference.path)}: ${warning}` });
  }
  if (issues.length > 0 || !parsed.config) throw new ConfigError(issues.sort(byPlace));
  return { config: parsed.config, warnings: warnings.sort(byPlace).map(issueText) };
}

async function readText(file: string): Promise<string> {
  const refuse = (message: string) => new ConfigError([{ file, line: 1, column: 1, message }]);
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read) {
      read = (await handle.read(buffer, length, buffer.length - length, null)).bytesRead;
    }
    if (length > MAX_FILE_BYTES) throw refuse(TOO_LARGE);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof TypeError) throw refuse('the file is not UTF-8 text');
    throw refuse(`the configuration cannot be read: ${causeOf(error)}`);
  } finally {
    await handle?.close();
  }
}

function causeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it';
  return code === 'EISDIR' ? 'it is a directory' : `it fails with ${code ?? 'an unknown error'}`;
}

async function lookAt(reference: FileReference, directory: string): Promise<{ error?: string; warning?: string }> {
  let handle: FileHandle | undefined;
  try {
    const path = resolve(directory, reference.file);
    // Before it is opened: opening a pipe would wait for whoever writes to it.
    const { mode, size, isFile } = await stat(path).then((found) => ({ ...found, isFile: found.isFile() }));
    if (!isFile) return { error: 'expected a file, and this is something else' };
    handle = await open(path, 'r');
    if (size === 0) return { error: 'this file is empty' };
    if (reference.secret && (mode & 0o044) !== 0) {
      return { warning: 'other users can read this secret: chmod 600 the file' };
    }
    return {};
  } catch (error) {
    return { error: `cannot read the file: ${causeOf(error)} (a relative path starts beside this configuration)` };
  } finally {
    await handle?.close();
  }
}
