import { type Input, isRecord, needText, record, records, text, texts } from '../input.ts';
import { type Call, type Operations, partitionOf, seconds } from '../world.ts';
import { type Failure, failureOf, PHASES, type PhaseName } from './run.ts';
import { checkInput } from './shapes.ts';
import { findProject, invalidInput, notFound, type Project, projectArn } from './state.ts';
import { settingsView } from './views.ts';

/** A build, immutable. What it does follows from when it started and where it fails. */
export type Build = {
  /** `project:uuid` */
  readonly id: string;
  readonly arn: string;
  readonly number: number;
  readonly projectName: string;
  readonly startedAt: number;
  /** ms; what each phase takes. */
  readonly phaseMs: number;
  /** The fields of its project, with what StartBuild overrode. */
  readonly fields: Input;
  readonly initiator: string;
  readonly failure: Failure | undefined;
};

/** Builds of projects. */
export const buildOperations: Operations = { StartBuild, ListBuildsForProject, BatchGetBuilds };

/** Ids on one page of a list. */
const PAGE = 100;

function existing(call: Call, name: string): Project {
  const project = findProject(call, name);
  if (project) return project;
  throw notFound(`Project cannot be found: ${name.startsWith('arn:') ? name : projectArn(call, name)}`);
}

function StartBuild(call: Call) {
  checkInput('StartBuild', call.input);
  const project = existing({ ...call, view: 'latest' }, needText(call.input, 'projectName'));
  const uuid = call.world.random.uuid();
  const id = `${project.name}:${uuid}`;
  const fields = overridden(project.fields, call.input);
  const { builds } = call.store;
  const build: Build = {
    id,
    arn: `arn:${partitionOf(call.region)}:codebuild:${call.region}:${call.account}:build/${id}`,
    number: [...builds.values()].filter((other) => other.projectName === project.name).length + 1,
    projectName: project.name,
    startedAt: call.now,
    phaseMs: call.world.settings.buildPhaseMs,
    fields,
    initiator: call.caller?.arn.split(':').at(-1) ?? 'root',
    failure: failureOf(call, fields, uuid),
  };
  builds.set(id, build);
  return { build: buildView(call, build) };
}

/** Overrides that replace one field of the project, or one of its environment or source. */
const OVERRIDES: Readonly<Record<string, readonly ['' | 'environment' | 'source', string]>> = {
  secondarySourcesOverride: ['', 'secondarySources'],
  secondarySourcesVersionOverride: ['', 'secondarySourceVersions'],
  sourceVersion: ['', 'sourceVersion'],
  artifactsOverride: ['', 'artifacts'],
  secondaryArtifactsOverride: ['', 'secondaryArtifacts'],
  cacheOverride: ['', 'cache'],
  serviceRoleOverride: ['', 'serviceRole'],
  timeoutInMinutesOverride: ['', 'timeoutInMinutes'],
  queuedTimeoutInMinutesOverride: ['', 'queuedTimeoutInMinutes'],
  encryptionKeyOverride: ['', 'encryptionKey'],
  logsConfigOverride: ['', 'logsConfig'],
  sourceTypeOverride: ['source', 'type'],
  sourceLocationOverride: ['source', 'location'],
  sourceAuthOverride: ['source', 'auth'],
  gitCloneDepthOverride: ['source', 'gitCloneDepth'],
  buildspecOverride: ['source', 'buildspec'],
  environmentTypeOverride: ['environment', 'type'],
  imageOverride: ['environment', 'image'],
  computeTypeOverride: ['environment', 'computeType'],
  certificateOverride: ['environment', 'certificate'],
  privilegedModeOverride: ['environment', 'privilegedMode'],
  registryCredentialOverride: ['environment', 'registryCredential'],
  imagePullCredentialsTypeOverride: ['environment', 'imagePullCredentialsType'],
};

function overridden(fields: Input, input: Input): Input {
  const changed: Record<string, Input> = {
    '': { ...fields },
    source: record(fields, 'source') ?? {},
    environment: record(fields, 'environment') ?? {},
  };
  for (const [name, value] of Object.entries(input)) {
    const [part, field] = (Object.hasOwn(OVERRIDES, name) ? OVERRIDES[name] : undefined) ?? [];
    if (part !== undefined && field !== undefined && value != null)
      changed[part] = { ...changed[part], [field]: value };
  }
  const environment = withVariables(changed.environment ?? {}, records(input, 'environmentVariablesOverride') ?? []);
  return { ...changed[''], source: changed.source, environment };
}

