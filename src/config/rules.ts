/**
 * What fields demand of each other, and the files that they name. Works on the values as they were written, whatever
 * else is wrong with them, so that all errors come at once; a value of the wrong type is left to the schema.
 */
import { isSource } from '../providers/provider.ts';
import type { Path } from './document.ts';
import { isLoopback, parseListen } from './listen.ts';
import { nearest, oneOf, pathText } from './messages.ts';
import { RECEIVER_TYPES, type ServiceDeclaration } from './schema.ts';

/** A rule that is broken. */
export interface Violation {
  readonly path: Path;
  /** Whether it stands at the key or at its value. */
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** A file that the configuration names and that must be there. */
export interface FileReference {
  readonly path: Path;
  /** As written: relative to the configuration file. */
  readonly file: string;
  /** Nobody else should be able to read it. */
  readonly secret: boolean;
}

/** What the rules found. */
export interface Ruling {
  readonly violations: readonly Violation[];
  readonly files: readonly FileReference[];
  /** Broken as well, unless the web.configFile lets nobody in who cannot prove who they are. */
  readonly unlessAuthenticated: readonly Violation[];
  /** Secrets that stand in the file itself. */
  readonly inlineSecrets: readonly Path[];
}

type Settings = Readonly<Record<string, unknown>>;

function settings(value: unknown): Settings | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Settings) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * Applies every rule.
 * @param value the file's content
 * @param services the known services: the ids of rules are theirs
 * @param line of a path: tells where the first of two is that must not be equal
 */
