/** Rules on the secret that holds a key of a flow: "Storing Encryption Keys in AWS Secrets Manager". */
import type { KeyFacts } from '../../../core/model.ts';
import { utc, visible } from '../../../core/text.ts';
import { parseArn } from '../arn.ts';
import { aboutSecret, inRegion, newSecret, useSecret } from './commands.ts';
import type { Edge, Rule } from './edge.ts';

/** How long a new version is told: long enough for whoever comes to work tomorrow. */
const ANNOUNCED_MS = 86_400_000;
/** Shared keys: whoever sends or receives has the same one. */
const SHARED: readonly unknown[] = ['static-key', 'srt-password'];
const HEX_BYTES: Readonly<Record<string, number>> = { aes128: 16, aes192: 24, aes256: 32 };

export const SECRET_RULES: readonly Rule[] = [
  secretAccount,
  secretRegion,
  defaultKey,
  rotationEnabled,
  newVersion,
  plaintext,
  keyFormat,
];

function secretAccount(edge: Edge): ReturnType<Rule> {
  const { arn, flow } = edge;
  if (!arn || arn.account === flow.account) return undefined;
  return {
    rule: 'mediaconnect.secret-account',
    said: `its secret is in account ${arn.account}, and a flow gets keys from secrets of its own account (${flow.account}) only`,
    remedy: newSecret(edge),
  };
}

function secretRegion(edge: Edge): ReturnType<Rule> {
  const { arn, flow, secret } = edge;
  if (!arn || arn.region === flow.location) return undefined;
  const copies = [secret?.attributes.primaryRegion, ...String(secret?.attributes.replicas ?? '').split(' ')];
  const exists = copies.includes(flow.location);
  const said = `its secret is in ${arn.region}, and the flow is in ${flow.location}${exists ? ', where the secret has a replica' : ''}`;
  // A replica is in the account of its original: that is not where the flow could read it.
  if (arn.account !== flow.account) return { rule: 'mediaconnect.secret-region', said, remedy: newSecret(edge) };
  const replicate = aboutSecret(
    edge,
    'replicate-secret-to-regions',
    '--add-replica-regions',
    `Region=${flow.location}`,
  );
  const set = useSecret(edge, inRegion(arn, flow.location));
  return { rule: 'mediaconnect.secret-region', said, remedy: exists ? set : `${replicate} && ${set}` };
}

function defaultKey(edge: Edge): ReturnType<Rule> {
  const { protectors, told } = edge;
  const [first] = protectors;
  if (!first) return undefined;
  const keys = protectors.map(({ name, facts }) => `${name} (${facts ? facts.state : 'not watched'})`).join(' or ');
  const role = typeof told.roleArn === 'string' ? `role ${told.roleArn}` : 'the role of the flow';
  return {
    rule: 'mediaconnect.default-key',
    said: `its secret is encrypted with ${visible(keys)} instead of the default key: the flow depends on that key, and ${visible(role)} needs kms:Decrypt on it`,
    remedy: aboutReplicaToo(edge, 'update-secret', '--kms-key-id', 'alias/aws/secretsmanager'),
  };
}

/** Each copy of a secret has a KMS key of its own, which is set where the copy is. */
function aboutReplicaToo(edge: Edge, name: string, ...options: readonly string[]): string {
  const { secret, arn } = edge;
  const primary = secret?.attributes.primaryRegion;
  if (typeof primary !== 'string' || !arn || primary === arn.region) return aboutSecret(edge, name, ...options);
  const again = `Region=${arn.region},KmsKeyId=alias/aws/secretsmanager`;
  const remove = aboutSecret(edge, 'remove-regions-from-replication', '--remove-replica-regions', arn.region);
  return `${remove} && ${aboutSecret(edge, 'replicate-secret-to-regions', '--add-replica-regions', again)}`;
}

function rotationEnabled(edge: Edge): ReturnType<Rule> {
  const { secret } = edge;
  if (secret?.rotationEnabled !== true) return undefined;
  const next = secret.nextRotationAt === undefined ? '' : `, next on ${utc(secret.nextRotationAt)}`;
  return {
    rule: 'mediaconnect.rotation-enabled',
    said: `its secret is rotated automatically${next}: whoever else has the key would go on with the old one`,
    remedy: aboutSecret(edge, 'cancel-rotate-secret'),
  };
}

