/** From argv to a command; nothing else reads or writes `process`. */
import { existsSync, readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, Option } from 'commander';
import { addAskingCommands } from './cli/asking.ts';
import type { Io } from './cli/io.ts';
import type { LoadedConfig } from './config/load.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** What a shell says of a command that a signal ended: 128 and its number. */
const EXIT_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_SIGNAL;

/**
 * Signals this close to the first one are the same one, ms: Ctrl-C reaches the whole process group, npm among it, and npm
 * passes on what it gets.
 */
const SAME_SIGNAL_MS = 500;
/** What still keeps the event loop when a command has ended (a request that nobody waits for) is given up after this, ms. */
const LINGER_MS = 250;

function processIo(): Io {
  const { env, stdout, stderr } = process;
  const capable = env.TERM !== 'dumb';
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env,
    tty: stderr.isTTY === true && capable,
    color: stdout.isTTY === true && capable && !env.NO_COLOR,
    columns: stdout.isTTY === true ? stdout.columns : undefined,
  };
}

interface Stop {
  readonly signal: AbortSignal;
  /** The exit code of a command that was not let to its end. */
  readonly exitCode: number;
}

/** Aborts on the first of these signals, or when nobody reads what is printed; a second signal exits at once. */
function stopOn(io: Io, ...signals: readonly StopSignal[]): Stop {
  const stop = new AbortController();
  let first: { readonly signal: StopSignal; readonly at: number } | undefined;
  const stopBy = (signal: StopSignal) => {
    if (first) {
      if (performance.now() - first.at >= SAME_SIGNAL_MS) process.exit(EXIT_SIGNAL[signal]);
      return;
    }
    first = { signal, at: performance.now() };
    stop.abort(new Error(signal));
    if (io.tty) io.err('\nstopping; once more to exit at once\n');
  };
  for (const signal of signals) process.on(signal, () => stopBy(signal));
  process.stdout.on('error', (error) => stop.abort(error));
  return {
    signal: stop.signal,
    get exitCode() {
      return first ? EXIT_SIGNAL[first.signal] : 0;
    },
  };
}

/**
 * A reader that has seen enough (`| head`) is no failure; a full disk is. Without standard error there is no log, which is
 * no reason to watch nothing.
 */
function guardOutput(io: Io): void {
  process.stderr.on('error', () => undefined);
  let failed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (failed || error.code === 'EPIPE') return;
    failed = true;
    io.err(`keyvigil: the output cannot be written: ${error.message}\n`);
    process.on('exit', () => {
      process.exitCode ||= EXIT_FAILED;
    });
  });
}

/** A bug. Only stacks: what hangs on an SDK's error beside them is nobody's business. */
function crash(io: Io, error: unknown): never {
  const stacks: unknown[] = [];
  for (let at = error; at !== undefined && stacks.length < 5; at = at instanceof Error ? at.cause : undefined) {
    stacks.push(at instanceof Error ? at.stack : String(at));
  }
  io.err(`keyvigil: unexpected error, please report it: ${stacks.join('\ncaused by: ')}\n`);
  process.exit(EXIT_FAILED);
}

interface Global {
  readonly configFile: string;
}

/** What it looks like on a command line, and what that does. */
type Example = readonly [line: string, does: string];

function examplesText(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, does]) => `  keyvigil ${line.padEnd(width)}   ${does}\n`);
  return `Examples:\n${lines.join('')}`;
}

