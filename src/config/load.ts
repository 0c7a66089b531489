/** The front door of the configuration: a file in, a configuration or all its errors out. */
import { resolve } from 'node:path';
import { byPlace, ConfigError, type ConfigIssue, issueText } from './check.ts';
import type { Config } from './config.ts';
import { pathText } from './messages.ts';
import { type LoadOptions, parseConfig } from './parse.ts';
import { lookAt, readText } from './read.ts';
import { loadWebFile } from './web-file.ts';

export { ConfigError } from './check.ts';
export { parseConfig } from './parse.ts';
export { inactiveParts, policyOf, redacted, scheduleOf } from './views.ts';

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
  let web: Awaited<ReturnType<typeof readWebFile>> | undefined;
  for (const reference of parsed.files) {
    const path = resolve(file, '..', reference.file);
    const { error, warning } = await lookAt(path, reference.secret);
    const place = { file, ...reference.place };
    if (error) issues.push({ ...place, message: `${pathText(reference.path)}: ${error}` });
    if (warning) warnings.push({ ...place, message: `${pathText(reference.path)}: ${warning}` });
    if (!error && pathText(reference.path) === 'web.configFile') web = await readWebFile(path);
  }
  if (web?.authenticates === false) issues.push(...parsed.unlessAuthenticated);
  const all = [...issues.sort(byPlace), ...(web?.issues ?? [])];
  if (all.length > 0 || !parsed.config) throw new ConfigError(all);
  return { config: parsed.config, warnings: [...warnings.sort(byPlace), ...(web?.warnings ?? [])].map(issueText) };
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
