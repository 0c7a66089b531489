import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { type Coverage, notWatchedBy, type Place, type Watch } from '../../src/core/not-watched.ts';
import { PROVIDERS, SERVICES } from '../../src/providers/index.ts';

const HOME = '111122223333';
const OTHER = '444455556666';
const secret = (name: string, { account = HOME, region = 'eu-west-1' } = {}) =>
  `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;

const watch = (parts: Partial<Watch> = {}): Watch => ({
  target: 'video-prod',
  location: 'eu-west-1',
  service: 'secrets-manager',
  provider: 'aws',
  narrowings: [],
  ...parts,
});
const told = (parts: object = {}) => ({
  target: 'video-prod',
  location: 'eu-west-1',
  service: 'secrets-manager',
  account: HOME,
  up: true,
  ...parts,
});
const coverage = (...watches: readonly Watch[]): Coverage => ({
  watches,
  locate: (provider, name) => PROVIDERS.find((one) => one.name === provider)?.locate(name),
});

describe('a name that means nothing that is watched', () => {
  it('says that it is in another account, and gives the target that would watch it', () => {
    const why = notWatchedBy(coverage(watch()), [told()])('aws', secret('db', { account: OTHER, region: 'us-east-1' }));
    expect(why).toEqual({
      reason: 'other_account',
      hint: `This secret is in account ${OTHER} that no target watches.`,
      configure: {
        where: 'under targets',
        yaml: `- { name: "${OTHER}", provider: aws, regions: [us-east-1], roleArn: "arn:aws:iam::${OTHER}:role/keyvigil", services: { secrets-manager: {} } }`,
      },
    });
  });

  it('says that it is in another Region, and gives the line with all of them', () => {
    const watches = [watch(), watch({ location: 'eu-central-1' })];
    const sources = [told(), told({ location: 'eu-central-1' })];
    const why = notWatchedBy(coverage(...watches), sources)('aws', secret('db', { region: 'us-east-1' }));
    expect(why).toEqual({
      reason: 'other_location',
      hint: 'This secret is in us-east-1, which target video-prod does not watch.',
      configure: {
        where: 'in target video-prod, instead of its line regions',
        yaml: 'regions: [eu-west-1, eu-central-1, us-east-1]',
      },
    });
  });

  it('says that the service of its kind is not configured there', () => {
    const key = `arn:aws:kms:eu-west-1:${HOME}:key/1234`;
    expect(notWatchedBy(coverage(watch()), [told()])('aws', key)).toMatchObject({
      reason: 'service_off',
      configure: { where: 'in target video-prod, under services', yaml: 'kms: {}' },
    });
  });

  it.each([
    ['an include that does not name it', { include: ['prod/*'] }, 'include: ["prod/*", test/db]'],
    ['an exclude that names it', { include: ['*'], exclude: ['test/*', 'old/*'] }, 'exclude: ["old/*"]'],
    ['both', { include: ['prod/*'], exclude: ['test/*'] }, 'include: ["prod/*", test/db]\nexclude: []'],
  ])('says that it is left out by %s, and how it is let in', (_what, options, yaml) => {
    const narrowings = Object.entries(options).map(([option, globs]) => ({
      option,
      globs,
      mode: option === 'include' ? ('only' as const) : ('except' as const),
    }));
    const why = notWatchedBy(coverage(watch({ narrowings })), [told()])('aws', secret('test/db-AbCdEf'));
    expect(why).toMatchObject({ reason: 'excluded', configure: { yaml } });
  });

  it('lets the whole name in as well as the name without what looks like the suffix', () => {
    const narrowings = [{ option: 'include', mode: 'only' as const, globs: ['db-backup'] }];
    const why = notWatchedBy(coverage(watch({ narrowings })), [told()])('aws', secret('db-backup'));
    expect(why.reason).toBe('not_seen');
  });

  it('says that it does not exist where everything is read', () => {
    const why = notWatchedBy(coverage(watch()), [told()])('aws', secret('db'));
    expect(why).toEqual({
      reason: 'not_seen',
      hint: 'keyvigil reads everything there, and sees no such secret: it does not exist.',
    });
  });

  it.each([
    ['was never read', []],
    ['cannot be read', [told({ up: false })]],
    [
      'was not read since the account became known',
      [{ target: 'video-prod', location: 'eu-west-1', service: 'secrets-manager', account: HOME }],
    ],
  ])('does not say that it does not exist while its source %s', (_what, sources) => {
    const why = notWatchedBy(coverage(watch()), sources)('aws', secret('db'));
    expect(why.reason).toBe('not_read');
    expect(why.hint).toContain('video-prod/eu-west-1/secrets-manager');
  });

  it('does not say that it is in an account that nobody watches while a target has not told its account', () => {
    const watches = [watch(), watch({ target: 'other' })];
    const why = notWatchedBy(coverage(...watches), [told()])('aws', secret('db', { account: OTHER }));
    expect(why).toMatchObject({ reason: 'not_read', hint: expect.stringContaining('other/') });
  });

  it('is looked for in every target of its account', () => {
    const watches = [watch(), watch({ target: 'second', service: 'kms' })];
    const sources = [told(), told({ target: 'second', service: 'kms' })];
    const key = `arn:aws:kms:eu-west-1:${HOME}:key/1234`;
    expect(notWatchedBy(coverage(...watches), sources)('aws', key)).toMatchObject({
      reason: 'not_seen',
      hint: expect.stringContaining('or AWS manages it itself'),
    });
  });

  it.each([
    ['aws', `arn:aws:kms:eu-west-1:${HOME}:alias/aws/secretsmanager`, 'cloud_managed'],
    ['aws', `arn:aws:ssm:eu-west-1:${HOME}:parameter/db`, 'no_collector'],
    ['aws', 'db', 'unclear'],
    ['azure', 'https://contoso.vault.azure.net/secrets/db', 'no_collector'],
    ['azure', 'https://contoso.vault.azure.net/keys/cmk', 'other_account'],
    ['azure', 'cmk', 'unclear'],
  ] as const)('of %s: %s is %s', (provider, name, reason) => {
    expect(notWatchedBy(coverage(watch()), [told()])(provider, name).reason).toBe(reason);
  });

  it('of Azure, is in a vault that no subscription shows, or that the configuration leaves out', () => {
    const azure = { target: 'media', location: 'global', service: 'key-vault', provider: 'azure' } as const;
    const source = { ...azure, account: 'sub', up: true };
    const key = 'https://contoso.vault.azure.net/keys/cmk';
    expect(notWatchedBy(coverage(watch(azure)), [source])('azure', key)).toMatchObject({
      reason: 'not_seen',
      configure: { where: 'under targets, with the account that it is in' },
    });
    const globs = ['https://fabrikam.vault.azure.net'];
    const narrowings = [{ option: 'vaults', mode: 'only' as const, globs }];
    expect(notWatchedBy(coverage(watch({ ...azure, narrowings })), [source])('azure', key)).toMatchObject({
      reason: 'excluded',
      configure: { yaml: 'vaults: ["https://fabrikam.vault.azure.net", "https://contoso.vault.azure.net"]' },
    });
  });

  it('thinks about each name once', () => {
    let asked = 0;
    const locate = (): Place => {
      asked += 1;
      return { what: 'secret', service: 'secrets-manager' };
    };
    const explain = notWatchedBy({ watches: [watch()], locate }, [told()]);
    expect(explain('aws', 'a')).toBe(explain('aws', 'a'));
    expect(asked).toBe(1);
  });
});

describe('what it says to configure', () => {
  const HOSTILE = 'x"\n- {name: evil}\u202e: #y';
  const narrowings = [{ option: 'exclude', mode: 'except' as const, globs: [HOSTILE, 'x*'] }];
  const service = (yaml: string) => `targets:
  - name: t
    provider: aws
    regions: [eu-west-1]
    services:
      ${yaml}`;

  it.each([
    [
      'a target',
      notWatchedBy(coverage(watch()), [told()])('aws', secret('db', { account: OTHER })),
      (yaml: string) => `targets:\n  ${yaml}`,
    ],
    [
      'a target of Azure',
      notWatchedBy(coverage(), [])('azure', 'https://contoso.vault.azure.net/keys/cmk'),
      (yaml: string) => `targets:\n  ${yaml}`,
    ],
    [
      'a Region',
      notWatchedBy(coverage(watch()), [told()])('aws', secret('db', { region: 'us-east-1' })),
      (yaml: string) => `targets:\n  - name: t\n    provider: aws\n    ${yaml}`,
    ],
    [
      'a service',
      notWatchedBy(coverage(watch()), [told()])('aws', `arn:aws:kms:eu-west-1:${HOME}:key/1234`),
      (yaml: string) => service(yaml),
    ],
    [
      'a list, hostile names and all',
      notWatchedBy(
        coverage(watch({ narrowings: [...narrowings, { option: 'include', mode: 'only', globs: [HOSTILE] }] })),
        [told()],
      )('aws', secret('xyz')),
      (yaml: string) => service(`secrets-manager:\n        ${yaml.replaceAll('\n', '\n        ')}`),
    ],
  ])('is taken by the configuration as it stands: %s', (_what, why, file) => {
    const yaml = why.configure?.yaml ?? 'none';
    const { issues, config } = parseConfig(file(yaml), '/etc/keyvigil.yaml', { services: SERVICES, env: {} });
    expect(issues).toEqual([]);
    expect(config?.targets).toHaveLength(1);
  });
});
