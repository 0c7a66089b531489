/** The one way to a cloud: budget, concurrency, deadline, metrics and the naming of errors, once for every service. */
import type { Evidence, Failure, SourceId } from '../core/model.ts';
import type { UnknownReason } from '../core/reasons.ts';
import type { CallContext, Connection, Service } from '../providers/provider.ts';
import { CallFailed } from '../providers/provider.ts';
import type { Budget, Gate } from './budget.ts';
import { DeadlineExceeded, withDeadline } from './deadline.ts';

/** One finished API call, for the metrics. */
export interface CallRecord {
  readonly target: string;
  readonly service: string;
  readonly operation: string;
  /** `200`, or the closed reason of the failure. */
  readonly code: string;
  readonly seconds: number;
}

export interface CallerOptions {
  readonly budget: Budget;
  readonly gate: Gate;
  /** Deadline of one call from the moment it leaves the queue, body included, ms. */
  readonly timeoutMs: number;
  readonly monotonic: () => number;
  observe(call: CallRecord): void;
}

/** A `CallContext` that counts what it did. */
export interface CountingContext extends CallContext {
  /** Calls so far by operation, retries of the SDK included. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Quota of the one call that belongs to no service: who am I? (STS GetCallerIdentity: 600/s per account and Region.) */
const IDENTIFY_QUOTA = 600;

/** Names any failure of a look: a passed deadline, what the provider can name, or an answer that could not be read. */
export function failureOf(error: unknown, connection: Pick<Connection, 'classify'>): Failure {
  if (!(error instanceof CallFailed)) {
    // Thrown while an answer was being read: the answer is not what it should be, which proves nothing about the key.
    const message = error instanceof Error ? error.message : String(error);
    return { reason: 'bad_response', evidence: { operation: 'parse', message: message.slice(0, 500) } };
  }
  const { operation, cause } = error;
  if (cause instanceof DeadlineExceeded) {
    return { reason: 'timeout', evidence: { operation, code: cause.name, message: cause.message } };
  }
  return connection.classify(cause, operation);
}

/**
 * Names a failure of connecting.
 * @param connection absent where it failed before there was one to name it
 */
export function connectFailure(
  error: unknown,
  connection: Pick<Connection, 'classify'> | undefined,
): { readonly reason: UnknownReason; readonly evidence: Evidence } {
  if (!connection) {
    const message = error instanceof Error ? error.message : String(error);
    return { reason: 'credentials', evidence: { operation: 'connect', message } };
  }
  const failure = failureOf(error, connection);
  const reason = failure.reason === 'denied' ? 'credentials' : failure.reason;
  const known = ['credentials', 'throttled', 'timeout', 'network', 'dns', 'bad_response'] as const;
  return { reason: known.find((one) => one === reason) ?? 'provider_error', evidence: failure.evidence };
}

/**
 * The context for calls of one source.
 * @param signal ends everything; its reason is thrown as it is, because a shutdown is no failure of a call
 */
export function callContext(
  source: SourceId,
  scope: { readonly account: string; readonly service?: Service; readonly connection: Pick<Connection, 'classify'> },
  options: CallerOptions,
  signal: AbortSignal,
): CountingContext {
  const counts = new Map<string, number>();

  return {
    counts,
    async call(operation, run) {
      const quota = scope.service ? scope.service.apis[operation]?.quotaPerSecond : IDENTIFY_QUOTA;
      if (quota === undefined) throw new TypeError(`${source.service} calls ${operation} without declaring it`);
      const bucket = scope.service?.apis[operation]?.accountWide
        ? `${scope.account}/${operation}`
        : `${scope.account}/${source.location}/${source.service}/${operation}`;
      await options.budget.take(bucket, quota, signal);
      using _slot = await options.gate.enter(signal);
      const startedAt = options.monotonic();
      let code = '200';
      let attempts = 1;
      try {
        const answer = await withDeadline(operation, options.timeoutMs, signal, run);
        attempts = attemptsOf(answer);
        return answer;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const failed = new CallFailed(operation, error);
        const failure = failureOf(failed, scope.connection);
        code = failure.reason;
        attempts = failure.evidence.attempts ?? 1;
        throw failed;
      } finally {
        counts.set(operation, (counts.get(operation) ?? 0) + attempts);
        if (attempts > 1) options.budget.charge(bucket, quota, attempts - 1);
        if (!signal.aborted) {
          const seconds = (options.monotonic() - startedAt) / 1000;
          options.observe({ target: source.target, service: source.service, operation, code, seconds });
        }
      }
    },
  };
}

/** Both clouds' SDKs note in the answer how often they asked; where they do not, it was once. */
function attemptsOf(answer: unknown): number {
  if (typeof answer !== 'object' || answer === null || !('$metadata' in answer)) return 1;
  const { $metadata } = answer;
  if (typeof $metadata !== 'object' || $metadata === null || !('attempts' in $metadata)) return 1;
  return typeof $metadata.attempts === 'number' ? $metadata.attempts : 1;
}
