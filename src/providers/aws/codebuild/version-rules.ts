/** Rules on the version of a secret that a project asks for. Without one it gets what is current when a build begins. */
import { VERSIONS_KEPT } from '../secrets-manager/facts.ts';
import { about, type Edge, type Rule, type Scene } from './edge.ts';
import { edit, secretCommand } from './remedies.ts';

export const VERSION_RULES: readonly Rule[] = [gone, pinned, stageMissing, stageAndVersion];

const FOLLOW = 'take the version out of the value';

/** "the unique identifier of the version of the secret that you want to use": one that there is. */
function gone({ edges, project }: Scene) {
  return about(edges, isGone, (parts, { use }) => ({
    id: 'codebuild.version-gone',
    severity: 'critical',
    summary: `It is pinned to version ${use.versionInUse} of a secret that has no such version (${parts}): its builds fail.`,
    remedy: edit(project, partOf(use.role), FOLLOW),
  }));
}

/** A pinned version follows no rotation: harmless until there is a newer one. */
function pinned({ edges, project }: Scene) {
  const held = edges.filter((edge) => edge.use.pinned === true && !isGone(edge));
  const behind = held.filter(({ use, secret }) => hasValue(secret) && secret.version?.id !== use.versionInUse);
  const moved = behind.length > 0;
  return about(
    moved ? behind : held,
    () => true,
    (parts, { use, secret }) => ({
      id: 'codebuild.pinned-version',
      severity: moved ? 'warning' : 'info',
      summary: moved
        ? `It stays with version ${use.versionInUse} of a secret whose current one is ${secret?.version?.id} by now (${parts}).`
        : `It stays with one version of a secret and follows no rotation (${parts}).`,
      remedy: edit(project, partOf(use.role), FOLLOW),
    }),
  );
}

/** "the secret version that you want to retrieve by the staging label attached to the version". */
function stageMissing({ edges }: Scene) {
  return about(edges, lacksStage, (parts, { use, secret }) => ({
    id: 'codebuild.stage-missing',
    severity: 'critical',
    summary: `It asks for the version of a secret with the label ${use.attributes?.stage}, which none has (${parts}): its builds fail.`,
    remedy: secretCommand(
      secret?.resource ?? '',
      'update-secret-version-stage',
      '--version-stage',
      String(use.attributes?.stage),
      '--move-to-version-id',
      secret?.version?.id ?? '',
    ),
  }));
}

/** "If you use version-stage, don't specify version-id." */
function stageAndVersion({ edges, project }: Scene) {
  return about(
    edges,
    ({ use }) => use.versionInUse !== undefined && use.attributes?.stage !== undefined,
    (parts, { use }) => ({
      id: 'codebuild.stage-and-version',
      severity: 'warning',
      summary: `It asks for a version of a secret by its id and by a label at once (${parts}): that only works while the label is on that version.`,
      remedy: edit(project, partOf(use.role), 'take one of the two out of the value'),
    }),
  );
}

function isGone({ use, secret }: Edge): boolean {
  const id = use.versionInUse;
  // A list as long as what is kept of it may have been cut off.
  if (id === undefined || !hasValue(secret) || !secret.versions?.length || secret.versions.length >= VERSIONS_KEPT)
    return false;
  const known = [...secret.versions, secret.version, secret.previousVersion, secret.pendingVersion];
  return !known.some((version) => version?.id === id) && !labels(secret).some(([, version]) => version === id);
}

/** AWSPENDING is no matter of a build: a rotation takes it away within minutes, and facts do not tell all of it. */
function lacksStage({ use, secret }: Edge): boolean {
  const stage = use.attributes?.stage;
  if (typeof stage !== 'string' || !hasValue(secret) || stage === 'AWSCURRENT' || stage === 'AWSPENDING') return false;
  if (stage === 'AWSPREVIOUS') return secret.previousVersion === undefined;
  return !labels(secret).some(([label]) => label === stage);
}

type Secret = NonNullable<Edge['secret']>;

/** One that is lost, or was never filled, is told as that. */
function hasValue(secret: Edge['secret']): secret is Secret {
  return secret?.state === 'Active';
}

/** Labels of one's own, with the versions that carry them. */
function labels({ attributes }: Secret): ReadonlyArray<readonly [label: string, version: string]> {
  const text = String(attributes.customStages ?? '');
  return text.split(' ').flatMap((pair) => {
    const at = pair.lastIndexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
  });
}

function partOf(role: string): 'environment' | 'source' {
  return role === 'buildspec' ? 'source' : 'environment';
}
