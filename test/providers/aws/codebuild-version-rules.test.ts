/** Rules on the version of a secret that a reference asks for: each with a case that breaks it and one that does not. */
import { describe, expect, it } from 'vitest';
import type { KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { REGION } from '../../fixtures/aws-wire.ts';
import { SECRETS } from '../../fixtures/codebuild.ts';
import { FULL, finding, findings, judged, NAME, project, secret, use, V1, V2, V3 } from './codebuild-judging.ts';

describe('a version that a reference asks for', () => {
  const pin = (versionInUse: string, more: Partial<KeyUse> = {}) => use({ pinned: true, versionInUse, ...more });

  it('that is the current one is a remark: it follows no rotation', () => {
    expect(finding(project({}, [pin(V2)]), secret())).toMatchObject({
      id: 'codebuild.pinned-version',
      severity: 'info',
      summary: 'It stays with one version of a secret and follows no rotation (variable DB).',
    });
  });

  it('from which the secret has moved on is a warning', () => {
    expect(finding(project({}, [pin(V1), pin(V2, { part: 'variable OTHER' })]), secret())).toMatchObject({
      id: 'codebuild.pinned-version',
      severity: 'warning',
      summary: `It stays with version ${V1} of a secret whose current one is ${V2} by now (variable DB).`,
      remedy: expect.stringContaining('projects[0].environment'),
    });
    expect(finding(project({}, [pin(V1, { role: 'buildspec' })]), secret()).remedy).toContain('projects[0].source');
  });

  it('that the secret does not have is critical', () => {
    expect(finding(project({}, [pin(V3)]), secret())).toMatchObject({
      id: 'codebuild.version-gone',
      severity: 'critical',
      summary: `It is pinned to version ${V3} of a secret that has no such version (variable DB): its builds fail.`,
    });
  });

  it.each<[string, KeyFacts]>([
    ['its versions were never listed', secret({ versions: [] })],
    [
      'it has more versions than are kept',
      secret({ versions: Array.from({ length: 20 }, (_, at) => ({ id: `v${at}` })) }),
    ],
    ['it is on its way in', secret({ pendingVersion: { id: V3 } })],
    ['it carries a label of one’s own', secret({}, { customStages: `blue=${V3}` })],
    ['the secret itself is lost', secret({ state: 'ScheduledForDeletion' })],
  ])('is not taken for missing where %s', (_, known) => {
    expect(findings(project({}, [pin(V3)]), known)).toEqual(['codebuild.pinned-version']);
  });

  it('"If you use version-stage, don’t specify version-id" (buildspec reference)', () => {
    const both = pin(V2, { attributes: { reference: 'name', stage: 'AWSCURRENT' } });
    expect(findings(project({}, [both]), secret())).toEqual([
      'codebuild.pinned-version',
      'codebuild.stage-and-version',
    ]);
    expect(judged(project({}, [both]), [secret()]).findings[1]?.severity).toBe('warning');
  });
});

describe('"the staging label attached to the version" (buildspec reference)', () => {
  const staged = (stage: string) => project({}, [use({ attributes: { reference: 'name', stage } })]);
  const { previousVersion: _none, ...first } = secret();

  it('that no version carries is critical', () => {
    expect(finding(staged('AWSPREVIOUS'), first)).toMatchObject({
      id: 'codebuild.stage-missing',
      severity: 'critical',
    });
    expect(finding(staged('green'), secret({}, { customStages: `blue=${V1} x=y=${V2}` }))).toMatchObject({
      id: 'codebuild.stage-missing',
      summary:
        'It asks for the version of a secret with the label green, which none has (variable DB): its builds fail.',
      remedy: `aws secretsmanager update-secret-version-stage --secret-id ${FULL} --version-stage green --move-to-version-id ${V2} --region ${REGION}`,
    });
  });

  it.each<[string, KeyFacts]>([
    ['AWSPREVIOUS', secret()],
    ['AWSCURRENT', first],
    ['AWSPENDING', secret()],
    ['blue', secret({}, { customStages: `blue=${V1} x=y=${V2}` })],
    ['x=y', secret({}, { customStages: `blue=${V1} x=y=${V2}` })],
    ['green', secret({ state: 'NeverFilled' })],
  ])('%s is carried, or cannot be told to be missing', (stage, known) => {
    expect(findings(staged(stage), known)).toEqual([]);
  });
});

describe('"Don’t end your secret name with a hyphen followed by six characters" (CreateSecret)', () => {
  const named = secret({
    resource: `${SECRETS}foo-AbCdEf-XyZ123`,
    name: 'foo-AbCdEf',
    aliases: [`${SECRETS}foo-AbCdEf`],
  });
  const by = (reference: string, resource: string) => project({}, [use({ resource, attributes: { reference } })]);

  it('an ARN without the suffix then passes for a complete one', () => {
    expect(finding(by('arn', `${SECRETS}foo-AbCdEf`), named)).toMatchObject({
      id: 'codebuild.ambiguous-reference',
      severity: 'warning',
      remedy: expect.stringContaining(named.resource),
    });
  });

  it('a name, a complete ARN, and an ARN that cannot be mistaken mean what they say', () => {
    expect(findings(by('name', `${SECRETS}foo-AbCdEf`), named)).toEqual([]);
    expect(findings(by('arn', named.resource), named)).toEqual([]);
    expect(findings(by('arn', NAME), secret())).toEqual([]);
  });
});
