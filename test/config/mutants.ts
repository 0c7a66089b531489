// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of configuration files are meant
/** Configurations that went wrong, from ones that are right: seeded, by their structure and by their bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stringify, parse as toJs } from 'yaml';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.ts';
import { loadWebFile } from '../../src/config/web-file.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { seeded } from '../soak/seeded.ts';
import { webFolder } from '../web/secured.ts';
import { ENV, goodDirectory } from './files.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Processor that one file may take, ms: a second, whatever else the machine does. */
const LIMIT_MS = 1_000;
/** Every so many mutants one goes the whole way, through a file. */
const THROUGH_A_FILE = 20;

const FILES = [
  'config/keyvigil.example.yaml',
  'config/demo.yaml',
  'test/fixtures/config/good/full.yaml',
  'test/fixtures/config/good/minimal.yaml',
];
const WEB = `tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
basic_auth_users:
  alice: $2b$04$Xk/ylScIiSfoxlite5Il5OjSXvPbaDe7xg7X/L0uyiWrH/IVZ5p8O
http_server_config:
  headers: { X-Frame-Options: DENY }
rate_limit: { interval: 1s, burst: 20 }
`;

type Node = unknown;
type Next = () => number;

const STRANGE: readonly Node[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  0.1,
  '',
  ' ',
  'a',
  'yes',
  'null',
  '0x1f',
  '1e999',
  '9'.repeat(400),
  'x'.repeat(5_000),
  '\u0000',
  '\u202e',
  '\ud800',
  '🔑',
  '*',
  '**/**',
  '((a+)+)+$',
  '(a|a)*b',
  '[',
  '${A}',
  '${',
  '$' + '{A',
  '{{x}}',
  '../../etc/passwd',
  '/dev/zero',
  '/dev/stdin',
  'file:///etc/passwd',
  'http://',
  'https://[::1',
  'http://user:pass@host/',
  'javascript:alert(1)',
  '127.0.0.1:0',
  '0.0.0.0:80',
  '[::]:65536',
  '1-99 * * * * *',
  '* * * * * *',
  '@reboot',
  '0 0 30 2 *',
  'Europe/Nowhere',
  '5m',
  '-5m',
  '99999999999d',
  [],
  {},
  [[]],
  [[[[[[[[]]]]]]]],
  { a: { b: { c: {} } } },
  Object.fromEntries([['__proto__', { polluted: true }]]),
  { constructor: { prototype: { polluted: true } } },
  { toString: 1 },
  Array.from({ length: 300 }, (_, at) => at),
  Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, at])),
];

const PIECES = [
  ...'[]{}:,-#&*!|>%@`"\'\n\t \0\\?$~=<'.split(''),
  ...[
    '${A}',
    '---\n',
    '...\n',
    '<<: *a',
    '&a ',
    '*a',
    '!!binary ',
    '!!js/function ',
    '%YAML 9.9\n',
    '1e999',
    '__proto__: {}',
    '\u2028',
    '\ufeff',
    '\r\n',
    ': : :',
    '- - -',
  ],
];

function pick<T>(list: readonly T[], next: Next): T {
  return list[Math.floor(next() * list.length)] as T;
}

/** As an own field, whatever its name: what YAML makes of `__proto__` is one too. */
function put(holder: Record<string, Node>, key: string, value: Node): void {
  Object.defineProperty(holder, key, { value, configurable: true, enumerable: true, writable: true });
}

/** Every place in a tree, as the object that holds it and its key. */
function places(root: Node): { readonly holder: Record<string, Node>; readonly key: string }[] {
  const found: { holder: Record<string, Node>; key: string }[] = [];
  const walk = (node: Node) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      found.push({ holder: node as Record<string, Node>, key });
      walk((node as Record<string, Node>)[key]);
    }
  };
  walk(root);
  return found;
}

/** One to three changes of the tree: another value, none, one from elsewhere, another name, one level more or less. */
function byStructure(text: string, next: Next): string {
  const tree = { root: structuredClone(toJs(text, { logLevel: 'silent' })) as Node };
  for (let times = 1 + Math.floor(next() * 3); times > 0; times -= 1) {
    const all = places(tree);
    if (all.length === 0) break;
    const { holder, key } = pick(all, next);
    const other = pick(all, next);
    const value = holder[key];
    switch (Math.floor(next() * 7)) {
      case 0:
        delete holder[key];
        break;
      case 1:
        put(holder, key, structuredClone(other.holder[other.key]));
        break;
      case 2:
        put(holder, `${key}${pick(['s', 'X', ' ', '\u00e9', '__proto__'], next)}`, value);
        delete holder[key];
        break;
      case 3:
        put(holder, key, next() < 0.5 ? [value] : { [pick(['name', 'url', 'file', 'x'], next)]: value });
        break;
      case 4:
        put(
          holder,
          key,
          Array.isArray(value)
            ? [...value, ...value]
            : typeof value === 'object' && value !== null
              ? Object.values(value)[0]
              : `${value}${value}`,
        );
        break;
      case 5:
        put(
          holder,
          pick(['policy', 'services', 'regions', 'receivers', 'x', '__proto__', 'constructor'], next),
          structuredClone(value),
        );
        break;
      default:
        put(holder, key, structuredClone(pick(STRANGE, next)));
    }
  }
  return (stringify(tree.root, { aliasDuplicateObjects: next() < 0.5, version: '1.2' }) as string | undefined) ?? '';
}

