import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/**
 * What clients trust, as options of an agent or a connection: the roots that Node trusts by itself, and `ca` (PEM) beside them.
 * Empty without `ca`: Node's own alone. One context for all connections: given the certificates instead, an agent reads all of
 * them for each new connection, and makes them a part of the name under which it looks for an idle one.
 */
export function trustOf(ca: string | undefined): { readonly secureContext?: SecureContext } {
  return ca === undefined ? {} : { secureContext: createSecureContext({ ca: [...getCACertificates('default'), ca] }) };
}
