/** What a project itself can be wrong in: what it leaves unencrypted, what it says of its key, what cannot be seen of it. */
import type { Ruling } from '../../rulings.ts';
import type { Rule, Scene } from './edge.ts';
import { DEFAULT_KEY } from './facts.ts';
import { command, edit } from './remedies.ts';

export const PROJECT_RULES: readonly Rule[] = [
  encryptionDisabled,
  managedKey,
  buildKeyVariable,
  unreadable,
  buildspecUnseen,
  buildspecUnreadable,
  registryCredential,
  registryPullRole,
];

/** "You can protect your content from unauthorized use through encryption." */
function encryptionDisabled({ project }: Scene): Ruling {
  const { unencrypted } = project.attributes;
  if (typeof unencrypted !== 'string') return {};
  const [first = ''] = unencrypted.split(', ');
  const part = first === 'S3 logs' ? 'logsConfig' : first.startsWith('secondary') ? 'secondaryArtifacts' : 'artifacts';
  return {
    finding: {
      id: 'codebuild.encryption-disabled',
      severity: 'warning',
      summary: `Encryption is switched off for what it stores: ${unencrypted}.`,
      remedy: edit(
        project,
        part,
        part === 'logsConfig' ? 'set s3Logs.encryptionDisabled to false' : 'set encryptionDisabled to false',
      ),
    },
  };
}

/** "For more information, see Create and Configure an AWS KMS CMK for CodeBuild": what it has without one. */
function managedKey({ project }: Scene): Ruling {
  if (project.attributes.encryptionKey !== DEFAULT_KEY) return {};
  return {
    finding: {
      id: 'codebuild.managed-key',
      severity: 'info',
      summary: `What it stores is encrypted with the key that AWS manages for S3 (${DEFAULT_KEY}): nobody can take that away, and no other account can read with it.`,
      remedy: command(project, 'update-project', '--name', project.name, '--encryption-key', 'KEY_ARN'),
    },
  };
}

/** "Use the CODEBUILD_KMS_KEY environment variable in a build command": by now CodeBuild itself sets CODEBUILD_KMS_KEY_ID. */
function buildKeyVariable({ project }: Scene): Ruling {
  const { buildKeyVariables: names } = project.attributes;
  if (typeof names !== 'string') return {};
  const old = names.split(', ').includes('CODEBUILD_KMS_KEY');
  const instead = old ? '; CODEBUILD_KMS_KEY is the name of an old document, which CodeBuild does not know' : '';
  return {
    finding: {
      id: 'codebuild.build-key-variable',
      severity: 'info',
      summary: `It sets ${names} itself, where CodeBuild sets CODEBUILD_KMS_KEY_ID to the key of the project${instead}.`,
      remedy: edit(project, 'environment', `take ${names} out and use CODEBUILD_KMS_KEY_ID in the commands`),
    },
  };
}

/** "Specify a Secrets Manager reference-key using the following pattern". */
function unreadable({ project }: Scene): Ruling {
  const { unreadable: parts } = project.attributes;
  if (typeof parts !== 'string') return {};
  return {
    finding: {
      id: 'codebuild.unreadable-reference',
      severity: 'warning',
      summary: `This is no reference to a secret or key that can be read: ${parts}.`,
      remedy: edit(
        project,
        'environment',
        'write it as secret-id:json-key:version-stage:version-id, or as the ARN or alias of a key',
      ),
    },
  };
}

function buildspecUnseen({ project }: Scene): Ruling {
  if (project.attributes.buildspec !== 'source') return {};
  return {
    finding: {
      id: 'codebuild.buildspec-unseen',
      severity: 'info',
      summary:
        'Its buildspec is in its source, where only a build sees it: secrets that are named there are not shown.',
      remedy:
        'Name secrets in the environment of the project rather than in the buildspec, if they are to be watched for it.',
    },
  };
}

function buildspecUnreadable({ project }: Scene): Ruling {
  if (project.attributes.buildspec !== 'unreadable') return {};
  return {
    finding: {
      id: 'codebuild.buildspec-unreadable',
      severity: 'warning',
      summary:
        'The buildspec in the project is no YAML or JSON that can be read: what it refers to is not known, and builds are likely to fail.',
      remedy: edit(project, 'source', 'correct buildspec'),
    },
  };
}

/** "You can use Secrets Manager to protect credentials to a private registry that stores a Docker image". */
function registryCredential({ project }: Scene): Ruling {
  const { registry } = project.attributes;
  if (typeof registry !== 'string' || project.uses.some(({ role }) => role === 'registry')) return {};
  return {
    finding: {
      id: 'codebuild.registry-credential',
      severity: 'info',
      summary: `Its image comes from ${registry} without credentials of Secrets Manager: right for a public image, and only for that.`,
      remedy: edit(
        project,
        'environment',
        'set registryCredential to {"credential": "SECRET_ARN", "credentialProvider": "SECRETS_MANAGER"}',
      ),
    },
  };
}

/** "When you use a cross-account or private registry image, you must use SERVICE_ROLE credentials." */
function registryPullRole({ project }: Scene): Ruling {
  const { imagePullCredentials } = project.attributes;
  const uses = project.uses.some(({ role }) => role === 'registry');
  if (!uses || imagePullCredentials === undefined || imagePullCredentials === 'SERVICE_ROLE') return {};
  return {
    finding: {
      id: 'codebuild.registry-pull-role',
      severity: 'warning',
      summary:
        'It has credentials for a private registry, but pulls its image with those of CodeBuild rather than of its own role.',
      remedy: edit(project, 'environment', 'set imagePullCredentialsType to SERVICE_ROLE'),
    },
  };
}
