/** What is known beforehand of the call that a question is about, as condition keys. Pure. */
import { parseArn } from '../arn.ts';
import type { Circumstances } from './conditions.ts';
import type { Question } from './words.ts';

/** Keys whose values are flags. */
const FLAGS: readonly string[] = ['aws:SecureTransport', 'aws:ViaAWSService'];

type Named = Readonly<Record<string, string>>;

/** Condition keys of the call by their names as AWS spells them. Keys that depend on more than the question are left out. */
export function namedCircumstances({ role, resource, forSecret }: Question): Named {
  const caller = parseArn(role);
  const target = parseArn(resource);
  const base: Named = {
    'aws:PrincipalArn': role,
    'aws:PrincipalAccount': caller?.account ?? '',
    'aws:PrincipalType': 'AssumedRole',
    'aws:ResourceAccount': target?.account ?? '',
    'aws:RequestedRegion': target?.region ?? '',
    'aws:SecureTransport': 'true',
  };
  if (target?.service === 'secretsmanager') return { ...base, 'secretsmanager:SecretId': resource };
  if (target?.service !== 'kms') return base;
  const key = { ...base, 'kms:CallerAccount': caller?.account ?? '' };
  if (forSecret === undefined) return key;
  const asked = { ...key, 'aws:ViaAWSService': 'true', 'kms:EncryptionContext:SecretARN': forSecret };
  // How China spells the service is documented nowhere that we know of: it is left open there.
  if (target.partition === 'aws-cn') return asked;
  return { ...asked, 'kms:ViaService': `secretsmanager.${target.region}.amazonaws.com` };
}

/** The same by names in lower case, which is how conditions compare them. */
export function circumstancesOf(question: Question): Circumstances {
  const named = Object.entries(namedCircumstances(question));
  return Object.fromEntries(named.map(([name, value]) => [name.toLowerCase(), value]));
}

/** The same as SimulatePrincipalPolicy takes it. */
export function contextEntries(question: Question) {
  return Object.entries(namedCircumstances(question)).map(([ContextKeyName, value]) => ({
    ContextKeyName,
    ContextKeyValues: [value],
    ContextKeyType: FLAGS.includes(ContextKeyName) ? ('boolean' as const) : ('string' as const),
  }));
}
