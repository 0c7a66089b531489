import { describe, expect, it } from 'vitest';
import { type Found, find, isIdentity, notFound } from '../../src/core/find.ts';
import type { KeyKind } from '../../src/core/model.ts';
import { consumer, graphOf, key } from './support/graphs.ts';
import { relationsIn } from './support/relations.ts';

const SECRET = 'arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCdEf';
const CMK = 'arn:aws:kms:eu-west-1:1:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const FLOW = 'arn:aws:mediaconnect:eu-west-1:1:flow:1-abc:ch1';
const KEY_URL = 'https://contoso.vault.azure.net/keys/cmk';
const FOREIGN = 'arn:aws:kms:eu-west-1:2:key/foreign';

function named(resource: string, name: string, kind: KeyKind = 'aws-secret', aliases?: readonly string[]) {
  return key(resource, {
    facts: { resource, name, kind, ...(aliases && { aliases }) },
    needs: kind === 'aws-secret' ? [[FOREIGN]] : [],
  });
}

const relations = relationsIn(
  graphOf(
    [
      named(SECRET, 'prod/db'),
      named(`${SECRET.slice(0, -9)}api-QwErTy`, 'prod/api'),
      named('arn:aws:secretsmanager:us-east-1:1:secret:prod/api-ZzZzZz', 'prod/api'),
      named(CMK, 'alias/app', 'aws-kms-key', ['arn:aws:kms:eu-west-1:1:alias/app']),
      named(KEY_URL, 'cmk', 'azure-key'),
      named('https://fabrikam.vault.azure.net/keys/cmk', 'cmk', 'azure-key'),
    ],
    [consumer(FLOW, [SECRET])],
  ),
);

function outcome(text: string): string | readonly string[] {
  const found: Found = find(text, relations);
  if (found.outcome === 'key') return found.key.resource;
  if (found.outcome === 'consumer') return found.consumer.resource;
  if (found.outcome === 'ambiguous') return found.candidates.map(({ resource }) => resource);
  return found.outcome;
}

describe('what a name on the command line means', () => {
  it.each([
    ['a full ARN', SECRET, SECRET],
    ['an alias ARN', 'arn:aws:kms:eu-west-1:1:alias/app', CMK],
    ["a secret's ARN without its random end", SECRET.slice(0, -7), SECRET],
    ['a name', 'prod/db', SECRET],
    ['an alias', 'alias/app', CMK],
    ['a name with its vault', 'contoso/cmk', KEY_URL],
    ['the end of a name', 'db', SECRET],
    ['the id of a KMS key', '1234abcd-12ab-34cd-56ef-1234567890ab', CMK],
    ['a consumer', FLOW, FLOW],
    ['the end of a consumer', 'ch1', FLOW],
    ['the URL of one version', `${KEY_URL}/0123`, KEY_URL],
    ['a URL with capitals', 'https://Contoso.vault.azure.net/keys/CMK', KEY_URL],
    ['a name with capitals', 'PROD/DB', SECRET],
    ['a part that ends nowhere', 'od/db', 'unknown'],
    ['a partial ARN that is the beginning of another', SECRET.slice(0, -10), 'unknown'],
    ['what only others name', FOREIGN, 'named'],
    ['nothing at all', '', 'unknown'],
    ['a prototype', '__proto__', 'unknown'],
  ])('%s', (_what, text, means) => {
    expect(outcome(text)).toBe(means);
  });

  it('lists the candidates of a name that means more than one thing, and guesses none', () => {
    expect(outcome('cmk')).toEqual([KEY_URL, 'https://fabrikam.vault.azure.net/keys/cmk']);
    const found = find('prod/api', relations);
    if (found.outcome !== 'ambiguous') throw new Error(found.outcome);
    const { error, candidates } = notFound('prod/api', found, relations.snapshot);
    expect(error).toBe('resource: "prod/api" means 2 things that are watched; name one of them in full');
    expect(candidates?.map(({ name }) => name)).toEqual(['prod/api', 'prod/api']);
  });

  it('says what is near a name that nothing has, and which sources may hide it', () => {
    const near = (text: string) => {
      const found = find(text, relations);
      return found.outcome === 'unknown' ? found.near.map(({ name }) => name) : found.outcome;
    };
    expect(near('prod/dbb')[0]).toBe('prod/db');
    expect(near('alias/ap')).toContain('alias/app');
    expect(near('zzzzzz')).toEqual([]);
    const down = [{ up: false }, { up: true }] as unknown as typeof relations.snapshot.sources;
    expect(notFound('x', { outcome: 'unknown', near: [] }, { sources: down }).error).toContain(
      '1 of 2 sources cannot be read, or were not yet: it may be there',
    );
  });

  it('tells an identity from a name: only of an identity can it be that it is not watched', () => {
    const texts = [SECRET, KEY_URL, '/subscriptions/1/x', 'alias/app', 'prod/db', 'arn'];
    expect(texts.map(isIdentity)).toEqual([true, true, true, false, false, false]);
  });
});
