import { type Input, record, text } from '../input.ts';
import { asRole, secretFailure } from '../service-roles.ts';
import type { Call } from '../world.ts';
import type { Flow, Part, Trouble } from './state.ts';

type KeyUse = { readonly roleArn: string; readonly secretArn: string };

/**
 * The flow after it read the keys of its parts as their roles, as it does for the moment `at` (ms): a part whose key cannot be
 * read is taken off and said so, one whose key can be read again comes back. Parts that are switched off need no key; what a
 * SPEKE key provider does is not imitated here.
 */
export function readKeys(call: Call, flow: Flow, at: number): Flow {
  const parts = [...flow.sources, ...flow.outputs, ...flow.entitlements];
  const troubles = parts.map((part) => troubleOf(call, part)).filter((trouble) => trouble !== undefined);
  return { ...flow, troubles, keysReadAt: at };
}

function troubleOf(call: Call, part: Part): Trouble | undefined {
  if (part.fields.outputStatus === 'DISABLED' || part.fields.entitlementStatus === 'DISABLED') return undefined;
  const dead = usesOf(part.fields).find((use) => !readable(call, use));
  if (!dead) return undefined;
  const { roleArn, secretArn } = dead;
  // The text that AWS documents for its alerts, word for word.
  const message = `Permission denied accessing encryption key for ${part.kind} ${part.name}. Removing ${part.kind} until it is fixed (secret ${secretArn}, role ${roleArn})`;
  return { part: part.arn, message };
}

/** The secrets that a part needs: for its content, and for the way to or from a router. */
function usesOf(fields: Input): readonly KeyUse[] {
  const content = record(fields, 'encryption') ?? record(fields, 'decryption');
  const transit =
    record(fields, 'routerIntegrationTransitEncryption') ?? record(fields, 'routerIntegrationTransitDecryption');
  const configuration = transit && record(transit, 'encryptionKeyConfiguration');
  return [useOf(content), useOf(configuration && record(configuration, 'secretsManager'))].filter(
    (use) => use !== undefined,
  );
}

function useOf(given: Input | undefined): KeyUse | undefined {
  if (!given || given.keyType === 'speke') return undefined;
  const roleArn = text(given, 'roleArn');
  const secretArn = text(given, 'secretArn');
  return roleArn === undefined || secretArn === undefined ? undefined : { roleArn, secretArn };
}

function readable(call: Call, { roleArn, secretArn }: KeyUse): boolean {
  const role = asRole(call, roleArn, 'mediaconnect.amazonaws.com', 'MediaConnectSession');
  return role !== undefined && secretFailure(role, { SecretId: secretArn }) === undefined;
}
