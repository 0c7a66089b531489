/** Reading a receiver's own part of the configuration, which the schema has already found to be sound. */
import type { ReceiverConfig, SecretSource } from '../config/config.ts';
import type { ReceiverTraits } from '../core/alert.ts';

/** A secret's source. @throws Error when the configuration has none: a bug, the schema demands it */
export function secretOf(config: ReceiverConfig, name: string): SecretSource {
  const source = optionalSecretOf(config, name);
  if (!source) throw new Error(`receiver "${config.name}": ${name} is missing`);
  return source;
}

/** A secret's source, if there is one. */
export function optionalSecretOf({ options }: ReceiverConfig, name: string): SecretSource | undefined {
  const source = options[name];
  return typeof source === 'object' && source !== null && 'read' in source ? (source as SecretSource) : undefined;
}

/** The secret as it is now, or why it cannot be had, which names its file and nothing of what is in it. */
export async function readSecret(
  source: SecretSource,
): Promise<{ readonly value: string } | { readonly value?: never; readonly problem: string }> {
  try {
    return { value: await source.read() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'the secret cannot be read' };
  }
}

/** How often the configuration wants what still fires to be told again. */
export function reminding({ options }: ReceiverConfig): Pick<ReceiverTraits, 'reminderMs'> {
  const { remindEvery } = options;
  return typeof remindEvery === 'number' ? { reminderMs: remindEvery } : {};
}
