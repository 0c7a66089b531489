import { expect, test } from 'vitest';
import { namedIn } from './promql.ts';

test('metrics, their labels and the labels of clauses are told apart from functions and words', () => {
  const expr =
    'sum by (a, b) (rate(m_total{c="x{y}", d!~"z"}[5m])) > bool 1.5e3 and on (e) group_left () n offset 1h # o';
  expect(namedIn(expr)).toEqual({
    selectors: [
      { metric: 'm_total', labels: ['c', 'd'] },
      { metric: 'n', labels: [] },
    ],
    labels: ['a', 'b', 'e'],
    made: [],
  });
});

test('what label_replace and label_join read and make is found, one inside the other', () => {
  const expr = 'label_join(label_replace(m{x="label"}, "made", "$1", "read", "(.*)"), "joined", "/", "made", "other")';
  const { labels, made } = namedIn(expr);
  expect([...made].sort()).toEqual(['joined', 'made']);
  expect([...labels].sort()).toEqual(['made', 'other', 'read']);
});

test('a metric may be named by a pattern, have colons, or stand after a matcher', () => {
  expect(namedIn('{__name__=~"a:(b|c)", d="e"} or x:y:z').selectors).toEqual([
    { pattern: 'a:(b|c)', labels: ['d'] },
    { metric: 'x:y:z', labels: [] },
  ]);
});

test('what is no PromQL is refused', () => {
  expect(() => namedIn('m ; drop')).toThrow('from here on: ; drop');
});
