import type { Input } from '../input.ts';
import { flag, list, oneOf, opaque, problemOf, type Shape, structure, text, whole } from '../schema.ts';
import { invalidInput } from './state.ts';

const OWNER_ACCESS = oneOf('NONE', 'READ_ONLY', 'FULL');
const SOURCE_TYPE = oneOf(
  ...['CODECOMMIT', 'CODEPIPELINE', 'GITHUB', 'GITLAB', 'GITLAB_SELF_MANAGED', 'S3', 'BITBUCKET'],
  ...['GITHUB_ENTERPRISE', 'NO_SOURCE'],
);

const SOURCE_AUTH = structure({ type: oneOf('OAUTH', 'CODECONNECTIONS', 'SECRETS_MANAGER'), resource: text() }, 'type');

const SOURCE = structure(
  {
    type: SOURCE_TYPE,
    location: text(),
    gitCloneDepth: whole(0),
    gitSubmodulesConfig: structure({ fetchSubmodules: flag }, 'fetchSubmodules'),
    buildspec: text(),
    auth: SOURCE_AUTH,
    reportBuildStatus: flag,
    buildStatusConfig: structure({ context: text(), targetUrl: text() }),
    insecureSsl: flag,
    sourceIdentifier: text(),
  },
  'type',
);

const ARTIFACTS = structure(
  {
    type: oneOf('CODEPIPELINE', 'S3', 'NO_ARTIFACTS'),
    location: text(),
    path: text(),
    namespaceType: oneOf('NONE', 'BUILD_ID'),
    name: text(),
    packaging: oneOf('NONE', 'ZIP'),
    overrideArtifactName: flag,
    encryptionDisabled: flag,
    artifactIdentifier: text(),
    bucketOwnerAccess: OWNER_ACCESS,
  },
  'type',
);

const CACHE = structure(
  {
    type: oneOf('NO_CACHE', 'S3', 'LOCAL'),
    location: text(),
    modes: list(oneOf('LOCAL_DOCKER_LAYER_CACHE', 'LOCAL_SOURCE_CACHE', 'LOCAL_CUSTOM_CACHE')),
    cacheNamespace: text(),
  },
  'type',
);

const VARIABLES = list(
  structure(
    { name: text({ min: 1 }), value: text(), type: oneOf('PLAINTEXT', 'PARAMETER_STORE', 'SECRETS_MANAGER') },
    'name',
    'value',
  ),
);

const REGISTRY_CREDENTIAL = structure(
  { credential: text({ min: 1 }), credentialProvider: oneOf('SECRETS_MANAGER') },
  'credential',
  'credentialProvider',
);

const ENVIRONMENT_TYPE = oneOf(
  ...['WINDOWS_CONTAINER', 'LINUX_CONTAINER', 'LINUX_GPU_CONTAINER', 'ARM_CONTAINER'],
  ...['WINDOWS_SERVER_2019_CONTAINER', 'WINDOWS_SERVER_2022_CONTAINER', 'LINUX_LAMBDA_CONTAINER'],
  ...['ARM_LAMBDA_CONTAINER', 'LINUX_EC2', 'ARM_EC2', 'WINDOWS_EC2', 'MAC_ARM'],
);

const COMPUTE_TYPE = oneOf(
  ...['BUILD_GENERAL1_SMALL', 'BUILD_GENERAL1_MEDIUM', 'BUILD_GENERAL1_LARGE', 'BUILD_GENERAL1_XLARGE'],
  ...['BUILD_GENERAL1_2XLARGE', 'BUILD_LAMBDA_1GB', 'BUILD_LAMBDA_2GB', 'BUILD_LAMBDA_4GB', 'BUILD_LAMBDA_8GB'],
  ...['BUILD_LAMBDA_10GB', 'ATTRIBUTE_BASED_COMPUTE', 'CUSTOM_INSTANCE_TYPE'],
);

const PULL_CREDENTIALS = oneOf('CODEBUILD', 'SERVICE_ROLE');

const ENVIRONMENT = structure(
  {
    type: ENVIRONMENT_TYPE,
    image: text({ min: 1 }),
    computeType: COMPUTE_TYPE,
    computeConfiguration: opaque,
    fleet: opaque,
    environmentVariables: VARIABLES,
    privilegedMode: flag,
    certificate: text(),
    registryCredential: REGISTRY_CREDENTIAL,
    imagePullCredentialsType: PULL_CREDENTIALS,
    dockerServer: opaque,
  },
  'type',
  'image',
  'computeType',
);

const SWITCH = oneOf('ENABLED', 'DISABLED');
const LOGS = structure({
  cloudWatchLogs: structure({ status: SWITCH, groupName: text(), streamName: text() }, 'status'),
  s3Logs: structure(
    { status: SWITCH, location: text(), encryptionDisabled: flag, bucketOwnerAccess: OWNER_ACCESS },
    'status',
  ),
});

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=@+-]*$/u;

