/** From argv to a command; nothing else reads or writes `process`. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import type { Io } from './cli/io.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

function processIo(): Io {
  const { env } = process;
  const tty = process.stderr.isTTY === true && env.TERM !== 'dumb';
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env,
    tty,
    color: process.stdout.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR,
    columns: process.stdout.columns ?? 120,
  };
}

/** Aborts on the first SIGINT or SIGTERM; the second one exits at once. */
function stopSignal(io: Io): AbortSignal {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
    stop.abort(new Error(signal));
    if (io.tty) io.err('\nstopping; once more to exit at once\n');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stop.signal;
}

interface Global {
  readonly configFile: string;
}

function program(io: Io, done: (code: number) => void): Command {
  const configOption = new Option('--config.file <file>', 'configuration file')
    .default('keyvigil.yml')
    .env('KEYVIGIL_CONFIG');
  configOption.attributeName = () => 'configFile';
  const outputOption = () => new Option('--output <format>', 'what to print').choices(['text', 'json']).default('text');

  const keyvigil = new Command('keyvigil')
    .description('Watches the keys and secrets your services depend on, in AWS and Azure.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText(
      'before',
      [
        'Examples:',
        '  keyvigil demo                                   the whole daemon on embedded clouds, no account needed',
        '  keyvigil once --config.file keyvigil.yml        one look at everything, as a table',
        '  keyvigil serve --config.file keyvigil.yml       the daemon',
        '',
      ].join('\n'),
    );

  function command(name: string, description: string): Command {
    return keyvigil
      .command(name)
      .description(description)
      .exitOverride()
      .configureOutput({ writeOut: io.out, writeErr: io.err });
  }

  command('serve', 'run the daemon')
    .addOption(configOption)
    .action(async ({ configFile }: Global) => {
      const loaded = await load(configFile, io);
      if (!loaded) return done(EXIT_USAGE);
      const { serveCommand } = await import('./cli/serve.ts');
      done(await serveCommand({ ...loaded, version, stop: stopSignal(io) }, io));
    });

  command(
    'once',
    'look at everything once; exit 0 all accessible, 3 a key is inaccessible, 4 something unknown, 1 nothing read',
  )
    .addOption(configOption)
    .addOption(outputOption())
    .action(async ({ configFile, output }: Global & { output: 'text' | 'json' }) => {
      const loaded = await load(configFile, io);
      if (!loaded) return done(EXIT_USAGE);
      for (const warning of loaded.warnings) io.err(`keyvigil: warning: ${warning}\n`);
      const { onceCommand } = await import('./cli/once.ts');
      const stop = stopSignal(io);
      try {
        done(await onceCommand({ config: loaded.config, output, version, stop }, io));
      } catch (error) {
        if (!stop.aborted) throw error;
        done(EXIT_INTERRUPTED);
      }
    });

  command('demo', 'run the whole daemon on embedded clouds with a scripted incident')
    .addOption(
      new Option('--listen <address>', 'where the page, the API and the metrics are').default('127.0.0.1:10539'),
    )
    .action(async ({ listen }: { listen: string }) => {
      const { demoCommand } = await import('./cli/demo.ts');
      done(await demoCommand({ listen, version, stop: stopSignal(io) }, io));
    });

  command('check-config', 'validate the configuration; exit 0 or 2')
    .addOption(configOption)
    .addOption(outputOption())
    .action(async ({ configFile, output }: Global & { output: 'text' | 'json' }) => {
      const { checkConfigCommand } = await import('./cli/check-config.ts');
      done(await checkConfigCommand({ file: configFile, output }, io));
    });

  command('schema', 'print the JSON Schema of the configuration').action(async () => {
    const { schemaCommand } = await import('./cli/schema.ts');
    done(schemaCommand(io));
  });

  command('healthcheck', 'ask a running daemon whether it is healthy; exit 0 or 1')
    .addOption(new Option('--url <url>', 'where it is').default('http://127.0.0.1:10539'))
    .action(async ({ url }: { url: string }) => {
      const { healthcheckCommand } = await import('./cli/healthcheck.ts');
      done(await healthcheckCommand(url, io));
    });

  command('version', 'print the version').action(() => {
    io.out(`keyvigil ${version}\n`);
    done(0);
  });

  return keyvigil;
}

async function load(file: string, io: Io) {
  const [{ ConfigError, inactiveParts, loadConfig }, { SERVICES }] = await Promise.all([
    import('./config/load.ts'),
    import('./providers/index.ts'),
  ]);
  try {
    const { config, warnings } = await loadConfig(file, { env: io.env, services: SERVICES });
    return { config, warnings: [...warnings, ...inactiveParts(config, SERVICES)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.err(`${error.message}\n`);
    return undefined;
  }
}

/**
 * Runs one command.
 * @param args without the program's own two
 * @returns when the command ended; the exit code is set
 */
export async function run(args: readonly string[]): Promise<void> {
  const io = processIo();
  let code = 0;
  try {
    await program(io, (result) => {
      code = result;
    }).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander exits 1 on usage errors by itself; 1 means something else here.
    code = error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  process.exitCode = code;
}

if (import.meta.main) await run(process.argv.slice(2));
