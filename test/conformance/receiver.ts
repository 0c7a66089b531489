import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { trustOf } from '../../src/app-trust.ts';
import type { Delivery, Notification, Receiver, ReceiverOptions } from '../../src/notify/receiver.ts';
import { LOOPBACK_CERTIFICATE } from '../fixtures/tls.ts';
import { alertOf, firing, HOSTILE, options, resolved } from '../notify/notifications.ts';
import { type Behaviour, breaksOff, hangs, type Sink, says, startSink } from '../notify/sink.ts';

/** A kind of receiver, and what is its own. */
export interface ReceiverKind {
  readonly name: string;
  /** One that takes the server at `url` for its service. What it knows of its service beside that is `secret`. */
  create(url: string, options: ReceiverOptions): Receiver;
  readonly secret: string;
  /** How its service acknowledges. */
  readonly accepts: Behaviour;
  /** What it makes of 200 before a body that has no end. */
  readonly endless: Delivery['outcome'];
  /** Fails unless what was sent shows nothing of a hostile alert but text. */
  inert(body: unknown, sent: Notification): void;
}

/** The contract of a receiver, over a real connection. */
export function receiverConformance(kind: ReceiverKind): void {
  describe(`${kind.name} keeps the contract of a receiver:`, () => {
    const never = new AbortController().signal;
    const told: Delivery[] = [];

    /** Offers `batch` to a server that behaves so. */
    async function offer(behaviour: Behaviour, batch = [firing()]): Promise<{ delivery: Delivery; sink: Sink }> {
      await using sink = await startSink(behaviour);
      await using receiver = kind.create(sink.url, options());
      const delivery = await receiver.send(batch, never);
      told.push(delivery);
      return { delivery, sink };
    }

    afterEach(() => {
      vi.useRealTimers();
      // Nothing that is told of a failure may hold what the receiver is reached by.
      expect(JSON.stringify(told)).not.toContain(kind.secret);
      for (const one of told) if ('detail' in one) expect(one.detail).toMatch(/^[\w .-]{1,80}$/);
    });

    it('posts JSON, says who it is, and takes an acknowledgement for one', async () => {
      const { delivery, sink } = await offer(kind.accepts);
      expect(delivery).toEqual({ outcome: 'accepted' });
      const [request] = sink.requests;
      expect(sink.requests).toHaveLength(1);
      expect(request?.method).toBe('POST');
      expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'keyvigil/1.2.3' });
      expect(() => JSON.parse(request?.body ?? '')).not.toThrow();
    });

    it('offers what is resolved, too', async () => {
      const { delivery, sink } = await offer(kind.accepts, [resolved()]);
      expect([delivery.outcome, sink.requests.length]).toEqual(['accepted', 1]);
    });

    it('tells two states of one alert in one call, because its labels changed', async () => {
      const before = resolved({ alert: alertOf({ labels: { severity: 'warning' } }), reason: 'changed' });
      const { delivery, sink } = await offer(kind.accepts, [before, firing({ reason: 'changed' })]);
      expect(delivery).toEqual({ outcome: 'accepted' });
      expect(sink.requests.at(-1)?.body).toMatch(/critical/i);
    });

    it.each([
      { status: 500, outcome: 'retry', reason: 'server_error' },
      { status: 502, outcome: 'retry', reason: 'server_error' },
      { status: 408, outcome: 'retry', reason: 'timeout' },
      { status: 429, outcome: 'retry', reason: 'throttled' },
      { status: 400, outcome: 'refused', reason: 'refused' },
      { status: 413, outcome: 'refused', reason: 'refused' },
      { status: 401, outcome: 'refused', reason: 'unauthorized' },
      { status: 403, outcome: 'refused', reason: 'unauthorized' },
    ])('takes $status for $outcome because of $reason', async ({ status, ...expected }) => {
      const { delivery, sink } = await offer(says(status, `no, ${kind.secret}`));
      expect(delivery).toMatchObject({ ...expected, detail: expect.stringMatching(`^HTTP ${status}`) });
      expect(sink.requests).toHaveLength(1);
    });

    it.each([
      { headers: { 'retry-after': '7' }, retryAfterMs: 7_000 },
      // By the clock that wrote it: ours need not agree.
      {
        headers: { date: 'Fri, 01 Jan 2010 00:00:00 GMT', 'retry-after': 'Fri, 01 Jan 2010 00:00:30 GMT' },
        retryAfterMs: 30_000,
      },
      {
        headers: { date: 'Fri, 01 Jan 2010 00:01:00 GMT', 'retry-after': 'Fri, 01 Jan 2010 00:00:30 GMT' },
        retryAfterMs: 0,
      },
      { headers: { 'retry-after': '315360000' }, retryAfterMs: 3_600_000 },
      { headers: { 'retry-after': 'later' }, retryAfterMs: undefined },
      { headers: {}, retryAfterMs: undefined },
    ])('waits as long as $headers asks for, within reason', async ({ headers, retryAfterMs }) => {
      for (const [status, reason] of [
        [429, 'throttled'],
        [503, 'server_error'],
      ] as const) {
        const { delivery } = await offer(says(status, '', headers as Record<string, string>));
        const patience = retryAfterMs === undefined ? {} : { retryAfterMs };
        expect(delivery).toEqual({ outcome: 'retry', reason, detail: `HTTP ${status}`, ...patience });
      }
    });

    it.each([
      { what: 'before the answer', behaviour: hangs },
      {
        what: 'within its head',
        behaviour: ((response) => response.socket?.write('HTTP/1.1 200 OK\r\nX: ')) as Behaviour,
      },
      {
        what: 'within its body',
        behaviour: ((response) => response.writeHead(200, { 'content-length': '9' }).write('o')) as Behaviour,
      },
    ])('waits no longer than it may for a server that hangs $what', async ({ behaviour }) => {
      await using sink = await startSink(behaviour);
      await using receiver = kind.create(sink.url, options({ timeoutMs: 5_000 }));
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
      let delivery: Delivery | undefined;
      const sending = receiver.send([firing()], never).then((one) => {
        delivery = one;
      });
      await sink.arrived(1);
      await vi.advanceTimersByTimeAsync(4_999);
      expect(delivery).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      await sending;
      expect(delivery).toEqual({ outcome: 'retry', reason: 'timeout' });
    });

    it.each([
      { what: 'before the answer', behaviour: ((response) => response.destroy()) as Behaviour },
      { what: 'within its body', behaviour: breaksOff },
      {
        what: 'within a chunk of it',
        behaviour: ((response) => {
          response.writeHead(200);
          response.write('ok', () => response.destroy());
        }) as Behaviour,
      },
    ])('takes a connection that breaks $what for no acknowledgement', async ({ behaviour }) => {
      const { delivery } = await offer(behaviour);
      expect(delivery).toMatchObject({ outcome: 'retry', reason: 'network' });
    });

    it('takes an answer that ends within a chunk for no acknowledgement', async () => {
      const { delivery } = await offer((response) => {
        response.socket?.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nok');
      });
      expect(delivery).toMatchObject({ outcome: 'retry', reason: 'network' });
    });

    it.each([301, 302, 303, 307, 308])('follows no redirect (%d)', async (status) => {
      await using target = await startSink(kind.accepts);
      const { delivery, sink } = await offer(says(status, '', { location: target.url }));
      expect(delivery).toEqual({ outcome: 'retry', reason: 'redirected', detail: `HTTP ${status}` });
      expect([sink.requests.length, target.requests.length]).toEqual([1, 0]);
    });

    it('reads no more than 64 KiB of an answer', async () => {
      const closed = Promise.withResolvers<number>();
      const { delivery } = await offer((response) => {
        let written = 0;
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384, 'x'))) written += 16_384;
        };
        response.on('drain', more).on('close', () => closed.resolve(written));
        more();
      });
      expect(delivery.outcome).toBe(kind.endless);
      // What the kernel buffers on the way is not read by anybody.
      expect(await closed.promise).toBeLessThan(32 * 1024 * 1024);
    });

    it('takes what is no HTTP for a bad response', async () => {
      const { delivery } = await offer((response) => response.socket?.end('SSH-2.0-OpenSSH_9.2p1\r\n'));
      expect(delivery).toMatchObject({ outcome: 'retry', reason: 'bad_response' });
    });

    it('finds nobody where nobody listens', async () => {
      const sink = await startSink(kind.accepts);
      await sink[Symbol.asyncDispose]();
      await using receiver = kind.create(sink.url, options());
      told.push(await receiver.send([firing()], never));
      expect(told.at(-1)).toEqual({ outcome: 'retry', reason: 'network', detail: 'ECONNREFUSED' });
    });

    it('finds no address for a name that has none', async () => {
      // Too long for DNS, so that nobody is asked.
      await using receiver = kind.create(`http://${'a'.repeat(64)}.invalid`, options());
      told.push(await receiver.send([firing()], never));
      expect(told.at(-1)).toMatchObject({ outcome: 'retry', reason: 'dns' });
    });

    it('says nothing to a server whose certificate nobody vouches for', async () => {
      await using sink = await startSink(kind.accepts, { tls: true });
      await using receiver = kind.create(sink.url, options());
      told.push(await receiver.send([firing()], never));
      expect(told.at(-1)).toEqual({ outcome: 'retry', reason: 'network', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      expect(sink.requests).toEqual([]);
    });

    it('trusts a private certificate authority that the configuration names, for its own name only', async () => {
      await using sink = await startSink(kind.accepts, { tls: true });
      await using receiver = kind.create(sink.url, options({ trust: trustOf(LOOPBACK_CERTIFICATE) }));
      expect(await receiver.send([firing()], never)).toEqual({ outcome: 'accepted' });
      await using other = kind.create(
        `https://localhost:${sink.port}`,
        options({ trust: trustOf(LOOPBACK_CERTIFICATE) }),
      );
      told.push(await other.send([firing()], never));
      expect(told.at(-1)).toMatchObject({ outcome: 'retry', reason: 'network' });
      expect(sink.requests).toHaveLength(1);
    });

    it('throws nothing but the reason of an abort, at once', async () => {
      await using sink = await startSink(hangs);
      await using receiver = kind.create(sink.url, options());
      const stop = new AbortController();
      const sending = receiver.send([firing()], stop.signal);
      await sink.arrived(1);
      stop.abort(new Error('stopping'));
      await expect(sending).rejects.toThrow(/^stopping$/);
      await expect(receiver.send([firing()], stop.signal)).rejects.toThrow(/^stopping$/);
      expect(sink.requests).toHaveLength(1);
    });

    it('ends what is under way when it is disposed of', async () => {
      await using sink = await startSink(hangs);
      const receiver = kind.create(sink.url, options());
      const sending = receiver.send([firing()], never);
      await sink.arrived(1);
      await receiver[Symbol.asyncDispose]();
      expect(await sending).toMatchObject({ outcome: 'retry', reason: 'network' });
    });

    it('serves one call after the other, and several at once', async () => {
      await using sink = await startSink(kind.accepts);
      await using receiver = kind.create(sink.url, options());
      for (let n = 0; n < 3; n += 1) await receiver.send([firing()], never);
      const all = await Promise.all([1, 2, 3].map(() => receiver.send([firing()], never)));
      expect(all.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    });

    it('shows hostile names as what they are: text', async () => {
      await using sink = await startSink(kind.accepts);
      await using receiver = kind.create(sink.url, options());
      const check = async (text: string) => {
        const labels = { name: text, resource: text, account: text, team: text };
        const annotations = Object.fromEntries(
          ['summary', 'description', 'reason', 'affected', 'undo', 'since', 'status_url'].map((name) => [name, text]),
        );
        for (const one of [firing, resolved]) {
          const sent = one({ alert: { ...alertOf({ labels, annotations }), fingerprint: text } });
          expect(await receiver.send([sent], never)).toEqual({ outcome: 'accepted' });
          const { body = '' } = sink.requests.at(-1) ?? {};
          kind.inert(JSON.parse(body), sent);
          // No half characters: they stand as escapes in JSON, and break who reads them.
          expect(body).not.toMatch(/\\ud[89a-f]/i);
        }
      };
      for (const text of HOSTILE) await check(text);
      await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), check), { numRuns: 60, seed: 5 });
    });
  });
}
