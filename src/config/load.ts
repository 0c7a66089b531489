/** The front door of the configuration: a file in, a configuration or all its errors out. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { byPlace, ConfigError, type ConfigIssue, issueText } from './check.ts';
import type { Config } from './config.ts';
import { pathText } from './messages.ts';
import { type LoadOptions, parseConfig } from './parse.ts';
import { digestOf, lookAt, readText } from './read.ts';
import { loadWebFile } from './web-file.ts';

export { ConfigError } from './check.ts';
export { parseConfig } from './parse.ts';
export { policyOf, redacted, scheduleOf } from './views.ts';

/** A configuration that was read. */
export interface LoadedConfig {
  readonly config: Config;
  /** As `file:line:column: message`. */
  readonly warnings: readonly string[];
  /** Changes with every value of the file and every byte of the files that it names; tells none of them. */
  readonly signature: string;
}

/**
 * Reads a configuration file and looks at the files that it names.
 * @throws ConfigError with everything that is wrong, the file itself included
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadedConfig> {
  const parsed = parseConfig(await readText(file), file, options);
  const issues: ConfigIssue[] = [...parsed.issues];
  const warnings: ConfigIssue[] = [...parsed.warnings];
  const seen = createHash('sha256').update(parsed.digest);
  let web: Awaited<ReturnType<typeof readWebFile>> | undefined;
  for (const reference of parsed.files) {
    const path = resolve(file, '..', reference.file);
    const { error, warning } = await lookAt(path, reference.secret);
    if (!error) seen.update(await digestOf(path));
    const place = { file, ...reference.place };
    if (error) issues.push({ ...place, message: `${pathText(reference.path)}: ${error}` });
    if (warning) warnings.push({ ...place, message: `${pathText(reference.path)}: ${warning}` });
    if (!error && pathText(reference.path) === 'web.configFile') web = await readWebFile(path);
  }
  if (web?.authenticates === false) issues.push(...parsed.unlessAuthenticated);
  const all = [...issues.sort(byPlace), ...(web?.issues ?? [])];
  if (all.length > 0 || !parsed.config) throw new ConfigError(all);
  const said = [...warnings.sort(byPlace), ...(web?.warnings ?? [])].map(issueText);
  return { config: parsed.config, warnings: said, signature: seen.digest('base64url') };
}

/** What the main configuration must know of the file of the web server. */
async function readWebFile(path: string) {
  try {
    const { web, warnings } = await loadWebFile(path);
    return { issues: [], warnings, authenticates: web.authenticates };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { issues: error.issues, warnings: [], authenticates: undefined };
  }
}
