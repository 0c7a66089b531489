/**
 * YAML text to plain values that still know where they stood. Nothing of the text is ever repeated in a message beyond
 * the names of keys and environment variables: a value, or what a slip of the pen made of one, may be a secret.
 */
import {
  type Alias,
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  Parser,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { interpolate } from './interpolate.ts';
import { depthOf, syntaxMessage, type Token } from './syntax.ts';

/** Names of keys and positions in lists, from the top. */
export type Path = readonly (string | number)[];

/** A place in the file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  readonly message: string;
}

/** What a value's text was, where that matters for what is said about it. */
export type Origin = 'literal' | 'interpolated' | 'unresolved';

/** A file that was read. */
export interface ConfigDocument {
  /** Plain values with `${ENV}` filled in. Objects have no prototype. */
  readonly value: unknown;
  /** What is wrong already: duplicate keys, unset variables, aliases. */
  readonly problems: readonly Problem[];
  /** Where a value or its key stands; for something that is missing, where it should have been. */
  place(path: Path, at: 'key' | 'value'): Place;
  /** Whether `${ENV}` made the value, or could not. */
  origin(path: Path): Origin;
}

/** Larger files are not read. */
export const MAX_FILE_BYTES = 1_048_576;
export const TOO_LARGE = 'the file is larger than 1 MB';
/** About ten thousand lines. Beyond it the parser is no longer quick whatever stands in the file. */
const MAX_LEXEMES = 50_000;
/** Each one that is not valid costs the parser an error. */
const MAX_BACKSLASHES = 10_000;
/** More than anybody reads; the rest would only take time. */
const MAX_FAULTS = 1000;
const MAX_DEPTH = 64;
/** How many values aliases may stand for in all: a bomb of nested aliases grows by powers. */
const MAX_ALIASED = 10_000;

type Env = Readonly<Record<string, string | undefined>>;
type Composed = { readonly root: ParsedNode } | { readonly problems: readonly Problem[] };

/**
 * Reads a file.
 * @param env for `${ENV}`; without it a dollar sign is a dollar sign
 * @returns the document, or the problems (at least one) that keep it from being read at all
 */
export function readDocument(text: string, env?: Env): ConfigDocument | { readonly problems: readonly Problem[] } {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return refuse(TOO_LARGE);
  const lines = new LineCounter();
  const composed = compose(text, lines);
  return 'problems' in composed ? composed : new Builder(lines, env).build(composed.root);
}

function refuse(message: string, place: Place = { line: 1, column: 1 }) {
  return { problems: [{ ...place, message }] };
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function compose(text: string, lines: LineCounter): Composed {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: Token[] = [];
  let lexemes = 0;
  let backslashes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexeme.startsWith('"')) backslashes += lexeme.split('\\').length - 1;
    if (lexemes > MAX_LEXEMES || backslashes > MAX_BACKSLASHES) {
      return refuse('the file holds too much: split what it watches over several daemons');
    }
    for (const token of parser.next(lexeme)) tokens.push(token);
  }
  for (const token of parser.end()) tokens.push(token);

  const stray = tokens.filter((token) => token.type === 'error').slice(0, 10);
  if (stray.length > 0) {
    const message = 'this is not valid YAML: something stands here that belongs to nothing';
    return { problems: stray.map((token) => ({ ...placeAt(lines, token.offset), message })) };
  }
  const deep = depthOf(tokens, MAX_DEPTH);
  if (deep !== undefined) return refuse(`nested more than ${MAX_DEPTH} levels deep`, placeAt(lines, deep));

  const composer = new Composer({ prettyErrors: false, stringKeys: true, uniqueKeys: false });
  const documents = [...composer.compose(tokens, true, text.length)];
  const second = documents[1];
  if (second) return refuse('a second document (---) starts here: give one only', placeAt(lines, second.range[0]));
  const document = documents[0];
  const faults: readonly YAMLError[] = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  if (faults.length > 0) {
    return {
      problems: faults.slice(0, MAX_FAULTS).map((fault) => {
        return { ...placeAt(lines, fault.pos[0]), message: syntaxMessage(fault.code) };
      }),
    };
  }
  if (document?.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    return refuse('only YAML 1.2 is understood: remove the %YAML line');
  }
  if (!document?.contents || (isScalar(document.contents) && document.contents.value === null)) {
    return refuse('this file is empty');
  }
  return { root: document.contents };
}

/** Walks the nodes once: values, aliases, duplicate keys and `${ENV}`, each with its place. */
class Builder {
  readonly #lines: LineCounter;
  readonly #env: Env | undefined;
  readonly #problems: Problem[] = [];
  readonly #origins = new WeakMap<Node, Origin>();
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new WeakMap<Alias, Node>();
  readonly #built = new Map<Node, { readonly value: unknown; readonly size: number }>();
  #size = 0;
  #aliased = 0;

