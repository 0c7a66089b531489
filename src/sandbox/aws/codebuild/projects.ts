import { AwsError } from '../errors.ts';
import { type Input, needText, record, text, texts } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { checkInput } from './shapes.ts';
import { findProject, invalidInput, type Project, projectArn } from './state.ts';
import { projectView } from './views.ts';

/** Projects: what is built, how, and with which keys. */
export const projectOperations: Operations = { CreateProject, ListProjects, BatchGetProjects };

/** Names on one page of a list. */
const PAGE = 100;

function CreateProject(call: Call) {
  checkInput('CreateProject', call.input);
  const { name, ...fields } = call.input;
  const id = needText({ name }, 'name');
  checkProject(fields);
  if (call.store.projects.get(id)) {
    const message = `Project already exists: ${projectArn(call, id)}`;
    throw new AwsError('ResourceAlreadyExistsException', message, 'message');
  }
  const { now } = call;
  const project: Project = { name: id, arn: projectArn(call, id), createdAt: now, changedAt: now, fields };
  call.store.projects.put(id, project, now);
  return { project: projectView(call, project) };
}

/** What AWS refuses beyond the shape of the request. */
function checkProject(fields: Input): void {
  const source = record(fields, 'source') ?? {};
  if (source.type === 'NO_SOURCE' && !text(source, 'buildspec')) {
    throw invalidInput('Buildspec is required for the source type NO_SOURCE');
  }
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
