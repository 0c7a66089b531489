/** `policy`: the least that keyvigil must be granted, for the cloud's own tools. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, TargetConfig } from '../config/config.ts';
import { visible } from '../core/text.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { TargetPolicy } from '../providers/provider.ts';
import type { Io } from './io.ts';

/**
 * Prints the policy for the targets of one cloud to stdout, and what it cannot say to stderr.
 * @returns 0; 2 where there is no such target or account, or where several need different policies and none was chosen
 */
export function policyCommand(
  options: {
    readonly cloud: 'aws' | 'azure';
    readonly config: Config;
    readonly target: string | undefined;
    readonly account: string | undefined;
  },
  io: Io,
): 0 | 2 {
  const { cloud, config, target: wanted, account } = options;
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    io.err('keyvigil: --account: an AWS account has twelve digits\n');
    return 2;
  }
  const provider = PROVIDERS.find(({ name }) => name === cloud);
  const targets = config.targets.filter(({ provider: of, name }) => of === cloud && (wanted ?? name) === name);
  if (!provider || targets.length === 0) {
    const which = wanted === undefined ? `no target of ${cloud}` : `no target of ${cloud} called "${visible(wanted)}"`;
    io.err(`keyvigil: the configuration has ${which}\n`);
    return 2;
  }
  const policies = targets.map((target) => provider.policy(target, account));
  const [first, ...others] = policies;
  if (!first) return 2;
  if (others.some(({ document }) => !isDeepStrictEqual(document, first.document))) {
    io.err(`keyvigil: these targets need different policies, choose one with --target: ${names(targets)}\n`);
    return 2;
  }
  print(first, io);
  return 0;
}

function names(targets: readonly TargetConfig[]): string {
  return targets.map(({ name }) => name).join(', ');
}

function print({ document, notes }: TargetPolicy, io: Io): void {
  io.out(`${JSON.stringify(document, null, 2)}\n`);
  for (const note of notes) io.err(`note: ${visible(note)}\n`);
}
