import { describe, expect, it } from 'vitest';
import { readBuildspec } from '../../../src/providers/aws/codebuild/buildspec.ts';
import { keyReference, MANAGED, secretReference } from '../../../src/providers/aws/codebuild/references.ts';

const HOME = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';
const KMS = 'arn:aws:kms:eu-west-1:111122223333:';
const VERSION = '11111111-2222-3333-4444-555555555555';
const TOKEN = 'terraform-20261120101112131400000001';

describe('secret-id[:json-key[:version-stage[:version-id]]]', () => {
  it.each<[string, object]>([
    ['prod/db', { resource: `${SECRET}prod/db`, form: 'name', jsonKey: false }],
    ['prod/db:password', { resource: `${SECRET}prod/db`, form: 'name', jsonKey: true }],
    ['prod/db:password:AWSPREVIOUS', { form: 'name', jsonKey: true, stage: 'AWSPREVIOUS' }],
    ['prod/db::blue', { resource: `${SECRET}prod/db`, form: 'name', jsonKey: false, stage: 'blue' }],
    ['prod/db::', { resource: `${SECRET}prod/db`, form: 'name', jsonKey: false }],
    ['prod/db:::', { resource: `${SECRET}prod/db`, form: 'name', jsonKey: false }],
    [`prod/db:::${VERSION}`, { resource: `${SECRET}prod/db`, form: 'name', jsonKey: false, versionId: VERSION }],
    [`prod/db:password::${TOKEN}`, { form: 'name', jsonKey: true, versionId: TOKEN }],
    [`prod/db:password:blue:${VERSION}`, { form: 'name', jsonKey: true, stage: 'blue', versionId: VERSION }],
    // "<secret-id>:<json-key>:<version-stage>|<version-id>" (buildspec reference): one field for both.
    [`prod/db:password:${VERSION}`, { form: 'name', jsonKey: true, versionId: VERSION }],
    ['my-secret-with-hyphens', { resource: `${SECRET}my-secret-with-hyphens` }],
    // A name may end as the suffix of an ARN does.
    ['foo-AbCdEf', { resource: `${SECRET}foo-AbCdEf`, form: 'name' }],
    ['/CodeBuild/docker.login_password+x=@y', { resource: `${SECRET}/CodeBuild/docker.login_password+x=@y` }],
    ['rds!db-0f8c', { resource: `${SECRET}rds!db-0f8c` }],
    [`${SECRET}prod/db-AbCdEf`, { resource: `${SECRET}prod/db-AbCdEf`, form: 'arn', jsonKey: false }],
    [`${SECRET}prod/db`, { resource: `${SECRET}prod/db`, form: 'arn', jsonKey: false }],
    [`${SECRET}prod/db-AbCdEf:user:AWSCURRENT`, { form: 'arn', jsonKey: true, stage: 'AWSCURRENT' }],
    [`${SECRET}prod/db-AbCdEf:::${VERSION}`, { resource: `${SECRET}prod/db-AbCdEf`, versionId: VERSION }],
    [
      'arn:aws-cn:secretsmanager:cn-north-1:999988887777:secret:x-AbCdEf:k::',
      { resource: 'arn:aws-cn:secretsmanager:cn-north-1:999988887777:secret:x-AbCdEf', form: 'arn', jsonKey: true },
    ],
  ])('reads %s', (text, expected) => {
    const found = secretReference(text, HOME);
    expect(found).toMatchObject(expected);
    const { stage, versionId } = expected as { stage?: string; versionId?: string };
    expect([found?.stage, found?.versionId]).toEqual([stage, versionId]);
  });

  it.each([
    [''],
    [':password'],
    ['prod/db:password:stage:not-a-version'],
    [`prod/db:password:stage:${VERSION}:more`],
    [`prod/db:password:st age`],
    ['name with spaces'],
    ['$STAGE/db'],
    [`\${STAGE}/db:password`],
    ['postgres://user:hunter2@db'],
    ['https://user:hunter2@db:8080'],
    ['{"password":"hunter2"}'],
    ['-----BEGIN PRIVATE KEY-----'],
    [`${KMS}key/${VERSION}`],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:prod/db'],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:secret:'],
    ['arn:aws:secretsmanager::111122223333:secret:prod/db'],
    ['arn:aws:secretsmanager:eu-west-1::secret:prod/db'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter/x'],
    ['arn:'],
  ])('takes %s for none', (text) => {
    expect(secretReference(text, HOME)).toBeUndefined();
  });

  it('keeps nothing of the JSON key but that there is one', () => {
    expect(JSON.stringify(secretReference('prod/db:hunter2', HOME))).not.toContain('hunter2');
  });
});

describe('the name of a KMS key', () => {
  it.each([
    [`${KMS}key/${VERSION}`, `${KMS}key/${VERSION}`],
    [`${KMS}alias/prod/builds`, `${KMS}alias/prod/builds`],
    ['alias/builds', `${KMS}alias/builds`],
    [VERSION, `${KMS}key/${VERSION}`],
    [`mrk-${'0'.repeat(32)}`, `${KMS}key/mrk-${'0'.repeat(32)}`],
    ['arn:aws:kms:us-east-1:999988887777:alias/theirs', 'arn:aws:kms:us-east-1:999988887777:alias/theirs'],
    ['alias/aws/s3', MANAGED],
    // Recorded: what AWS answers for a project that was given none.
    ['arn:aws:kms:us-east-1:644160558196:alias/aws/s3', MANAGED],
  ])('%s means %s', (text, expected) => {
    expect(keyReference(text, HOME)).toBe(expected);
  });

  it.each([
    [''],
    ['hunter2'],
    ['alias/'],
    ['alias/with space'],
    [`${KMS}key/hunter2`],
    [`${SECRET}prod/db-AbCdEf`],
    [`arn:aws:kms:::key/${VERSION}`],
    [`key/${VERSION}`],
  ])('%s is none', (text) => {
    expect(keyReference(text, HOME)).toBeUndefined();
  });
});

