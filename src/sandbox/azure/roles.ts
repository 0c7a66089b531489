/** A role: what whoever has it may do, with resources (actions) and with what is in them (data actions). */
export type RoleDefinition = {
  /** UUID */
  readonly id: string;
  readonly name: string;
  readonly custom: boolean;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
};

const KEYS = 'Microsoft.KeyVault/vaults/keys';
const HSM_KEYS = 'Microsoft.KeyVault/managedHsm/keys';

/** Built-in roles; ids and rights are Azure's own (its table of built-in roles). Smallest rights about keys first. */
export const BUILT_IN_ROLES: readonly RoleDefinition[] = [
  role('21090545-7ca7-4776-b22c-e363652d74d2', 'Key Vault Reader', {
    actions: ['Microsoft.KeyVault/*/read', 'Microsoft.Authorization/*/read'],
    dataActions: ['Microsoft.KeyVault/vaults/*/read', 'Microsoft.KeyVault/vaults/secrets/readMetadata/action'],
  }),
  role('e147488a-f6f5-4113-8e2d-b22465e65bf6', 'Key Vault Crypto Service Encryption User', {
    dataActions: [`${KEYS}/read`, `${KEYS}/wrap/action`, `${KEYS}/unwrap/action`],
  }),
  role('12338af0-0e69-4776-bea7-57ae8d297424', 'Key Vault Crypto User', {
    dataActions: ['read', 'update/action', 'backup/action', 'encrypt/action', 'decrypt/action', 'wrap/action']
      .concat('unwrap/action', 'sign/action', 'verify/action')
      .map((action) => `${KEYS}/${action}`),
  }),
  role('14b46e9e-c2b7-41b4-b07b-48a6ebf60603', 'Key Vault Crypto Officer', {
    dataActions: [`${KEYS}/*`, 'Microsoft.KeyVault/vaults/keyrotationpolicies/*'],
  }),
  role('00482a5a-887f-4fb3-b363-3b7fe8e74483', 'Key Vault Administrator', {
    actions: ['Microsoft.KeyVault/*/read', 'Microsoft.Authorization/*/read'],
    dataActions: ['Microsoft.KeyVault/vaults/*'],
  }),
  role('4633458b-17de-408a-b874-0445c86b69e6', 'Key Vault Secrets User', {
    dataActions: [
      'Microsoft.KeyVault/vaults/secrets/getSecret/action',
      'Microsoft.KeyVault/vaults/secrets/readMetadata/action',
    ],
  }),
  role('f25e0fa2-a7c8-4377-a976-54943a77a395', 'Key Vault Contributor', { actions: ['Microsoft.KeyVault/*'] }),
  role('acdd72a7-3385-48ef-bd42-f606fba81ae7', 'Reader', { actions: ['*/read'] }),
  role('b24988ac-6180-42a0-ab88-20f7382dd24c', 'Contributor', {
    actions: ['*'],
    notActions: ['Microsoft.Authorization/*/Delete', 'Microsoft.Authorization/*/Write'],
  }),
  role('8e3af657-a8ff-443c-a75c-2fe8c4bcb635', 'Owner', { actions: ['*'] }),
];

/** The local roles of managed HSMs that are imitated (Microsoft's table of built-in roles for local RBAC). */
export const HSM_ROLES: readonly RoleDefinition[] = [
  role('2c18b078-7c48-4d3a-af88-5a3a1b3f82b3', 'Managed HSM Crypto Auditor', {
    dataActions: [`${HSM_KEYS}/read/action`],
  }),
  role('33413926-3206-4cdd-b39a-83574fe37a17', 'Managed HSM Crypto Service Encryption User', {
    dataActions: [`${HSM_KEYS}/read/action`, `${HSM_KEYS}/wrap/action`, `${HSM_KEYS}/unwrap/action`],
  }),
  role('515eb02d-2335-4d2d-92f2-b1cbdf9c3778', 'Managed HSM Crypto Officer', {
    dataActions: ['*'],
  }),
];

/** Whether a role allows an action (or, with `data`, a data action). Case does not count; `*` stands for anything. */
export function roleAllows(definition: RoleDefinition, action: string, kind: 'control' | 'data'): boolean {
  if (kind === 'data') return definition.dataActions.some((pattern) => actionMatches(pattern, action));
  const allowed = definition.actions.some((pattern) => actionMatches(pattern, action));
  return allowed && !definition.notActions.some((pattern) => actionMatches(pattern, action));
}

/** The data action that a key permission of access policies (lower case) stands for. */
export function dataAction(permission: string, hsm: boolean, deleted: boolean): string {
  const read = permission === 'get' || permission === 'list';
  if (hsm) {
    if (deleted) return `${HSM_KEYS}/deletedKeys/${read ? 'read' : permission}/action`;
    return `${HSM_KEYS}/${read ? 'read' : (VERBS[permission] ?? permission)}/action`;
  }
  if (read) return `${KEYS}/read`;
  if (permission === 'delete') return `${KEYS}/delete`;
  if (permission === 'getrotationpolicy') return 'Microsoft.KeyVault/vaults/keyrotationpolicies/read';
  if (permission === 'setrotationpolicy') return 'Microsoft.KeyVault/vaults/keyrotationpolicies/write';
  return `${KEYS}/${VERBS[permission] ?? permission}/action`;
}

const VERBS: Readonly<Record<string, string>> = { wrapkey: 'wrap', unwrapkey: 'unwrap' };

function actionMatches(pattern: string, action: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const escaped = parts.map((part) => part.replace(/[.\\/()[\]{}+?^$|]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(action.toLowerCase());
}

function role(
  id: string,
  name: string,
  rights: { actions?: readonly string[]; notActions?: readonly string[]; dataActions?: readonly string[] },
): RoleDefinition {
  return { id, name, custom: false, actions: [], notActions: [], dataActions: [], ...rights };
}
