import type { Input } from '../input.ts';
import { ServiceModel } from '../models.ts';
import type { Operations, World } from '../world.ts';

/** What `createProject` takes: the fields of CreateProject; what the API wants and is left out is filled in. */
export type NewProject = Input & { readonly name: string };

/** CodeBuild of one region, for scripts. Every project is named by name or ARN. */
export class CodeBuildModel extends ServiceModel {
  readonly #account: string;

  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'codebuild', operations, account, region);
    this.#account = account;
  }

  /** Makes a project that builds an inline buildspec without source or artifacts unless told otherwise; gives its ARN. */
  createProject(project: NewProject): string {
    const usual = {
      source: { type: 'NO_SOURCE', buildspec: 'version: 0.2\nphases: {}\n' },
      artifacts: { type: 'NO_ARTIFACTS' },
      environment: {},
      serviceRole: `arn:aws:iam::${this.#account}:role/codebuild`,
    };
    const environment = {
      type: 'LINUX_CONTAINER',
      image: 'aws/codebuild/standard:7.0',
      computeType: 'BUILD_GENERAL1_SMALL',
      ...(project.environment as Input | undefined),
    };
    const created = this.call('CreateProject', { ...usual, ...project, environment });
    return (created.project as { arn: string }).arn;
  }
}