export function applyRules(
  value: unknown,
  services: readonly ServiceDeclaration[],
  line: (path: Path) => number,
): Ruling {
  const helpers = services.filter((service) => !isSource(service)).map(({ name }) => name);
  const root = settings(value) ?? {};
  const violations: Violation[] = [];
  const files: FileReference[] = [];
  const inlineSecrets: Path[] = [];

  function refuse(path: Path, message: string, at: Violation['at'] = 'value'): void {
    violations.push({ path, at, message: `${pathText(path)}: ${message}` });
  }

  function unique(entries: readonly (readonly [Path, unknown])[], what: string): void {
    const seen = new Map<string, Path>();
    for (const [path, entry] of entries) {
      if (typeof entry !== 'string') continue;
      const first = seen.get(entry);
      if (first) refuse(path, `${what} is already on line ${line(first)}`);
      else seen.set(entry, path);
    }
  }

  function file(holder: Settings | undefined, path: Path, name: string, secret = false): void {
    const found = holder?.[name];
    if (typeof found === 'string' && found !== '') files.push({ path: [...path, name], file: found, secret });
  }

  /** A secret that is given in one of several ways. `names` are those that are given themselves, not as a file. */
  function secret(
    holder: Settings | undefined,
    path: Path,
    ways: readonly string[],
    need: 'required' | 'optional',
  ): void {
    if (!holder) return;
    const given = ways.filter((way) => holder[way] !== undefined);
    if (given.length === 0 && need === 'required') refuse(path, `missing: expected ${oneOf(ways)}`, 'key');
    const extra = given[1];
    if (extra !== undefined) refuse([...path, extra], `give only one of ${oneOf(given)}`, 'key');
    for (const way of given) {
      if (way.endsWith('File')) file(holder, path, way, true);
      // Most webhooks are guarded by their secret, or by nothing; those whose URL is one have urlFile.
      else if (typeof holder[way] === 'string' && !(path.at(-1) === 'webhook' && way === 'url')) {
        inlineSecrets.push([...path, way]);
      }
    }
  }

  function target(entry: Settings, path: Path): void {
    const regions = list(entry.regions).map((region, at) => [[...path, 'regions', at], region] as const);
    unique(regions, 'this region');
    if (entry.externalId !== undefined && entry.roleArn === undefined) {
      refuse([...path, 'externalId'], 'belongs to a role: add roleArn, or remove it', 'key');
    }
    const chosen = settings(entry.services);
    if (chosen && Object.keys(chosen).length === 0) {
      refuse([...path, 'services'], 'names no service: name one, or remove the line to watch them all', 'key');
    } else if (chosen && Object.keys(chosen).every((name) => helpers.includes(name))) {
      refuse(
        [...path, 'services'],
        `only ${oneOf(helpers)} watches nothing: name the services that it helps too`,
        'key',
      );
    }
    const vaults = list(settings(chosen?.['key-vault'])?.vaults).map(
      (vault, at) => [[...path, 'services', 'key-vault', 'vaults', at], vault] as const,
    );
    unique(vaults, 'this vault');
    const credential = settings(entry.credential);
    const ways = ['clientSecret', 'clientSecretFile', 'clientCertificateFile'];
    secret(credential, [...path, 'credential'], ways, 'required');
    if (credential && entry.tenant === undefined) {
      refuse([...path, 'credential'], 'needs to know its tenant: add tenant beside it', 'key');
    }
  }

  function receiver(entry: Settings, path: Path): void {
    const types = RECEIVER_TYPES.filter((type) => entry[type] !== undefined);
    if (types.length === 0) refuse(path, `missing: expected exactly one of ${oneOf(RECEIVER_TYPES)}`);
    const extra = types[1];
    if (extra) refuse([...path, extra], `a receiver has exactly one type: make a second receiver of this one`, 'key');
    secret(settings(entry.slack), [...path, 'slack'], ['url', 'urlFile'], 'required');
    secret(settings(entry.pagerduty), [...path, 'pagerduty'], ['routingKey', 'routingKeyFile'], 'required');
    secret(settings(entry.webhook), [...path, 'webhook'], ['url', 'urlFile'], 'required');
    secret(settings(entry.webhook), [...path, 'webhook'], ['secret', 'secretFile'], 'optional');
  }

  const targets = list(root.targets).map(settings);
  for (const [at, entry] of targets.entries()) if (entry) target(entry, ['targets', at]);
  unique(
    targets.map((entry, at) => [['targets', at, 'name'], entry?.name] as const),
    'a target of this name',
  );

  const receivers = list(root.receivers).map(settings);
  for (const [at, entry] of receivers.entries()) if (entry) receiver(entry, ['receivers', at]);
  unique(
    receivers.map((entry, at) => [['receivers', at, 'name'], entry?.name] as const),
    'a receiver of this name',
  );

  unique(
    list(root.labels).map((label, at) => [['labels', at], label] as const),
    'this label',
  );

  for (const id of Object.keys(settings(settings(root.policy)?.rules) ?? {})) {
    const message = id.includes('.') ? unknownRule(id, services) : undefined;
    if (message !== undefined) refuse(['policy', 'rules', id], message, 'key');
  }

  file(settings(root.outbound), ['outbound'], 'caFile');
  file(settings(root.web), ['web'], 'configFile');
  const address = typeof root.listen === 'string' ? parseListen(root.listen) : undefined;
  const unlessAuthenticated: Violation[] = [];
  if (address && !isLoopback(address.host) && settings(root.web)?.allowUnauthenticated !== true) {
    const message =
      'listen: every machine that reaches this address could read everything: listen on 127.0.0.1, let web.configFile ask for passwords or client certificates, or say web.allowUnauthenticated: true';
    // Whether that file asks for anything is known only once it has been read.
    const found = settings(root.web)?.configFile === undefined ? violations : unlessAuthenticated;
    found.push({ path: ['listen'], at: 'value', message });
  }
  return { violations, unlessAuthenticated, files, inlineSecrets };
}

/** What is wrong with the id of a rule; undefined: it is one. A service that declares no rules yet takes any of its name. */
function unknownRule(id: string, services: readonly ServiceDeclaration[]): string | undefined {
  const names = [...new Set(services.map(({ name }) => name))];
  const service = services.find(({ name }) => name === id.split('.')[0]);
  if (!service) {
    const meant = nearest(id.split('.')[0] ?? '', names);
    const instead = meant === undefined ? `expected ${oneOf(names)}` : `did you mean "${meant}"?`;
    return `the id of a rule starts with the name of its service: ${instead}`;
  }
  const rules = service.rules?.map((rule) => rule.id);
  if (!rules || rules.includes(id)) return undefined;
  const meant = nearest(id, rules);
  if (meant !== undefined) return `there is no such rule: did you mean "${meant}"?`;
  return rules.length === 0 ? `${service.name} has no rules` : `there is no such rule: expected ${oneOf(rules)}`;
}
