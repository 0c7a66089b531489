/** `check-config`: everything that can be said of a configuration without asking anybody. */
import type { Config, TargetConfig } from '../config/config.ts';
import { ConfigError, loadConfig, redacted, scheduleOf } from '../config/load.ts';
import { nextRuns } from '../config/schedule.ts';
import { PROVIDERS, SERVICES } from '../providers/index.ts';
import { isSource } from '../providers/provider.ts';
import { checkOnline, onlineText } from './check-online.ts';
import type { Io } from './io.ts';

const RUNS = 3;

interface Timetable {
  readonly schedule: string;
  readonly timezone: string;
  /** ISO 8601. */
  readonly next: readonly string[];
}

interface Row {
  readonly target: string;
  readonly provider: string;
  readonly location: string;
  readonly service: string;
  readonly schedule: string;
}

/** Services of a target that have a schedule: all but those that only help others. */
function sweptServices({ provider, services }: TargetConfig): readonly string[] {
  const helpers = SERVICES.filter((service) => service.provider === provider && !isSource(service));
  return Object.keys(services).filter((name) => !helpers.some((helper) => helper.name === name));
}

/** Every target × location × service. */
function sourcesOf(config: Config): readonly Row[] {
  return config.targets.flatMap((target) => {
    const provider = PROVIDERS.find(({ name }) => name === target.provider);
    const locations = provider?.locations(target) ?? ['global'];
    return sweptServices(target).flatMap((service) =>
      locations.map((location) => ({
        target: target.name,
        provider: target.provider,
        location,
        service,
        schedule: scheduleOf(config, target, service).schedule,
      })),
    );
  });
}

/** The next runs of each schedule that anything is swept by. */
function timetables(config: Config): readonly Timetable[] {
  const schedules = config.targets.flatMap((target) =>
    sweptServices(target).map((service) => scheduleOf(config, target, service)),
  );
  const distinct = new Map(schedules.map((one) => [`${one.schedule}\n${one.timezone}`, one]));
  return [...distinct.values()].map(({ schedule, timezone }) => ({
    schedule,
    timezone,
    next: nextRuns(schedule, timezone, RUNS).map((date) => date.toISOString()),
  }));
}

/** Lines with columns of equal width, two spaces apart. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  return rows.map((row) => `${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd()).join('\n');
}

function textOf(config: Config): string {
  const head = ['TARGET', 'PROVIDER', 'LOCATION', 'SERVICE', 'SCHEDULE'];
  const body = sourcesOf(config).map((row) => [row.target, row.provider, row.location, row.service, row.schedule]);
  const runs = timetables(config).map(
    ({ schedule, timezone, next }) => `  ${schedule} (${timezone})\n${next.map((at) => `    ${at}`).join('\n')}`,
  );
  return `${columns([head, ...body])}\n\nNext runs:\n${runs.join('\n')}\n`;
}

/**
 * Validates a configuration file and prints what it would watch and when. Errors and warnings go to stderr; with
 * `--output json` they are part of the data.
 * @param options.online also whether the credentials work and every permission is granted; absent: asks nobody
 * @returns 0 if it is valid and nothing is missing, 2 if not
 */
export async function checkConfigCommand(
  options: {
    readonly file: string;
    readonly output: 'text' | 'json';
    readonly online?: { readonly version: string; readonly stop: AbortSignal };
  },
  io: Io,
): Promise<number> {
  const { file, output, online } = options;
  const json = (data: unknown) => io.out(`${JSON.stringify(data, null, 2)}\n`);
  try {
    const { config, warnings } = await loadConfig(file, { env: io.env, services: SERVICES });
    const check = online && (await checkOnline({ config, ...online }, io));
    const code = check?.ok === false ? 2 : 0;
    if (output === 'json') {
      const sources = sourcesOf(config);
      const shown = { warnings, sources, schedules: timetables(config), config: redacted(config) };
      json({ valid: true, file, ...shown, ...(check && { online: check }) });
      return code;
    }
    io.out(`${file} is valid.\n\n${textOf(config)}`);
    if (check) io.out(`\n${onlineText(check)}`);
    for (const warning of warnings) io.err(`warning: ${warning}\n`);
    return code;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (output === 'json') json({ valid: false, file, errors: error.issues });
    else io.err(`${error.message}\n`);
    return 2;
  }
}