describe('a buildspec in the project', () => {
  const YAML = `version: 0.2
env:
  variables:
    PASSWORD: hunter2
    CODEBUILD_KMS_KEY_ID: alias/builds
  parameter-store:
    OTHER: /CodeBuild/hunter2
  secrets-manager:
    DB: prod/db:password
    API: "${SECRET}api-AbCdEf:key::"
phases:
  build:
    commands:
      - curl -u user:hunter2 https://example.com
`;
  const read = {
    place: 'inline',
    secrets: [
      ['DB', 'prod/db:password'],
      ['API', `${SECRET}api-AbCdEf:key::`],
    ],
    buildKeys: [['CODEBUILD_KMS_KEY_ID', 'alias/builds']],
  };

  it('is read as YAML, and as JSON on one line or several', () => {
    expect(readBuildspec(YAML)).toEqual(read);
    const json = {
      version: '0.2',
      env: {
        variables: { PASSWORD: 'hunter2', CODEBUILD_KMS_KEY_ID: 'alias/builds' },
        'secrets-manager': { DB: 'prod/db:password', API: `${SECRET}api-AbCdEf:key::` },
      },
    };
    expect(readBuildspec(JSON.stringify(json))).toEqual(read);
    expect(readBuildspec(JSON.stringify(json, null, 2))).toEqual(read);
  });

  it('gives nothing of its values, parameters and commands', () => {
    expect(JSON.stringify(readBuildspec(YAML))).not.toContain('hunter2');
  });

  it('without an env, with an empty one, or with something else in its place names nothing', () => {
    const nothing = { place: 'inline', secrets: [], buildKeys: [] };
    expect(readBuildspec('version: 0.2\nphases: {}\n')).toEqual(nothing);
    expect(readBuildspec('version: 0.2\nenv:\nphases: {}\n')).toEqual(nothing);
    expect(readBuildspec('version: 0.2\nenv:\n  secrets-manager: [a, b]\n')).toEqual(nothing);
    expect(readBuildspec('version: 0.2\nenv:\n  secrets-manager: { A: 1, B: [x], C: null }\n')).toEqual(nothing);
  });

  it.each([[undefined], [''], ['buildspec.yml'], ['ci/build spec.yml'], ['arn:aws:s3:::bucket/buildspec.yml']])(
    'is not what %s is: that is in the source',
    (text) => expect(readBuildspec(text)).toEqual({ place: 'source' }),
  );

  it.each<[string, string]>([
    ['a tab', 'version: 0.2\nenv:\n\tsecrets-manager: {}\n'],
    ['a bracket that is not closed', '{"version": 0.2, "env": {"secrets-manager":'],
    ['a list', '- version: 0.2\n- env: { secrets-manager: {} }\n'],
    ['only text', 'echo one\necho secrets-manager'],
    ['an env that is none', 'version: 0.2\nenv: secrets-manager\n'],
    ['aliases that grow by powers', bomb()],
    ['far too deep', `version: 0.2\nsecrets-manager: ${'['.repeat(9_000)}${']'.repeat(9_000)}\n`],
    ['far too long', `version: 0.2\nenv: { secrets-manager: {} }\n${'# x\n'.repeat(40_000)}`],
    ['an unknown alias', 'version: 0.2\nenv: { secrets-manager: *nowhere }\n'],
  ])('that is %s cannot be read, and does no harm', (_, text) => {
    expect(readBuildspec(text)).toEqual({ place: 'unreadable' });
  });

  it('that says nothing of secrets is not even parsed', () => {
    expect(readBuildspec('version: 0.2\nenv:\n\tvariables: {}\n')).toEqual({
      place: 'inline',
      secrets: [],
      buildKeys: [],
    });
  });

  it('may use aliases within reason', () => {
    const text = 'version: 0.2\nx: &ref prod/db\nenv:\n  secrets-manager:\n    A: *ref\n    B: *ref\n';
    expect(readBuildspec(text)).toMatchObject({
      secrets: [
        ['A', 'prod/db'],
        ['B', 'prod/db'],
      ],
    });
  });

  it('with names of objects in JavaScript is data', () => {
    const text = '{"env":{"secrets-manager":{"__proto__":"prod/a","constructor":"prod/b","toString":"prod/c"}}}';
    expect(readBuildspec(text)).toMatchObject({
      secrets: [
        ['__proto__', 'prod/a'],
        ['constructor', 'prod/b'],
        ['toString', 'prod/c'],
      ],
    });
  });
});

function bomb(): string {
  const lines = ['version: 0.2', 'a0: &a0 [x, x]'];
  for (let at = 1; at < 30; at += 1) lines.push(`a${at}: &a${at} [*a${at - 1}, *a${at - 1}]`);
  return `${lines.join('\n')}\nenv: { variables: { x: *a29 }, secrets-manager: {} }\n`;
}