/** When it takes effect is documented nowhere, so that it is told however healthy the flow is. */
function newVersion(edge: Edge): ReturnType<Rule> {
  const { secret, told, now } = edge;
  const { version, previousVersion, versions = [] } = secret ?? {};
  const isFirst = previousVersion === undefined && versions.length < 2;
  if (!version?.createdAt || isFirst || !SHARED.includes(told.keyType)) return undefined;
  const until = version.createdAt + ANNOUNCED_MS;
  if (now >= until) return undefined;
  const back =
    previousVersion &&
    aboutSecret(
      edge,
      'update-secret-version-stage',
      ...['--version-stage', 'AWSCURRENT', '--move-to-version-id', previousVersion.id],
      ...['--remove-from-version-id', version.id],
    );
  return {
    rule: 'mediaconnect.new-version',
    said: `its key was changed on ${utc(version.createdAt)} (version ${visible(version.id)}); ${sharers(edge)} the new one`,
    remedy: back === undefined ? sharing : `${sharing} To go back: ${back}`,
    until,
  };
}

const sharing = 'Give the new key to everybody who has the old one.';

/** Who has the key beside the flow. */
function sharers({ use, told }: Edge): string {
  const others = typeof told.subscribers === 'string' ? told.subscribers.split(' ').map(visible).join(', ') : '';
  const originator = parseArn(String(told.entitlementArn ?? ''))?.account;
  switch (use.role) {
    case 'entitlement-encryption':
      return others === '' ? 'every subscriber needs' : `its subscribers (account ${others}) need`;
    case 'source-decryption':
      return originator ? `the originator (account ${originator}) needs` : 'whoever sends to it needs';
    default:
      return 'whoever receives it needs';
  }
}

/** What a read of the value told of its form, where that was opted into: see `valueShape` of Secrets Manager. */
function shapeOf({ secret, told }: Edge): string | undefined {
  const shape = secret?.attributes.valueShape;
  return typeof shape === 'string' && SHARED.includes(told.keyType) ? shape : undefined;
}

const NO_PLAINTEXT: Readonly<Record<string, string>> = {
  json: 'its secret holds key/value pairs instead of the bare key as plaintext',
  binary: 'its secret holds binary data instead of the key as plaintext',
  empty: 'its secret holds nothing',
  padded: 'its secret has blanks or a line end around the key',
};

function plaintext(edge: Edge): ReturnType<Rule> {
  const { secret, told } = edge;
  if (!secret || !SHARED.includes(told.keyType)) return undefined;
  const shape = shapeOf(edge);
  if (shape === undefined) return unverified(secret);
  const said = NO_PLAINTEXT[shape];
  return said === undefined ? undefined : { rule: 'mediaconnect.plaintext', said, remedy: store(edge) };
}

function unverified({ attributes }: KeyFacts): ReturnType<Rule> {
  const why = attributes.readResult === 'denied' ? 'keyvigil may not read it' : 'keyvigil does not read values';
  return {
    rule: 'mediaconnect.plaintext-unverified',
    said: `whether its secret holds the bare key as plaintext is not verified: ${why}`,
    remedy: 'Set access of secrets-manager to read, and allow secretsmanager:GetSecretValue.',
  };
}

function keyFormat(edge: Edge): ReturnType<Rule> {
  const shape = shapeOf(edge);
  const { keyType, algorithm } = edge.told;
  if (shape === undefined || NO_PLAINTEXT[shape] !== undefined) return undefined;
  const rule = 'mediaconnect.key-format';
  if (keyType === 'srt-password') {
    const odd = { 'text-short': 'shorter than the 10', 'text-long': 'longer than the 79' }[shape];
    if (odd === undefined) return undefined;
    return {
      rule,
      severity: 'warning',
      said: `its passphrase is ${odd} characters that SRT takes`,
      remedy: store(edge),
    };
  }
  const bytes = /^hex(\d+)$/.exec(shape)?.[1];
  if (bytes === undefined) return { rule, said: 'its key is no AES key in hexadecimal form', remedy: store(edge) };
  const needed = HEX_BYTES[String(algorithm)];
  if (needed === undefined || needed === Number(bytes)) return undefined;
  return {
    rule,
    said: `its key has ${Number(bytes) * 8} bits, and ${algorithm} needs ${needed * 8}`,
    remedy: store(edge),
  };
}

/** A new version of the same secret. */
function store(edge: Edge): string {
  return aboutSecret(edge, 'put-secret-value', '--secret-string', 'file://key');
}
