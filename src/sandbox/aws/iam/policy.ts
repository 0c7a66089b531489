import { isRecord } from '../input.ts';

/** One policy with the name that simulations call it by. */
export type NamedPolicy = { readonly id: string; readonly document: string };

/** What is asked of policies: an action, a resource, and values of context keys by their names in lower case. */
export type PolicyRequest = {
  readonly action: string;
  readonly resource: string;
  readonly context: ReadonlyMap<string, readonly string[]>;
};

/** Words of SimulatePrincipalPolicy. */
export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

export type Evaluation = {
  readonly decision: Decision;
  /** Ids of the policies whose statements decided. */
  readonly matched: readonly string[];
  /** Context keys that statements ask for and that have no value, sorted. */
  readonly missing: readonly string[];
};

type Statement = Readonly<Record<string, unknown>>;

/** The statements of a policy document, or undefined where IAM would call it malformed. */
export function parsePolicy(document: string): readonly Statement[] | undefined {
  let policy: unknown;
  try {
    policy = JSON.parse(document);
  } catch {
    return undefined;
  }
  if (!isRecord(policy)) return undefined;
  const { Statement } = policy;
  const statements = Array.isArray(Statement) ? Statement : [Statement];
  const wellFormed = (one: unknown): one is Statement =>
    isRecord(one) &&
    (one.Effect === 'Allow' || one.Effect === 'Deny') &&
    (one.Action === undefined) !== (one.NotAction === undefined);
  return statements.length > 0 && statements.every(wellFormed) ? statements : undefined;
}

/** What identity policies say of a request: a denial beats an allowance, and nothing said is a denial too. */
export function evaluate(policies: readonly NamedPolicy[], request: PolicyRequest): Evaluation {
  const missing = new Set<string>();
  const allowing = new Set<string>();
  const denying = new Set<string>();
  for (const { id, document } of policies) {
    for (const statement of parsePolicy(document) ?? []) {
      if (!covers(statement, 'Action', request.action.toLowerCase(), true)) continue;
      if (!covers(statement, 'Resource', request.resource, false)) continue;
      if (!conditionHolds(statement.Condition, request.context, missing)) continue;
      (statement.Effect === 'Deny' ? denying : allowing).add(id);
    }
  }
  const deciding = denying.size > 0 ? denying : allowing;
  const decision = denying.size > 0 ? 'explicitDeny' : allowing.size > 0 ? 'allowed' : 'implicitDeny';
  return { decision, matched: [...deciding], missing: [...missing].toSorted() };
}

function covers(statement: Statement, element: string, value: string, ignoreCase: boolean): boolean {
  const wanted = statement[element];
  const patterns = listOf(wanted ?? statement[`Not${element}`]).map((text) => (ignoreCase ? text.toLowerCase() : text));
  const found = patterns.some((pattern) => like(pattern, value));
  return wanted === undefined ? !found : found;
}

type Operator = (value: string, wanted: string) => boolean;

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringEqualsIgnoreCase: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  StringLike: (value, wanted) => like(wanted, value),
  ArnEquals: (value, wanted) => arnLike(wanted, value),
  ArnLike: (value, wanted) => arnLike(wanted, value),
  Bool: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
};

/** Operators that are not imitated match nothing, as one whose key is missing. */
function conditionHolds(condition: unknown, context: PolicyRequest['context'], missing: Set<string>): boolean {
  if (!isRecord(condition)) return condition === undefined;
  let holds = true;
  for (const [operator, keys] of Object.entries(condition)) {
    if (!isRecord(keys)) return false;
    for (const [key, wanted] of Object.entries(keys)) {
      if (!compare(operator, key, listOf(wanted), context, missing)) holds = false;
    }
  }
  return holds;
}

function compare(
  spelled: string,
  key: string,
  wanted: readonly string[],
  context: PolicyRequest['context'],
  missing: Set<string>,
): boolean {
  const values = context.get(key.toLowerCase());
  if (spelled === 'Null') return wanted.some((text) => (text.toLowerCase() === 'true') === (values === undefined));
  const ifExists = spelled.endsWith('IfExists');
  const plain = spelled.replace(/IfExists$/, '');
  const negated = /^(String|Arn)Not/.test(plain);
  if (values === undefined) {
    missing.add(key);
    return ifExists || negated;
  }
  const name = plain.replace(/^(String|Arn)Not/, '$1');
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (!operator) return false;
  return values.some((value) => wanted.some((text) => operator(value, text))) !== negated;
}

function listOf(value: unknown): readonly string[] {
  const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return all.map(String);
}

function like(pattern: string, value: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}

/** The six parts of an ARN are compared one by one. */
function arnLike(pattern: string, value: string): boolean {
  const [wanted, given] = [arnParts(pattern), arnParts(value)];
  return wanted.length === 6 && given.length === 6 && wanted.every((part, index) => like(part, given[index] ?? ''));
}

function arnParts(arn: string): readonly string[] {
  const parts = arn.split(':');
  return parts.length > 6 ? [...parts.slice(0, 5), parts.slice(5).join(':')] : parts;
}
