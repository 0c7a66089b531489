/** The names of secrets: what stands in an ARN, and what people write instead of one. Pure. */
import type { KeyStub } from '../../core/model.ts';
import type { Home } from './arn.ts';

/**
 * Secrets Manager adds a hyphen and six random characters to the name in an ARN. A name may end like that itself; then what
 * looks like a complete ARN may be meant as a partial one, which Secrets Manager does not see: "Don't end your secret name
 * with a hyphen followed by six characters" (CreateSecret).
 */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

/** Whether Secrets Manager takes the end of this ARN, or name, for that of a complete ARN. */
export function looksComplete(text: string): boolean {
  return SUFFIX.test(text);
}

/**
 * The ARN of a secret without its random suffix: what dependencies say where only its name, or a partial ARN, is known.
 * @param name of the secret; without it nothing tells where a suffix begins
 * @returns undefined where the ARN is not made of that name
 */
export function nameArnOf(arn: string, name: string): string | undefined {
  const bare = arn.replace(SUFFIX, '');
  return bare !== arn && bare.endsWith(`:secret:${name}`) ? bare : undefined;
}

/** The same for a name, which means a secret of the account and Region of whoever says it. */
export function nameArn({ partition, region, account }: Home, name: string): string {
  return `arn:${partition}:secretsmanager:${region}:${account}:secret:${name}`;
}

/** What every ARN of a secret of this account and Region begins with. */
export function secretPrefix(home: Home): string {
  return nameArn(home, '');
}

/** The name in the ARN of a secret, as far as that tells: where it looks complete, without what looks like a suffix. */
function nameIn(arn: string): string {
  return arn.slice(arn.indexOf(':secret:') + ':secret:'.length).replace(SUFFIX, '');
}

/** A secret that is named but not listed. Its identity is the name that it is known by, until it is found under its own. */
export function namedSecret(resource: string, { region, account }: Home): KeyStub {
  const name = nameIn(resource);
  return { resource, kind: 'aws-secret', name, provider: 'aws', account, location: region };
}

/**
 * What to ask Secrets Manager for, one after the other, until something is found: a name is exact, and so is a complete ARN;
 * what only looks like one may be the name of a secret that ends like that.
 */
export function idsOf(resource: string): readonly string[] {
  const name = resource.slice(resource.indexOf(':secret:') + ':secret:'.length);
  return looksComplete(resource) ? [resource, name] : [name];
}
