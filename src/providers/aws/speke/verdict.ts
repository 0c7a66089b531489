/** What a look at a key provider proves. Pure. */
import type { Verdict } from '../../../core/model.ts';
import { utc } from '../../../core/text.ts';
import { failureVerdict } from '../../look.ts';
import type { Look } from '../../provider.ts';
import { ANSWERING, NOT_PROBED, REFUSED } from './facts.ts';
import { CertificateRefused } from './knock.ts';
import type { Way } from './way.ts';

/** A clock that is wrong by less than this makes no certificate expired, ms. */
const CLOCK_MS = 3_600_000;

/**
 * Whatever answers HTTP is there. What is not probed counts as accessible too, as a secret does whose value is never read: nothing
 * speaks against it, and a finding says that nobody asked.
 */
export function verdict(look: Look): Verdict {
  if ('failure' in look) return failureVerdict(look.failure);
  const { state } = look.facts;
  const isFine = state === ANSWERING || state === NOT_PROBED || state === REFUSED;
  return isFine ? { status: 'accessible' } : { status: 'unknown', reason: 'bad_response' };
}

/**
 * Why a failed probe proves that nobody, MediaConnect included, can use this endpoint, in words; undefined where it proves nothing.
 *
 * A certificate does when it expired, beyond what a wrong clock of ours could explain, or when it is a trusted one of another
 * host: every client that checks certificates refuses both. One whose authority is not trusted here does not: MediaConnect
 * trusts a list of its own. Nothing does through a proxy, which may have answered in the host's place. And a refused connection,
 * a reset one and one that times out do not: a firewall in between answers just so.
 */
export function proofOf(error: unknown, via: Way['via'], now: number): string | undefined {
  if (!(error instanceof CertificateRefused) || via === 'proxy') return undefined;
  const { code, expiresAt } = error;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another host';
  if (code !== 'CERT_HAS_EXPIRED' || expiresAt === undefined || now < expiresAt + CLOCK_MS) return undefined;
  return `its certificate expired on ${utc(expiresAt)}`;
}
