/** From the schema's output to the configuration: services chosen, paths absolute, secrets behind their sources. */
import { resolve } from 'node:path';
import type { Config, ReceiverConfig, SecretSource, TargetConfig } from './config.ts';
import { type ParsedConfig, RECEIVER_TYPES, type ServiceDeclaration } from './schema.ts';
import { fileSecret, inlineSecret } from './secret.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Settings that are secrets; the same name with `File` behind it names a file that holds one. */
const SECRETS = {
  alertmanager: [],
  slack: ['url'],
  pagerduty: ['routingKey'],
  webhook: ['url', 'secret'],
  credential: ['clientSecret'],
} as const;

/**
 * @param parsed passed every rule
 * @param file absolute path of the configuration file
 * @param services the known ones: a target without `services` gets all that are not opt-in
 */
export function resolveConfig(parsed: ParsedConfig, file: string, services: readonly ServiceDeclaration[]): Config {
  const directory = resolve(file, '..');
  const { caFile, ...outbound } = parsed.outbound;
  const { configFile, ...web } = parsed.web;
  return present({
    ...parsed,
    file,
    state: resolve(directory, parsed.state),
    targets: parsed.targets.map((target) => resolveTarget(target, directory, services)),
    receivers: parsed.receivers.map((receiver) => resolveReceiver(receiver, directory)),
    outbound: { ...outbound, caFile: absolute(directory, caFile) },
    web: { ...web, configFile: absolute(directory, configFile) },
  }) as Config;
}

function absolute(directory: string, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(directory, path);
}

/** The same without what is not set, at every level of plain objects. */
function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) return value;
  const kept = Object.entries(value as Settings).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(kept.map(([key, entry]) => [key, present(entry)]));
}

function resolveTarget(
  target: ParsedConfig['targets'][number],
  directory: string,
  services: readonly ServiceDeclaration[],
): TargetConfig {
  const active = services.filter(({ provider, optIn }) => provider === target.provider && !optIn);
  const chosen = target.services ?? Object.fromEntries(active.map(({ name, config }) => [name, config.parse({})]));
  const credential = 'credential' in target ? target.credential : undefined;
  return {
    ...target,
    services: chosen,
    ...(credential && { credential: resolveCredential(credential, directory) }),
  } as TargetConfig;
}

function resolveCredential(
  credential: Settings & { readonly clientCertificateFile?: string | undefined },
  directory: string,
) {
  const { clientCertificateFile, ...rest } = credential;
  return {
    ...withSecrets(rest, SECRETS.credential, directory),
    clientCertificateFile: absolute(directory, clientCertificateFile),
  };
}

function resolveReceiver(receiver: ParsedConfig['receivers'][number], directory: string): ReceiverConfig {
  // `rules.ts` saw to it that there is exactly one.
  const type = RECEIVER_TYPES.find((name) => receiver[name] !== undefined) ?? 'webhook';
  return { name: receiver.name, type, options: withSecrets(receiver[type] ?? {}, SECRETS[type], directory) };
}

/** The settings with each secret, wherever it comes from, under its plain name. */
function withSecrets(settings: Settings, names: readonly string[], directory: string): Settings {
  const result: Record<string, unknown> = { ...settings };
  for (const name of names) {
    const inline = settings[name];
    const file = settings[`${name}File`];
    delete result[`${name}File`];
    let source: SecretSource | undefined;
    if (typeof inline === 'string') source = inlineSecret(inline);
    else if (typeof file === 'string') source = fileSecret(resolve(directory, file));
    if (source) result[name] = source;
  }
  return result;
}
