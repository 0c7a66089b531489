/** From the bytes of an answer to what the SDK would make of them. Pure. */
import type { Answered } from './look.ts';

/** An answer on the wire, read to its end. */
export interface WireAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A good answer. */
export interface RestAnswer extends Answered {
  /** The JSON object; every field of it is foreign until it was looked at. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What an error carries beside its name and message, under the SDK's name for it. */
interface Metadata {
  readonly httpStatusCode?: number;
  readonly requestId?: string;
  readonly attempts?: number;
  /** The service's clock, ms. */
  readonly date?: number;
  /** What the service asks to wait, ms. */
  readonly retryAfter?: number;
}

/**
 * The content of a good answer; an empty body is `{}`.
 * @throws SyntaxError where it is no JSON object: it may quote the answer, so `classify` never shows its text
 */
export function answerOf(wire: WireAnswer, attempts: number): RestAnswer {
  const $metadata = { ...told(wire), attempts };
  const body = parsed(wire);
  if (body === undefined) throw Object.assign(new SyntaxError('the answer is no JSON object'), { $metadata });
  return { body, $metadata };
}

/** What a bad answer means as an error in the shape of the SDK's. */
export function errorOf(wire: WireAnswer): Error {
  const $metadata = told(wire);
  const body = parsed(wire);
  if (body === undefined) return Object.assign(new SyntaxError('the answer is no JSON object'), { $metadata });
  const error = new Error(textOf(body.message) ?? textOf(body.Message) ?? '');
  const code = wire.headers['x-amzn-errortype'] ?? textOf(body.code) ?? textOf(body.__type);
  error.name = shortCode(code ?? '') || 'UnknownError';
  return Object.assign(error, { $metadata });
}

/** The same error with the number of requests that it took noted in it. */
export function withAttempts(error: unknown, attempts: number): unknown {
  if (typeof error !== 'object' || error === null) return error;
  return Object.assign(error, { $metadata: { ...metadataOf(error), attempts } });
}

/** What an error says of the answer behind it; nothing where there was none. */
export function metadataOf(error: unknown): Metadata {
  const { $metadata } = (error ?? {}) as { $metadata?: Metadata };
  return typeof $metadata === 'object' && $metadata !== null ? $metadata : {};
}

/** `aws.protocol#Name:http://…` and `Name,…` mean `Name`. */
function shortCode(code: string): string {
  return code.split(/[,:]/)[0]?.split('#').at(-1)?.trim() ?? '';
}

function told({ status, headers }: WireAnswer): Metadata {
  const requestId = headers['x-amzn-requestid'] ?? headers['x-amzn-request-id'] ?? headers['x-amz-request-id'];
  const date = Date.parse(headers.date ?? '');
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return {
    httpStatusCode: status,
    ...(requestId !== undefined && { requestId }),
    ...(Number.isFinite(date) && { date }),
    ...(seconds >= 0 && { retryAfter: seconds * 1000 }),
  };
}

function parsed({ body }: WireAnswer): Record<string, unknown> | undefined {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
