import type { World } from './world.ts';

/**
 * Fills an account with keys and a secret behind each: `alias/key-N`, `prod/secret-N`.
 * @param more secrets behind each key beside that one, which a sweep need not look at one by one: `prod/more-N-M`
 */
export function company(count: number, more = 0): (region: World['region']) => void {
  return ({ kms, secrets }) => {
    for (let at = 0; at < count; at += 1) {
      const { keyId, arn } = kms.createKey();
      kms.alias(`alias/key-${at}`, keyId);
      secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
      for (let one = 0; one < more; one += 1) {
        secrets.create({ Name: `prod/more-${at}-${one}`, SecretString: 'x', KmsKeyId: arn });
      }
    }
  };
}
