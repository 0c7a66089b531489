/** What a PromQL expression names. Not all of PromQL: enough to find every metric and label; promtool knows the rest. */

export interface Selector {
  /** Absent where the name is matched by a pattern: then `pattern` is. */
  readonly metric?: string;
  readonly pattern?: string;
  /** Labels that its matchers name. */
  readonly labels: readonly string[];
}

export interface Named {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`, and those that functions read. */
  readonly labels: readonly string[];
  /** Labels that `label_replace` and `label_join` make. */
  readonly made: readonly string[];
}

const TOKEN =
  /\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},@$.]/gy;
const CLAUSES = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan', 'start', 'end']);

/** Throws where it meets a character that PromQL does not have. */
export function namedIn(expr: string): Named {
  const tokens = tokensOf(expr);
  const selectors: Selector[] = [];
  const labels: string[] = [];
  const made: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    const next = tokens[at + 1];
    if (token === '{') {
      const end = tokens.indexOf('}', at);
      selectors.push(selector(undefined, tokens.slice(at + 1, end)));
      at = end;
    } else if (CLAUSES.has(token)) {
      if (next !== '(') continue;
      const end = tokens.indexOf(')', at);
      labels.push(...tokens.slice(at + 2, end).filter((one) => one !== ','));
      at = end;
    } else if (/^[a-zA-Z_:]/.test(token) && !WORDS.has(token.toLowerCase()) && !isCall(tokens, at)) {
      if (next !== '{') selectors.push({ metric: token, labels: [] });
      else {
        const end = tokens.indexOf('}', at);
        selectors.push(selector(token, tokens.slice(at + 2, end)));
        at = end;
      }
    } else if (token === 'label_replace' || token === 'label_join') {
      const [target, ...rest] = stringsOf(tokens, at + 1);
      if (target !== undefined) made.push(target);
      // label_replace(v, made, replacement, source, regex); label_join(v, made, separator, source…)
      const sources = token === 'label_replace' ? rest.slice(1, 2) : rest.slice(1);
      labels.push(...sources.filter((one) => one !== ''));
    }
  }
  return { selectors, labels, made };
}

function tokensOf(expr: string): readonly string[] {
  const tokens: string[] = [];
  let at = 0;
  for (const { 0: token, index } of expr.matchAll(TOKEN)) {
    if (index !== at) break;
    at += token.length;
    if (!/^(\s|#)/.test(token)) tokens.push(token);
  }
  if (at !== expr.length) throw new Error(`cannot read PromQL from here on: ${expr.slice(at, at + 40)}`);
  return tokens;
}

/** `rate(`, or `sum by (…) (`. */
function isCall(tokens: readonly string[], at: number): boolean {
  const next = tokens[at + 1];
  return next === '(' || next === 'by' || next === 'without';
}

function selector(metric: string | undefined, tokens: readonly string[]): Selector {
  const labels: string[] = [];
  let pattern: string | undefined;
  for (const [at, token] of tokens.entries()) {
    if (!/^[=!]~?$|^!=$/.test(token)) continue;
    const label = tokens[at - 1] ?? '';
    if (label === '__name__') pattern = unquoted(tokens[at + 1] ?? '');
    else labels.push(label);
  }
  return { ...(metric !== undefined && { metric }), ...(pattern !== undefined && { pattern }), labels };
}

/** The strings among the arguments of the call whose parenthesis opens at `from`, those of calls inside aside. */
function stringsOf(tokens: readonly string[], from: number): readonly string[] {
  const strings: string[] = [];
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    if (token === '(' || token === '{') depth += 1;
    if (token === ')' || token === '}') depth -= 1;
    if (depth === 0) break;
    if (depth === 1 && /^["'`]/.test(token)) strings.push(unquoted(token));
  }
  return strings;
}

function unquoted(token: string): string {
  return token.slice(1, -1).replaceAll('\\\\', '\\');
}
