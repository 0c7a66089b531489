import { AwsError, secretsError } from '../errors.ts';
import { flag, type Input, needText, oneOf, records, text, texts, whole } from '../input.ts';
import { type Call, denialText, type Operations } from '../world.ts';
import { checkDecryptable } from './keys.ts';
import { listSecretArns } from './listing.ts';
import { findSecret, notFound, refuseDeleted, resolveSecret, type Secret, type Version, versionWith } from './state.ts';
import { describedSecret, listedSecret, listedVersion, readAnswer } from './views.ts';

const DAY_MS = 86_400_000;
const SORT_KEYS = ['created-date', 'last-accessed-date', 'last-changed-date', 'name'] as const;

/** Everything that changes nothing, but for the day of the last access. */
export const readOperations: Operations = {
  DescribeSecret: (call) => describedSecret(resolveSecret(call, needText(call.input, 'SecretId'))),
  ListSecrets,
  ListSecretVersionIds,
  GetSecretValue: (call) => readValue(call, needText(call.input, 'SecretId'), call.input),
  BatchGetSecretValue,
  GetResourcePolicy,
};

function pageOf(call: Call, list: () => readonly string[], size: number, of: string) {
  const owner = `${call.account}/${call.region}/secretsmanager/${call.operation}/${of}`;
  const page = call.world.pages.page(owner, list, size, text(call.input, 'NextToken'), call.paging);
  if (page) return page;
  throw secretsError('InvalidNextTokenException', 'Invalid NextToken value');
}

function ListSecrets(call: Call) {
  const { input } = call;
  const size = whole(input, 'MaxResults', 1, 100) ?? 100;
  const order = {
    sortBy: oneOf(input, 'SortBy', SORT_KEYS) ?? 'created-date',
    descending: oneOf(input, 'SortOrder', ['asc', 'desc']) === 'desc',
  };
  const filters = records(input, 'Filters') ?? [];
  const planned = flag(input, 'IncludePlannedDeletion');
  const page = pageOf(call, () => listSecretArns(call, filters, planned, order), size, '');
  return { SecretList: liveSecrets(call, page.ids).map(listedSecret), NextToken: page.next };
}

function liveSecrets(call: Call, arns: readonly string[]): readonly Secret[] {
  return arns.map((arn) => findSecret(call.store, arn, call.view, call.now)).filter((secret) => secret !== undefined);
}

function ListSecretVersionIds(call: Call) {
  const secret = resolveSecret(call, needText(call.input, 'SecretId'));
  const size = whole(call.input, 'MaxResults', 1, 100) ?? 100;
  const all = flag(call.input, 'IncludeDeprecated');
  const listed = () =>
    secret.versions.filter((version) => all || version.stages.length > 0).map((version) => version.id);
  const page = pageOf(call, listed, size, secret.arn);
  const versions = page.ids.map((id) => secret.versions.find((version) => version.id === id));
  return {
    ARN: secret.arn,
    Name: secret.name,
    NextToken: page.next,
    Versions: versions.filter((version) => version !== undefined).map(listedVersion),
  };
}

function chooseVersion(secret: Secret, input: Input): Version {
  const id = text(input, 'VersionId');
  const stage = text(input, 'VersionStage');
  const version =
    id === undefined
      ? versionWith(secret, stage ?? 'AWSCURRENT')
      : secret.versions.find((candidate) => candidate.id === id);
  if (!version?.value) {
    throw notFound(
      id === undefined ? ` value for staging label: ${stage ?? 'AWSCURRENT'}` : ` value for VersionId: ${id}`,
    );
  }
  if (stage !== undefined && !version.stages.includes(stage)) {
    throw secretsError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  }
  return version;
}

function readValue(call: Call, secretId: string, input: Input) {
  const secret = resolveSecret(call, secretId);
  refuseDeleted(secret);
  const version = chooseVersion(secret, input);
  checkDecryptable(call, secret, version);
  markAccess(call, secret, version.id);
  return readAnswer(secret, version);
}

/** Only the day is kept, and it leaves no trace in LastChangedDate. A primary tells when its replicas were read. */
function markAccess(call: Call, { arn, account, name, primaryRegion }: Secret, versionId: string): void {
  const day = Math.floor(call.now / DAY_MS) * DAY_MS;
  const { secrets } = call.world.store(account, call.region);
  const secret = secrets.get(arn);
  if (!secret) return;
  const versions = secret.versions.map((version) =>
    version.id === versionId ? { ...version, accessedAt: day } : version,
  );
  secrets.amend(arn, { ...secret, accessedAt: day, versions });
  if (primaryRegion === undefined || primaryRegion === call.region) return;
  const home = call.world.store(account, primaryRegion);
  const primary = home.secrets.get(home.secretNames.get(name) ?? '');
  if (!primary) return;
  const replicas = primary.replicas.map((replica) =>
    replica.region === call.region ? { ...replica, accessedAt: day } : replica,
  );
  home.secrets.amend(primary.arn, { ...primary, replicas });
}

function BatchGetSecretValue(call: Call) {
  const { input } = call;
  const ids = texts(input, 'SecretIdList');
  const filters = records(input, 'Filters');
  if ((ids === undefined) === (filters === undefined)) {
    throw secretsError('InvalidParameterException', 'Either SecretIdList or Filters must be provided, but not both.');
  }
  if (ids && ids.length > 20)
    throw secretsError('InvalidParameterException', 'SecretIdList can have at most 20 items.');
  if (ids && input.MaxResults !== undefined) {
    throw secretsError('InvalidParameterException', 'MaxResults can only be used with Filters.');
  }
  const size = whole(input, 'MaxResults', 1, 20) ?? 20;
  const order = { sortBy: 'created-date', descending: false } as const;
  const page = ids
    ? { ids, next: undefined }
    : pageOf(call, () => listSecretArns(call, filters ?? [], false, order), size, '');
  const SecretValues: unknown[] = [];
  const Errors: unknown[] = [];
  for (const id of page.ids) {
    try {
      refuseDenied(call, id);
      SecretValues.push(readValue(call, id, {}));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues, NextToken: page.next, Errors };
}

/** A batch asks for each secret as GetSecretValue does. */
function refuseDenied(call: Call, secretId: string): void {
  const action = 'secretsmanager:GetSecretValue';
  const denial = call.caller && call.world.denial(call, action, [secretId]);
  if (!denial) return;
  throw secretsError('AccessDeniedException', denialText(call, action, secretId, denial.because));
}

function GetResourcePolicy(call: Call) {
  const secret = resolveSecret(call, needText(call.input, 'SecretId'));
  refuseDeleted(secret);
  return { ARN: secret.arn, Name: secret.name, ResourcePolicy: secret.resourcePolicy };
}
