import { describe, expect, it } from 'vitest';
import { policyCommand } from '../../src/cli/policy.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { recordedIo } from './io.ts';

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';

function printed(
  targets: string,
  {
    cloud = 'aws' as 'aws' | 'azure',
    target,
    account,
  }: { cloud?: 'aws' | 'azure'; target?: string; account?: string } = {},
) {
  const { config, issues } = parseConfig(`targets: [${targets}]`, '/keyvigil.yml', { env: {}, services: SERVICES });
  if (!config) throw new Error(JSON.stringify(issues));
  const io = recordedIo();
  const code = policyCommand({ cloud, config, target, account }, io);
  return { code, ...io.written };
}

const aws = (name: string, more = '', region = 'eu-west-1') =>
  `{ name: ${name}, provider: aws, regions: [${region}], services: { secrets-manager: {}, kms: {} } ${more} }`;

describe('policy aws', () => {
  it('is a document alone on stdout, narrowed to the account of the role that is assumed', () => {
    const role = ', roleArn: "arn:aws:iam::111122223333:role/keyvigil"';
    const { code, out, err } = printed(aws('prod', role));
    expect(code).toBe(0);
    const { Version, Statement } = JSON.parse(out);
    expect(Version).toBe('2012-10-17');
    expect(JSON.stringify(Statement)).toContain('arn:aws:kms:*:111122223333:key/*');
    expect(Statement.at(-1)).toMatchObject({ Effect: 'Deny', Resource: '*' });
    expect(err).toContain('sts:AssumeRole on arn:aws:iam::111122223333:role/keyvigil');
  });

  it.each([
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['us-iso-east-1', 'aws-iso'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eu-isoe-west-1', 'aws-iso-e'],
    ['us-isof-south-1', 'aws-iso-f'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('of a target in %s is of the partition %s', (region, partition) => {
    const { out } = printed(aws('prod', '', region), { account: '444455556666' });
    expect(out).toContain(`arn:${partition}:secretsmanager:*:444455556666:secret:*`);
    expect(out).not.toContain('arn:aws:');
  });

  it('says that it is wider where no account is known', () => {
    const { out, err } = printed(aws('prod'));
    expect(out).toContain('arn:aws:kms:*:*:key/*');
    expect(err).toContain('--account');
  });

  it('is one for targets that need the same, and asks which one otherwise', () => {
    expect(printed(`${aws('a')}, ${aws('b', '', 'us-east-1')}`).code).toBe(0);
    const reads = '{ name: c, provider: aws, regions: [eu-west-1], services: { secrets-manager: { access: read } } }';
    const both = `${aws('a')}, ${reads}`;
    expect(printed(both)).toEqual({ code: 2, out: '', err: expect.stringMatching(/--target: a, c\n$/) });
    const { code, out } = printed(both, { target: 'c' });
    expect([code, out.includes('secretsmanager:GetSecretValue'), out.includes('kms:ListKeys')]).toEqual([
      0,
      true,
      false,
    ]);
    expect(printed(both, { target: 'd' })).toMatchObject({ code: 2, err: expect.stringContaining('"d"') });
    expect(printed(both, { cloud: 'azure' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('no target of azure'),
    });
  });
});

describe('policy azure', () => {
  it('is a custom role of reading alone, for this subscription, with data actions apart', () => {
    const { code, out, err } = printed(`{ name: az, provider: azure, subscription: ${SUBSCRIPTION} }`, {
      cloud: 'azure',
    });
    expect(code).toBe(0);
    const role = JSON.parse(out);
    expect(role).toMatchObject({ IsCustom: true, AssignableScopes: [`/subscriptions/${SUBSCRIPTION}`] });
    for (const action of [...role.Actions, ...role.DataActions]) expect(action).toMatch(/\/read$/);
    expect(role.DataActions).toContain('Microsoft.KeyVault/vaults/keys/read');
    expect(role.DataActions.join()).not.toMatch(/secret/i);
    expect(err).toContain('Managed HSM Crypto Auditor');
  });

  it('of Media Services alone asks for nothing of the vaults', () => {
    const services = 'services: { media-services: {} }';
    const { out } = printed(`{ name: az, provider: azure, subscription: ${SUBSCRIPTION}, ${services} }`, {
      cloud: 'azure',
    });
    expect(JSON.parse(out)).toMatchObject({ Actions: ['Microsoft.Media/mediaservices/read'], DataActions: [] });
  });
});
