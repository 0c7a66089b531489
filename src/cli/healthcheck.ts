import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isLoopback } from '../config/listen.ts';
import { withDeadline } from '../engine/deadline.ts';
import type { Io } from './io.ts';

const TIMEOUT_MS = 3_000;
/** What a server says to whoever shows no certificate although it demands one: TLS 1.3, and 1.2 (RFC 8446 6.2). */
const WANTS_CERTIFICATE = /\balert (certificate required|handshake failure)\b/;

/**
 * Asks a running daemon whether it is healthy: for containers, whose image has no shell and no curl. It has neither a
 * password nor a certificate, and needs none: that a daemon asks for one shows that it is alive, which is all that
 * `/-/healthy` says. So does one that is busy turning others away.
 * @returns 0 healthy, 1 not
 */
export async function healthcheckCommand(url: string, io: Io): Promise<number> {
  try {
    const target = new URL('/-/healthy', url);
    const status = await withDeadline('healthcheck', TIMEOUT_MS, new AbortController().signal, (signal) =>
      statusOf(target, signal),
    );
    if (status === 200) return 0;
    io.err(`keyvigil at ${url} answers ${status}\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (url.startsWith('https:') && WANTS_CERTIFICATE.test(message)) return 0;
    io.err(`keyvigil at ${url} does not answer: ${message}\n`);
  }
  return 1;
}

/** The status of an answer; 200 for those that only a daemon that is alive gives. Redirects are not followed. */
function statusOf(target: URL, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const send = target.protocol === 'https:' ? secureRequest : request;
  // The certificate of this very machine bears its public name. Nothing secret is sent.
  const rejectUnauthorized = !isLoopback(target.hostname.replace(/^\[|\]$/g, ''));
  const outgoing = send(target, { agent: false, signal, rejectUnauthorized }, (response) => {
    response.resume();
    const { statusCode = 0, headers } = response;
    const ours = headers['www-authenticate']?.includes('realm="keyvigil"');
    resolve(statusCode === 429 || (statusCode === 401 && ours) ? 200 : statusCode);
  });
  outgoing.on('error', reject).end();
  return promise;
}
