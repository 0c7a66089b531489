/** One request that the sandbox answered, or did not answer on purpose. Values of secrets are never in it. */
export type LoggedRequest = {
  /** The sandbox's own time in ms. */
  readonly at: number;
  readonly service: string;
  readonly operation: string;
  /** The protocol's own name of the operation, e.g. `secretsmanager.ListSecrets`. */
  readonly target: string;
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** The key, secret or role that the request names. */
  readonly resource: string | undefined;
  /** HTTP status; undefined when no answer was sent. */
  readonly status: number | undefined;
  /** The error code of the answer. */
  readonly code: string | undefined;
};

/** The last requests (bounded) and a count of all of them. */
export class RequestLog {
  readonly #limit: number;
  #entries: LoggedRequest[] = [];
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds one request; the oldest go when there are more than twice the limit, so that adding stays cheap. */
  add(request: LoggedRequest): void {
    this.#entries.push(request);
    if (this.#entries.length > this.#limit * 2) this.#entries = this.#entries.slice(-this.#limit);
    const name = `${request.service}:${request.operation}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** The newest requests, oldest first. */
  list(): readonly LoggedRequest[] {
    return this.#entries.slice(-this.#limit);
  }

  /** How many requests there were since the start or the last `clear`: all, or those of `service:Operation`. */
  count(name?: string): number {
    if (name !== undefined) return this.#counts.get(name) ?? 0;
    let all = 0;
    for (const count of this.#counts.values()) all += count;
    return all;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = [];
    this.#counts.clear();
  }
}
