/** What policy simulation says of a consumer's roles, as findings. It never proves that a consumer is in trouble. Pure. */
import type { ConsumerFacts, Finding, KeyUse } from '../../../core/model.ts';
import { visible } from '../../../core/text.ts';
import type { Ruling } from '../../rulings.ts';
import { createRole, type Lack, permit, showTrust, trustService } from './remedies.ts';
import { servicePrincipal } from './trust.ts';
import type { Aspect, SimulatedService } from './uses.ts';
import type { Denier } from './words.ts';

/** How many roles or resources a sentence names. */
const MOST_NAMED = 3;

const BECAUSE: Readonly<Record<Denier, readonly [implicit: string, explicit: string]>> = {
  role: ['none of its policies allows it', 'one of its policies denies it'],
  boundary: ['its permissions boundary does not allow it', 'its permissions boundary denies it'],
  organization: ['a policy of the organization does not allow it', 'a policy of the organization denies it'],
  resource: ['the policy of WHAT does not allow it', 'the policy of WHAT denies it'],
};

/** Every rule about the roles of a consumer, by what its uses were told. */
export function simulationRulings(consumer: ConsumerFacts, service: SimulatedService): readonly Ruling[] {
  const rulings = [
    roleMissing(consumer, service),
    roleUntrusted(consumer, service),
    denied(consumer, service, 'Read', { id: 'role-denied-secret', verb: 'read', what: 'the secret' }),
    denied(consumer, service, 'Decrypt', { id: 'role-denied-key', verb: 'use', what: 'the key' }),
  ];
  if (service === 'codebuild') return rulings;
  return [
    ...rulings,
    denied(consumer, service, 'Invoke', { id: 'role-denied-gateway', verb: 'invoke', what: 'the gateway' }),
  ];
}

function roleMissing({ uses, location }: ConsumerFacts, service: SimulatedService): Ruling {
  const roles = distinct(uses.filter((use) => said(use, 'Trust') === 'role-not-found').map(roleOf));
  if (roles.length === 0) return {};
  return finding(service, {
    id: 'role-not-found',
    summary: `IAM has no role ${listed(roles)}, which it is to reach its keys with.`,
    remedy: roles.map((role) => createRole(location, role, service)).join(' && '),
  });
}

function roleUntrusted({ uses, location }: ConsumerFacts, service: SimulatedService): Ruling {
  const untrusted = uses.filter((use) => said(use, 'Trust') === 'untrusted');
  const roles = distinct(untrusted.map(roleOf));
  if (roles.length === 0) return {};
  const refused = new Set(untrusted.filter(({ attributes }) => attributes?.simulatedTrustBy !== undefined).map(roleOf));
  return finding(service, {
    id: 'role-untrusted',
    summary: `Policy simulation says that role ${listed(roles)} does not let ${servicePrincipal(service)} take it on.`,
    remedy: joined(
      roles.map((role) => (refused.has(role) ? showTrust(location, role) : trustService(location, role, service))),
    ),
  });
}

function denied(
  { uses, location }: ConsumerFacts,
  service: SimulatedService,
  aspect: Aspect,
  rule: { readonly id: string; readonly verb: string; readonly what: string },
): Ruling {
  const lacks = new Map<string, Lack>();
  for (const use of uses) {
    const lack = lackOf(use, aspect);
    if (lack) lacks.set(`${lack.role} ${lack.resource}`, lack);
  }
  const [first, ...others] = lacks.values();
  if (!first) return {};
  const because = BECAUSE[first.by][first.explicit ? 1 : 0].replace('WHAT', rule.what);
  const more = others.length === 0 ? '' : ` The same is true of ${listed(others.map(({ resource }) => resource))}.`;
  const summary =
    `Policy simulation says that role ${visible(first.role)} may not ${rule.verb} ${rule.what} ${visible(first.resource)} ` +
    `(${first.actions.join(', ')}): ${because}.${more}`;
  return finding(service, {
    id: rule.id,
    summary,
    remedy: joined([...lacks.values()].map((lack) => permit(location, lack))),
  });
}

function finding(service: SimulatedService, { id, ...rest }: Omit<Finding, 'severity'>): Ruling {
  return { finding: { id: `${service}.${id}`, severity: 'warning', ...rest } };
}

function lackOf(use: KeyUse, aspect: Aspect): Lack | undefined {
  const word = said(use, aspect);
  if (word !== 'implicitly-denied' && word !== 'explicitly-denied') return undefined;
  const name = `simulated${aspect}`;
  const { [`${name}Resource`]: resource, [`${name}Actions`]: actions, [`${name}By`]: by } = use.attributes ?? {};
  if (typeof resource !== 'string' || typeof actions !== 'string' || !isDenier(by)) return undefined;
  return { role: roleOf(use), resource, actions: actions.split(' '), by, explicit: word === 'explicitly-denied' };
}

function isDenier(by: unknown): by is Denier {
  return typeof by === 'string' && Object.hasOwn(BECAUSE, by);
}

function said(use: KeyUse, aspect: Aspect): unknown {
  return use.attributes?.[`simulated${aspect}`];
}

function roleOf({ attributes }: KeyUse): string {
  return String(attributes?.simulatedRole ?? '');
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

function listed(names: readonly string[]): string {
  const named = names.slice(0, MOST_NAMED).map(visible).join(', ');
  return names.length > MOST_NAMED ? `${named} and ${names.length - MOST_NAMED} more` : named;
}

/** Commands run one after the other; a sentence among them makes a line of each. */
function joined(remedies: readonly string[]): string {
  return remedies.every((remedy) => remedy.startsWith('aws ')) ? remedies.join(' && ') : remedies.join('\n');
}
