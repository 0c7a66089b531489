/** A webhook receiver on loopback, in another thread of time: what it was told, and how it behaves. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Told {
  /** By the clock of the test, ms. */
  readonly at: number;
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly fingerprint: string;
}

export interface Sink extends AsyncDisposable {
  readonly url: string;
  /** Everything that was acknowledged, in order. */
  readonly told: Told[];
  /** Requests, whatever became of them. */
  readonly requests: number;
  /** What it answers; 200 unless set. `silence`: nothing. */
  answer: number | 'silence';
}

export async function startSink(): Promise<Sink> {
  const told: Told[] = [];
  const open = new Set<ServerResponse>();
  let requests = 0;
  let answer: Sink['answer'] = 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      requests += 1;
      if (answer === 'silence') {
        open.add(response);
        return;
      }
      if (answer === 200) {
        const { alerts } = JSON.parse(Buffer.concat(chunks).toString()) as { alerts: Omit<Told, 'at'>[] };
        told.push(...alerts.map((alert) => ({ ...alert, at: Date.now() })));
      }
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    told,
    get requests() {
      return requests;
    },
    get answer() {
      return answer;
    },
    set answer(next) {
      answer = next;
    },
    async [Symbol.asyncDispose]() {
      for (const response of open) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