  constructor(lines: LineCounter, env: Env | undefined) {
    this.#lines = lines;
    this.#env = env;
  }

  build(root: Node): ConfigDocument {
    const value = this.#value(root);
    return {
      value,
      problems: this.#problems,
      place: (path, at) => this.#place(root, path, at),
      origin: (path) => this.#origins.get(this.#find(root, path).node ?? root) ?? 'literal',
    };
  }

  #problem(node: Node, message: string): void {
    this.#problems.push({ ...this.#start(node), message });
  }

  #start(node: Node): Place {
    return placeAt(this.#lines, node.range?.[0] ?? 0);
  }

  #value(node: Node | null): unknown {
    if (!node) return null;
    if (isAlias(node)) return this.#alias(node);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor) this.#anchors.set(anchor, node);
    const before = this.#size;
    this.#size += 1;
    const value = this.#own(node);
    if (anchor) this.#built.set(node, { value, size: this.#size - before });
    return value;
  }

  #own(node: Node): unknown {
    if (isMap(node)) return this.#map(node);
    if (isSeq(node)) return node.items.map((item) => this.#value(item as Node | null));
    return isScalar(node) ? this.#scalar(node) : null;
  }

  #map(map: YAMLMap): Record<string, unknown> {
    const result: Record<string, unknown> = Object.create(null);
    const seen = new Map<string, Node>();
    for (const { key, value } of map.items as { key: Scalar<string>; value: Node | null }[]) {
      const first = seen.get(key.value);
      if (first) {
        this.#problem(key, `this key was given before, on line ${this.#start(first).line}: remove one of the two`);
      } else {
        seen.set(key.value, key);
        result[key.value] = this.#value(value);
      }
    }
    return result;
  }

  #scalar(scalar: Scalar): unknown {
    if (!this.#env || typeof scalar.value !== 'string' || !scalar.value.includes('$')) return scalar.value;
    const { text, problems } = interpolate(scalar.value, this.#env);
    for (const problem of problems) this.#problem(scalar, problem);
    if (problems.length > 0) this.#origins.set(scalar, 'unresolved');
    else if (text !== scalar.value) this.#origins.set(scalar, 'interpolated');
    return text;
  }

  #alias(alias: Alias): unknown {
    const target = this.#anchors.get(alias.source);
    const built = target && this.#built.get(target);
    if (!target) return this.#unresolved(alias, 'this alias (*) stands for no anchor (&) above it');
    if (!built) return this.#unresolved(alias, 'this alias (*) stands inside the very value that it stands for');
    this.#aliased += built.size;
    if (this.#aliased > MAX_ALIASED) {
      // Said once: all that follow would go too far as well.
      if (this.#aliased - built.size > MAX_ALIASED) return this.#unresolved(alias);
      return this.#unresolved(alias, `the aliases (*) up to here stand for more than ${MAX_ALIASED} values`);
    }
    this.#size += built.size;
    this.#targets.set(alias, target);
    return built.value;
  }

  #unresolved(node: Node, message?: string): undefined {
    if (message !== undefined) this.#problem(node, message);
    this.#origins.set(node, 'unresolved');
    return undefined;
  }

  /** The node at a path, or as far as it leads, and what stands at its head: its key, or itself in a list. */
  #find(root: Node, path: Path): { head: Node; node: Node | undefined } {
    let head = root;
    let node: Node | undefined = root;
    for (const step of path) {
      const inside: Node | undefined = node && isAlias(node) ? this.#targets.get(node) : node;
      if (inside && isMap(inside)) {
        const { items } = inside as YAMLMap<Scalar, Node | null>;
        const pair: Pair<Scalar, Node | null> | undefined = items.find((item) => item.key.value === step);
        if (!pair) return { head, node: undefined };
        head = pair.key;
        node = pair.value ?? undefined;
      } else {
        const item: unknown = inside && isSeq(inside) ? inside.items[Number(step)] : undefined;
        if (!item) return { head, node: undefined };
        head = item as Node;
        node = head;
      }
    }
    return { head, node };
  }

  #place(root: Node, path: Path, at: 'key' | 'value'): Place {
    const { head, node } = this.#find(root, path);
    // A block starts below its key, and an empty value nowhere: both are looked for at the key.
    const found = at === 'value' && node && (isAlias(node) || (isScalar(node) && node.value !== null)) ? node : head;
    // What the file as a whole lacks, it lacks from its first line on.
    return found === root ? { line: 1, column: 1 } : this.#start(found);
  }
}
