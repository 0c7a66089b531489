/**
 * What the document on key management says of a secret that a project uses. Its words were taken over from MediaConnect
 * ("the same AWS account that creates the flow"); where CodeBuild's own reference allows more, breaking them is a remark.
 */
import { customerKeyArn, parseArn } from '../arn.ts';
import { looksComplete } from '../secret-names.ts';
import { about, type Edge, type Rule, type Scene, secretName } from './edge.ts';
import { edit, secretCommand } from './remedies.ts';

export const SECRET_RULES: readonly Rule[] = [
  otherAccount,
  otherRegion,
  crossAccountKey,
  defaultKey,
  rotation,
  plaintext,
  ambiguous,
  consoleRole,
];

/** "must be created using the same AWS account"; "specify the secret ARN" for another one (buildspec reference). */
function otherAccount({ edges, project }: Scene) {
  return about(
    edges,
    (edge) => isForeign(edge, project.account),
    (parts, edge) => ({
      id: 'codebuild.secret-account',
      severity: 'info',
      summary: `It reads a secret of account ${edge.arn.account} (${parts}): that takes the complete ARN, a policy of that secret and a key of its owner that both let it.`,
      remedy: `Keep a copy in account ${project.account} and refer to that: ${edit(project, 'environment', 'put the name of the copy into the value')}`,
    }),
  );
}

/** "You must create the secret in the same AWS Region". */
function otherRegion({ edges, project }: Scene) {
  return about(
    edges,
    (edge) => edge.arn.region !== project.location,
    (parts, edge) => ({
      id: 'codebuild.secret-region',
      severity: 'info',
      summary: `It reads a secret in ${edge.arn.region} (${parts}), by its ARN: a name only means a secret in ${project.location}.`,
      remedy: secretCommand(
        edge.use.resource,
        'replicate-secret-to-regions',
        '--add-replica-regions',
        `Region=${project.location}`,
      ),
    }),
  );
}

/** "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key." */
function crossAccountKey({ edges, project }: Scene) {
  return about(
    edges,
    (edge) => isForeign(edge, project.account) && keyOf(edge) === 'default',
    (parts, edge) => ({
      id: 'codebuild.cross-account-key',
      severity: 'warning',
      summary: `A secret of account ${edge.arn.account} is encrypted with that account's default key (${parts}): no other account can read it.`,
      remedy: secretCommand(
        edge.secret?.resource ?? '',
        'update-secret',
        '--kms-key-id',
        'KEY_ARN_THAT_THE_PROJECT_MAY_USE',
      ),
    }),
  );
}

/** "Keep Select the encryption key set to DefaultEncryptionKey." */
function defaultKey({ edges, project }: Scene) {
  return about(
    edges,
    (edge) => !isForeign(edge, project.account) && keyOf(edge) === 'customer',
    (parts, edge) => ({
      id: 'codebuild.default-key',
      severity: 'info',
      summary: `A secret is encrypted with a customer-managed key rather than the default one (${parts}): its role needs kms:Decrypt on that too.`,
      remedy: secretCommand(edge.secret?.resource ?? '', 'update-secret', '--kms-key-id', 'alias/aws/secretsmanager'),
    }),
  );
}

/** "In Configure automatic rotation, choose Disable automatic rotation." */
function rotation({ edges }: Scene) {
  return about(
    edges,
    ({ secret }) => secret?.rotationEnabled === true,
    (parts, edge) => ({
      id: 'codebuild.rotation-enabled',
      severity: 'info',
      summary: `A secret rotates by itself (${parts}): each build reads what is current then, unless it is pinned to a version.`,
      remedy: secretCommand(edge.secret?.resource ?? '', 'cancel-rotate-secret'),
    }),
  );
}

/** "In Specify the key/value pairs to be stored in this secret, choose Plaintext." Registry credentials are pairs. */
function plaintext({ edges, project }: Scene) {
  return about(
    edges,
    ({ use }) => use.attributes?.jsonKey === true && use.role !== 'registry',
    (parts) => ({
      id: 'codebuild.plaintext',
      severity: 'info',
      summary: `It takes one key out of a secret of key/value pairs rather than a secret that is plaintext (${parts}): a build fails if that key is not in the value.`,
      remedy: `Store that value as a secret of its own, as plaintext, and refer to it: ${edit(project, 'environment', 'put its name into the value')}`,
    }),
  );
}

/** "Don't end your secret name with a hyphen followed by six characters" (CreateSecret, Name). */
function ambiguous({ edges, project }: Scene) {
  return about(
    edges,
    ({ use, secret }) =>
      secret !== undefined &&
      secret.resource !== use.resource &&
      use.attributes?.reference === 'arn' &&
      looksComplete(use.resource),
    (parts, edge) => ({
      id: 'codebuild.ambiguous-reference',
      severity: 'warning',
      summary: `It names a secret by an ARN without the random suffix, and the name ends as such a suffix does (${parts}): Secrets Manager takes it for a complete ARN and may find nothing.`,
      remedy: edit(project, 'environment', `put ${edge.secret?.resource} into the value`),
    }),
  );
}

/** "the service role allows access only to secret names that start with /CodeBuild/" (create a project, New service role). */
function consoleRole({ edges, project }: Scene) {
  const role = String(project.attributes.serviceRole ?? '');
  if (!/:role\/service-role\/codebuild-.+-service-role$/.test(role)) return {};
  return about(
    edges,
    (edge) => !secretName(edge).startsWith('/CodeBuild/'),
    (parts) => ({
      id: 'codebuild.console-role',
      severity: 'info',
      summary: `Its role looks like one that the console made, which only reads secrets whose names start with /CodeBuild/ unless it was changed; ${parts} is none of those.`,
      remedy: `Check that ${parseArn(role)?.resource.split('/').at(-1)} may do secretsmanager:GetSecretValue on it, or give the secret a name that starts with /CodeBuild/.`,
    }),
  );
}

function isForeign({ arn }: Edge, account: string): boolean {
  return arn.account !== account;
}

/** Which key encrypts it; undefined where the secret is not known. */
function keyOf({ secret }: Edge): 'default' | 'customer' | undefined {
  if (!secret) return undefined;
  const { kmsKeyId } = secret.attributes;
  const home = parseArn(secret.resource);
  const arn = home && customerKeyArn(typeof kmsKeyId === 'string' ? kmsKeyId : undefined, home);
  return arn === undefined ? 'default' : 'customer';
}
