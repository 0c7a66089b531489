/** The IAM policy that a target needs: what its services declare, and nothing that reads a value. Pure. */
import { neededPermissions } from '../features.ts';
import type { Permission, TargetPolicy } from '../provider.ts';
import { parseArn } from './arn.ts';
import type { AwsTarget } from './connection.ts';
import type { AwsService } from './service.ts';

/** Actions that hand out a value, or what decrypts one. Whatever is not needed among them is denied by name. */
const READS_VALUES: readonly string[] = [
  'kms:Decrypt',
  'secretsmanager:BatchGetSecretValue',
  'secretsmanager:GetSecretValue',
];

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: string;
  readonly Condition?: Permission['condition'];
}

/** @param account that is watched, where it is not the one of the role that the monitor assumes */
export function policyOf(services: readonly AwsService[], target: AwsTarget, account?: string): TargetPolicy {
  const home = account ?? (target.roleArn === undefined ? undefined : parseArn(target.roleArn)?.account);
  const partition = partitionOf(target.regions[0] ?? '');
  const needed = neededPermissions(services, target.services);
  const groups = new Map<string, { actions: Set<string>; resource: string; condition: Permission['condition'] }>();
  for (const { actions, resource, condition } of needed) {
    const where = resource.replaceAll('PARTITION', partition).replaceAll('ACCOUNT', home ?? '*');
    const key = JSON.stringify([where, condition]);
    const group = groups.get(key) ?? { actions: new Set(), resource: where, condition };
    for (const action of actions) group.actions.add(action);
    groups.set(key, group);
  }
  const allowed = [...groups.values()].map(
    ({ actions, resource, condition }, at): Statement => ({
      Sid: `Keyvigil${at + 1}`,
      Effect: 'Allow',
      Action: [...actions].sort(),
      Resource: resource,
      ...(condition && { Condition: condition }),
    }),
  );
  const used = new Set(needed.flatMap(({ actions }) => actions));
  const denied: Statement = {
    Sid: 'NeverReadValues',
    Effect: 'Deny',
    Action: READS_VALUES.filter((action) => !used.has(action)),
    Resource: '*',
  };
  const notes = [
    'AWS lets a KMS key policy overrule this one: it must delegate to IAM, as the default key policy does.',
    ...(home === undefined
      ? ['The account is not known from the configuration, so "*" stands in its place: give --account to narrow it.']
      : []),
    ...(target.roleArn === undefined
      ? []
      : [`The identity that keyvigil starts with also needs sts:AssumeRole on ${target.roleArn}.`]),
  ];
  return { document: { Version: '2012-10-17', Statement: [...allowed, denied] }, notes };
}

/** By what the names of their regions begin with; everything else is `aws`. */
const PARTITIONS: Readonly<Record<string, string>> = {
  'cn-': 'aws-cn',
  'us-gov-': 'aws-us-gov',
  'us-iso-': 'aws-iso',
  'us-isob-': 'aws-iso-b',
  'eu-isoe-': 'aws-iso-e',
  'us-isof-': 'aws-iso-f',
  'eusc-': 'aws-eusc',
};

/** Names of regions tell their partition: the service authorization reference writes its ARNs with it. */
function partitionOf(region: string): string {
  return Object.entries(PARTITIONS).find(([start]) => region.startsWith(start))?.[1] ?? 'aws';
}
