import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tagLabels } from '../../src/core/labels.ts';
import { labelValue, resourceValue } from '../../src/metrics/labels.ts';

const labels = (...tags: string[]) => tagLabels(tags).map(({ label }) => label);

test('a tag key becomes a label in snake case', () => {
  expect(labels('team', 'CostCenter', 'aws:cloudformation:stack-name')).toEqual([
    'team',
    'cost_center',
    'aws_cloudformation_stack_name',
  ]);
});

test('a tag key whose label is taken, or cannot begin as it does, gets tag_ before it', () => {
  expect(labels('Name', 'severity', 'instance', '2fa', '__meta', 'größe')).toEqual([
    'tag_name',
    'tag_severity',
    'tag_instance',
    'tag_2fa',
    'tag___meta',
    'gr__e',
  ]);
});

test('two tag keys that come out alike get different labels, and a key named twice one', () => {
  expect(labels('team', 'Team', 'TEAM', 'team')).toEqual(['team', 'team_2', 'team_3']);
});

test('values are escaped, cleaned of control characters and cut at 256 code points', () => {
  expect(labelValue('plain')).toBe('plain');
  expect(labelValue('a"b\\c\nd')).toBe('a\\"b\\\\c\\nd');
  expect(labelValue('a\u0000\u001b[31m\u0085\r\tb')).toBe('a[31mb');
  expect(labelValue('\ud83d!')).toBe('\ufffd!');
  expect(labelValue('🔑'.repeat(300))).toBe('🔑'.repeat(256));
  expect(labelValue('x'.repeat(500))).toBe('x'.repeat(256));
});

test('a resource is kept whole up to 2,048 characters', () => {
  const long = `arn:${'x'.repeat(2044)}`;
  expect(resourceValue(long)).toBe(long);
  expect(resourceValue(`${long}y`)).toMatch(/^arn:x{2027}~[0-9a-f]{16}$/);
});

test('two resources never give the same value', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', '\ud800', '🔑', 'é', '~') });
  fc.assert(
    fc.property(text, text, (a, b) => {
      if (a !== b) expect(resourceValue(a)).not.toBe(resourceValue(b));
    }),
    { seed: 1, numRuns: 2000 },
  );
  const long = 'x'.repeat(3000);
  expect(resourceValue(`${long}a`)).not.toBe(resourceValue(`${long}b`));
});
