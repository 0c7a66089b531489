import type { Scenario } from './secrets-scenarios.ts';

/** How to bring the sandbox into the state of each recording of CodeBuild, and what to ask then. */
export const codeBuildScenarios: Readonly<Record<string, Scenario>> = {
  'codebuild-project': async ({ ask, sandbox, account }) => {
    await ask('CreateProject', {
      name: 'test-project',
      description: 'test_codebuild_project',
      source: {
        type: 'GITHUB',
        location: 'https://github.com/mitchellh/packer.git',
        gitCloneDepth: 1,
        gitSubmodulesConfig: { fetchSubmodules: true },
        buildspec: '',
        reportBuildStatus: false,
      },
      sourceVersion: 'master',
      artifacts: { type: 'NO_ARTIFACTS', overrideArtifactName: false },
      environment: {
        type: 'LINUX_CONTAINER',
        image: 'aws/codebuild/standard:1.0',
        computeType: 'BUILD_GENERAL1_SMALL',
        environmentVariables: [
          { name: 'SOME_KEY1', value: 'SOME_VALUE1' },
          { name: 'SOME_KEY2', value: 'SOME_VALUE2', type: 'PARAMETER_STORE' },
        ],
      },
      serviceRole: sandbox.aws.account(account).role('example'),
      timeoutInMinutes: 5,
      tags: [{ key: 'Environment', value: 'Test' }],
      vpcConfig: { vpcId: 'vpc-1', subnets: ['subnet-1'], securityGroupIds: ['sg-1'] },
      logsConfig: {
        cloudWatchLogs: { status: 'ENABLED', groupName: 'log-group', streamName: 'log-stream' },
        s3Logs: { status: 'DISABLED', encryptionDisabled: false },
      },
    });
    return [await ask('ListProjects'), await ask('BatchGetProjects', { names: ['test-project'] })];
  },
};
