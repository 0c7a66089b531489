import { getCACertificates } from 'node:tls';

/** What clients trust: the roots that Node trusts by itself, and `ca` (PEM) beside them. Undefined: Node's own alone. */
export function trusted(ca: string | undefined): readonly string[] | undefined {
  return ca === undefined ? undefined : [...getCACertificates('default'), ca];
}
