import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION } from './clients.ts';

/** An answer of a REST service. */
export type RestAnswer = {
  readonly status: number;
  readonly errorType: string | null;
  /** The parsed body; undefined when it is empty. */
  readonly body: unknown;
};

/** Asks one operation: method, path with query, body. */
export type Rest = (method: string, path: string, body?: object) => Promise<RestAnswer>;

class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

/** Asks MediaConnect of a sandbox, signed by a signer that is not the sandbox's own. */
export function mediaConnectOf(sandbox: Sandbox, options: { account?: string; region?: string } = {}): Rest {
  const { account = ACCOUNT, region = REGION } = options;
  const signer = new SignatureV4({
    service: 'mediaconnect',
    region,
    credentials: sandbox.aws.account(account).credentials,
    sha256: Sha256,
  });
  return async (method, path, body) => {
    const url = new URL(path, sandbox.url);
    const query: Record<string, string[]> = {};
    for (const name of url.searchParams.keys()) query[name] = url.searchParams.getAll(name);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const signed = await signer.sign({
      method,
      protocol: 'http:',
      hostname: url.hostname,
      port: Number(url.port),
      path: url.pathname,
      query,
      headers: { host: url.host, ...(text && { 'content-type': 'application/json' }) },
      ...(text && { body: text }),
    });
    const response = await fetch(url, { method, headers: signed.headers, ...(text && { body: text }) });
    const answer = await response.text();
    return {
      status: response.status,
      errorType: response.headers.get('x-amzn-errortype'),
      body: answer === '' ? undefined : JSON.parse(answer),
    };
  };
}

/** An ARN as a segment of a path. */
export function segment(arn: string): string {
  return encodeURIComponent(arn);
}
