import { AwsError } from '../errors.ts';
import { type Input, needText, record, records, text, texts } from '../input.ts';
import { asRole } from '../service-roles.ts';
import type { Call, Operations } from '../world.ts';
import { checkInput } from './shapes.ts';
import { findProject, invalidInput, notFound, type Project, projectArn } from './state.ts';
import { projectView } from './views.ts';

/** Projects: what is built, how, and with which keys. */
export const projectOperations: Operations = {
  CreateProject,
  UpdateProject,
  DeleteProject,
  ListProjects,
  BatchGetProjects,
};

/** Names on one page of a list. */
const PAGE = 100;

function CreateProject(call: Call) {
  checkInput('CreateProject', call.input);
  const { name: given, ...fields } = call.input;
  const name = needText({ name: given }, 'name');
  checkProject(call, fields);
  if (call.store.projects.get(name)) {
    const message = `Project already exists: ${projectArn(call, name)}`;
    throw new AwsError('ResourceAlreadyExistsException', message, 'message');
  }
  const { now } = call;
  return saved(call, { name, arn: projectArn(call, name), createdAt: now, changedAt: now, fields });
}

/** Only the fields that are given change; each is replaced as a whole. */
function UpdateProject(call: Call) {
  checkInput('UpdateProject', call.input);
  const { name: given, ...changes } = call.input;
  const name = needText({ name: given }, 'name');
  const project = findProject({ ...call, view: 'latest' }, name);
  if (!project) throw notFound(`Project cannot be found: ${projectArn(call, name)}`);
  const fields = { ...project.fields, ...changes };
  checkProject(call, fields);
  return saved(call, { ...project, fields, changedAt: call.now });
}

function saved(call: Call, project: Project) {
  call.store.projects.put(project.name, project, call.now);
  return { project: projectView(call, project) };
}

/** What AWS refuses beyond the shape of the request. The owner of the sandbox may name a role that does not exist. */
function checkProject(call: Call, fields: Input): void {
  const source = record(fields, 'source') ?? {};
  if (source.type === 'NO_SOURCE' && !text(source, 'buildspec')) {
    throw invalidInput('Invalid project source: buildspec is required when the source type is NO_SOURCE');
  }
  for (const artifacts of [record(fields, 'artifacts') ?? {}, ...(records(fields, 'secondaryArtifacts') ?? [])]) {
    if (artifacts.type === 'S3' && !text(artifacts, 'location')) {
      throw invalidInput('Invalid artifacts: location must be a valid S3 bucket');
    }
  }
  const cache = record(fields, 'cache') ?? {};
  if (cache.type === 'S3' && !text(cache, 'location')) {
    throw invalidInput('Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix');
  }
  const environment = record(fields, 'environment') ?? {};
  if (environment.registryCredential != null && environment.imagePullCredentialsType !== 'SERVICE_ROLE') {
    throw invalidInput('Invalid environment: registryCredential needs imagePullCredentialsType SERVICE_ROLE');
  }
  const role = text(fields, 'serviceRole') ?? '';
  if (call.caller && !asRole(call, role, 'codebuild.amazonaws.com', 'AWSCodeBuild')) {
    throw invalidInput(`CodeBuild is not authorized to perform: sts:AssumeRole on ${role}`);
  }
}

/** A project that is not there is deleted just as well. */
function DeleteProject(call: Call) {
  checkInput('DeleteProject', call.input);
  const project = findProject({ ...call, view: 'latest' }, needText(call.input, 'name'));
  if (project) call.store.projects.put(project.name, undefined, call.now);
  return {};
}

function ListProjects(call: Call) {
  checkInput('ListProjects', call.input);
  const { input, store, view } = call;
  const sorted = () => {
    const all = [...store.projects.ids()].map((name) => store.projects.get(name, view));
    const found = all.filter((project) => project !== undefined).sort(orderBy(text(input, 'sortBy')));
    if (input.sortOrder === 'DESCENDING') found.reverse();
    return found.map((project) => project.name);
  };
  const owner = `${call.account}/${call.region}/codebuild/ListProjects`;
  const page = call.world.pages.page(owner, sorted, PAGE, text(input, 'nextToken'), call.paging);
  if (!page) throw invalidInput('Invalid next token');
  return { projects: page.ids, nextToken: page.next };
}

function orderBy(field: string | undefined): (one: Project, other: Project) => number {
  if (field === 'CREATED_TIME') return (one, other) => one.createdAt - other.createdAt;
  if (field === 'LAST_MODIFIED_TIME') return (one, other) => one.changedAt - other.changedAt;
  return (one, other) => (one.name < other.name ? -1 : 1);
}

function BatchGetProjects(call: Call) {
  checkInput('BatchGetProjects', call.input);
  const projects: Input[] = [];
  const projectsNotFound: string[] = [];
  for (const name of new Set(texts(call.input, 'names'))) {
    const project = findProject(call, name);
    if (project) projects.push(projectView(call, project));
    else projectsNotFound.push(name);
  }
  return { projects, projectsNotFound };
}
