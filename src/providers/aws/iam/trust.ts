/** Whether a role lets a service take it on, by its trust policy. Pure and total. */
import { isObject, texts } from './conditions.ts';
import { type Naming, said, statementsOf } from './policy.ts';
import type { Answer } from './words.ts';

/** The principal of a service in every partition. */
export function servicePrincipal(service: string): string {
  return `${service}.amazonaws.com`;
}

/**
 * What the trust policy says of the service. A condition (aws:SourceArn, aws:SourceAccount) hangs on what the service sends
 * along, which nobody else sees: the answer is `conditional` then, unless the trust is denied or given elsewhere.
 * @param document of GetRole: JSON, percent-encoded
 */
export function trustAnswer(document: string | undefined, service: string, partition: string): Answer {
  const statements = statementsOf(decoded(document));
  if (!statements) return { word: 'cannot-tell', reason: 'unreadable_policy' };
  const { denies, allows } = said(statements, {
    action: 'sts:AssumeRole',
    resource: '',
    known: {},
    named: (principal) => namesService(principal, service, partition),
  });
  if (denies === 'yes') return { word: 'untrusted', by: 'resource' };
  if (allows === 'no') return { word: 'untrusted' };
  return { word: allows === 'yes' && denies === 'no' ? 'allowed' : 'conditional' };
}

function decoded(document: string | undefined): string {
  try {
    return decodeURIComponent(document ?? '');
  } catch {
    return '';
  }
}

/** The name of a service in one Region is believed by IAM in some places and not in others: not judged. */
function namesService(principal: unknown, service: string, partition: string): Naming {
  if (principal === '*') return 'unknown';
  if (!isObject(principal)) return 'no';
  const names = texts(principal.Service).map((name) => name.toLowerCase());
  const own = [servicePrincipal(service), ...(partition === 'aws-cn' ? [`${service}.amazonaws.com.cn`] : [])];
  if (names.some((name) => own.includes(name))) return 'itself';
  const regional = names.some((name) => new RegExp(`^${service}\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?$`).test(name));
  return regional || texts(principal.AWS).includes('*') ? 'unknown' : 'no';
}
