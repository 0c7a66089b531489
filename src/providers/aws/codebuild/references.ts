/** What a project writes where it means a secret or a KMS key. Pure. Whatever is no such reference is dropped here. */
import { type Home, parseArn } from '../arn.ts';
import { nameArn } from '../secret-names.ts';

/** `secret-id[:json-key[:version-stage[:version-id]]]` (buildspec reference, env/secrets-manager), parsed. */
export interface SecretReference {
  /** The full ARN; where the reference does not tell it, the ARN without the random suffix. */
  readonly resource: string;
  /** How the secret was named. */
  readonly form: 'name' | 'arn';
  /** It takes one key out of a secret of key/value pairs. Which one is nobody's business. */
  readonly jsonKey: boolean;
  readonly stage?: string;
  readonly versionId?: string;
}

/** Fields of an ARN: `arn:aws:secretsmanager:region:account:secret:name`. */
const ARN_FIELDS = 7;
/** A name as Secrets Manager lets people give one, and as services that own a secret do (`rds!db-…`). */
const SECRET_NAME = /^[\w/+=.@!-]{1,512}$/;
const STAGE = /^[\w/+=.@-]{1,256}$/;
const VERSION_ID = /^[\w-]{32,64}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * @param home where the project is: a name means a secret there
 * @returns undefined where the text is no such reference
 */
export function secretReference(text: string, home: Home): SecretReference | undefined {
  const fields = text.split(':');
  const idFields = text.startsWith('arn:') ? ARN_FIELDS : 1;
  const [jsonKey = '', third = '', fourth = '', ...more] = fields.slice(idFields);
  const named = secretId(fields.slice(0, idFields).join(':'), home);
  // A URL with a password in it would pass for a name, a key and a stage.
  if (!named || more.length > 0 || jsonKey.startsWith('//')) return undefined;
  // The reference also writes `<version-stage>|<version-id>` for one field.
  const isVersion = fourth === '' && UUID.test(third);
  const stage = isVersion ? '' : third;
  const versionId = isVersion ? third : fourth;
  if ((stage !== '' && !STAGE.test(stage)) || (versionId !== '' && !VERSION_ID.test(versionId))) return undefined;
  return {
    ...named,
    jsonKey: jsonKey !== '',
    ...(stage !== '' && { stage }),
    ...(versionId !== '' && { versionId }),
  };
}

function secretId(text: string, home: Home): Pick<SecretReference, 'resource' | 'form'> | undefined {
  const arn = parseArn(text);
  if (!arn) return SECRET_NAME.test(text) ? { resource: nameArn(home, text), form: 'name' } : undefined;
  const { service, region, account, resource } = arn;
  const name = /^secret:(.+)$/s.exec(resource)?.[1] ?? '';
  if (service !== 'secretsmanager' || region === '' || account === '' || !SECRET_NAME.test(name)) return undefined;
  return { resource: text, form: 'arn' };
}

/** What the parameter `encryptionKey` is where nothing was configured: AWS manages it, and nobody can take it away. */
export const MANAGED = 'managed';

const KEY_ID = '(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})';
const ALIAS = 'alias/[\\w/-]{1,250}';
const BARE = new RegExp(`^(?:${KEY_ID}|${ALIAS})$`);
const IN_ARN = new RegExp(`^(?:key/${KEY_ID}|${ALIAS})$`);

/**
 * The ARN of a KMS key or alias in any form that people give one: key id, key ARN, alias name, alias ARN.
 * @returns `managed` for a key that AWS manages itself, undefined where the text names no key
 */
export function keyReference(text: string, home: Home): string | typeof MANAGED | undefined {
  const arn = parseArn(text);
  const resource = arn ? arn.resource : text.startsWith('alias/') ? text : `key/${text}`;
  const names = arn
    ? arn.service === 'kms' && arn.region !== '' && arn.account !== '' && IN_ARN.test(resource)
    : BARE.test(text);
  if (!names) return undefined;
  if (resource.startsWith('alias/aws/')) return MANAGED;
  return arn ? text : `arn:${home.partition}:kms:${home.region}:${home.account}:${resource}`;
}
