/** Who may use the keys of a vault that goes by roles: role assignments at the vault, above it and at its keys (azure.md 2). */
import { matchesAny } from '../../../core/glob.ts';
import type { Grant } from '../../../core/model.ts';
import type { CallContext } from '../../provider.ts';
import { BadAnswer } from '../ask.ts';
import type { ResourceManager } from './arm.ts';
import { ROLE_GOOD_MS } from './calls.ts';

const API_VERSION = '2022-04-01';
/** Far above what one scope may hold (4,000 assignments per subscription), far below for ever. */
const MAX_PAGES = 1000;

const KEYS = 'microsoft.keyvault/vaults/keys/';
const ROTATION = 'microsoft.keyvault/vaults/keyrotationpolicies/';
/** Data actions by the permission of an access policy that means the same. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  get: `${KEYS}read`,
  list: `${KEYS}read`,
  wrapkey: `${KEYS}wrap/action`,
  unwrapkey: `${KEYS}unwrap/action`,
  encrypt: `${KEYS}encrypt/action`,
  decrypt: `${KEYS}decrypt/action`,
  sign: `${KEYS}sign/action`,
  verify: `${KEYS}verify/action`,
  create: `${KEYS}create/action`,
  import: `${KEYS}import/action`,
  update: `${KEYS}update/action`,
  delete: `${KEYS}delete`,
  recover: `${KEYS}recover/action`,
  purge: `${KEYS}purge/action`,
  backup: `${KEYS}backup/action`,
  restore: `${KEYS}restore/action`,
  rotate: `${KEYS}rotate/action`,
  release: `${KEYS}release/action`,
  getrotationpolicy: `${ROTATION}read`,
  setrotationpolicy: `${ROTATION}write`,
};

/** Built-in roles whose data actions are known: they need not be asked for. */
const BUILT_IN: ReadonlyMap<string, readonly string[]> = new Map([
  ['00482a5a-887f-4fb3-b363-3b7fe8e74483', ['all']],
  ['14b46e9e-c2b7-41b4-b07b-48a6ebf60603', ['all']],
  [
    '12338af0-0e69-4776-bea7-57ae8d297424',
    ['backup', 'decrypt', 'encrypt', 'get', 'list', 'sign', 'unwrapkey', 'update', 'verify', 'wrapkey'],
  ],
  ['e147488a-f6f5-4113-8e2d-b22465e65bf6', ['get', 'list', 'unwrapkey', 'wrapkey']],
  ['21090545-7ca7-4776-b22c-e363652d74d2', ['get', 'list']],
]);

type Fields = Readonly<Record<string, unknown>>;

export interface Roles {
  /**
   * Grants by role, at the vault or above it and at single keys.
   * @param vault its id in Resource Manager
   * @throws CallFailed, BadAnswer
   */
  grants(vault: string, context: CallContext): Promise<readonly Grant[]>;
}

export function roles(arm: Pick<ResourceManager, 'get'>): Roles {
  const known = new Map<string, { readonly permissions: readonly string[]; readonly until: number }>();

  async function permissionsOf(role: string, context: CallContext): Promise<readonly string[]> {
    const id = role.slice(role.lastIndexOf('/') + 1).toLowerCase();
    const builtIn = BUILT_IN.get(id);
    if (builtIn) return builtIn;
    const cached = known.get(id);
    if (cached && cached.until > Date.now()) return cached.permissions;
    const answer = await arm.get('RoleDefinitions.GetById', `${role}?api-version=${API_VERSION}`, context);
    const permissions = permissionsIn(listOf(fieldsOf(fieldsOf(answer).properties).permissions).map(fieldsOf));
    known.set(id, { permissions, until: Date.now() + ROLE_GOOD_MS });
    return permissions;
  }

  async function assignments(vault: string, context: CallContext): Promise<readonly Fields[]> {
    const found: Fields[] = [];
    // Without a filter: at the scope, above it and below. `atScope()` would leave out what is assigned to single keys.
    let target: string | undefined =
      `${vault}/providers/Microsoft.Authorization/roleAssignments?api-version=${API_VERSION}`;
    for (let pages = 0; target !== undefined; pages++) {
      if (pages === MAX_PAGES) throw new BadAnswer('RoleAssignments.ListForScope does not end');
      const page = fieldsOf(await arm.get('RoleAssignments.ListForScope', target, context));
      if (!Array.isArray(page.value)) throw new BadAnswer('RoleAssignments.ListForScope answered with no list');
      found.push(...page.value.map((item) => fieldsOf(fieldsOf(item).properties)));
      target = typeof page.nextLink === 'string' && page.nextLink !== '' ? page.nextLink : undefined;
    }
    return found;
  }

  return {
    async grants(vault, context) {
      const grants: Grant[] = [];
      for (const { principalId, principalType, roleDefinitionId, scope } of await assignments(vault, context)) {
        if (typeof principalId !== 'string' || typeof roleDefinitionId !== 'string') continue;
        const below = belowVault(vault, scope);
        const key = below === undefined ? undefined : /^keys\/([^/]+)$/.exec(below)?.[1];
        // What is assigned to a secret or a certificate opens no key.
        if (below !== undefined && key === undefined) continue;
        const permissions = await permissionsOf(roleDefinitionId, context);
        if (permissions.length === 0) continue;
        const type = typeof principalType === 'string' ? { type: principalType.toLowerCase() } : {};
        grants.push({
          principal: principalId.toLowerCase(),
          ...type,
          via: 'role',
          ...(key === undefined ? {} : { key }),
          permissions,
        });
      }
      const order = (grant: Grant) => `${grant.principal} ${grant.permissions.join()} ${grant.key ?? ''}`;
      return grants.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    },
  };
}

/** The rest of a scope that lies below the vault, in lower case; undefined: it is the vault, or above it. */
function belowVault(vault: string, scope: unknown): string | undefined {
  const prefix = `${vault}/`.toLowerCase();
  const text = typeof scope === 'string' ? scope.toLowerCase() : '';
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** What the data actions of a role allow with keys, less what they except. */
function permissionsIn(blocks: readonly Fields[]): readonly string[] {
  const allowed = (action: string) =>
    blocks.some(
      ({ dataActions, notDataActions }) =>
        listOf(dataActions).some((glob) => covers(glob, action)) &&
        !listOf(notDataActions).some((glob) => covers(glob, action)),
    );
  const permissions = Object.keys(PERMISSIONS).filter((name) => allowed(PERMISSIONS[name] ?? ''));
  return permissions.length === Object.keys(PERMISSIONS).length ? ['all'] : permissions.sort();
}

function covers(glob: unknown, action: string): boolean {
  return typeof glob === 'string' && matchesAny([glob.toLowerCase()], action);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
