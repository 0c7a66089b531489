import type { Effect } from '../shape.ts';
import type { AzureError } from './errors.ts';

/** What a plane of the imitation answers to a request. Without a body there is none. */
export type Reply = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Trouble that every plane has, each in its own words. */
export type Trouble =
  | { readonly kind: 'throttle'; readonly retryAfterS: number }
  | { readonly kind: 'server-error'; readonly status: number | undefined }
  | Effect<'error'>;

/** A request, as the plane that it is for understands it, before anybody's rights were looked at. */
export type Asked = {
  readonly service: 'key-vault' | 'arm' | 'authority';
  readonly operation: string;
  /** Subscription; undefined where none is named. */
  readonly account: string | undefined;
  /** Location of the vault. */
  readonly region: string | undefined;
  readonly resource: string | undefined;
  /** How this plane's lists name the link to their next page. */
  readonly link: string;
  /** Headers of every answer, errors too. */
  readonly headers: Readonly<Record<string, string>>;
  /** Answers it. `refused` lets the caller's rights or token fail. Throws AzureError. */
  readonly answer: (refused: 'access-denied' | 'expired-token' | undefined) => Reply;
  readonly trouble: (trouble: Trouble) => AzureError;
};

/** A request with what every plane needs of it. */
export type PlaneRequest = {
  readonly method: string;
  readonly url: URL;
  /** Without a port, lower case. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

/** The token of a request; undefined when there is none. */
export function bearerOf(request: PlaneRequest): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** The parsed body; undefined when there is none, `'broken'` when it is no JSON. */
export function jsonOf(text: string): { readonly value: unknown } | 'broken' {
  if (text === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return 'broken';
  }
}
