/** Reading the files of a configuration: bounded, and every failure in plain words. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { ConfigError } from './check.ts';
import { MAX_FILE_BYTES, TOO_LARGE } from './document.ts';

/**
 * The text of a file of settings.
 * @throws ConfigError at the first line of it when it cannot be read
 */
export async function readText(file: string): Promise<string> {
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

/** What is wrong with a file that a configuration names; a problem in plain words, or nothing. */
export interface Look {
  readonly error?: string;
  readonly warning?: string;
}

/**
 * Looks whether a file can be read.
 * @param path absolute
 * @param secret whether nobody else should be able to read it
 */
export async function lookAt(path: string, secret: boolean): Promise<Look> {
  let handle: FileHandle | undefined;
  try {
    // Before it is opened: opening a pipe would wait for whoever writes to it.
    const { mode, size, isFile } = await stat(path).then((found) => ({ ...found, isFile: found.isFile() }));
    if (!isFile) return { error: 'expected a file, and this is something else' };
    handle = await open(path, 'r');
    if (size === 0) return { error: 'this file is empty' };
    if (secret && (mode & 0o044) !== 0) {
      return { warning: 'other users can read this secret: chmod 600 the file' };
    }
    return {};
  } catch (error) {
    return { error: `cannot read the file: ${causeOf(error)} (a relative path starts beside this configuration)` };
  } finally {
    await handle?.close();
  }
}

/** Changes with every byte of the file; a file that went away in between counts as empty. */
export async function digestOf(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const digest = createHash('sha256').update(bytes).digest();
  // It may be a secret.
  bytes.fill(0);
  return digest;
}

function causeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it';
  return code === 'EISDIR' ? 'it is a directory' : `it fails with ${code ?? 'an unknown error'}`;
}
