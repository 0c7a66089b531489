/** Each rule with a case that breaks it and one that does not. The names quote the documents that state the rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULES } from '../../../src/providers/aws/codebuild/rule-table.ts';
import { POLICY } from '../../core/support/looks.ts';
import { ACCOUNT, NOW, REGION } from '../../fixtures/aws-wire.ts';
import { KMS, SECRETS } from '../../fixtures/codebuild.ts';
import { DAY, FULL, finding, findings, judged, NAME, OTHER, project, secret, use, V3 } from './codebuild-judging.ts';

it('a project that follows the document to the letter breaks no rule', () => {
  expect(judged(project({}, [use()]), [secret()])).toEqual({ findings: [] });
});

it('of a secret that is not known nothing is said but what the reference tells', () => {
  expect(findings(project({}, [use(), use({ pinned: true, versionInUse: V3, part: 'variable X' })]))).toEqual([
    'codebuild.pinned-version',
  ]);
});

it('every rule of the table has an id of the service, a source, a meaning and a remedy', () => {
  for (const rule of RULES) {
    expect(rule.id).toMatch(/^codebuild\.[a-z-]+$/);
    for (const text of [rule.severity, rule.source, rule.meaning, rule.remedy]) expect(text.length).toBeGreaterThan(3);
  }
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
});

it('the table has every rule that there is, and no other', () => {
  const folder = new URL('../../../src/providers/aws/codebuild/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('-rules.ts'));
  const ids = files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), 'utf8').matchAll(/ id: '([^']+)'/g)].map(([, id]) => id),
  );
  expect(ids.length).toBeGreaterThan(20);
  expect(RULES.map(({ id }) => id).toSorted()).toEqual([...new Set(ids)].sort());
});

describe('"must be created using the same AWS account" (Key Management)', () => {
  const theirs = FULL.replace(ACCOUNT, OTHER);

  it('is a remark, for "to access a secret in a different AWS account, specify the secret ARN" (buildspec reference)', () => {
    expect(finding(project({}, [use({ resource: theirs })]))).toMatchObject({
      id: 'codebuild.secret-account',
      severity: 'info',
      summary: expect.stringContaining(OTHER),
      remedy: expect.stringContaining(
        `aws codebuild update-project --name web --environment file://environment.json --region ${REGION}`,
      ),
    });
    expect(findings(project({}, [use({ resource: FULL })]))).toEqual([]);
  });

  it('"can’t access a secret from a different AWS account if you encrypt the secret with the default KMS service key" is a warning', () => {
    const facts = project({}, [use({ resource: theirs })]);
    const of = (kmsKeyId?: string) =>
      secret({ resource: theirs, account: OTHER, aliases: [] }, kmsKeyId === undefined ? {} : { kmsKeyId });
    const found = judged(facts, [of()]).findings;
    expect(found.map(({ id, severity }) => [id, severity])).toEqual([
      ['codebuild.secret-account', 'info'],
      ['codebuild.cross-account-key', 'warning'],
    ]);
    expect(found[1]?.remedy).toContain(`aws secretsmanager update-secret --secret-id ${theirs} --kms-key-id`);
    expect(findings(facts, of('alias/aws/secretsmanager'))).toContain('codebuild.cross-account-key');
    expect(findings(facts, of(`arn:aws:kms:${REGION}:${OTHER}:alias/shared`))).toEqual(['codebuild.secret-account']);
  });
});

describe('"You must create the secret in the same AWS Region" (Key Management)', () => {
  it('is a remark: an ARN may name another Region, a name means a secret of the project’s own', () => {
    const elsewhere = FULL.replace(REGION, 'us-east-1');
    expect(finding(project({}, [use({ resource: elsewhere })]))).toMatchObject({
      id: 'codebuild.secret-region',
      severity: 'info',
      summary: `It reads a secret in us-east-1 (variable DB), by its ARN: a name only means a secret in ${REGION}.`,
      remedy: `aws secretsmanager replicate-secret-to-regions --secret-id ${elsewhere} --add-replica-regions Region=${REGION} --region us-east-1`,
    });
  });

  it('"you must create two secrets: one secret in each Region": a replica in the project’s own Region counts', () => {
    expect(findings(project({}, [use({ resource: FULL })]), secret({}, { primaryRegion: 'us-east-1' }))).toEqual([]);
  });
});

describe('"choose Plaintext" (Key Management)', () => {
  it('one key out of a secret of key/value pairs is a remark', () => {
    const keyed = use({ attributes: { reference: 'name', jsonKey: true } });
    expect(finding(project({}, [keyed]), secret())).toMatchObject({ id: 'codebuild.plaintext', severity: 'info' });
    expect(findings(project({}, [use()]), secret())).toEqual([]);
  });
});

describe('"Keep Select the encryption key set to DefaultEncryptionKey" (Key Management)', () => {
  it.each([[undefined], ['alias/aws/secretsmanager'], ['DefaultEncryptionKey']])('%s keeps to it', (kmsKeyId) => {
    expect(findings(project({}, [use()]), secret({}, kmsKeyId === undefined ? {} : { kmsKeyId }))).toEqual([]);
  });

  it('a customer-managed key is a remark, and what the role needs for it is said', () => {
    expect(finding(project({}, [use()]), secret({}, { kmsKeyId: 'alias/mine' }))).toMatchObject({
      id: 'codebuild.default-key',
      severity: 'info',
      summary: expect.stringContaining('kms:Decrypt'),
      remedy: `aws secretsmanager update-secret --secret-id ${FULL} --kms-key-id alias/aws/secretsmanager --region ${REGION}`,
    });
  });
});

describe('"In Configure automatic rotation, choose Disable automatic rotation" (Key Management)', () => {
  it('rotation that is on is a remark', () => {
    expect(finding(project({}, [use()]), secret({ rotationEnabled: true }))).toMatchObject({
      id: 'codebuild.rotation-enabled',
      severity: 'info',
      remedy: `aws secretsmanager cancel-rotate-secret --secret-id ${FULL} --region ${REGION}`,
    });
    const { rotationEnabled: _never, ...unset } = secret();
    expect(findings(project({}, [use()]), unset)).toEqual([]);
  });
});

describe('"You can protect your content from unauthorized use through encryption" (Key Management)', () => {
  it.each([
    ['output artifacts', '--artifacts file://artifacts.json'],
    ['secondary artifacts site', '--secondary-artifacts file://secondaryArtifacts.json'],
    ['S3 logs', '--logs-config file://logsConfig.json'],
  ])('%s without it are a warning', (unencrypted, option) => {
    expect(finding(project({ unencrypted }))).toMatchObject({
      id: 'codebuild.encryption-disabled',
      severity: 'warning',
      summary: `Encryption is switched off for what it stores: ${unencrypted}.`,
      remedy: expect.stringContaining(option),
    });
  });

  it('"Create and Configure an AWS KMS CMK for CodeBuild": the default of the account is a remark', () => {
    expect(finding(project({ encryptionKey: 'alias/aws/s3' }))).toMatchObject({
      id: 'codebuild.managed-key',
      severity: 'info',
      remedy: `aws codebuild update-project --name web --encryption-key KEY_ARN --region ${REGION}`,
    });
  });
});

describe('"Use the CODEBUILD_KMS_KEY environment variable in a build command" (Key Management)', () => {
  it('is an old spelling, and the new one is CodeBuild’s to set', () => {
    const old = finding(project({ buildKeyVariables: 'CODEBUILD_KMS_KEY' }));
    expect(old).toMatchObject({ id: 'codebuild.build-key-variable', severity: 'info' });
    expect(old.summary).toContain('CODEBUILD_KMS_KEY is the name of an old document');
    expect(finding(project({ buildKeyVariables: 'CODEBUILD_KMS_KEY_ID' })).summary).not.toContain('old');
  });
});

describe('"You can use Secrets Manager to protect credentials to a private registry" (Key Management)', () => {
  const credential = use({ role: 'registry', part: 'registry credential' });

  it('an image of another registry without them is a remark', () => {
    expect(finding(project({ registry: 'ghcr.io' }))).toMatchObject({
      id: 'codebuild.registry-credential',
      severity: 'info',
    });
    expect(findings(project({ registry: 'ghcr.io' }, [credential]), secret())).toEqual([]);
  });

  it('they are key/value pairs, and no secret that ought to be plaintext', () => {
    const keyed = { ...credential, attributes: { reference: 'name', jsonKey: true } };
    expect(findings(project({}, [keyed]), secret())).toEqual([]);
  });

  it('"When you use a cross-account or private registry image, you must use SERVICE_ROLE credentials" (API)', () => {
    expect(finding(project({ imagePullCredentials: 'CODEBUILD' }, [credential]), secret())).toMatchObject({
      id: 'codebuild.registry-pull-role',
      severity: 'warning',
    });
    expect(findings(project({ imagePullCredentials: 'CODEBUILD' }, [use()]), secret())).toEqual([]);
    const { imagePullCredentials: _unsaid, ...attributes } = project().attributes;
    expect(findings({ ...project({}, [credential]), attributes }, secret())).toEqual([]);
  });
});

describe('"give CodeBuild permission to obtain the encryption keys" (Key Management)', () => {
  const made = { serviceRole: `arn:aws:iam::${ACCOUNT}:role/service-role/codebuild-web-service-role` };

  it('"the service role allows access only to secret names that start with /CodeBuild/": one that the console made', () => {
    expect(finding(project(made, [use()]), secret())).toMatchObject({
      id: 'codebuild.console-role',
      severity: 'info',
      remedy: expect.stringContaining('codebuild-web-service-role may do secretsmanager:GetSecretValue'),
    });
    expect(findings(project(made, [use({ resource: `${SECRETS}/CodeBuild/db` })]))).toEqual([]);
    expect(findings(project({ serviceRole: `arn:aws:iam::${ACCOUNT}:role/service-role/builder` }, [use()]))).toEqual(
      [],
    );
  });

  const denied = {
    builds: 'watched',
    buildError: 'AccessDeniedException',
    buildErrorKey: FULL,
    buildErrorAt: NOW - DAY,
  };

  it('a build that was refused a secret proves that it has none', () => {
    const judgement = judged(project(denied));
    expect(judgement).toMatchObject({ impairment: 'access_revoked', until: NOW + 6 * DAY });
    expect(judgement.findings).toMatchObject([
      {
        id: 'codebuild.access-denied',
        severity: 'critical',
        summary: `Its last build was refused the secret ${FULL}.`,
        remedy: expect.stringMatching(
          /^aws iam put-role-policy --role-name builder --policy-name read-secret --policy-document '\{.*"secretsmanager:GetSecretValue".*prod\/db-AbCdEf.*\}' --region eu-west-1$/,
        ),
      },
    ]);
    // A policy that names no complete ARN needs wildcards for the random characters.
    const byName = finding(project({ ...denied, buildErrorKey: NAME }));
    expect(byName.remedy).toContain(`"Resource":"${NAME}-??????"`);
    const { buildErrorKey: _unnamed, ...unnamed } = denied;
    expect(finding(project(unnamed)).remedy).toContain(`role arn:aws:iam::${ACCOUNT}:role/builder do`);
  });

  it.each([
    ['is a week old', { buildErrorAt: NOW - 7 * DAY }],
    ['was before the project was changed', { modifiedAt: NOW - DAY + 1 }],
  ])('one that %s proves nothing of today', (_, more) => {
    const judgement = judged(project({ ...denied, ...more }));
    expect(judgement.findings).toMatchObject([{ id: 'codebuild.access-denied', severity: 'info' }]);
    expect(judgement).not.toHaveProperty('impairment');
    expect(judgement).not.toHaveProperty('until');
  });

  it.each([
    ['ResourceNotFoundException', `Its last build failed over the secret ${FULL}: ResourceNotFoundException.`],
    ['KMS.DisabledException', 'Its last build failed over the key of what it stores: KMS.DisabledException.'],
  ])('any other word of a build about a key is what its service reports: %s', (buildError, summary) => {
    const judgement = judged(project({ ...denied, buildError }));
    expect(judgement).toMatchObject({ impairment: 'reported_by_service' });
    expect(judgement.findings).toMatchObject([{ id: 'codebuild.reported', severity: 'critical', summary }]);
  });

  it('whoever makes a remark of it does not hear that it proves trouble', () => {
    const policy = { ...POLICY, rules: { 'codebuild.access-denied': 'info' as const } };
    expect(judged(project(denied), [], NOW, policy)).not.toHaveProperty('impairment');
  });

  it('builds that went well, or were never asked for, say nothing; builds that may not be seen say so', () => {
    expect(findings(project({ builds: 'watched' }))).toEqual([]);
    expect(finding(project({ builds: 'denied' }))).toMatchObject({ id: 'codebuild.builds-denied', severity: 'info' });
  });
});

describe('what cannot be seen', () => {
  it('"Specify a Secrets Manager reference-key using the following pattern": what is none is a warning', () => {
    expect(finding(project({ unreadable: 'variable URL' }))).toMatchObject({
      id: 'codebuild.unreadable-reference',
      severity: 'warning',
      summary: 'This is no reference to a secret or key that can be read: variable URL.',
    });
  });

  it('a buildspec in the source is a remark, one in the project that cannot be read a warning', () => {
    expect(finding(project({ buildspec: 'source' }))).toMatchObject({
      id: 'codebuild.buildspec-unseen',
      severity: 'info',
    });
    expect(finding(project({ buildspec: 'unreadable' }))).toMatchObject({
      id: 'codebuild.buildspec-unreadable',
      severity: 'warning',
    });
  });
});

describe('a finding', () => {
  it('is one for all parts that it concerns, and names five of them', () => {
    const uses = Array.from({ length: 8 }, (_, at) => use({ part: `variable V${at}` }));
    expect(finding(project({}, uses), secret({ rotationEnabled: true })).summary).toContain(
      '(variable V0, variable V1, variable V2, variable V3, variable V4 and 3 more)',
    );
  });

  it('has commands in which hostile names are data', () => {
    const name = "x'; rm -rf / #";
    const { remedy } = finding({ ...project({ encryptionKey: 'alias/aws/s3' }), name });
    expect(remedy).toBe(
      `aws codebuild update-project --name 'x'\\''; rm -rf / #' --encryption-key KEY_ARN --region ${REGION}`,
    );
  });

  it('says nothing of keys of KMS: those are judged by themselves', () => {
    const key = { resource: `${KMS}alias/builds`, role: 'artifacts', part: 'output artifacts' };
    expect(findings(project({}, [key]))).toEqual([]);
  });
});
