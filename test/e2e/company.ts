import type { World } from './world.ts';

/** Fills an account with keys and a secret behind each: `alias/key-N`, `prod/secret-N`. */
export function company(count: number): (region: World['region']) => void {
  return ({ kms, secrets }) => {
    for (let at = 0; at < count; at += 1) {
      const { keyId, arn } = kms.createKey();
      kms.alias(`alias/key-${at}`, keyId);
      secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
    }
  };
}
