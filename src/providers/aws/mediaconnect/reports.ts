/** What MediaConnect itself says of the keys of a flow: aws.md 3.2. Pure. */
import type { PartKind } from './answer.ts';

/** One message of a flow that speaks of a key. */
export interface Report {
  /** It was refused, or something else is wrong with the key. */
  readonly kind: 'denied' | 'other';
  /** The message, cut, without anything that could be a key. */
  readonly text: string;
  readonly part?: { readonly kind: PartKind; readonly name: string };
  readonly secretArn?: string;
  readonly roleArn?: string;
}

const LENGTH = 500;
/** "…the decryption or encryption information for the flow isn't valid", "…can't contact the CA platform key provider". */
const OF_KEYS = /encrypt|decrypt|\bsecrets?\b|speke|key provider|passphrase|password/i;
const DENIED = /permission denied|access ?denied|not authorized/i;
/** No ARN of a secret or a role has such a run; a key or an initialization vector does. */
const KEY_LIKE = /\b[0-9a-f]{32,}\b/gi;

/** @returns undefined for a message that is not about keys */
export function reportOf(message: string): Report | undefined {
  const cut = message.slice(0, LENGTH);
  if (!OF_KEYS.test(cut)) return undefined;
  const [, kind, name] = /\bfor (output|source|entitlement) (.+?)(?:\. | \(|\.?$)/s.exec(cut) ?? [];
  const secretArn = /\bsecret (arn:[^\s,()]+)/.exec(cut)?.[1];
  const roleArn = /\brole (arn:[^\s()]+)/.exec(cut)?.[1];
  return {
    kind: DENIED.test(cut) ? 'denied' : 'other',
    text: cut.replaceAll(KEY_LIKE, '…'),
    ...(kind !== undefined && name !== undefined && { part: { kind: kind as PartKind, name } }),
    ...(secretArn !== undefined && { secretArn }),
    ...(roleArn !== undefined && { roleArn }),
  };
}