function program(io: Io, done: (code: number) => void): Command {
  const configOption = new Option('--config.file <file>', 'configuration file')
    .default('keyvigil.yml')
    .env('KEYVIGIL_CONFIG');
  configOption.attributeName = () => 'configFile';
  // Not from the environment: a container that is set up for a configuration of its own can still run the demo.
  const demoConfigOption = new Option('--config.file <file>', 'what it runs on, instead of config/demo.yaml');
  demoConfigOption.attributeName = () => 'configFile';
  const outputOption = () => new Option('--output <format>', 'what to print').choices(['text', 'json']).default('text');

  const keyvigil = new Command('keyvigil')
    .description('Watches the keys and secrets your services depend on, and says when one became unusable.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText(
      'before',
      examplesText([
        ['demo', 'the whole daemon on embedded clouds, no account needed'],
        ['once --config.file keyvigil.yml', 'one look at everything, as a table'],
        ['serve --config.file keyvigil.yml', 'the daemon'],
      ]),
    );

  function command(name: string, description: string, ...examples: readonly Example[]): Command {
    return keyvigil
      .command(name)
      .description(description)
      .exitOverride()
      .configureOutput({ writeOut: io.out, writeErr: io.err })
      .addHelpText('before', examplesText(examples));
  }

  command('serve', 'run the daemon; exit 0 after SIGTERM', ['serve --config.file keyvigil.yml', 'until it is stopped'])
    .addOption(configOption)
    .action(async ({ configFile }: Global) => {
      const stop = stopOn(io, 'SIGINT', 'SIGTERM');
      const loaded = await load(configFile, io);
      if (!loaded) return done(EXIT_USAGE);
      const { serveCommand } = await import('./cli/serve.ts');
      const reread = () => read(configFile, io);
      const onReload = (listener: () => void) => void process.on('SIGHUP', listener);
      done(await serveCommand({ loaded, version, stop: stop.signal, reread, onReload }, io));
    });

  command(
    'once',
    'look at everything once; exit 0 all accessible, 3 a key is inaccessible, 4 something unknown, 1 nothing read',
    ['once --config.file keyvigil.yml', 'a table, worst first'],
    ['once --output json', 'for jq and pipelines'],
  )
    .addOption(configOption)
    .addOption(outputOption())
    .action(async ({ configFile, output }: Global & { output: 'text' | 'json' }) => {
      const stop = stopOn(io, 'SIGHUP', 'SIGINT', 'SIGTERM');
      const loaded = await load(configFile, io);
      if (!loaded) return done(EXIT_USAGE);
      for (const warning of loaded.warnings) io.err(`keyvigil: warning: ${warning}\n`);
      const { onceCommand } = await import('./cli/once.ts');
      try {
        done(await onceCommand({ config: loaded.config, output, version, stop: stop.signal }, io));
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        done(stop.exitCode);
      }
    });

  command(
    'demo',
    'run the whole daemon on embedded clouds with a scripted incident',
    ['demo', 'on http://127.0.0.1:10539/'],
    ['demo --listen 127.0.0.1:0', 'on any free port'],
  )
    .addOption(
      new Option('--listen <address>', 'where the page, the API and the metrics are').default('127.0.0.1:10539'),
    )
    .addOption(demoConfigOption)
    .action(async ({ listen, configFile }: { listen: string; configFile?: string }) => {
      const stop = stopOn(io, 'SIGHUP', 'SIGINT', 'SIGTERM');
      const { demoCommand } = await import('./cli/demo.ts');
      const atExit = (cleanUp: () => void) => void process.on('exit', cleanUp);
      const file = configFile === undefined ? {} : { configFile };
      done(await demoCommand({ listen, ...file, version, stop: stop.signal, atExit }, io));
    });

  command(
    'check-config',
    'validate the configuration; exit 0 or 2',
    ['check-config --config.file keyvigil.yml', 'every error at once, or what would be watched'],
    ['check-config --online', 'the credentials and every permission too'],
    ['check-config --output json', 'the same for a pipeline'],
  )
    .addOption(configOption)
    .addOption(outputOption())
    .option('--online', 'look at everything once: do the credentials work, is every permission granted')
    .action(async ({ configFile, output, online }: Global & { output: 'text' | 'json'; online?: true }) => {
      const stop = stopOn(io, 'SIGHUP', 'SIGINT', 'SIGTERM');
      const { checkConfigCommand } = await import('./cli/check-config.ts');
      const asks = online ? { online: { version, stop: stop.signal } } : {};
      try {
        done(await checkConfigCommand({ file: configFile, output, ...asks }, io));
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        done(stop.exitCode);
      }
    });

  command(
    'plan',
    'what would be watched, and its cost in calls, quota, time and money; exit 0, 2, or 1 where nothing could be listed',
    ['plan --config.file keyvigil.yml', 'lists everything once to count it, and asks for nothing else'],
    ['plan --objects kms=12000 --objects secrets-manager=800', 'asks nobody'],
  )
    .addOption(configOption)
    .addOption(outputOption())
    .addOption(
      new Option('--objects <service=n>', 'how many there are at each location, by service or by kind; repeatable')
        .default([] as string[], 'none: they are listed')
        .argParser((text: string, before: string[]) => [...before, text]),
    )
    .action(async ({ configFile, output, objects }: Global & { output: 'text' | 'json'; objects: string[] }) => {
      const stop = stopOn(io, 'SIGHUP', 'SIGINT', 'SIGTERM');
      const loaded = await load(configFile, io);
      if (!loaded) return done(EXIT_USAGE);
      for (const warning of loaded.warnings) io.err(`keyvigil: warning: ${warning}\n`);
      const { planCommand } = await import('./cli/plan.ts');
      try {
        done(await planCommand({ config: loaded.config, output, objects, version, stop: stop.signal }, io));
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        done(stop.exitCode);
      }
    });

  command('test-notify', 'send a marked test alert to one receiver, end to end; exit 0 when it was taken, 1 when not', [
    'test-notify oncall --config.file keyvigil.yml',
    'what became of it, and how long it took',
  ])
    .argument('<receiver>', 'its name in the configuration')
    .addOption(configOption)
    .addOption(outputOption())
    .action(async (receiver: string, { configFile, output }: Global & { output: 'text' | 'json' }) => {
      const stop = stopOn(io, 'SIGHUP', 'SIGINT', 'SIGTERM');
      const loaded = await load(configFile, io);
      if (!loaded) return done(EXIT_USAGE);
      const { testNotifyCommand } = await import('./cli/test-notify.ts');
      try {
        done(await testNotifyCommand({ config: loaded.config, receiver, output, version, stop: stop.signal }, io));
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        done(stop.exitCode);
      }
    });

  command(
    'policy',
    'print the least-privilege policy for what the configuration watches; exit 0 or 2',
    ['policy aws > policy.json', 'an IAM policy document'],
    ['policy azure --target media > role.json', 'a custom role definition'],
  )
    .addArgument(new Argument('<cloud>', 'whose policy').choices(['aws', 'azure']))
    .addOption(configOption)
    .option('--target <name>', 'one target of the configuration; needed where several need different policies')
    .option('--account <id>', 'AWS account to narrow the policy to, where no role ARN tells it')
    .action(
      async (
        cloud: 'aws' | 'azure',
        { configFile, target, account }: Global & { target?: string; account?: string },
      ) => {
        const loaded = await load(configFile, io);
        if (!loaded) return done(EXIT_USAGE);
        const { policyCommand } = await import('./cli/policy.ts');
        done(policyCommand({ cloud, config: loaded.config, target, account }, io));
      },
    );

  addAskingCommands(
    (name, description, ...examples) =>
      command(name, description, ...examples)
        .addOption(configOption)
        .addOption(outputOption()),
    async (run, resource, { configFile, ...options }, self) => {
      const stop = stopOn(io, 'SIGHUP', 'SIGINT', 'SIGTERM');
      const configured = self.getOptionValueSource('configFile') !== 'default' || existsSync(configFile);
      try {
        const loads = { configured, load: () => load(configFile, io) };
        done(await run({ ...options, ...loads, resource, version, stop: stop.signal }, io));
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        done(stop.exitCode);
      }
    },
  );

  command('schema', 'print the JSON Schema of the configuration', [
    'schema > keyvigil.schema.json',
    'for an editor',
  ]).action(async () => {
    const { schemaCommand } = await import('./cli/schema.ts');
    done(schemaCommand(io));
  });

  command('healthcheck', 'ask a running daemon whether it is healthy; exit 0 or 1', [
    'healthcheck --url http://127.0.0.1:10539',
    'for containers, which have no curl',
  ])
    .addOption(new Option('--url <url>', 'where it is').default('http://127.0.0.1:10539'))
    .action(async ({ url }: { url: string }) => {
      const { healthcheckCommand } = await import('./cli/healthcheck.ts');
      done(await healthcheckCommand(url, io));
    });

  command('version', 'print the version', ['version', `keyvigil ${version}`]).action(() => {
    io.out(`keyvigil ${version}\n`);
    done(0);
  });

  return keyvigil;
}

/** @throws ConfigError */
async function read(file: string, io: Io): Promise<LoadedConfig> {
  const [{ loadConfig }, { SERVICES }] = await Promise.all([
    import('./config/load.ts'),
    import('./providers/index.ts'),
  ]);
  return await loadConfig(file, { env: io.env, services: SERVICES });
}

async function load(file: string, io: Io): Promise<LoadedConfig | undefined> {
  const { ConfigError } = await import('./config/load.ts');
  try {
    return await read(file, io);
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
  guardOutput(io);
  process.on('uncaughtException', (error) => crash(io, error));
  let code = 0;
  try {
    await program(io, (result) => {
      code = result;
    }).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) crash(io, error);
    // commander exits 1 on usage errors by itself; 1 means something else here.
    code = error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  process.exitCode = code;
  // The empty write is called back when everything before it is out.
  process.stdout.write('', () => setTimeout(() => process.exit(), LINGER_MS).unref());
}

if (import.meta.main) await run(process.argv.slice(2));
