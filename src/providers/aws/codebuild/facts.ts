/**
 * From what CodeBuild answers about a project to facts. Pure. The answer holds plaintext: what is kept of it are names,
 * switches and references to keys; everything else is dropped here.
 */
import { hash } from 'node:crypto';
import type { EnvironmentVariable, Project, ProjectArtifacts } from '@aws-sdk/client-codebuild';
import type { ConsumerFacts, ConsumerStub, KeyUse, Scalar } from '../../../core/model.ts';
import { attributes, instant, present } from '../../look.ts';
import { type Arn, arnIn, type Home } from '../arn.ts';
import { BadAnswer } from '../paging.ts';
import type { BuildNews } from './builds.ts';
import { BUILD_KEY_VARIABLES, readBuildspec, type Variable } from './buildspec.ts';
import { keyReference, MANAGED, secretReference } from './references.ts';

/** What encrypts the output of a project unless it says otherwise (aws.md 0.9). */
export const DEFAULT_KEY = 'alias/aws/s3';
/** Parts of a project that are named in one attribute: enough to find the rest. */
const NAMED_PARTS = 20;
/** The longest name of a variable that is shown. */
const NAME_LENGTH = 100;

/** Identity of a project. @throws BadAnswer where it has none */
export function stubOf({ arn, name }: Pick<Project, 'arn' | 'name'>): ConsumerStub {
  const { account, region } = projectArn(arn);
  return {
    resource: arn ?? '',
    kind: 'codebuild-project',
    name: name ?? nameOf(arn ?? ''),
    provider: 'aws',
    account,
    location: region,
  };
}

/** The name that calls take: the end of the ARN. */
export function nameOf(arn: string): string {
  return arn.slice(arn.indexOf(':project/') + ':project/'.length);
}

function projectArn(arn: string | undefined): Arn {
  const parsed = arnIn(arn, 'a project');
  if (parsed.service !== 'codebuild' || !parsed.resource.startsWith('project/'))
    throw new BadAnswer('a project has the ARN of something else');
  return parsed;
}

/** What a project refers to, and where that is no reference that can be read. */
interface Found {
  readonly uses: KeyUse[];
  readonly unreadable: string[];
}

/**
 * Facts of one project.
 * @throws BadAnswer where the answer has no identity
 */
export function projectFacts(project: Project): ConsumerFacts {
  const home = projectArn(project.arn);
  const found: Found = { uses: [], unreadable: [] };
  const { environment } = project;
  const variables = environment?.environmentVariables ?? [];
  const buildspec = readBuildspec(project.source?.buildspec);
  const buildKeys = [
    ...variables.filter(isBuildKey).map(({ name = '', value = '' }): Variable => [name, value]),
    ...(buildspec.place === 'inline' ? buildspec.buildKeys : []),
  ];
  const secretsOf = variables.filter(({ type }) => type === 'SECRETS_MANAGER');
  for (const { name = '', value = '' } of secretsOf) takeSecret(found, home, 'environment', `variable ${name}`, value);
  for (const [name, text] of buildspec.place === 'inline' ? buildspec.secrets : [])
    takeSecret(found, home, 'buildspec', `buildspec variable ${name}`, text);
  const { credential, credentialProvider } = environment?.registryCredential ?? {};
  if (credential && (credentialProvider ?? 'SECRETS_MANAGER') === 'SECRETS_MANAGER')
    takeSecret(found, home, 'registry', 'registry credential', credential);
  for (const [name, text] of buildKeys) takeKey(found, home, 'build-key', `variable ${name}`, text);
  const encryptionKey = project.encryptionKey || DEFAULT_KEY;
  for (const [role, part] of encryptedParts(project)) takeKey(found, home, role, part, encryptionKey);
  return {
    ...stubOf(project),
    tags: Object.fromEntries((project.tags ?? []).flatMap(({ key, value }) => (key ? [[key, value ?? '']] : []))),
    uses: found.uses.toSorted(byPlace),
    ...present({ createdAt: instant(project.created) }),
    attributes: attributes({
      buildspec: buildspec.place,
      encryptionKey: keyReference(encryptionKey, home) === MANAGED ? DEFAULT_KEY : keyReference(encryptionKey, home),
      serviceRole: project.serviceRole,
      modifiedAt: instant(project.lastModified),
      unencrypted: named(unencryptedParts(project)),
      unreadable: named(found.unreadable),
      buildKeyVariables: named([...new Set(buildKeys.map(([name]) => name))]),
      registry: registryOf(environment?.image),
      imagePullCredentials: environment?.imagePullCredentialsType,
    }),
  };
}

