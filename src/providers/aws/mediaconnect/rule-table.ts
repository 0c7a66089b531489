/** Every rule that a flow can break. */
import { SEVERITIES, type Severity } from '../../../core/model.ts';
import type { RuleInfo } from '../../provider.ts';

/** The documents that keyvigil was made from, and the references beside them. */
const KEYS = 'AWS Elemental MediaConnect User Guide, Key Management';
const SPEKE = 'AWS Elemental MediaConnect User Guide, Key management for SPEKE';
const STATIC_KEYS = 'AWS Elemental MediaConnect User Guide, Setting up static key encryption';
const API = 'AWS Elemental MediaConnect API reference';
const CLOUDFORMATION = 'AWS CloudFormation, AWS::MediaConnect::Flow Encryption';

/** A rule whose severity begins with the one that it has unless a finding says another. */
interface FlowRule extends RuleInfo {
  readonly id: `mediaconnect.${string}`;
  readonly severity: Severity | `${Severity}, ${string}`;
}

export const RULES = [
  {
    id: 'mediaconnect.reported',
    severity: 'critical',
    source: `${API}, DescribeFlow: Messages`,
    meaning:
      'MediaConnect itself says that it cannot use a key of the flow. It takes an output whose key it cannot get off the flow until that is fixed. A refusal while the secret and its KMS key are known to work proves that the access of the flow itself is gone.',
    remedy: 'Give the role of the flow its permissions on the secret again, or repair what the message names.',
    impairs: 'reported_by_service',
  },
  {
    id: 'mediaconnect.secret-account',
    severity: 'critical',
    source: `${KEYS}: "must be created using the same AWS account that creates the flow"; "does not support cross-account sharing of secrets"`,
    meaning: 'The secret is in another account than the flow, so the flow cannot get its key.',
    remedy: 'Store the key in a secret of the account of the flow, and set the flow to that.',
  },
  {
    id: 'mediaconnect.secret-region',
    severity: 'critical',
    source: `${KEYS}: "You must create the secret in the same AWS Region as your flow"; two flows that carry video from one Region to another need "one secret in each Region"`,
    meaning:
      'The secret is in another Region than the flow, so the flow cannot get its key. A replica of the secret in the Region of the flow will do.',
    remedy: 'Replicate the secret to the Region of the flow, and set the flow to the ARN of the replica.',
  },
  {
    id: 'mediaconnect.default-key',
    severity: 'warning',
    source: `${KEYS}: "Keep the Select the encryption key set to DefaultEncryptionKey"`,
    meaning:
      'The secret is encrypted with a customer managed KMS key. It works only as long as that key is usable and the role of the flow may decrypt with it, which the role in the documentation may not.',
    remedy: 'Encrypt the secret with the default key, or allow the role kms:Decrypt and switch the rule off.',
  },
  {
    id: 'mediaconnect.rotation-enabled',
    severity: 'warning',
    source: `${KEYS}: "choose Disable automatic rotation"`,
    meaning:
      'The secret is rotated automatically. Everybody else who has the key goes on with the old one, and the content cannot be decrypted any more.',
    remedy: 'Turn the rotation of the secret off.',
  },
  {
    id: 'mediaconnect.new-version',
    severity: 'warning',
    source: `${STATIC_KEYS}: all participants need the encryption key; both owners of an entitlement must store it`,
    meaning:
      'A key that several parties share was changed within the last day. When the flow takes it up is not documented; until everybody has it, the content of one side cannot be read by the other.',
    remedy: 'Give the new key to everybody who has the old one, or make the version before the current one again.',
  },
  {
    id: 'mediaconnect.plaintext',
    severity: 'critical',
    source: `${KEYS}: "choose Plaintext"; "Clear any text in the box and replace it with the password value"`,
    meaning:
      'The secret does not hold the bare key as text: key/value pairs, binary data, nothing, or a key with blanks or a line end around it.',
    remedy: 'Store the bare key as plaintext.',
  },
  {
    id: 'mediaconnect.plaintext-unverified',
    severity: 'info',
    source: `${KEYS}: "choose Plaintext"`,
    meaning:
      'Whether the secret holds the bare key as text was not verified, because keyvigil does not read values unless told to.',
    remedy: 'Set `access: read` of secrets-manager; the value is judged byte by byte and never kept.',
  },
  {
    id: 'mediaconnect.key-format',
    severity: 'critical, warning for a passphrase',
    source: `${STATIC_KEYS}: "a static key in a hexadecimal format"; AES keys have 128, 192 or 256 bits, SRT passphrases 10 to 79 characters`,
    meaning:
      'The key does not fit what it is used for: a static key that is not hexadecimal or not as long as its algorithm demands (critical), a passphrase too short or too long for SRT (warning).',
    remedy: 'Store a key of the right form, with everybody who shares it.',
  },
  {
    id: 'mediaconnect.algorithm',
    severity: 'warning',
    source: `${CLOUDFORMATION}: "If you are using … SRT-password encryption, this property must be left blank"`,
    meaning: 'The algorithm does not fit the type of the key: a static key without one, or an SRT password with one.',
    remedy: 'Set the algorithm that both ends use, or leave it out for an SRT password.',
  },
  {
    id: 'mediaconnect.protocol',
    severity: 'warning',
    source: `${STATIC_KEYS}: "MediaConnect supports encryption only for entitlements, and for sources and outputs that use the Zixi and SRT protocols"`,
    meaning: 'The encryption is set for a protocol that has none, or with the type of key of the other one.',
    remedy: 'Use a protocol with encryption: a static key with Zixi, an SRT password with SRT.',
  },
  {
    id: 'mediaconnect.key-type-unknown',
    severity: 'info',
    source: `${API}, Encryption: KeyType`,
    meaning:
      'The flow uses a type of key, or an algorithm, that keyvigil does not know, so some rules cannot be judged.',
    remedy: 'Look the flow up, and ask for a version of keyvigil that knows it.',
  },
  {
    id: 'mediaconnect.no-secret',
    severity: 'critical',
    source: `${KEYS}: "You must store your encryption keys if" the source, the entitlement or the output is encrypted`,
    meaning: 'Encryption is set, but no secret that could hold the key.',
    remedy: 'Store the key in a secret, and set the flow to that.',
  },
  {
    id: 'mediaconnect.entitled-without-decryption',
    severity: 'critical, info where nobody can see the other end',
    source: `${KEYS}: "You want to create a flow based on an entitlement that uses encryption"`,
    meaning:
      'The flow takes its content from an entitlement and decrypts nothing. Critical where the flow that grants the entitlement is watched and encrypts; info where that cannot be seen, because MediaConnect does not tell the subscriber.',
    remedy: 'Store the key in the account of the subscriber, and set the decryption of the source.',
  },
  {
    id: 'mediaconnect.entitlement-mismatch',
    severity: 'critical',
    source: `${SPEKE}: the service obtains the encryption key in the originator's flow, and the decryption key in the subscriber's`,
    meaning:
      'The flow that grants the entitlement and the flow that subscribes to it do not encrypt and decrypt in the same way.',
    remedy: 'Set the same type of key and the same algorithm at both ends.',
  },
  {
    id: 'mediaconnect.entitlement-revoked',
    severity: 'warning',
    source: `${API}, ListEntitlements`,
    meaning:
      'The entitlement that a source subscribes to is not granted to the account any more: no content comes, whatever the keys say.',
    remedy: 'Ask the originator to grant the entitlement again.',
  },
  {
    id: 'mediaconnect.role-missing',
    severity: 'critical',
    source: `${API}, Encryption: RoleArn is required; ${KEYS}: "give AWS Elemental MediaConnect permission to obtain the encryption keys"`,
    meaning: 'No role is set with which MediaConnect could get the key.',
    remedy: 'Set a role that mediaconnect.amazonaws.com may assume and that may read the secret.',
  },
  {
    id: 'mediaconnect.role-account',
    severity: 'critical',
    source:
      'AWS IAM User Guide, Granting a user permissions to pass a role: only a role of the same account can be passed to a service',
    meaning: 'The role is one of another account, which MediaConnect cannot be given.',
    remedy: 'Set a role of the account of the flow.',
  },
  {
    id: 'mediaconnect.role-reserved',
    severity: 'warning',
    source: `${STATIC_KEYS}: "We highly recommend that you don't use the name MediaConnectAccessRole because it is reserved"`,
    meaning: 'The role has a name that MediaConnect keeps for itself and may replace.',
    remedy: 'Make a role of another name, and set that.',
  },
  {
    id: 'mediaconnect.speke-outside-entitlement',
    severity: 'critical',
    source: `${SPEKE}: the content is encrypted "before sending it through the entitlement" and decrypted "when the content is received from the entitlement"`,
    meaning:
      'SPEKE is set on a source or output that has nothing to do with an entitlement, where MediaConnect does not support it.',
    remedy: 'Use a static key or an SRT password there.',
  },
  {
    id: 'mediaconnect.speke-fields',
    severity: 'critical',
    source: `${API}, Encryption: URL, Region, resource id and device id are required for SPEKE, RoleArn always`,
    meaning: 'A field that SPEKE needs is missing, so no key can be asked for.',
    remedy: 'Set the fields as the key provider gave them.',
  },
  {
    id: 'mediaconnect.speke-region',
    severity: 'critical',
    source: `${SPEKE}: "Each AWS Elemental MediaConnect flow must reside in the same AWS Region as its API Gateway proxy"`,
    meaning: 'The API Gateway proxy of the key provider is in another Region than the flow.',
    remedy: 'Set up a proxy in the Region of the flow, and set its URL.',
  },
  {
    id: 'mediaconnect.speke-region-unknown',
    severity: 'info',
    source: `${SPEKE}: "The API Gateway must reside in the same AWS Region as the encryptor"`,
    meaning:
      "The URL of the key provider is a name of somebody's own, which does not tell the Region of the API Gateway behind it.",
    remedy: 'Check the Region of the custom domain, or set the default name of the API.',
  },
  {
    id: 'mediaconnect.iv',
    severity: 'warning',
    source: `${API}, Encryption: "a 128-bit, 16-byte hex value represented by a 32-character string"; "not valid for static key encryption"`,
    meaning:
      'A constant initialization vector is set that is not 32 hexadecimal characters, or one for a type of key that has none.',
    remedy: 'Set a vector of 32 hexadecimal characters with SPEKE, and none otherwise.',
  },
] as const satisfies readonly FlowRule[];

export type RuleId = (typeof RULES)[number]['id'];

/** The severity of a rule unless a finding of it says another. */
export function severityOf(rule: RuleId): Severity {
  const told = RULES.find(({ id }) => id === rule)?.severity;
  return SEVERITIES.find((severity) => told?.startsWith(severity)) ?? 'info';
}
