import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';

const GOOD = join(import.meta.dirname, '../fixtures/config/good');

/** What the good fixtures take from the environment. */
export const ENV = { EXTERNAL_ID: 'from-the-environment', WEBHOOK_SECRET: 's3cret-canary-env' };

/** The smallest list of targets, for files that are about something else. */
export const TARGETS = 'targets: [{ name: a, provider: aws, regions: [eu-west-1] }]\n';

export interface Directory extends AsyncDisposable {
  readonly path: string;
  /** Makes a file and returns its path. */
  write(name: string, text: string | Uint8Array, mode?: number): Promise<string>;
}

/** A directory of its own with the good fixtures in it, their secret readable by nobody else. */
export async function goodDirectory(): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), 'keyvigil-config-'));
  await cp(GOOD, path, { recursive: true });
  await chmod(join(path, 'secret'), 0o600);
  return {
    path,
    async write(name, text, mode = 0o600) {
      const file = join(path, name);
      await writeFile(file, text);
      await chmod(file, mode);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** The configuration of a text that is valid. */
export function configOf(text: string, env: Readonly<Record<string, string>> = {}): Config {
  const { config, issues } = parseConfig(text, '/etc/keyvigil/keyvigil.yml', { env, services: SERVICES });
  if (!config) throw new Error(issues.map(({ message }) => message).join('\n'));
  return config;
}

/** What is said of a text that is not valid, without its places. */
export function messagesOf(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  return parseConfig(text, 'keyvigil.yml', { env, services: SERVICES }).issues.map(({ message }) => message);
}