/** One to four changes of the text. */
function byText(text: string, next: Next): string {
  let result = text;
  for (let times = 1 + Math.floor(next() * 4); times > 0; times -= 1) {
    const at = Math.floor(next() * result.length);
    const to = at + Math.floor(next() * 30);
    const lines = result.split('\n');
    const line = Math.floor(next() * lines.length);
    switch (Math.floor(next() * 5)) {
      case 0:
        result = result.slice(0, at) + pick(PIECES, next) + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + (next() < 0.5 ? pick(PIECES, next) : '') + result.slice(to);
        break;
      case 2:
        result = result.slice(0, to) + result.slice(at);
        break;
      case 3:
        lines[line] = `${' '.repeat(Math.floor(next() * 8))}${lines[line]?.trimStart()}`;
        result = lines.join('\n');
        break;
      default:
        lines.splice(Math.floor(next() * lines.length), 0, ...lines.splice(line, 1 + Math.floor(next() * 3)));
        result = lines.join('\n');
    }
  }
  return result;
}

/** One to eight bytes that are others. */
function byBytes(text: string, next: Next): Buffer {
  const bytes = Buffer.from(text);
  for (let times = 1 + Math.floor(next() * 8); times > 0; times -= 1) {
    bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
  }
  return bytes;
}

export interface MutantFigures {
  readonly mutants: number;
  readonly valid: number;
  readonly slowestMs: number;
}

interface Verdict {
  readonly issues: readonly { readonly line: number; readonly column: number; readonly message: string }[];
  readonly valid: boolean;
}

/** Everything that reading says of one text. @throws whatever is no ConfigError: that is what is looked for */
async function verdictOf(load: () => Promise<unknown>): Promise<Verdict> {
  try {
    await load();
    return { issues: [], valid: true };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { issues: error.issues, valid: false };
  }
}

/** Reads `count` mutants of every valid configuration in turn, and prints and holds what came of it. */
export async function readMutants(count: number, seed = 20_261_122): Promise<MutantFigures> {
  await using directory = await goodDirectory();
  await using folder = await webFolder();
  const texts = [...FILES.map((file) => readFileSync(join(ROOT, file), 'utf8')), WEB];
  const next = seeded(seed);
  let valid = 0;
  let slowestMs = 0;
  for (let run = 0; run < count; run += 1) {
    const which = run % texts.length;
    const text = texts[which] ?? '';
    const way = next();
    const mutant = way < 0.5 ? byStructure(text, next) : way < 0.85 ? byText(text, next) : byBytes(text, next);
    const readable = typeof mutant === 'string' ? mutant : new TextDecoder().decode(mutant);
    const context = () => `run ${run}:\n${readable}`;
    const from = process.threadCpuUsage();
    let verdict: Verdict;
    if (which === FILES.length) {
      const file = await folder.put('web.yml', mutant as string);
      verdict = await verdictOf(() => loadWebFile(file)).catch((error) => crash(error, context()));
    } else if (typeof mutant !== 'string' || run % THROUGH_A_FILE === 0) {
      const file = await directory.write('keyvigil.yml', mutant);
      verdict = await verdictOf(() => loadConfig(file, { env: ENV, services: SERVICES })).catch((error) =>
        crash(error, context()),
      );
    } else {
      const { issues, config } = parsed(mutant, context);
      verdict = { issues, valid: config !== undefined };
    }
    const { user, system } = process.threadCpuUsage(from);
    const ms = (user + system) / 1_000;
    slowestMs = Math.max(slowestMs, ms);
    if (ms >= LIMIT_MS) throw new Error(`${ms} ms for ${context()}`);
    if (verdict.valid) valid += 1;
    else if (verdict.issues.length === 0) throw new Error(`refused without a word: ${context()}`);
    for (const { line, column, message } of verdict.issues) {
      if (!(line > 0 && column > 0) || /undefined|\[object|\n|canary/.test(message)) {
        throw new Error(`${line}:${column}: ${message} of ${context()}`);
      }
    }
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  // Both must come up often, or the mutations are too tame or too wild to show anything.
  expect(valid / count).toBeGreaterThan(0.03);
  expect(valid / count).toBeLessThan(0.8);
  console.info(
    `${count} mutants of ${texts.length} configurations: ${valid} valid, ${count - valid} refused with line and column, 0 crashes; ` +
      `the slowest took ${Math.round(slowestMs)} ms of processor`,
  );
  return { mutants: count, valid, slowestMs };
}

function parsed(text: string, context: () => string) {
  try {
    return parseConfig(text, 'keyvigil.yml', { env: ENV, services: SERVICES });
  } catch (error) {
    return crash(error, context());
  }
}

function crash(error: unknown, context: string): never {
  throw new Error(`crashed on ${context}`, { cause: error });
}
