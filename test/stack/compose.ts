/** What a compose file of ours must hold, as far as no schema says it. Pure: the files of the project come with the call. */
import { parse } from 'yaml';

export interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly ports?: readonly string[];
  readonly volumes?: ReadonlyArray<string | { readonly source: string }>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly profiles?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

/** The project around a compose file. */
export interface Project {
  readonly version: string;
  /** Whether a path below the root of the project exists. */
  exists(path: string): boolean;
  /** Text of a file below the root of the project. */
  read(path: string): string;
}

export function parseCompose(text: string): Compose {
  return parse(text, { merge: true }) as Compose;
}

/** Everything that is wrong, as `service: what`. */
export function composeViolations({ services, volumes = {} }: Compose, project: Project): string[] {
  const found: string[] = [];
  const published = new Map<string, string>();
  const mounted = new Set<string>();
  for (const [name, service] of Object.entries(services)) {
    const say = (what: string) => found.push(`${name}: ${what}`);
    hardening(service, say);
    image(service, project, say);
    for (const port of service.ports ?? []) {
      if (!port.startsWith('127.0.0.1:')) say(`port ${port} is not on the loopback address`);
      const outside = port.split(':').slice(0, 2).join(':');
      const other = published.get(outside);
      if (other) say(`port ${outside} is taken by ${other}`);
      published.set(outside, name);
    }
    for (const volume of service.volumes ?? []) {
      const [source = '', , mode] = typeof volume === 'string' ? volume.split(':') : [volume.source];
      if (source.startsWith('.')) {
        if (!project.exists(source)) say(`mounts ${source}, which does not exist`);
        if (mode !== 'ro') say(`mounts ${source} writable`);
      } else {
        mounted.add(source);
        if (!(source in volumes)) say(`the volume ${source} is not declared`);
      }
    }
    dependencies(name, service, services, say);
    environment(service, project, say);
    for (const argument of [
      ...(service.entrypoint ?? []),
      ...(service.command ?? []),
      ...(service.healthcheck?.test ?? []),
    ]) {
      if (argument.startsWith('/app/') && !project.exists(argument.slice('/app/'.length)))
        say(`${argument} does not exist`);
    }
  }
  for (const volume of Object.keys(volumes))
    if (!mounted.has(volume)) found.push(`${volume}: a volume that nothing mounts`);
  return found;
}

type Say = (what: string) => void;

function hardening(service: Service, say: Say): void {
  const [uid = ''] = (service.user ?? '').split(':');
  if (!/^[1-9]\d*$/.test(uid)) say('runs as root, or as whatever its image says');
  if (service.read_only !== true) say('its root file system is writable');
  if (!service.cap_drop?.includes('ALL')) say('keeps capabilities');
  if (!service.security_opt?.includes('no-new-privileges:true')) say('may gain privileges');
  if (service.privileged) say('is privileged');
  if (service.mem_limit === undefined) say('has no memory limit');
  if (service.pids_limit === undefined) say('has no process limit');
}

function image(service: Service, project: Project, say: Say): void {
  const [, name, tag] = /^(?:.*\/)?([^/:]+):([^:@]+)(?:@sha256:.+)?$/.exec(service.image ?? '') ?? [];
  if (tag === undefined || !/^v?\d+\.\d+\.\d+/.test(tag)) say(`the image ${service.image} is not pinned to a version`);
  if (service.build !== undefined && (name !== 'keyvigil' || tag !== project.version)) {
    say(`the image is ${service.image}, but this is keyvigil ${project.version}`);
  }
}

function dependencies(name: string, service: Service, services: Compose['services'], say: Say): void {
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    const target = services[other];
    if (!target) {
      say(`depends on ${other}, which does not exist`);
      continue;
    }
    if (condition === 'service_healthy' && target.healthcheck?.disable)
      say(`waits for the health of ${other}, which has none`);
    if (condition === 'service_healthy' && !target.build && !target.healthcheck?.test) {
      say(`waits for the health of ${other}, which has none`);
    }
    if (condition === 'service_completed_successfully' && target.restart !== 'no')
      say(`waits for the end of ${other}, which never ends`);
    if (target.profiles && !target.profiles.every((one) => service.profiles?.includes(one))) {
      say(`depends on ${other}, which its profile does not start`);
    }
    if (reaches(other, name, services)) say(`depends on ${other}, which depends on it`);
  }
}

function reaches(from: string, to: string, services: Compose['services'], seen = new Set<string>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return Object.keys(services[from]?.depends_on ?? {}).some((next) => reaches(next, to, services, seen));
}

/** Variables that `keyvigil demo` itself sets for its configuration. */
const OF_THE_DEMO = /^KEYVIGIL_DEMO_/;

/** What a configuration asks of its environment must be set, and what is set of ours must be asked for. */
function environment(service: Service, project: Project, say: Say): void {
  const at = service.command?.indexOf('--config.file') ?? -1;
  const file = at < 0 ? undefined : service.command?.[at + 1];
  if (!file?.startsWith('/app/') || !project.exists(file.slice('/app/'.length))) return;
  const asked = new Set(
    [...project.read(file.slice('/app/'.length)).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? ''),
  );
  const given = Object.keys(service.environment ?? {});
  for (const name of asked)
    if (!given.includes(name) && !OF_THE_DEMO.test(name)) say(`${file} asks for ${name}, which is not set`);
  for (const name of given)
    if (name.startsWith('KEYVIGIL_') && !asked.has(name)) say(`${name} is set, and ${file} does not ask for it`);
}
