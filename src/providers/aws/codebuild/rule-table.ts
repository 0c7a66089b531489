/** The rules of CodeBuild for people. */
import type { RuleInfo } from '../../provider.ts';

const DOCUMENT = 'CodeBuild user guide, Key Management';
const BUILDSPEC = 'CodeBuild user guide, Build specification reference, env/secrets-manager';
const CONSOLE = 'CodeBuild user guide, Create a build project (console)';
const REGISTRY = 'CodeBuild user guide, Private registry with AWS Secrets Manager sample';
const API = 'CodeBuild API reference';

export const RULES: readonly RuleInfo[] = [
  {
    id: 'codebuild.secret-account',
    severity: 'info',
    source: `${DOCUMENT}: "must be created using the same AWS account". ${BUILDSPEC}, allows it: "To access a secret in a different AWS account, specify the secret ARN."`,
    meaning:
      'A secret is in another account than the project. It works only while a policy of the secret and of its key let the role of the project read it, which the owner of that account decides.',
    remedy: 'Keep a copy of the secret in the account of the project.',
  },
  {
    id: 'codebuild.secret-region',
    severity: 'info',
    source: `${DOCUMENT}: "You must create the secret in the same AWS Region". ${REGISTRY}: "You cannot use the credential name if the credentials exist in a different Region."`,
    meaning:
      'A secret is named by an ARN of another Region than the project’s. A name only ever means a secret of the same Region. The project depends on two Regions.',
    remedy: 'Replicate the secret into the Region of the project and refer to the replica.',
  },
  {
    id: 'codebuild.cross-account-key',
    severity: 'warning',
    source:
      'Secrets Manager: "You can\'t access a secret from a different AWS account if you encrypt the secret with the default KMS service key."',
    meaning:
      'A secret of another account is encrypted with the default key of that account. Every build that reads it fails.',
    remedy: 'Encrypt the secret with a customer-managed key whose policy lets the role of the project decrypt.',
  },
  {
    id: 'codebuild.default-key',
    severity: 'info',
    source: `${DOCUMENT}: "Keep Select the encryption key set to DefaultEncryptionKey."`,
    meaning:
      'A secret is encrypted with a customer-managed key. That can be disabled or deleted, and the role of the project needs kms:Decrypt on it.',
    remedy: 'Use the default key, or see to it that the role may decrypt; keyvigil watches the key.',
  },
  {
    id: 'codebuild.rotation-enabled',
    severity: 'info',
    source: `${DOCUMENT}: "In Configure automatic rotation, choose Disable automatic rotation."`,
    meaning:
      'A secret rotates by itself. A build reads what is current when it begins, so that what it talks to must have moved on with it.',
    remedy: 'Switch rotation off where the document is to be followed to the letter.',
  },
  {
    id: 'codebuild.plaintext',
    severity: 'info',
    source: `${DOCUMENT}: "choose Plaintext".`,
    meaning:
      'One key is taken out of a secret of key/value pairs. Whether that key is in the value only a build finds out. Of a reference without a key it is not known what the value is like: keyvigil does not read it.',
    remedy: 'Store the value as a secret of its own, as plaintext.',
  },
  {
    id: 'codebuild.ambiguous-reference',
    severity: 'warning',
    source:
      'Secrets Manager API reference, CreateSecret: "Don\'t end your secret name with a hyphen followed by six characters."',
    meaning:
      'The name of a secret ends as the random suffix of an ARN does, and the project names it by an ARN without that suffix. Secrets Manager takes this for a complete ARN, and may not find the secret.',
    remedy: 'Refer to it by its complete ARN, or by its name alone.',
  },
  {
    id: 'codebuild.console-role',
    severity: 'info',
    source: `${CONSOLE}: "the service role allows access only to secret names that start with /CodeBuild/".`,
    meaning:
      'The role looks like one that the console made, and the secret is not named /CodeBuild/…. Unless the role was changed, builds are refused the secret.',
    remedy: 'Let the role read the secret.',
  },
  {
    id: 'codebuild.version-gone',
    severity: 'critical',
    source: `${BUILDSPEC}: version-id, "the unique identifier of the version of the secret that you want to use".`,
    meaning: 'The project is pinned to a version that the secret does not have (any more). Its builds fail.',
    remedy: 'Take the version out of the reference.',
  },
  {
    id: 'codebuild.pinned-version',
    severity: 'info, warning once the secret has moved on',
    source: `${BUILDSPEC}: version-id; without one "the default is to retrieve the version with the version stage value of AWSCURRENT".`,
    meaning:
      'The project stays with one version of a secret. After a rotation its builds use a value that whoever they talk to may refuse.',
    remedy: 'Take the version out of the reference.',
  },
  {
    id: 'codebuild.stage-missing',
    severity: 'critical',
    source: `${BUILDSPEC}: version-stage, "the staging label attached to the version".`,
    meaning: 'The project asks for the version of a secret that carries a label, and none carries it. Its builds fail.',
    remedy: 'Put the label on a version, or take it out of the reference.',
  },
  {
    id: 'codebuild.stage-and-version',
    severity: 'warning',
    source: `${BUILDSPEC}: "If you use version-stage, don't specify version-id."`,
    meaning: 'A reference has both a label and a version. It works only as long as the label is on that version.',
    remedy: 'Take one of the two out of the reference.',
  },
  {
    id: 'codebuild.unreadable-reference',
    severity: 'warning',
    source: `${BUILDSPEC}: "Specify a Secrets Manager reference-key using the following pattern".`,
    meaning:
      'What stands where a secret or a key is to be named is no reference that can be read. What stands there is not kept: it may be a value.',
    remedy: 'Write it as secret-id:json-key:version-stage:version-id, or as the ARN or alias of a key.',
  },
  {
    id: 'codebuild.encryption-disabled',
    severity: 'warning',
    source: `${DOCUMENT}: "You can protect your content from unauthorized use through encryption." ${API}: encryptionDisabled of ProjectArtifacts and S3LogsConfig.`,
    meaning: 'Artifacts or logs are stored without encryption by the project.',
    remedy: 'Set encryptionDisabled to false.',
  },
  {
    id: 'codebuild.managed-key',
    severity: 'info',
    source: `${DOCUMENT}: "Create and Configure an AWS KMS CMK for CodeBuild". ${API}, encryptionKey: "If you don't specify a value, CodeBuild uses the managed CMK for Amazon S3."`,
    meaning:
      'What the project stores is encrypted with alias/aws/s3, the default of the account. There is nothing to lose, and no other account can read it.',
    remedy: 'Give the project a customer-managed key if other accounts are to read what it stores.',
  },
  {
    id: 'codebuild.build-key-variable',
    severity: 'info',
    source: `${DOCUMENT}: "Use the CODEBUILD_KMS_KEY environment variable in a build command". CodeBuild user guide, Environment variables in build environments: CODEBUILD_KMS_KEY_ID; what else starts with CODEBUILD_ is for internal use.`,
    meaning:
      'The project sets the variable itself. CodeBuild sets CODEBUILD_KMS_KEY_ID by itself; CODEBUILD_KMS_KEY is an older spelling that it does not know. The key that is named counts as one that builds need.',
    remedy: 'Use CODEBUILD_KMS_KEY_ID in commands, and set neither.',
  },
  {
    id: 'codebuild.buildspec-unseen',
    severity: 'info',
    source: `${API}, ProjectSource, buildspec: a path or an ARN, or none at all.`,
    meaning:
      'The buildspec is in the source. Secrets that only it names cannot be seen, so that nothing tells when they are lost.',
    remedy: 'Name secrets in the environment of the project.',
  },
  {
    id: 'codebuild.buildspec-unreadable',
    severity: 'warning',
    source: `${API}, ProjectSource, buildspec: "an inline buildspec definition".`,
    meaning: 'The buildspec in the project is neither YAML nor JSON. What it refers to is not known.',
    remedy: 'Correct the buildspec.',
  },
  {
    id: 'codebuild.registry-credential',
    severity: 'info',
    source: `${DOCUMENT}: "You can use Secrets Manager to protect credentials to a private registry that stores a Docker image used for your runtime environment."`,
    meaning:
      'The image comes from a registry that is not AWS’s, without credentials of Secrets Manager. That is right for a public image.',
    remedy: 'Store the credentials in Secrets Manager and name them in registryCredential.',
  },
  {
    id: 'codebuild.registry-pull-role',
    severity: 'warning',
    source: `${API}, imagePullCredentialsType: "When you use a cross-account or private registry image, you must use SERVICE_ROLE credentials."`,
    meaning: 'There are credentials for a private registry, but the image is pulled with those of CodeBuild.',
    remedy: 'Set imagePullCredentialsType to SERVICE_ROLE.',
  },
  {
    id: 'codebuild.access-denied',
    severity: 'critical, info once the build is a week old or the project was changed since',
    source: `${CONSOLE}: "the build project's service role must allow the secretsmanager:GetSecretValue action". Only with builds: true.`,
    meaning: 'The last build that tells anything was refused a secret.',
    remedy: 'Let the role of the project read the secret.',
    impairs: 'access_revoked',
  },
  {
    id: 'codebuild.reported',
    severity: 'critical, info once the build is a week old or the project was changed since',
    source: `${DOCUMENT}: "give CodeBuild permission to obtain the encryption keys". ${API}, PhaseContext: "Secrets Manager Error". Only with builds: true.`,
    meaning: 'The last build that tells anything failed over a secret, or over the key of what it stores.',
    remedy: 'Undo what is wrong with the secret or key, then start a build.',
    impairs: 'reported_by_service',
  },
  {
    id: 'codebuild.builds-denied',
    severity: 'info',
    source: `${API}, ListBuildsForProject and BatchGetBuilds. Only with builds: true.`,
    meaning: 'keyvigil may not look at the builds of the project.',
    remedy: 'Allow both operations, or switch builds off.',
  },
];
