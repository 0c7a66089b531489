/** What the outgoing connections trust. */
import { readFile } from 'node:fs/promises';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Config } from './config/config.ts';

/**
 * The roots that Node trusts by itself, and `ca` (PEM) beside them: a chat service does not become unreachable by a private
 * authority. One context for all connections: given the certificates instead, an agent reads all of them for each new
 * connection, and makes them a part of the name under which it looks for an idle one.
 */
export function trustOf(ca: string): SecureContext {
  return createSecureContext({ ca: [...getCACertificates('default'), ca] });
}

/**
 * Made of the certificate authorities that the configuration adds; undefined where it adds none.
 * @throws Error when their file cannot be read
 */
export async function extraTrust({ outbound }: Pick<Config, 'outbound'>): Promise<SecureContext | undefined> {
  return outbound.caFile === undefined ? undefined : trustOf(await readFile(outbound.caFile, 'utf8'));
}
