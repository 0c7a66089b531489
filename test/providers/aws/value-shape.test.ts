import { describe, expect, it, vi } from 'vitest';
import { shapeOfValue } from '../../../src/providers/aws/secrets-manager/shape.ts';

const answer = (fields: object) =>
  Buffer.from(JSON.stringify({ ARN: 'arn', Name: 'n', VersionStages: ['AWSCURRENT'], ...fields }));
const shape = (SecretString: string) => shapeOfValue(answer({ SecretString }));

describe('the form of a value', () => {
  it.each([
    ['0123456789abcdef0123456789ABCDEF', 'hex16'],
    ['0'.repeat(48), 'hex24'],
    ['f'.repeat(64), 'hex32'],
    ['g'.repeat(32), 'text'],
    ['a'.repeat(33), 'text'],
    ['a'.repeat(9), 'text-short'],
    ['a'.repeat(10), 'text'],
    ['x'.repeat(79), 'text'],
    ['x'.repeat(80), 'text-long'],
    ['', 'empty'],
    [' \n', 'padded'],
    [`${'a'.repeat(32)}\n`, 'padded'],
    ['\ta key of some length', 'padded'],
    ['{"password":"x"}', 'json'],
    [' {\n "password" : "x" }\n', 'json'],
    ['{}', 'json'],
    ['{not an object}', 'text'],
    ['"a string in quotes"', 'text'],
    ['[1, 2, 3, 4, 5]', 'text'],
  ])('of %j is %s', (value, expected) => {
    expect(shape(value)).toBe(expected);
  });

  it('counts characters, however they are written', () => {
    expect(shape('ü'.repeat(79))).toBe('text');
    expect(shape('😀'.repeat(9))).toBe('text-short');
    const escaped = Buffer.from(`{"SecretString":"${'\\u0061'.repeat(32)}"}`);
    expect(shapeOfValue(escaped)).toBe('hex16');
    expect(shapeOfValue(Buffer.from(`{"SecretString":"${'\\ud83d\\ude00'.repeat(9)}"}`))).toBe('text-short');
    expect(shapeOfValue(Buffer.from('{"SecretString":"\\u000a0123456789"}'))).toBe('padded');
    expect(shape(`\\"${'x'.repeat(8)}`)).toBe('text');
  });

  it('tells binary from text', () => {
    expect(shapeOfValue(answer({ SecretBinary: 'AAEC' }))).toBe('binary');
    expect(shapeOfValue(answer({ SecretBinary: 'AAEC', SecretString: 'a passphrase' }))).toBe('text');
  });

  it('finds the value and nothing that is called like it', () => {
    const misleading = {
      Name: '"SecretString":"{}"',
      VersionStages: ['SecretString', ':'],
      Other: { SecretString: '{}' },
    };
    expect(shapeOfValue(answer({ ...misleading, SecretString: 'a passphrase' }))).toBe('text');
    expect(shapeOfValue(answer(misleading))).toBeUndefined();
    expect(shapeOfValue(Buffer.from('{ "SecretString" :\n "a passphrase" }'))).toBe('text');
  });

  it.each([
    '',
    '{',
    '{"SecretString"',
    '{"SecretString":',
    '{"SecretString":null}',
    '{"SecretString":"cut',
    '<html>',
    '"',
  ])('is unknown in %j', (text) => {
    expect(shapeOfValue(Buffer.from(text))).toBeUndefined();
  });

  it('is found without a string of the value', () => {
    const decode = vi.spyOn(Buffer.prototype, 'toString');
    expect(shape('a passphrase')).toBe('text');
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
  });
});
