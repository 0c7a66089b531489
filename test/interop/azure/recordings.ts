/** What Azure really answered, as it lies beside the checkout. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../tools.ts';

const RECORDED = path.resolve(ROOT, '..', 'shared', 'data', 'recorded', 'azure');

export interface RecordedRequest {
  readonly method: string;
  readonly host: string;
  /** With its query. */
  readonly path: string;
  /** Absent where the source project dropped it, too. */
  readonly body?: unknown;
}

export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** '' where there was none. */
  readonly body: unknown;
}

export interface Exchange {
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
}

/** What the source projects put in the place of a tenant that no client takes for one. */
const NO_TENANT = /azure_tenant_id/g;
export const SOME_TENANT = '54826b22-38d6-4fb2-bad9-b7b93a3e9c5a';

/** Names of all recordings, without `.json`. Throws when they are missing: what cannot run must not look as if it had passed. */
export function recordingNames(): readonly string[] {
  if (!existsSync(RECORDED)) throw new Error(`the recorded answers of Azure are missing: ${RECORDED}`);
  const files = readdirSync(RECORDED).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new Error(`there is no recorded answer of Azure in ${RECORDED}`);
  return files.map((name) => name.slice(0, -5));
}

/**
 * The exchanges of one recording.
 * @param renamed names of resources to put in the place of recorded ones; the source projects replaced them before
 */
export function exchangesOf(name: string, renamed: Readonly<Record<string, string>> = {}): readonly Exchange[] {
  let text = readFileSync(path.join(RECORDED, `${name}.json`), 'utf8').replaceAll(NO_TENANT, SOME_TENANT);
  for (const [recorded, other] of Object.entries(renamed)) text = text.replaceAll(recorded, other);
  return JSON.parse(text).exchanges;
}

/** One exchange. @throws Error where there is none: a mistake of the test */
export function exchangeOf(name: string, index: number): Exchange {
  const exchange = exchangesOf(name)[index];
  if (!exchange) throw new Error(`${name} has no exchange ${index}`);
  return exchange;
}

/** The body of a recorded answer; its shape is the test's to know. */
export function bodyOf<T>(name: string, index: number): T {
  return exchangeOf(name, index).response.body as T;
}
