/**
 * What the policy of a secret, a key or a role says of one caller. AWS's simulator does not evaluate policies of resources for
 * roles (API reference of SimulatePrincipalPolicy: "Simulation of resource-based policies isn't supported for IAM roles"), so
 * they are read here. Pure and total: a document that is no policy says nothing that can be told.
 */
import { allOf, anyOf, type Circumstances, globMatches, holds, isObject, type Truth, texts } from './conditions.ts';

/** Who asks for what. */
export interface Request {
  /** `*`: any. */
  readonly action: string;
  readonly resource: string;
  readonly known: Circumstances;
  /** Whether a `Principal` element names the caller. */
  named(principal: unknown): Naming;
}

/** How a `Principal` element names a caller: not at all, itself, only through its account, or in a way that cannot be told. */
export type Naming = 'no' | 'itself' | 'account' | 'unknown';

/** Whether the statements that match deny, allow, or leave it to the policies of the caller's account. */
export interface Said {
  readonly denies: Truth;
  readonly allows: Truth;
  readonly delegates: Truth;
}

/** The statements of a policy document. @returns undefined where the text is none */
export function statementsOf(text: string): readonly Readonly<Record<string, unknown>>[] | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(document)) return undefined;
  const { Statement: statements } = document;
  const all = Array.isArray(statements) ? statements : [statements];
  return all.every(isObject) ? all : undefined;
}

/** What all statements together say of a request. */
export function said(statements: readonly Readonly<Record<string, unknown>>[], request: Request): Said {
  const denies: Truth[] = [];
  const allows: Truth[] = [];
  const delegates: Truth[] = [];
  for (const statement of statements) {
    const naming = namingOf(statement, request);
    if (naming === 'no') continue;
    const applies = allOf([
      matches(statement, 'Action', (pattern) => globMatches(pattern.toLowerCase(), request.action.toLowerCase())),
      matches(statement, 'Resource', (pattern) => globMatches(pattern, request.resource), true),
      holds(statement.Condition, request.known),
    ]);
    const truth = naming === 'unknown' ? allOf([applies, 'unknown']) : applies;
    if (statement.Effect === 'Deny') denies.push(truth);
    else if (statement.Effect === 'Allow') (naming === 'account' ? delegates : allows).push(truth);
  }
  return { denies: anyOf(denies), allows: anyOf(allows), delegates: anyOf(delegates) };
}

function namingOf(statement: Readonly<Record<string, unknown>>, request: Request): Naming {
  if (statement.NotPrincipal === undefined) return request.named(statement.Principal);
  const named = request.named(statement.NotPrincipal);
  if (named === 'no') return 'itself';
  return named === 'itself' ? 'no' : 'unknown';
}

/** `Action` or `NotAction`, `Resource` or `NotResource`. `optional`: a policy of a role or a resource may leave it out. */
function matches(
  statement: Readonly<Record<string, unknown>>,
  element: string,
  match: (pattern: string) => boolean,
  optional = false,
): Truth {
  const [wanted, unwanted] = [statement[element], statement[`Not${element}`]];
  if (wanted === undefined && unwanted === undefined) return optional ? 'yes' : 'no';
  const patterns = texts(wanted ?? unwanted);
  // ${aws:…} stands for circumstances.
  if (patterns.some((pattern) => pattern.includes('${'))) return 'unknown';
  return patterns.some(match) === (wanted !== undefined) ? 'yes' : 'no';
}

/** How a `Principal` element names a role, whose account is `account`: the session of a role is named by its role. */
export function namesRole(principal: unknown, role: string, account: string): Naming {
  if (principal === '*') return 'itself';
  if (!isObject(principal)) return 'no';
  const named = texts(principal.AWS);
  if (named.some((name) => name === '*' || name === role)) return 'itself';
  const whole = named.some(
    (name) => name === account || new RegExp(`^arn:aws[a-z-]*:iam::${account}:root$`).test(name),
  );
  return whole ? 'account' : 'no';
}
