/** AWS CodeBuild: the declaration. Loading this loads no SDK. */
import { z } from 'zod';
import { FREE } from '../../prices.ts';
import { AwsServiceFields } from '../config.ts';
import { SIMULATION_APIS, SIMULATION_PERMISSIONS } from '../iam/apis.ts';
import { simulationRules } from '../iam/rule-table.ts';
import type { AwsService } from '../service.ts';
import { calls } from './calls.ts';
import { RULES } from './rule-table.ts';
import { judge } from './rules.ts';

const Options = z.strictObject({
  ...AwsServiceFields,
  include: z.array(z.string().min(1)).default(['*']).describe('Globs over the names of the projects to watch'),
  exclude: z.array(z.string().min(1)).default([]).describe('Globs over the names of the projects to leave out'),
  builds: z
    .boolean()
    .default(false)
    .describe(
      'Also look at the last builds, which tell of keys that they were refused: one call more per project and sweep',
    ),
});
/** Options of `targets[].services.codebuild`, parsed. */
export type Options = z.output<typeof Options>;

const PROJECTS = 'arn:PARTITION:codebuild:*:ACCOUNT:project/*';
/** AWS publishes no rates for CodeBuild, and charges nothing for calls: this many per second trouble nobody. */
const MODEST = { quotaPerSecond: 10, usdPer10k: FREE };

export const codebuild: AwsService = {
  name: 'codebuild',
  provider: 'aws',
  title: 'AWS CodeBuild',
  kinds: ['codebuild-project'],
  listing: 'state',
  config: Options,
  permissions: [
    {
      feature: 'base',
      actions: ['codebuild:ListProjects'],
      resource: '*',
      without: 'nothing is seen: projects are found by listing them',
    },
    {
      feature: 'base',
      actions: ['codebuild:BatchGetProjects'],
      resource: PROJECTS,
      without: 'which keys and secrets the projects use is unknown',
    },
    {
      feature: 'builds: true',
      actions: ['codebuild:ListBuildsForProject', 'codebuild:BatchGetBuilds'],
      resource: PROJECTS,
      without: 'what builds report of the keys and secrets that they were refused is unknown',
    },
    ...SIMULATION_PERMISSIONS,
  ],
  apis: {
    ListProjects: MODEST,
    BatchGetProjects: MODEST,
    ListBuildsForProject: MODEST,
    BatchGetBuilds: MODEST,
    ...SIMULATION_APIS,
  },
  describeOperation: 'BatchGetProjects',
  calls,
  rules: [...RULES, ...simulationRules('codebuild')],
  consumers: { judge },
  load: () => import('./session.ts'),
};
