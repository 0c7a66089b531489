/** Conditions of policies, judged as far as the circumstances of a call are known. Pure and total. */

/** Unknown: nobody outside of the call can tell. */
export type Truth = 'yes' | 'no' | 'unknown';

/** Values of condition keys by their names in lower case. A key that is not in it is unknown, which is not the same as absent. */
export type Circumstances = Readonly<Record<string, string>>;

export function allOf(truths: readonly Truth[]): Truth {
  if (truths.includes('no')) return 'no';
  return truths.includes('unknown') ? 'unknown' : 'yes';
}

export function anyOf(truths: readonly Truth[]): Truth {
  if (truths.includes('yes')) return 'yes';
  return truths.includes('unknown') ? 'unknown' : 'no';
}

/** How one operator compares a value with one that the policy names. */
type Compare = (value: string, wanted: string) => boolean;

const OPERATORS: Readonly<Record<string, Compare>> = {
  stringequals: (value, wanted) => value === wanted,
  stringequalsignorecase: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
  stringlike: (value, wanted) => globMatches(wanted, value),
  arnequals: arnMatches,
  arnlike: arnMatches,
  bool: (value, wanted) => value.toLowerCase() === wanted.toLowerCase(),
};

/** Whether a `Condition` element holds. A shape that no policy has is unknown. */
export function holds(condition: unknown, known: Circumstances): Truth {
  if (condition === undefined) return 'yes';
  if (!isObject(condition)) return 'unknown';
  return allOf(
    Object.entries(condition).flatMap(([operator, keys]) =>
      isObject(keys)
        ? Object.entries(keys).map(([key, wanted]) => compared(operator, key, wanted, known))
        : ['unknown' as const],
    ),
  );
}

function compared(operator: string, key: string, wanted: unknown, known: Circumstances): Truth {
  const name = key.toLowerCase();
  if (!Object.hasOwn(known, name)) return 'unknown';
  const value = known[name] ?? '';
  // A key that is known is there: IfExists changes nothing. What is meant for keys with many values is not judged.
  const [, negated, plain = ''] =
    /^(not)?(.*)$/.exec(
      operator
        .toLowerCase()
        .replace(/ifexists$/, '')
        .replace(/^(string|arn)not/, 'not$1'),
    ) ?? [];
  if (plain === 'null') return texts(wanted).some((text) => text.toLowerCase() === 'false') ? 'yes' : 'no';
  const compare = Object.hasOwn(OPERATORS, plain) ? OPERATORS[plain] : undefined;
  const values = texts(wanted);
  if (!compare || values.length === 0 || values.some((text) => text.includes('${'))) return 'unknown';
  return values.some((text) => compare(value, text)) !== (negated !== undefined) ? 'yes' : 'no';
}

/** An ARN pattern is compared part by part: `*` does not reach over a colon, but for the last part, which has any. */
function arnMatches(value: string, pattern: string): boolean {
  const [mine, theirs] = [parts(value), parts(pattern)];
  return mine.length === 6 && theirs.length === 6 && theirs.every((part, at) => globMatches(part, mine[at] ?? ''));
}

function parts(arn: string): readonly string[] {
  const all = arn.split(':');
  return all.length < 6 ? all : [...all.slice(0, 5), all.slice(5).join(':')];
}

/**
 * Whether text matches a pattern in which `*` is any text and `?` any one character. At most as many steps as
 * the product of both lengths: patterns come out of policies that anybody may have written.
 */
export function globMatches(pattern: string, text: string): boolean {
  let [at, inPattern, star, resume] = [0, 0, -1, 0];
  while (at < text.length) {
    const symbol = pattern[inPattern];
    if (symbol === '*') {
      star = inPattern;
      inPattern += 1;
      resume = at;
    } else if (symbol === '?' || symbol === text[at]) {
      inPattern += 1;
      at += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      resume += 1;
      at = resume;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}

/** A text, a flag or a list of them, as policies spell values; anything else is no value. */
export function texts(value: unknown): readonly string[] {
  const all = Array.isArray(value) ? value : [value];
  return all.flatMap((one) => (typeof one === 'string' || typeof one === 'boolean' ? [String(one)] : []));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