/** The facts with what the last builds told. */
export function withBuilds(facts: ConsumerFacts, news: BuildNews | 'denied'): ConsumerFacts {
  const told: Record<string, Scalar | undefined> =
    news === 'denied'
      ? { builds: 'denied' }
      : { builds: 'watched', buildError: news.error, buildErrorKey: news.key, buildErrorAt: news.at };
  return { ...facts, attributes: attributes({ ...facts.attributes, ...told }) };
}

/** Changes with every fact; what the facts do not hold decides nothing. */
export function digestOf({ tags, ...facts }: ConsumerFacts): string {
  const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([facts, sorted]), 'base64url').slice(0, 22);
}

/** A plaintext one names the key itself; any other type only where that name is to be found. */
function isBuildKey({ name, type }: EnvironmentVariable): boolean {
  return BUILD_KEY_VARIABLES.includes(name ?? '') && (type ?? 'PLAINTEXT') === 'PLAINTEXT';
}

function takeSecret({ uses, unreadable }: Found, home: Home, role: string, part: string, text: string): void {
  const reference = secretReference(text, home);
  if (!reference) {
    unreadable.push(short(part));
    return;
  }
  const { resource, form, jsonKey, stage, versionId } = reference;
  uses.push({
    resource,
    ...present({ versionInUse: versionId }),
    // A label of one's own is moved by hand: that follows nothing by itself, and stays with nothing either.
    ...(versionId !== undefined
      ? { pinned: true }
      : stage === undefined || stage === 'AWSCURRENT'
        ? { pinned: false }
        : {}),
    role,
    part: short(part),
    attributes: attributes({ reference: form, jsonKey: jsonKey || undefined, stage }),
  });
}

function takeKey({ uses, unreadable }: Found, home: Home, role: string, part: string, text: string): void {
  const resource = keyReference(text, home);
  if (resource === undefined) unreadable.push(short(part));
  else if (resource !== MANAGED) uses.push({ resource, role, part: short(part) });
}

/**
 * What a project stores is encrypted with its key: artifacts, cache and logs, test reports too ("Data encryption" of the
 * user guide). One that stores nothing of those names its key all the same, and whoever takes it away should know.
 */
function encryptedParts(project: Project): ReadonlyArray<readonly [role: string, part: string]> {
  const parts: Array<readonly [string, string]> = [];
  if (artifactsOf(project).some(([, one]) => stores(one) && one.encryptionDisabled !== true))
    parts.push(['artifacts', 'output artifacts']);
  if (project.cache?.type === 'S3') parts.push(['cache', 'cache']);
  const logs = project.logsConfig?.s3Logs;
  if (logs?.status === 'ENABLED' && logs.encryptionDisabled !== true) parts.push(['logs', 'S3 logs']);
  return parts.length > 0 ? parts : [['artifacts', 'encryption key']];
}

/** What is stored and not encrypted. */
function unencryptedParts(project: Project): readonly string[] {
  const logs = project.logsConfig?.s3Logs;
  return [
    ...artifactsOf(project).flatMap(([part, one]) => (stores(one) && one.encryptionDisabled === true ? part : [])),
    ...(logs?.status === 'ENABLED' && logs.encryptionDisabled === true ? ['S3 logs'] : []),
  ];
}

function artifactsOf({ artifacts, secondaryArtifacts }: Project): ReadonlyArray<readonly [string, ProjectArtifacts]> {
  return [
    ...(artifacts ? [['output artifacts', artifacts] as const] : []),
    ...(secondaryArtifacts ?? []).map(
      (one) => [short(`secondary artifacts ${one.artifactIdentifier ?? ''}`.trim()), one] as const,
    ),
  ];
}

function stores({ type }: ProjectArtifacts): boolean {
  return type !== 'NO_ARTIFACTS';
}

/** The host of an image that comes from a registry which is not AWS's; undefined where the image names no host. */
function registryOf(image: string | undefined): string | undefined {
  const host = image?.split('/')[0] ?? '';
  const isHost = image?.includes('/') && /^[a-z0-9.-]+(:\d+)?$/i.test(host) && /[.:]/.test(host);
  if (!isHost || /(^|\.)amazonaws\.com(\.cn)?$/.test(host) || host === 'public.ecr.aws') return undefined;
  return host;
}

function named(parts: readonly string[]): string | undefined {
  if (parts.length === 0) return undefined;
  const more = parts.length - NAMED_PARTS;
  return [...parts.slice(0, NAMED_PARTS), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function short(part: string): string {
  return part.slice(0, NAME_LENGTH);
}

function byPlace(left: KeyUse, right: KeyUse): number {
  const [a, b] = [left, right].map(({ role, part = '', resource }) => `${role} ${part} ${resource}`) as [
    string,
    string,
  ];
  return a < b ? -1 : a > b ? 1 : 0;
}
