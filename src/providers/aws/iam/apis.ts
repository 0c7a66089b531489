/** What policy simulation calls and needs: spread into the declaration of every service whose looks use it. */
import { FREE, KMS, SECRETS_MANAGER } from '../../prices.ts';
import type { Api, Permission } from '../../provider.ts';

/**
 * AWS publishes no quotas of IAM; these are from memory and low on purpose: others of the account need it too, and simulations
 * are known to be throttled after some hundreds in a row. Quotas of the two others: aws.md 1.1 and 2.5.
 */
export const SIMULATION_APIS: Readonly<Record<string, Api>> = {
  GetRole: { quotaPerSecond: 15, usdPer10k: FREE, accountWide: true },
  SimulatePrincipalPolicy: { quotaPerSecond: 10, usdPer10k: FREE, accountWide: true },
  GetResourcePolicy: { quotaPerSecond: 50, usdPer10k: SECRETS_MANAGER },
  GetKeyPolicy: { quotaPerSecond: 1000, usdPer10k: KMS },
};

/** What those who use simulation need when the opt-in service `iam` is on. */
export const SIMULATION_PERMISSIONS: readonly Permission[] = [
  {
    feature: 'iam',
    actions: ['iam:GetRole'],
    resource: 'arn:PARTITION:iam::ACCOUNT:role/*',
    without: 'whether the roles of consumers exist and trust their services is not known',
  },
  {
    feature: 'iam',
    actions: ['iam:SimulatePrincipalPolicy'],
    resource: 'arn:PARTITION:iam::ACCOUNT:role/*',
    without: 'what the policies of roles allow is not known, and nothing is simulated',
  },
  {
    feature: 'iam',
    actions: ['secretsmanager:GetResourcePolicy'],
    resource: 'arn:PARTITION:secretsmanager:*:ACCOUNT:secret:*',
    without:
      'what the own policies of secrets allow or deny is not seen: a role that needs them counts as "cannot tell"',
  },
  {
    feature: 'iam',
    actions: ['kms:GetKeyPolicy'],
    resource: 'arn:PARTITION:kms:*:ACCOUNT:key/*',
    without: 'what key policies allow or deny is not seen: a role that needs them counts as "cannot tell"',
  },
];
