// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is what the tests are about
import { describe, expect, it } from 'vitest';
import { configOf, messagesOf, TARGETS } from './files.ts';

describe('the environment', () => {
  const state = (text: string, env: Record<string, string> = {}) => configOf(`state: ${text}\n${TARGETS}`, env).state;

  it('is filled in wherever a value holds ${NAME}', () => {
    expect(state('"${A}/x/${B}"', { A: '/a', B: 'b' })).toBe('/a/x/b');
    expect(state('|-\n  /${A}\n  b', { A: 'a' })).toBe('/a\nb');
    expect(configOf(TARGETS.replace('eu-west-1', '"${R}"'), { R: 'us-east-1' }).targets[0]?.regions).toEqual([
      'us-east-1',
    ]);
  });

  it('is neither YAML nor searched for more variables', () => {
    expect(state('"/${A}"', { A: '${B}: [x]\n- "', B: 'no' })).toBe('/${B}: [x]\n- "');
  });

  it('is left alone where $${ stands for a plain ${, in keys and in comments', () => {
    expect(state("'/$${A}/$${'")).toBe('/${A}/${');
    expect(state("'/$A$$'")).toBe('/$A$$');
    expect(configOf(`# \${NOBODY}\n${TARGETS}`).labels).toEqual([]);
    expect(messagesOf(`${TARGETS}\${A}: 1`, { A: 'log' })[0]).toMatch(/^unknown key: expected /);
  });

  it('does not answer for what every object has', () => {
    expect(messagesOf(`state: "\${constructor}"\n${TARGETS}`)).toEqual([
      'the environment variable constructor is not set',
    ]);
  });
});
