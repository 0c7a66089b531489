import type { Input } from '../input.ts';
import { ServiceModel } from '../models.ts';
import { type Operations, partitionOf, type World } from '../world.ts';

/** An environment variable as the API takes it. */
export type Variable = {
  readonly name: string;
  readonly value: string;
  readonly type?: 'PLAINTEXT' | 'PARAMETER_STORE' | 'SECRETS_MANAGER';
};

/** What `createProject` takes: the fields of CreateProject; what the API wants and is left out is filled in. */
export type NewProject = Input & {
  readonly name: string;
  readonly serviceRole?: string;
  readonly encryptionKey?: string;
  readonly environment?: Input & { readonly environmentVariables?: readonly Variable[] };
};

/** A build as scripts see it. */
export type BuildResult = {
  readonly status: string;
  /** The phase that failed, and what it says; undefined while none did. */
  readonly failed: { readonly phase: string; readonly statusCode: string; readonly message: string } | undefined;
};

/** CodeBuild of one region, for scripts. Every project is named by its name or ARN. */
export class CodeBuildModel extends ServiceModel {
  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'codebuild', operations, account, region);
  }

  /**
   * Makes a project that runs an inline buildspec without source, artifacts or secrets unless told otherwise; gives its ARN. A
   * project that is to build needs a `serviceRole` that exists.
   */
  createProject(project: NewProject): string {
    const usual = {
      source: { type: 'NO_SOURCE', buildspec: 'version: 0.2\nphases: {}\n' },
      artifacts: { type: 'NO_ARTIFACTS' },
      serviceRole: `arn:${partitionOf(this.region)}:iam::${this.account}:role/codebuild`,
    };
    const environment = {
      type: 'LINUX_CONTAINER',
      image: 'aws/codebuild/standard:7.0',
      computeType: 'BUILD_GENERAL1_SMALL',
      ...project.environment,
    };
    const created = this.call('CreateProject', { ...usual, ...project, environment });
    return (created.project as { arn: string }).arn;
  }

  /** Changes the fields of UpdateProject, each as a whole. */
  updateProject(name: string, change: Input): void {
    this.call('UpdateProject', { ...change, name });
  }

  /** Deletes a project. */
  deleteProject(name: string): void {
    this.call('DeleteProject', { name });
  }

  /** Starts a build and gives its id; it takes `settings.buildPhaseMs` for each phase. */
  startBuild(projectName: string, overrides: Input = {}): string {
    return (this.call('StartBuild', { ...overrides, projectName }).build as { id: string }).id;
  }

  /** How a build is doing now. */
  build(id: string): BuildResult {
    const { builds } = this.call('BatchGetBuilds', { ids: [id] });
    const [build] = builds as readonly { buildStatus: string; phases: readonly Phase[] }[];
    const phase = build?.phases.find((candidate) => candidate.phaseStatus === 'FAILED');
    const context = phase?.contexts?.[0];
    return {
      status: build?.buildStatus ?? 'NOT_FOUND',
      failed: phase && context && { phase: phase.phaseType, ...context },
    };
  }

  /** The project as BatchGetProjects shows it; undefined when there is none. */
  describe(name: string): Readonly<Record<string, unknown>> | undefined {
    return (this.call('BatchGetProjects', { names: [name] }).projects as readonly Input[])[0];
  }
}

type Phase = {
  readonly phaseType: string;
  readonly phaseStatus?: string;
  readonly contexts?: readonly { readonly statusCode: string; readonly message: string }[];
};
