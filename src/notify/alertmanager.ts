/**
 * Alertmanager, API v2 (`POST /api/v2/alerts`; docs/alerts_api.md and docs/high_availability.md of that project). Every peer
 * is told of everything, never one through a load balancer.
 */
import type { ReceiverConfig } from '../config/config.ts';
import { byStatusAndShape, createPoster, misconfigured } from './http.ts';
import type { Delivery, Notification, Receiver, ReceiverOptions } from './receiver.ts';
import { webUrl, wellFormed } from './text.ts';

/** As Prometheus does. */
const RESEND_MS = 60_000;
/**
 * A scrape, an evaluation and a flush of the group: by then the rules have seen the end as well, and the alert of theirs that
 * this one silenced wakes nobody. Shorter where what is pushed holds for less than the usual hour.
 */
const END_AFTER_MS = 90_000;
/** As Prometheus does. */
const MAX_BATCH = 256;
/** What fires must still fire a while after it arrived: nobody is told of what had ended before Alertmanager heard of it. */
const MIN_HOLD_MS = 300_000;

const IDLE: Delivery = { outcome: 'accepted' };

interface Peer {
  readonly url: string;
  /** What becomes of what it was asked last; never rejects. */
  last: Promise<Delivery>;
}

/**
 * `send` ends as soon as one peer has accepted, and else when every peer has answered or run out of time. A peer that is
 * slower hears of everything in the background, one request after the other: what resolves an alert never overtakes what
 * fired it. What waits behind a request that came to nothing is dropped: it comes with the next resend.
 * @throws Error when a proxy that is to be used has an address that is none
 */
export function createAlertmanager(config: ReceiverConfig, options: ReceiverOptions): Receiver {
  const poster = createPoster(options);
  const urls = config.options.urls as readonly string[];
  const peers = urls.map(
    (url): Peer => ({ url: `${url.replace(/\/+$/, '')}/api/v2/alerts`, last: Promise.resolve(IDLE) }),
  );

  function tell(peer: Peer, body: string, enough: AbortSignal, signal: AbortSignal): Promise<Delivery> {
    const told = peer.last.then((before) => {
      if (enough.aborted && before.outcome === 'retry') return before;
      return poster.post({ url: peer.url, body, judge: byStatusAndShape }, signal);
    });
    peer.last = told.catch(() => IDLE);
    return told;
  }

  return {
    traits: { name: config.name, resendMs: RESEND_MS, endAfterMs: Math.min(END_AFTER_MS, options.holdMs / 40) },
    type: 'alertmanager',
    maxBatch: MAX_BATCH,
    async send(batch, signal) {
      signal.throwIfAborted();
      const now = Date.now();
      const body = JSON.stringify(batch.map((one) => posted(one, options, now)));
      const enough = new AbortController();
      try {
        const told = peers.map((peer) => tell(peer, body, enough.signal, signal));
        return together(await untilAccepted(told, signal));
      } finally {
        enough.abort();
      }
    },
    async [Symbol.asyncDispose]() {
      await poster[Symbol.asyncDispose]();
      await Promise.all(peers.map((peer) => peer.last));
    },
  };
}

/** What the peers said up to the first that accepted; all of it if none did. @throws the reason of `signal` */
async function untilAccepted(told: readonly Promise<Delivery>[], signal: AbortSignal): Promise<readonly Delivery[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Delivery[]>();
  const said: Delivery[] = [];
  for (const one of told) {
    one.then((delivery) => {
      said.push(delivery);
      if (delivery.outcome === 'accepted' || said.length === told.length) resolve(said);
    }, reject);
  }
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** One is enough. Else a poisoned alert counts first, because no patience cures it; then whoever may take it soonest. */
function together(said: readonly Delivery[]): Delivery {
  const accepted = said.find(({ outcome }) => outcome === 'accepted');
  const poisoned = said.find((one) => one.outcome === 'refused' && one.reason === 'refused');
  const later = said
    .filter((one) => one.outcome === 'retry')
    .sort((a, b) => (a.retryAfterMs ?? 0) - (b.retryAfterMs ?? 0));
  const [first] = [accepted, poisoned, ...later, ...said].filter((one) => one !== undefined);
  return first ?? misconfigured('it has no peer');
}

function posted({ alert, status, endsAt }: Notification, { holdMs, statusUrl }: ReceiverOptions, now: number) {
  // A clock that was set back must not make it begin, or end, in the future.
  const startsAt = Math.min(alert.startsAt, now);
  const held = now + (alert.endsAt === undefined ? holdMs : MIN_HOLD_MS);
  const until = status === 'firing' ? Math.max(endsAt, held) : Math.max(Math.min(endsAt, now), startsAt);
  return {
    labels: labelsOf(alert.labels),
    annotations: wellFormed(alert.annotations),
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(until).toISOString(),
    generatorURL: webUrl(alert.annotations.status_url) ?? webUrl(statusUrl),
  };
}

/**
 * Names as Alertmanager takes them before its version 0.27: `[a-zA-Z_][a-zA-Z0-9_]*`. One bad name would cost the whole
 * request; of two that come out alike, the one that was good before stands.
 */
function labelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  const good: Record<string, string> = {};
  const mended: Record<string, string> = {};
  for (const [name, value] of Object.entries(wellFormed(labels))) {
    const fit = name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
    (fit === name ? good : mended)[fit] = value;
  }
  return { ...mended, ...good };
}