/** Variables of a build stand beside those of the project, and replace those of the same name. */
function withVariables(environment: Input, variables: readonly Input[]): Input {
  const names = new Set(variables.map((variable) => variable.name));
  const kept = (records(environment, 'environmentVariables') ?? []).filter(({ name }) => !names.has(name));
  return { ...environment, environmentVariables: [...kept, ...variables] };
}

function ListBuildsForProject(call: Call) {
  checkInput('ListBuildsForProject', call.input);
  const { input } = call;
  const project = existing(call, needText(input, 'projectName'));
  const newestFirst = input.sortOrder !== 'ASCENDING';
  const listed = () => {
    const ids = [...call.store.builds.values()]
      .filter((build) => build.projectName === project.name)
      .map((build) => build.id);
    return newestFirst ? ids.reverse() : ids;
  };
  const owner = `${call.account}/${call.region}/codebuild/ListBuildsForProject/${project.name}`;
  const page = call.world.pages.page(owner, listed, PAGE, text(input, 'nextToken'), call.paging);
  if (!page) throw invalidInput('Invalid next token');
  return { ids: page.ids, nextToken: page.next };
}

function BatchGetBuilds(call: Call) {
  checkInput('BatchGetBuilds', call.input);
  const builds: Input[] = [];
  const buildsNotFound: string[] = [];
  for (const asked of new Set(texts(call.input, 'ids'))) {
    const build = call.store.builds.get(asked.split(':build/').at(-1) ?? '');
    if (build && (build.id === asked || build.arn === asked)) builds.push(buildView(call, build));
    else buildsNotFound.push(asked);
  }
  return { builds, buildsNotFound };
}

/** The phases that the build goes through: a failure leads to the end, through FINALIZING once there was a machine. */
function path(failure: Failure | undefined): readonly PhaseName[] {
  if (!failure) return PHASES;
  const upTo = PHASES.slice(0, PHASES.indexOf(failure.phase) + 1);
  const hadMachine = upTo.includes('DOWNLOAD_SOURCE');
  return [...upTo, ...(hadMachine ? (['FINALIZING', 'COMPLETED'] as const) : (['COMPLETED'] as const))];
}

function phasesOf(build: Build, now: number): readonly Input[] {
  const reached: Input[] = [];
  for (const [index, phaseType] of path(build.failure).entries()) {
    const startsAt = build.startedAt + index * build.phaseMs;
    if (startsAt > now) break;
    const endsAt = startsAt + build.phaseMs;
    if (phaseType === 'COMPLETED' || endsAt > now) {
      reached.push({ phaseType, startTime: seconds(startsAt) });
      break;
    }
    const failed = build.failure?.phase === phaseType ? build.failure : undefined;
    reached.push({
      phaseType,
      phaseStatus: failed ? 'FAILED' : 'SUCCEEDED',
      startTime: seconds(startsAt),
      endTime: seconds(endsAt),
      durationInSeconds: Math.floor(build.phaseMs / 1000),
      contexts: [{ statusCode: failed?.statusCode ?? '', message: failed?.message ?? '' }],
    });
  }
  return reached;
}

function buildView(call: Call, build: Build): Input {
  const phases = phasesOf(build, call.now);
  const last = phases.at(-1);
  const complete = last?.phaseType === 'COMPLETED';
  const ended = complete ? (build.failure ? 'FAILED' : 'SUCCEEDED') : 'IN_PROGRESS';
  const { tags: _tags, artifacts, secondaryArtifacts, ...settings } = settingsView(call, build.fields);
  return {
    id: build.id,
    arn: build.arn,
    buildNumber: build.number,
    startTime: seconds(build.startedAt),
    ...(complete && { endTime: last?.startTime }),
    currentPhase: last?.phaseType ?? 'SUBMITTED',
    buildStatus: ended,
    projectName: build.projectName,
    phases,
    ...settings,
    artifacts: artifactView(artifacts),
    ...(Array.isArray(secondaryArtifacts) && { secondaryArtifacts: secondaryArtifacts.map(artifactView) }),
    buildComplete: complete,
    initiator: build.initiator,
  };
}

function artifactView(artifacts: unknown): Input {
  const { location, overrideArtifactName, encryptionDisabled, artifactIdentifier } = isRecord(artifacts)
    ? artifacts
    : {};
  return { location: location ?? '', overrideArtifactName, encryptionDisabled, artifactIdentifier };
}
