/** The commands that turn to a daemon with one key or consumer, as the command line has them. */
import { type Command, Option } from 'commander';
import type { AskOptions } from './ask.ts';
import type { Io } from './io.ts';

/** What stands on the command line. */
type AskingOptions = Omit<AskOptions, 'resource' | 'version' | 'stop' | 'configured' | 'load'> & {
  readonly configFile: string;
};

/** What a command does: gives its exit code. */
type Run = (options: AskOptions, io: Io) => Promise<number>;

/**
 * Adds `explain`, `impact` and `forget`.
 * @param add makes a command, with the options of every command that reads the configuration and prints
 * @param answer runs one
 */
export function addAskingCommands(
  add: (name: string, description: string, ...examples: readonly (readonly [line: string, does: string])[]) => Command,
  answer: (run: Run, resource: string, options: AskingOptions, self: Command) => Promise<void>,
): void {
  const asking: typeof add = (...about) =>
    add(...about)
      .addOption(
        new Option(
          '--url <url>',
          'the daemon; else the configuration says where it is, or it is on 127.0.0.1:10539',
        ).env('KEYVIGIL_URL'),
      )
      .option('--user <name>', 'who asks, where the daemon has users')
      .option('--password-file <file>', 'holds the password of that user')
      .option('--ca-file <file>', 'PEM of the authority of its certificate')
      .option('--cert-file <file>', 'PEM of a certificate to show to it')
      .option('--key-file <file>', 'PEM of the key of that certificate');
  const orLooking: typeof add = (...about) =>
    asking(...about)
      .argument('<resource>', 'identity, alias or name, or the end of one')
      .option('--live', 'ask no daemon, look at everything once');

  orLooking(
    'explain',
    'say why a key or consumer is as it is; exit 0 told, 1 nothing could be read, 2 usage or nothing of that name',
    ['explain alias/payments', 'evidence, what it breaks, how to undo it, which alert fires, its history'],
    ['explain prod/db --output json', 'the same for a program'],
  ).action(async (resource: string, options: AskingOptions, self: Command) => {
    const { explainCommand } = await import('./explain.ts');
    await answer(explainCommand, resource, options, self);
  });

  orLooking(
    'impact',
    'say what breaks if a key goes away; exit 0 nothing, 3 something, 4 cannot be told, 1 nothing could be read, 2 usage',
    ['impact alias/payments', 'what would stop, and what has another key'],
    ['impact "$KEY" && ./delete-key "$KEY"', 'a gate: only a sure "nothing" opens it'],
  ).action(async (resource: string, options: AskingOptions, self: Command) => {
    const { impactCommand } = await import('./impact.ts');
    await answer(impactCommand, resource, options, self);
  });

  asking(
    'forget',
    'have the daemon drop a key that is gone; exit 0 forgotten, 1 it cannot or will not, 2 usage or nothing of that name',
    ['forget "$ARN"', 'its record and its alert end; what depends on it goes on saying so'],
  )
    .argument('<resource>', 'identity or whole name')
    .action(async (resource: string, options: AskingOptions, self: Command) => {
      const { forgetCommand } = await import('./forget.ts');
      await answer(forgetCommand, resource, options, self);
    });
}
