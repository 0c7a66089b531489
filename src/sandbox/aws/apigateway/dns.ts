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
const TYPE_AAAA = 28;
/** Response, authoritative, recursion available; the code of the answer stands in the last four bits. */
const FLAGS = 0x8480;
const NO_SUCH_NAME = 3;
const SERVER_FAILURE = 2;
/**
 * Starts a name server (RFC 1035, UDP) on `host` for the names of APIs. Every name that is there has these
 * `addresses`; every other name is not there. Throws what binding throws.
 */
export async function serveNames(gateways: Gateways, host: string, addresses: readonly string[]): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const answer = answerTo(question, gateways, addresses);
    if (answer) socket.send(answer, port, address);
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

function answerTo(question: Buffer, gateways: Gateways, addresses: readonly string[]): Buffer | undefined {
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
  const records = addresses.map(bytesOf).filter((bytes) => type === (bytes.length === 4 ? TYPE_A : TYPE_AAAA));
  header.writeUInt16BE(FLAGS, 2);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, asked, ...records.map((bytes) => recordOf(type, bytes))]);
}

/** The name as a pointer to the question, type, class IN, a minute to live, and the address. */
function recordOf(type: number, address: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length]), address]);
}

/** An IPv4 address, or an IPv6 address without an IPv4 address in it, as it stands in a record. */
function bytesOf(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [before = [], after = []] = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const words = [...before, ...zeros, ...after].map((word) => Number.parseInt(word, 16));
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]));
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
