// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of configuration files are meant
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { ENV } from './files.ts';

/** The goal is a second; the machine that runs this may be busy with others. */
const LIMIT_MS = 5_000;

function read(text: string) {
  const started = performance.now();
  const parsed = parseConfig(text, 'keyvigil.yml', { env: ENV, services: SERVICES });
  return { ...parsed, ms: performance.now() - started };
}

describe('a hostile configuration', () => {
  const M = 1_000_000;
  const cases: Readonly<Record<string, string>> = {
    'open brackets': '['.repeat(M),
    'open braces': '{'.repeat(M),
    'closing brackets': ']'.repeat(M),
    'bracket pairs': '[]'.repeat(24_000),
    'nested lists': '- '.repeat(M / 2),
    'nested keys': '? '.repeat(M / 2),
    'deep indentation': Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'many keys': Array.from({ length: 12_000 }, (_, at) => `k${at}: 1`).join('\n'),
    'one key again and again': 'a: 1\n'.repeat(9_000),
    'many targets': `targets: [${'{},'.repeat(11_000)}]`,
    'many aliases': `a: &a [1]\nb: [${'*a,'.repeat(15_000)}]`,
    'many tags': '!a '.repeat(24_000),
    'many documents': '---\n'.repeat(M / 4),
    'bad escapes': `"${'\\q'.repeat(M / 2 - 10)}"`,
    'many variables': `state: "${'${A}'.repeat(M / 4 - 10)}"`,
    'unclosed variables': `state: "${'${'.repeat(M / 2 - 10)}"`,
    'a long host name': `listen: "${'a.'.repeat(M / 2 - 10)}:1"`,
    'a long region': `targets: [{ name: a, provider: aws, regions: [eu${'-a'.repeat(M / 2 - 100)}] }]`,
    'a long role': `targets: [{ name: a, provider: aws, regions: [eu-west-1], roleArn: "arn:aws${'a-'.repeat(M / 2 - 100)}" }]`,
    'a long URL': `web: { externalUrl: "http://${'a.'.repeat(M / 2 - 50)}" }`,
    'a long vault': `targets: [{ name: a, provider: azure, services: { key-vault: { vaults: ["https://${'a.'.repeat(490_000)}!"] } } }]`,
    'a long schedule': `schedule: "${'1,'.repeat(M / 2 - 50)}"`,
    'a schedule of huge ranges': 'schedule: "1-99999999 1-99999999 1-99999999 * * *"',
    'a long duration': `retention: { events: ${'9'.repeat(M - 50)}s }`,
    'a long rule': `policy: { rules: { ${'a-'.repeat(500)}: off } }`,
    'zero bytes': '\0'.repeat(M),
    'more than a megabyte': '#'.repeat(1_048_577),
  };

  it.each(Object.entries(cases))('of %s is refused quickly, with a place', (_, text) => {
    const { issues, config, ms } = read(text);
    expect(config).toBeUndefined();
    expect(issues.length).toBeGreaterThan(0);
    expect(issues.length).toBeLessThanOrEqual(101);
    for (const { line, column, message } of issues) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message.length).toBeLessThan(400);
    }
    expect(ms).toBeLessThan(LIMIT_MS);
  });
});

/** A generator of numbers below 1 from a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PIECES = [
  ...'[]{}:,-#&*!|>%@`"\'\n\t \0\\?$~=<'.split(''),
  ...['${', '${A}', '---', '...', '<<: *a', '&a ', '*a', '!!binary ', 'null', '1e999', '.nan', '-1', '0x1f', '""'],
  ...['__proto__', 'constructor', 'true', '1-99999999', '\u2028', '\ufeff', '\ud800', '🔑', ': : :', '- - -', '\r\n'],
];

/** One to four slips of the pen: pieces put in, cut out, doubled, swapped, lines moved and indented. */
function mutate(text: string, next: () => number): string {
  const below = (limit: number) => Math.floor(next() * limit);
  let result = text;
  for (let times = 1 + below(4); times > 0; times -= 1) {
    const at = below(result.length);
    const to = at + below(20);
    const lines = result.split('\n');
    const line = below(lines.length);
    switch (below(7)) {
      case 0:
        result = result.slice(0, at) + PIECES[below(PIECES.length)] + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + PIECES[below(PIECES.length)] + result.slice(to);
        break;
      case 2:
        result = result.slice(0, at) + result.slice(to);
        break;
      case 3:
        result = result.slice(0, to) + result.slice(at);
        break;
      case 4:
        lines.splice(below(lines.length), 0, ...lines.splice(line, 1 + below(3)));
        result = lines.join('\n');
        break;
      case 5:
        lines[line] = `${' '.repeat(below(8))}${lines[line]?.trimStart()}`;
        result = lines.join('\n');
        break;
      default:
        result = result.slice(0, at) + String.fromCharCode(below(0x3000)) + result.slice(at + 1);
    }
  }
  return result;
}

describe('two thousand slips of the pen', () => {
  const files = ['../../config/keyvigil.example.yaml', '../fixtures/config/good/full.yaml'];

  it.each(files)(
    'in %s give a configuration or located errors, quickly, and never a secret',
    (name) => {
      const text = readFileSync(join(import.meta.dirname, name), 'utf8');
      const next = random(20_261_122);
      let valid = 0;
      let slowest = 0;
      for (let run = 0; run < 1000; run += 1) {
        const mutant = mutate(text, next);
        const { config, issues, warnings, ms } = read(mutant);
        slowest = Math.max(slowest, ms);
        const context = `run ${run}:\n${mutant}`;
        expect(config === undefined, context).toBe(issues.length > 0);
        if (config) valid += 1;
        for (const { line, column, message } of issues) {
          expect(line > 0 && column > 0 && line <= mutant.split('\n').length, `${line}:${column} of ${context}`).toBe(
            true,
          );
          expect(message, context).not.toMatch(/undefined|\[object|\n/);
        }
        expect(JSON.stringify([issues, warnings]), context).not.toContain('canary');
      }
      // Both kinds must come up, or the mutations are too tame or too wild to show anything.
      expect(valid).toBeGreaterThan(50);
      expect(valid).toBeLessThan(950);
      expect(slowest).toBeLessThan(LIMIT_MS);
    },
    120_000,
  );
});
