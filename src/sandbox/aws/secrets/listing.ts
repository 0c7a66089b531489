import { secretsError } from '../errors.ts';
import { type Input, texts } from '../input.ts';
import type { Call } from '../world.ts';
import { findSecret, type Secret } from './state.ts';

type Order = {
  readonly sortBy: 'created-date' | 'last-accessed-date' | 'last-changed-date' | 'name';
  readonly descending: boolean;
};

/** ARNs of the secrets that ListSecrets shows, in its order. `planned`: those scheduled for deletion too. */
export function listSecretArns(
  call: Call,
  filters: readonly Input[],
  planned: boolean,
  order: Order,
): readonly string[] {
  const tests = filters.map(filterTest);
  const found: Secret[] = [];
  for (const arn of call.store.secrets.ids()) {
    const secret = findSecret(call.store, arn, call.view, call.now);
    if (!secret || (secret.deletion && !planned)) continue;
    if (tests.every((test) => test(secret))) found.push(secret);
  }
  const direction = order.descending ? -1 : 1;
  found.sort((one, other) => direction * compare(one, other, order.sortBy));
  return found.map((secret) => secret.arn);
}

function compare(one: Secret, other: Secret, by: Order['sortBy']): number {
  if (by === 'name') return one.name < other.name ? -1 : 1;
  if (by === 'last-changed-date') return one.changedAt - other.changedAt;
  if (by === 'last-accessed-date') return (one.accessedAt ?? 0) - (other.accessedAt ?? 0);
  return one.createdAt - other.createdAt;
}

/** What each filter key looks at; a value matches the start of any of these. */
const FILTERED: Readonly<Record<string, (secret: Secret) => readonly (string | undefined)[]>> = {
  name: (secret) => [secret.name],
  description: (secret) => [secret.description],
  'tag-key': (secret) => secret.tags?.map((tag) => tag.Key) ?? [],
  'tag-value': (secret) => secret.tags?.map((tag) => tag.Value) ?? [],
  'primary-region': (secret) => [secret.primaryRegion],
  'owning-service': (secret) => [secret.owningService],
  all: (secret) => [secret.name, secret.description, ...(secret.tags ?? []).flatMap((tag) => [tag.Key, tag.Value])],
};

function filterTest(filter: Input): (secret: Secret) => boolean {
  const key = String(filter.Key);
  const fields = Object.hasOwn(FILTERED, key) ? FILTERED[key] : undefined;
  const values = texts(filter, 'Values') ?? [];
  if (!fields) throw secretsError('InvalidParameterException', `Invalid filter key: ${key}`);
  return (secret) =>
    values.some((value) => {
      const negated = value.startsWith('!');
      const start = negated ? value.slice(1) : value;
      return fields(secret).some((field) => field?.startsWith(start)) !== negated;
    });
}