const PROJECT_FIELDS = {
  description: text({ max: 255 }),
  source: SOURCE,
  secondarySources: list(SOURCE, { max: 12 }),
  sourceVersion: text(),
  secondarySourceVersions: list(opaque, { max: 12 }),
  artifacts: ARTIFACTS,
  secondaryArtifacts: list(ARTIFACTS, { max: 12 }),
  cache: CACHE,
  environment: ENVIRONMENT,
  serviceRole: text({ min: 1 }),
  timeoutInMinutes: whole(5, 2160),
  queuedTimeoutInMinutes: whole(5, 480),
  encryptionKey: text({ min: 1 }),
  tags: list(
    structure({
      key: text({ min: 1, max: 127, pattern: TAG_TEXT }),
      value: text({ max: 255, pattern: TAG_TEXT }),
    }),
    { max: 50 },
  ),
  vpcConfig: opaque,
  badgeEnabled: flag,
  logsConfig: LOGS,
  fileSystemLocations: list(opaque),
  buildBatchConfig: opaque,
  concurrentBuildLimit: whole(),
  autoRetryLimit: whole(),
};

const NAMES = list(text({ min: 1 }), { min: 1, max: 100 });

/** What each operation takes, as the API model (2016-10-06) has it. */
const INPUTS: Readonly<Record<string, Shape>> = {
  CreateProject: structure(
    { ...PROJECT_FIELDS, name: text({ min: 2, max: 150, pattern: /^[A-Za-z0-9][A-Za-z0-9\-_]*$/ }) },
    'name',
    'source',
    'artifacts',
    'environment',
    'serviceRole',
  ),
  UpdateProject: structure({ ...PROJECT_FIELDS, name: text({ min: 1 }) }, 'name'),
  DeleteProject: structure({ name: text({ min: 1 }) }, 'name'),
  StartBuild: structure(
    {
      projectName: text({ min: 1 }),
      secondarySourcesOverride: list(SOURCE, { max: 12 }),
      secondarySourcesVersionOverride: list(opaque, { max: 12 }),
      sourceVersion: text(),
      artifactsOverride: ARTIFACTS,
      secondaryArtifactsOverride: list(ARTIFACTS, { max: 12 }),
      environmentVariablesOverride: VARIABLES,
      sourceTypeOverride: SOURCE_TYPE,
      sourceLocationOverride: text(),
      sourceAuthOverride: SOURCE_AUTH,
      gitCloneDepthOverride: whole(0),
      gitSubmodulesConfigOverride: opaque,
      buildspecOverride: text(),
      insecureSslOverride: flag,
      reportBuildStatusOverride: flag,
      buildStatusConfigOverride: opaque,
      environmentTypeOverride: ENVIRONMENT_TYPE,
      imageOverride: text({ min: 1 }),
      computeTypeOverride: COMPUTE_TYPE,
      certificateOverride: text(),
      cacheOverride: CACHE,
      serviceRoleOverride: text({ min: 1 }),
      privilegedModeOverride: flag,
      timeoutInMinutesOverride: whole(5, 2160),
      queuedTimeoutInMinutesOverride: whole(5, 480),
      encryptionKeyOverride: text({ min: 1 }),
      idempotencyToken: text(),
      logsConfigOverride: LOGS,
      registryCredentialOverride: REGISTRY_CREDENTIAL,
      imagePullCredentialsTypeOverride: PULL_CREDENTIALS,
      debugSessionEnabled: flag,
      fleetOverride: opaque,
      autoRetryLimitOverride: whole(),
    },
    'projectName',
  ),
  ListBuildsForProject: structure(
    { projectName: text({ min: 1 }), sortOrder: oneOf('ASCENDING', 'DESCENDING'), nextToken: text() },
    'projectName',
  ),
  BatchGetBuilds: structure({ ids: NAMES }, 'ids'),
  ListProjects: structure({
    sortBy: oneOf('NAME', 'CREATED_TIME', 'LAST_MODIFIED_TIME'),
    sortOrder: oneOf('ASCENDING', 'DESCENDING'),
    nextToken: text({ min: 1 }),
  }),
  BatchGetProjects: structure({ names: NAMES }, 'names'),
};

/** Throws InvalidInputException when the input of `operation` is not what the API takes: a field it does not know, too. */
export function checkInput(operation: string, input: Input): void {
  const shape = INPUTS[operation];
  const problem = shape && problemOf(shape, input);
  if (!problem) return;
  const { because, path, rule } = problem;
  if (because === 'unknown-field') throw invalidInput(`Unrecognized field: ${path}`);
  throw invalidInput(`Invalid value for ${path === '' ? 'the request' : path}: must ${rule}`);
}
