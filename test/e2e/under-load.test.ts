/** The daemon as a process, with many clients: good ones are served while bad ones are there, and the end comes in time. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { createPlace, holdUp, listening, logLines, startCli } from '../cli/child.ts';
import { startSink } from './sink.ts';

const IN_FLIGHT = 100;
const SLOW = 500;

/** A cloud with twenty keys and a secret behind each, a receiver, and the place of a daemon that looks every second. */
async function setStage() {
  const stack = new AsyncDisposableStack();
  const sandbox = stack.use(await startSandbox({ seed: 17 }));
  const sink = stack.use(await startSink());
  const account = sandbox.aws.account('111122223333');
  const { kms, secrets } = account.region('eu-west-1');
  for (let at = 0; at < 20; at += 1) {
    const { arn, keyId } = kms.createKey();
    kms.alias(`alias/key-${at}`, keyId);
    secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
  }
  const place = stack.use(createPlace(account.credentials));
  place.file(
    'keyvigil.yml',
    `listen: 127.0.0.1:0
schedule: "*/1 * * * * *"
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { kms: {}, secrets-manager: {} } }]
receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]
`,
  );
  return { sandbox, sink, kms, place, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function status(url: string, headers: Record<string, string> = {}): Promise<number> {
  const asking = request(url, { agent: false, headers });
  const answered = once(asking, 'response') as Promise<[{ statusCode: number; resume(): void }]>;
  asking.end();
  const [response] = await answered;
  response.resume();
  return response.statusCode;
}

describe('SIGTERM with 100 requests in flight, sweeps that stall and a receiver that takes nothing', () => {
  it('ends the daemon with 0 within ten seconds, and what was not told is told by the next', async () => {
    await using stage = await setStage();
    const { sandbox, sink, kms, place } = stage;
    let took: number;
    {
      await using child = startCli(['serve'], place);
      const url = await listening(child);
      await child.until('all keys', async () =>
        (await (await fetch(`${url}/metrics`)).text()).includes('alias/key-19') ? true : undefined,
      );
      sink.answer = 503;
      for (const at of [1, 2, 3]) kms.disable(`alias/key-${at}`);
      await child.until('the alerts to wait', async () =>
        /^keyvigil_outbox_pending\S* 3$/m.test(await (await fetch(`${url}/metrics`)).text()) ? true : undefined,
      );
      const fault = sandbox.faults.add({ kind: 'stall' });
      await child.until('sweeps that hang', () => (fault.hits() >= 2 ? true : undefined));
      await using held = new AsyncDisposableStack();
      for (let at = 0; at < IN_FLIGHT; at += 1) held.use(await holdUp(url));
      const from = performance.now();
      child.signal('SIGTERM');
      expect(await child.until('the end', () => child.ending, 10_000)).toBe(0);
      took = performance.now() - from;
      expect(logLines(child).at(-1)?.msg).toBe('stopped');
    }
    console.info(
      `SIGTERM with ${IN_FLIGHT} requests in flight, 2 sweeps that hang and 3 alerts waiting: 0 after ${Math.round(took)} ms`,
    );
    expect(sink.told).toEqual([]);
    sandbox.faults.clear();
    sink.answer = 200;
    await using child = startCli(['serve'], place);
    await listening(child);
    await child.until('what waited', () => (sink.told.length >= 3 ? true : undefined), 60_000);
    expect(sink.told.map(({ labels }) => labels.name).toSorted()).toEqual([
      'alias/key-1',
      'alias/key-2',
      'alias/key-3',
    ]);
  }, 120_000);

  it('and a second signal ends it at once', async () => {
    await using stage = await setStage();
    await using child = startCli(['serve'], stage.place);
    const url = await listening(child);
    using _held = await holdUp(url);
    child.signal('SIGTERM');
    await child.until('the first to be heard', () =>
      logLines(child).some(({ msg }) => msg === 'stopping') ? true : undefined,
    );
    // Both at once would be one signal that came twice.
    await new Promise((resolve) => setTimeout(resolve, 600));
    const from = performance.now();
    child.signal('SIGTERM');
    expect(await child.ended).toBe(143);
    expect(performance.now() - from).toBeLessThan(2_000);
  }, 60_000);
});

describe('clients that mean no good', () => {
  it('500 that send a byte now and then, heads of 10 MB, bodies without end: a good one is served all the while', async () => {
    await using stage = await setStage();
    await using child = startCli(['serve'], stage.place);
    const url = await listening(child);
    const { port, hostname } = new URL(url);
    const ready = async () => ((await fetch(`${url}/-/ready`)).status === 200 ? true : undefined);
    await child.until('it to be ready', ready);
    await using open = new AsyncDisposableStack();
    const dial = async (): Promise<Socket> => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      open.defer(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const slow = await Promise.all(Array.from({ length: SLOW }, dial));
    let cut = 0;
    for (const socket of slow) {
      socket.resume().once('close', () => {
        cut += 1;
      });
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    }
    const dripping = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write('a');
    }, 500);
    open.defer(() => clearInterval(dripping));

    /** What one hostile request is answered with; a connection that is cut counts as 0. */
    const hostile = async (head: string, body: Buffer): Promise<number> => {
      const socket = await dial();
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
      socket.write(head);
      socket.write(body);
      // Not `once`, which would take the reset that cuts it for an error of the test.
      await new Promise((resolve) => socket.once('close', resolve));
      return Number(/^HTTP\/1\.1 (\d+)/.exec(Buffer.concat(chunks).toString())?.[1] ?? 0);
    };
    const post =
      'POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n';
    const bad = Promise.all([
      hostile('GET / HTTP/1.1\r\nHost: x\r\nX-Huge: ', Buffer.alloc(10_000_000, 'a')),
      hostile(`${post}Content-Length: 10000000\r\n\r\n`, Buffer.alloc(10_000_000, 'a')),
      hostile(
        `${post}Transfer-Encoding: chunked\r\n\r\n`,
        Buffer.from(`${'ffff\r\n'}${'a'.repeat(0xffff)}\r\n`.repeat(20)),
      ),
    ]);
    const scrapes: number[] = [];
    while (cut < SLOW && scrapes.length < 200) {
      const from = performance.now();
      expect(await status(`${url}/metrics`, { accept: 'image/png' })).toBe(200);
      scrapes.push(performance.now() - from);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const answers = await bad;
    const sorted = scrapes.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
    console.info(
      `${SLOW} slow connections, heads and bodies of 10 MB: ${cut} cut off, hostile answers ${answers.join(', ')}; ` +
        `${scrapes.length} scrapes beside them, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, worst ${at(1)} ms`,
    );
    expect(cut).toBe(SLOW);
    for (const answer of answers) expect([0, 400, 413, 431]).toContain(answer);
    expect(await hostile('GET / HTTP/1.1\r\nHost: x\r\nX-Huge: ', Buffer.from(`${'a'.repeat(20_000)}\r\n\r\n`))).toBe(
      431,
    );
    expect(at(0.95)).toBeLessThan(1_000);
    expect(logLines(child).filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect(await status(url, { accept: 'x'.repeat(2_000) })).toBe(200);
    expect(await status(`${url}/api/v1/keys`, { accept: 'text/plain;q=0, */*;q=0' })).toBe(200);
  }, 120_000);
});
