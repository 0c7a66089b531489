import { describe, expect, it, vi } from 'vitest';
import type { ConsumerFacts, Grant } from '../../../src/core/model.ts';
import { ARM, SUBSCRIPTION, TENANT, vaultError } from '../../fixtures/azure-wire.ts';
import { ARM_ID, armRefused, armVault, BASE, bench, CMK, ofArm, page, vaultStub } from './key-vault-cloud.ts';

const bed = bench();
const ACCOUNT_ID = 'AAAAAAAA-0000-0000-0000-000000000001';
const GROUP_ID = 'bbbbbbbb-0000-0000-0000-000000000002';
const ROLES = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions`;
const ENCRYPTION_USER = `${ROLES}/e147488a-f6f5-4113-8e2d-b22465e65bf6`;
const CUSTOM = `${ROLES}/dddddddd-0000-0000-0000-000000000003`;
const ASSIGNMENTS = ofArm(`${ARM_ID}/providers/Microsoft.Authorization/roleAssignments`);
const rbac = armVault('contoso', { enableRbacAuthorization: true });
/** A listing that knows of an account that uses these keys; that every key names its vault, too, is how it always is. */
const usedBy = (...keys: readonly string[]) => ({
  referenced: () => [vaultStub().resource],
  consumers: (): readonly ConsumerFacts[] => [
    {
      resource: `/subscriptions/${SUBSCRIPTION}/resourcegroups/media/providers/microsoft.media/mediaservices/contoso`,
      kind: 'media-services-account',
      name: 'contoso',
      provider: 'azure',
      account: SUBSCRIPTION,
      location: 'westeurope',
      tags: {},
      uses: keys.map((resource) => ({ resource, role: 'encrypts' })),
      attributes: {},
    },
  ],
});
const needed = usedBy(CMK);

const assignment = (principalId: string, roleDefinitionId: string, principalType: string) => ({
  properties: { principalId, roleDefinitionId, principalType, scope: `/subscriptions/${SUBSCRIPTION}` },
});
const role = (...permissions: readonly object[]) => ({ body: { id: CUSTOM, properties: { permissions } } });

function byRoles(...assignments: readonly object[]): void {
  bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([rbac]));
  bed.wire.on('GET', ARM, ofArm(ARM_ID), { body: rbac });
  bed.wire.on('GET', ARM, ASSIGNMENTS, page(assignments));
}

async function grants(): Promise<readonly Grant[] | undefined> {
  const looked = await bed.look(vaultStub());
  if ('failure' in looked) throw new Error('no facts');
  return looked.facts.grants;
}

async function digest(context = needed): Promise<string | undefined> {
  const { listed } = await bed.list(context);
  return listed.find(({ stub }) => stub.kind === 'azure-vault')?.digest;
}

describe('grants by access policy', () => {
  it('are those of one principal in the tenant of the vault, in lower case', async () => {
    const permissions = (...keys: string[]) => ({ keys, secrets: ['all'] });
    const policies = [
      { tenantId: TENANT, objectId: ACCOUNT_ID, permissions: permissions('WrapKey', 'Get', 'UnwrapKey') },
      { tenantId: TENANT, objectId: GROUP_ID, applicationId: GROUP_ID, permissions: permissions('all') },
      { tenantId: SUBSCRIPTION, objectId: GROUP_ID, permissions: permissions('all') },
      { tenantId: TENANT, objectId: GROUP_ID, permissions: { secrets: ['get'] } },
    ];
    const vault = armVault('contoso', { accessPolicies: policies });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([vault]));
    bed.wire.on('GET', ARM, ofArm(ARM_ID), { body: vault });
    const before = await digest();
    expect(await grants()).toEqual([
      { principal: ACCOUNT_ID.toLowerCase(), via: 'policy', permissions: ['get', 'unwrapkey', 'wrapkey'] },
      { principal: GROUP_ID, via: 'policy', permissions: [] },
    ]);
    expect(bed.called.some((operation) => operation.startsWith('Role'))).toBe(false);
    const removed = armVault('contoso', { accessPolicies: policies.slice(1) });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([removed]));
    expect(await digest()).not.toBe(before);
  });
});

describe('grants by role', () => {
  it('are asked for only where somebody needs a key of the vault', async () => {
    byRoles();
    await digest(usedBy(`https://other.vault.azure.net/keys/cmk`, vaultStub().resource.slice(0, -1)));
    expect(bed.called).not.toContain('RoleAssignments.ListForScope');
    expect(await grants()).toBeUndefined();
    await digest(usedBy(CMK.toUpperCase().replace('HTTPS', 'https')));
    expect(bed.called).toContain('RoleAssignments.ListForScope');
    expect(await grants()).toEqual([]);
  });

  it('are what the built-in roles allow, groups told apart; the roles need not be asked for', async () => {
    byRoles(
      assignment(ACCOUNT_ID, ENCRYPTION_USER, 'ServicePrincipal'),
      assignment(GROUP_ID, `${ROLES}/00482A5A-887F-4FB3-B363-3B7FE8E74483`, 'Group'),
      assignment(GROUP_ID, `${ROLES}/21090545-7ca7-4776-b22c-e363652d74d2`, 'User'),
    );
    await digest();
    expect(await grants()).toEqual([
      {
        principal: ACCOUNT_ID.toLowerCase(),
        type: 'serviceprincipal',
        via: 'role',
        permissions: ['get', 'list', 'unwrapkey', 'wrapkey'],
      },
      { principal: GROUP_ID, type: 'group', via: 'role', permissions: ['all'] },
      { principal: GROUP_ID, type: 'user', via: 'role', permissions: ['get', 'list'] },
    ]);
    expect(bed.called).not.toContain('RoleDefinitions.GetById');
  });

  it('count where they are for a single key; what is for a secret opens no key', async () => {
    const at = (below: string) => {
      const { properties } = assignment(ACCOUNT_ID, ENCRYPTION_USER, 'ServicePrincipal');
      return {
        properties: { ...properties, scope: `${ARM_ID.replace('/resourceGroups/', '/resourcegroups/')}${below}` },
      };
    };
    byRoles(at('/keys/CMK'), at('/secrets/cmk'), at('/keys/other'));
    await digest();
    expect((await grants())?.map(({ key }) => key)).toEqual(['cmk', 'other']);
    byRoles(at(''));
    await digest();
    expect((await grants())?.[0]).not.toHaveProperty('key');
    // Azure leaves out what lies below the scope as soon as it is asked for `atScope()`.
    expect(bed.wire.asked('GET', ARM, ASSIGNMENTS)[0]?.query.get('$filter')).toBeNull();
  });

  it('are read off custom roles, wildcards and exceptions included, and kept for an hour', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    byRoles(assignment(ACCOUNT_ID, CUSTOM, 'ServicePrincipal'));
    const wrapping = {
      actions: ['*'],
      dataActions: ['Microsoft.KeyVault/vaults/KEYS/*/action', 'Microsoft.KeyVault/vaults/keys/read'],
      notDataActions: ['Microsoft.KeyVault/vaults/keys/purge/action', 'Microsoft.KeyVault/vaults/keys/*crypt/action'],
    };
    bed.wire.on('GET', ARM, ofArm(CUSTOM), role(wrapping));
    await digest();
    const [grant] = (await grants()) ?? [];
    expect(grant?.permissions).toEqual(expect.arrayContaining(['get', 'unwrapkey', 'wrapkey', 'sign']));
    for (const excepted of ['purge', 'encrypt', 'decrypt', 'delete', 'all']) {
      expect(grant?.permissions).not.toContain(excepted);
    }
    bed.wire.on('GET', ARM, ofArm(CUSTOM), role({ dataActions: ['*'] }));
    const before = await digest();
    expect(bed.called.filter((operation) => operation === 'RoleDefinitions.GetById')).toHaveLength(1);
    vi.setSystemTime(Date.now() + 3_600_001);
    expect(await digest()).not.toBe(before);
    expect((await grants())?.[0]?.permissions).toEqual(['all']);
    vi.useRealTimers();
  });

  it('are looked at again with their vault, so that a look confirms or calms what a listing told', async () => {
    byRoles();
    await digest();
    expect(await grants()).toEqual([]);
    byRoles(assignment(ACCOUNT_ID, ENCRYPTION_USER, 'ServicePrincipal'));
    expect(await grants()).toHaveLength(1);
  });

  it('are none of a role without data actions, such as Owner', async () => {
    byRoles(assignment(ACCOUNT_ID, CUSTOM, 'User'));
    bed.wire.on('GET', ARM, ofArm(CUSTOM), role({ actions: ['*'] }));
    await digest();
    expect(await grants()).toEqual([]);
  });

  it('change the vault when one is removed, on whatever page', async () => {
    const own = assignment(ACCOUNT_ID, ENCRYPTION_USER, 'ServicePrincipal');
    byRoles();
    const link = `https://${ARM}${ARM_ID}/providers/Microsoft.Authorization/roleAssignments?api-version=1&$skiptoken=2`;
    bed.wire.on('GET', ARM, ASSIGNMENTS, page([], link));
    bed.wire.on('GET', ARM, /roleAssignments\?.*skiptoken=2$/, page([own]));
    const before = await digest();
    expect(await grants()).toHaveLength(1);
    bed.wire.on('GET', ARM, /roleAssignments\?.*skiptoken=2$/, page([]));
    expect(await digest()).not.toBe(before);
    expect(await grants()).toEqual([]);
  });

  it('are not known where the monitor may not read them; trouble on the way takes nothing back', async () => {
    byRoles(assignment(ACCOUNT_ID, ENCRYPTION_USER, 'ServicePrincipal'));
    const before = await digest();
    bed.wire.on('GET', ARM, ASSIGNMENTS, vaultError(500, 'InternalServerError', undefined, 'oops'));
    expect(await digest()).toBe(before);
    expect(await grants()).toHaveLength(1);
    for (const strange of [{ body: { nothing: 1 } }, page([], 'https://evil.example/next')]) {
      bed.wire.on('GET', ARM, ASSIGNMENTS, strange);
      expect(await digest()).toBe(before);
    }
    bed.wire.on('GET', ARM, ASSIGNMENTS, armRefused());
    expect(await digest()).not.toBe(before);
    expect(await grants()).toBeUndefined();
    const { outcome } = await bed.list(needed);
    expect(outcome.failed).toBeUndefined();
  });
});
