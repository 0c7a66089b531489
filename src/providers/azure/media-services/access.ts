/** Whether the identity of an account can still use its key, by what the vault grants. */
import type { Grant } from '../../../core/model.ts';
import type { Ruling } from '../../rulings.ts';
import { az } from '../commands.ts';
import { type Edge, ofVault } from './edge.ts';

/** What reading, wrapping and unwrapping a key takes, in the words of grants; the cloud's own beside them. */
const NEEDED: ReadonlyMap<string, string> = new Map([
  ['get', 'get'],
  ['wrapkey', 'wrapKey'],
  ['unwrapkey', 'unwrapKey'],
]);

/** Types of principals that have members. */
const GROUPS: readonly string[] = ['group', 'foreigngroup'];

/**
 * "Media Services uses the Managed Identity of the Media Services account to read your key from a Key Vault owned by
 * you", and a removed grant makes the key inaccessible. Judged only where both the identity and the grants are known.
 */
export function access(edge: Edge): Ruling {
  const { account, use, vault } = edge;
  const { principal, encryption, identity } = account.attributes;
  if (encryption !== 'CustomerKey') return {};
  if (typeof principal !== 'string') {
    const who = identity === undefined ? 'which identity it uses' : 'the object id of the identity that it uses';
    const summary = `Azure does not tell ${who}, so whether that may use the key is not known.`;
    return { finding: { id: 'media-services.identity-unknown', severity: 'info', summary } };
  }
  const name = use.resource.slice(use.resource.lastIndexOf('/') + 1);
  const grants = vault?.grants?.filter(({ key }) => key === undefined || key === name);
  if (!grants) return {};
  const own = grants.filter((grant) => grant.principal.toLowerCase() === principal.toLowerCase());
  const missing = lacking(own);
  if (missing.length === 0) return {};
  const lack = missing.map((permission) => NEEDED.get(permission)).join(', ');
  // Who is a member cannot be seen: what groups may do, the identity may be allowed to do through them.
  const groups = grants.filter(
    ({ type, permissions }) => GROUPS.includes(type ?? '') && missing.some((needed) => covers(permissions, [needed])),
  );
  if (
    covers(
      groups.flatMap(({ permissions }) => permissions),
      missing,
    )
  ) {
    const [first] = groups;
    return {
      finding: {
        id: 'media-services.access-unknown',
        severity: 'info',
        summary: `Its identity ${principal} has no grant of its own for ${lack}, but groups have, and who is a member of them cannot be seen.`,
        remedy: `Check its membership: ${az('ad', 'group', 'member', 'check', '--group', first?.principal ?? '', '--member-id', principal)}`,
      },
    };
  }
  return {
    finding: {
      id: 'media-services.access',
      severity: 'critical',
      summary: `Its identity ${principal} may not use the key: it lacks ${lack} on the vault.`,
      remedy: grantCommand(edge, principal, own),
      impairs: 'access_revoked',
    },
  };
}

function lacking(grants: readonly Grant[]): readonly string[] {
  const permissions = grants.flatMap((grant) => grant.permissions);
  return [...NEEDED.keys()].filter((permission) => !covers(permissions, [permission]));
}

function covers(permissions: readonly string[], needed: readonly string[]): boolean {
  return permissions.includes('all') || needed.every((permission) => permissions.includes(permission));
}

function grantCommand(edge: Edge, principal: string, own: readonly Grant[]): string {
  const { access: mode, resourceId } = edge.vault?.attributes ?? {};
  if (mode === 'rbac') {
    const role = ['--role', 'Key Vault Crypto Service Encryption User'];
    const assignee = ['--assignee-object-id', principal, '--assignee-principal-type', 'ServicePrincipal'];
    return az('role', 'assignment', 'create', ...role, ...assignee, '--scope', String(resourceId ?? edge.use.resource));
  }
  // An access policy is replaced, not added to.
  const kept = own.flatMap(({ permissions }) => permissions).filter((permission) => !NEEDED.has(permission));
  const permissions = [...new Set([...NEEDED.values(), ...kept])];
  return az('keyvault', 'set-policy', ...ofVault(edge), '--object-id', principal, '--key-permissions', ...permissions);
}
