import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import type { Gateways } from './state.ts';

/** A name server that listens. */
export type NameServer = {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const HEADER_BYTES = 12;
const TYPE_A = 1;
/** Response, authoritative, recursion available; the code of the answer stands in the last four bits. */
const FLAGS = 0x8480;
const NO_SUCH_NAME = 3;
const SERVER_FAILURE = 2;
/** Name as a pointer to the question, type A, class IN, a minute to live, four bytes. */
const ANSWER = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4]);

/**
 * Starts a name server (RFC 1035, UDP) on `host` for the names of APIs. Every name that is there has the IPv4 address `address` and
 * none of IPv6; every other name is not there. Throws what binding throws.
 */
export async function serveNames(gateways: Gateways, host: string, address: string): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address: asker }) => {
    const answer = answerTo(question, gateways, address);
    if (answer) socket.send(answer, port, asker);
  });
  await bound(socket, host);
  const { port } = socket.address() as AddressInfo;
  return {
    address: `${host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      socket.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

function answerTo(question: Buffer, gateways: Gateways, address: string): Buffer | undefined {
  if (question.length < HEADER_BYTES || gateways.nameService === 'silent') return undefined;
  const { name, type, end } = nameIn(question);
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(1, 4);
  const asked = question.subarray(HEADER_BYTES, end);
  if (gateways.nameService === 'failing' || !gateways.resolves(name)) {
    header.writeUInt16BE(FLAGS | (gateways.nameService === 'failing' ? SERVER_FAILURE : NO_SUCH_NAME), 2);
    return Buffer.concat([header, asked]);
  }
  header.writeUInt16BE(FLAGS, 2);
  if (type !== TYPE_A) return Buffer.concat([header, asked]);
  header.writeUInt16BE(1, 6);
  return Buffer.concat([header, asked, ANSWER, Buffer.from(address.split('.').map(Number))]);
}

function nameIn(question: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('ascii', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = at + 3 <= question.length ? question.readUInt16BE(at + 1) : 0;
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 };
}

async function bound(socket: Socket, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.bind(0, host, resolve);
  await promise;
  socket.off('error', reject);
}
