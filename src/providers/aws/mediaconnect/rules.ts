/** What a flow and the keys that it uses can be wrong in. Pure. */
import type { ConsumerFacts } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import { visible } from '../../../core/text.ts';
import type { ConsumerJudgement, KeyLookup } from '../../provider.ts';
import { judgementOf } from '../../rulings.ts';
import { simulationRulings } from '../iam/rules.ts';
import { type Breach, edgeOf, type Rule, rulingsOf } from './edge.ts';
import { ENCRYPTION_RULES } from './encryption-rules.ts';
import { names } from './facts.ts';
import { reported } from './report-rule.ts';
import { SECRET_RULES } from './secret-rules.ts';

const EDGE_RULES: readonly Rule[] = [reported, ...SECRET_RULES, ...ENCRYPTION_RULES];

/** Every rule of MediaConnect at `now`. */
export function judge(flow: ConsumerFacts, key: KeyLookup, now: number, policy: Policy): ConsumerJudgement {
  const edges = flow.uses.map((use) => edgeOf(flow, use, key, now));
  const breaches = edges.flatMap((edge) =>
    EDGE_RULES.flatMap((rule) => {
      const breach = rule(edge);
      return breach ? [{ ...breach, parts: edge.use.part === undefined ? [] : [edge.use.part] }] : [];
    }),
  );
  const rulings = [...rulingsOf([...flowBreaches(flow), ...breaches]), ...simulationRulings(flow, 'mediaconnect')];
  return judgementOf(rulings, policy);
}

/** What is wrong with the flow itself rather than with one key of it. */
function flowBreaches({ attributes, resource, location }: ConsumerFacts): readonly Breach[] {
  const { keyError, withoutSecret, withoutUrl, undecrypted, undecryptedUnseen, revoked } = attributes;
  const breaches: Breach[] = [];
  const add = (breach: Omit<Breach, 'parts'>, parts: readonly string[]) => {
    if (parts.length > 0) breaches.push({ ...breach, parts });
  };
  if (typeof keyError === 'string') {
    breaches.push({
      rule: 'mediaconnect.reported',
      parts: [],
      said: `MediaConnect says: "${visible(keyError).replace(/\.$/, '')}"`,
      remedy: `Repair what the message names, then look again: aws mediaconnect describe-flow --flow-arn ${resource} --region ${location}`,
      impairs: 'reported_by_service',
    });
  }
  add(
    {
      rule: 'mediaconnect.no-secret',
      said: 'encryption is set, but no secret that could hold its key',
      remedy: 'Store the key in a secret of the Region of the flow, and set SecretArn of the encryption to it.',
    },
    names(withoutSecret),
  );
  add(
    {
      rule: 'mediaconnect.speke-fields',
      said: 'it uses SPEKE without the URL of a key provider',
      remedy: 'Set Url of the encryption to that of the API Gateway proxy.',
    },
    names(withoutUrl),
  );
  const decrypt = 'Store the key in a secret of this account and Region, and set the decryption of the source.';
  add(
    {
      rule: 'mediaconnect.entitled-without-decryption',
      said: 'it decrypts nothing, and the flow that grants its entitlement encrypts',
      remedy: decrypt,
    },
    names(undecrypted),
  );
  add(
    {
      rule: 'mediaconnect.entitled-without-decryption',
      severity: 'info',
      said: 'it decrypts nothing; whether the originator encrypts its entitlement cannot be seen from here',
      remedy: `If the originator encrypts: ${decrypt.charAt(0).toLowerCase()}${decrypt.slice(1)}`,
    },
    names(undecryptedUnseen),
  );
  add(
    {
      rule: 'mediaconnect.entitlement-revoked',
      said: 'the entitlement that it subscribes to is not granted to this account any more',
      remedy: 'Ask the originator to grant the entitlement again, or give the flow another source.',
    },
    names(revoked),
  );
  return breaches;
}
