/** ARNs: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. */
import { shellCommand } from '../shell.ts';
import { BadAnswer } from './paging.ts';

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Everything after the account, colons included: `key/1234…`, `secret:name-AbCdEf`. */
  readonly resource: string;
}

/** The parts of an ARN, or undefined where the text is none. */
export function parseArn(text: string): Arn | undefined {
  const match = /^arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(.+)$/su.exec(text);
  if (!match) return undefined;
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return { partition, service, region, account, resource };
}

/** The parts of an ARN that an answer must hold. @throws BadAnswer where it is none */
export function arnIn(text: string | undefined, what: string): Arn {
  const arn = text === undefined ? undefined : parseArn(text);
  if (!arn) throw new BadAnswer(`${what} has no ARN`);
  return arn;
}

/**
 * A listing tells of the account that the monitor was found to be in. Another one means that its credentials lead
 * somewhere else by now, where everything that is watched would look as if it were gone.
 * @throws BadAnswer
 */
export function mustBeOf(account: string, listed: { readonly account: string }): void {
  if (listed.account !== account) throw new BadAnswer('the listing is of another account');
}

/** Where a key reference was found: the ARN of what it protects says how its short forms are meant. */
export type Home = Pick<Arn, 'partition' | 'region' | 'account'>;

/** Names of the key that Secrets Manager uses unless told otherwise, as answers spell it (aws.md 0.2). */
const DEFAULT_KEY_NAMES: readonly string[] = ['DefaultEncryptionKey', 'alias/aws/secretsmanager'];

/**
 * The full ARN of a KMS key or alias in whatever form it was given: key id, key ARN, alias name, alias ARN. Undefined for
 * the default key of Secrets Manager in any form, absent included: AWS manages it, and nobody can take it away.
 */
export function customerKeyArn(reference: string | undefined, home: Home): string | undefined {
  if (!reference || DEFAULT_KEY_NAMES.includes(reference)) return undefined;
  const arn = parseArn(reference);
  if (arn) return DEFAULT_KEY_NAMES.includes(arn.resource) ? undefined : reference;
  const resource = reference.startsWith('alias/') ? reference : `key/${reference}`;
  return `arn:${home.partition}:kms:${home.region}:${home.account}:${resource}`;
}

/** An AWS CLI command: words are quoted as needed, the region of the resource is added. */
export function awsCommand(region: string, ...words: readonly string[]): string {
  return shellCommand('aws', ...words, '--region', region);
}
