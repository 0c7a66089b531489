import { describe, expect, it } from 'vitest';
import type { Listed } from '../../../src/providers/provider.ts';
import { ARM, NOWHERE, VAULT, vaultError } from '../../fixtures/azure-wire.ts';
import {
  armDeleted,
  armHsm,
  armId,
  armRefused,
  armVault,
  BASE,
  bench,
  bundle,
  byFirewall,
  byRbac,
  CMK,
  deletedBundle,
  item,
  keyStub,
  ofArm,
  ofVault,
  page,
  unresolvable,
  V1,
  V2,
  vaultStub,
} from './key-vault-cloud.ts';

const bed = bench();
const OTHER = 'other.vault.azure.net';

const resources = (listed: readonly Listed[]) => listed.map(({ stub }) => stub.resource).sort();
const digest = (listed: readonly Listed[], resource: string) =>
  listed.find(({ stub }) => stub.resource === resource)?.digest;

function addVault(name: string, ...keys: readonly object[]): void {
  const host = `${name}.vault.azure.net`;
  bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([armVault(), armVault(name)]));
  bed.wire.on('GET', host, ofVault('/keys'), page(keys));
  bed.wire.on('GET', host, ofVault('/deletedkeys'), page([]));
}

describe('a listing', () => {
  it('shows the vaults of the subscription and their keys, each where its vault is', async () => {
    const { listed, outcome } = await bed.list();
    expect(listed.map(({ stub }) => stub)).toEqual([keyStub(), vaultStub()]);
    expect(outcome).toMatchObject({ complete: true, exclusive: false });
    expect(outcome.failed).toBeUndefined();
    expect(outcome.covers?.(keyStub())).toBe(true);
    expect(outcome.covers?.(vaultStub())).toBe(true);
  });

  it('is the same as long as nothing changes, and after a restart', async () => {
    const first = await bed.list();
    expect(await bed.list()).toMatchObject({ listed: first.listed });
    await bed.reopen();
    expect(await bed.list()).toMatchObject({ listed: first.listed });
  });

  it('goes on after empty pages, and follows links that carry a port', async () => {
    const link = `https://${ARM}:443${BASE}/vaults?api-version=2026-02-01&$skiptoken=`;
    const step = (token: string) => new RegExp(`^${BASE}/vaults.*skiptoken=${token}$`);
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([], `${link}a`));
    bed.wire.on('GET', ARM, step('a'), page([armVault()], `${link}b`));
    bed.wire.on('GET', ARM, step('b'), page([]));
    const more = `https://${VAULT}:443/keys?api-version=7.4&$skiptoken=k`;
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([], more));
    const kid = `https://${VAULT}:443/keys/CMK`;
    bed.wire.on('GET', VAULT, /^\/keys\?.*skiptoken=k$/, page([item('CMK', {}, { kid })]));
    const { listed } = await bed.list();
    expect(listed.map(({ stub }) => stub)).toEqual([keyStub('CMK'), vaultStub()]);
  });

  it('changes with everything that an item tells', async () => {
    const first = digest((await bed.list()).listed, CMK);
    const changes = [item('cmk', { enabled: false }), item('cmk', { exp: 1 }), item('cmk', {}, { tags: { a: 'b' } })];
    for (const change of changes) {
      bed.wire.on('GET', VAULT, ofVault('/keys'), page([change]));
      expect(digest((await bed.list()).listed, CMK)).not.toBe(first);
    }
  });

  it('tells keys behind certificates like any other', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([item('web', {}, { managed: true })]));
    expect(resources((await bed.list()).listed)).toContain(keyStub('web').resource);
  });

  it('believes no vault that tells of the keys of another', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([item('cmk', {}, {}, OTHER)]));
    const { listed, outcome } = await bed.list();
    expect(resources(listed)).toEqual([vaultStub().resource]);
    expect(outcome.covers?.(keyStub())).toBe(false);
  });

  it('takes a hostile name for data', async () => {
    // As the SDK reads it off a URL.
    const name = `a'b%22c$(d)%20;e`;
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([item(name)]));
    const { listed } = await bed.list();
    expect(listed[0]?.stub).toMatchObject({ name, resource: `https://${VAULT}/keys/${name}` });
    await bed.failure(keyStub(name));
    const asked = bed.wire.asked('GET', VAULT).map(({ path }) => path.split('/'));
    expect(asked.map(([, , segment]) => decodeURIComponent(segment ?? ''))).toContain(name);
  });
});

describe('the calls of a sweep', () => {
  it('are one list of each kind, and one page for 25 keys', async () => {
    const keys = Array.from({ length: 60 }, (_, n) => item(`k${n}`));
    const link = (n: number) => `https://${VAULT}/keys?api-version=7.4&$skiptoken=${n}`;
    bed.wire.on('GET', VAULT, ofVault('/keys'), page(keys.slice(0, 25), link(1)));
    bed.wire.on('GET', VAULT, /skiptoken=1$/, page(keys.slice(25, 50), link(2)));
    bed.wire.on('GET', VAULT, /skiptoken=2$/, page(keys.slice(50)));
    await bed.list();
    bed.called.length = 0;
    await bed.list();
    expect(bed.called.sort()).toEqual([
      'ListKeys',
      'ListKeys',
      'ListKeys',
      'ManagedHsms.ListBySubscription',
      'Vaults.ListBySubscription',
    ]);
  });

  it('ask for what is deleted once, and again when something is missing or known to be deleted', async () => {
    await bed.list();
    expect(bed.called).toEqual(expect.arrayContaining(['Vaults.ListDeleted', 'ListDeletedKeys']));
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([]));
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys'), page([{ ...deletedBundle(), kid: CMK }]));
    for (let n = 0; n < 2; n++) {
      bed.called.length = 0;
      const { listed } = await bed.list();
      expect(resources(listed)).toEqual([vaultStub().resource, CMK]);
      expect(bed.called).toContain('ListDeletedKeys');
      expect(bed.called).not.toContain('Vaults.ListDeleted');
    }
  });
});

describe('a vault that refuses', () => {
  it('changes, its keys are not covered, and the others go on', async () => {
    addVault('other', item('cek', {}, {}, OTHER));
    const before = await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys'), byRbac());
    const { listed, outcome } = await bed.list();
    expect(resources(listed)).toEqual([vaultStub().resource, `https://${OTHER}`, `https://${OTHER}/keys/cek`].sort());
    expect(digest(listed, vaultStub().resource)).not.toBe(digest(before.listed, vaultStub().resource));
    expect(digest(listed, `https://${OTHER}`)).toBe(digest(before.listed, `https://${OTHER}`));
    expect(outcome.covers?.(keyStub())).toBe(false);
    expect(outcome.covers?.(keyStub('cek', OTHER))).toBe(true);
    expect(outcome.failed).toBeUndefined();
  });

  it.each([
    ['is refused', byRbac()],
    ['is kept out', byFirewall()],
    ['fails', vaultError(500, 'InternalServerError', undefined, 'oops')],
    ['gets no list', { body: { nothing: true } }],
  ])('whatever it is: %s', async (_how, answer) => {
    bed.wire.on('GET', VAULT, ofVault('/keys'), answer);
    const { listed, outcome } = await bed.list();
    expect(resources(listed)).toEqual([vaultStub().resource]);
    expect(outcome.covers?.(keyStub())).toBe(false);
  });

  it('like all the others: the source fails with what most of them say, and no vault changes', async () => {
    addVault('other');
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([armVault(), armVault('other'), armVault('third')]));
    bed.wire.on('GET', 'third.vault.azure.net', ofVault('/keys'), page([]));
    bed.wire.on('GET', 'third.vault.azure.net', ofVault('/deletedkeys'), page([]));
    const before = await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys'), byFirewall());
    bed.wire.on('GET', OTHER, ofVault('/keys'), byRbac());
    bed.wire.on('GET', 'third.vault.azure.net', ofVault('/keys'), byRbac());
    const { listed, outcome } = await bed.list();
    expect(outcome.failed?.operation).toBe('ListKeys');
    expect(outcome.failed?.cause).toMatchObject({ statusCode: 403 });
    expect(listed).toEqual([]);
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([item('cmk')]));
    for (const host of [OTHER, 'third.vault.azure.net']) bed.wire.on('GET', host, ofVault('/keys'), page([]));
    expect((await bed.list()).listed).toEqual(expect.arrayContaining([...before.listed]));
  });

  it('because its name does not resolve: the same', async () => {
    unresolvable(bed.wire);
    const { listed } = await bed.list();
    expect(resources(listed)).toEqual([`https://${NOWHERE}`]);
  });
});

describe('Resource Manager', () => {
  it('fails: the source fails, and the vaults that are known go on being listed', async () => {
    const before = await bed.list();
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), vaultError(500, 'InternalServerError', undefined, 'oops'));
    const { listed, outcome } = await bed.list();
    expect(listed).toEqual(before.listed);
    expect(outcome.failed?.operation).toBe('Vaults.ListBySubscription');
    expect(outcome.covers?.(vaultStub())).toBe(false);
    expect(outcome.covers?.(keyStub())).toBe(true);
  });

  it('refuses, and vaults are configured: their own answers decide, their region too', async () => {
    await bed.reopen({ vaults: [`https://CONTOSO.vault.azure.net:443/`] });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), armRefused());
    const { listed, outcome } = await bed.list();
    expect(listed.map(({ stub }) => stub)).toEqual([keyStub(), vaultStub()]);
    expect(outcome.failed?.operation).toBe('Vaults.ListBySubscription');
    expect(await bed.verdict(vaultStub())).toBe('accessible');
  });

  it('shows no such vault: a configured one is asked for its region at the door where it refuses the monitor', async () => {
    await bed.reopen({ vaults: [`https://${VAULT}`] });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([]));
    bed.wire.on('GET', VAULT, ofVault('/keys'), byRbac());
    const { listed, outcome } = await bed.list();
    expect(outcome.failed).toBeUndefined();
    expect(listed.map(({ stub }) => stub)).toEqual([vaultStub()]);
    expect(await bed.verdict(vaultStub())).toBe('unknown: denied');
  });

  it('shows more vaults than are configured: only those are watched', async () => {
    await bed.reopen({ vaults: [`https://${VAULT}`] });
    addVault('other', item('cek', {}, {}, OTHER));
    bed.wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([armDeleted('gone')]));
    expect(resources((await bed.list()).listed)).toEqual([vaultStub().resource, CMK]);
    expect(bed.session.watches(keyStub())).toBe(true);
    expect(bed.session.watches(vaultStub())).toBe(true);
    expect(bed.session.watches(keyStub('cek', OTHER))).toBe(false);
    expect(bed.session.watches(vaultStub(OTHER))).toBe(false);
    expect(bed.session.watches({ ...keyStub(), account: 'another' })).toBe(false);
  });

  it('may not list managed HSMs: there are none, and nothing is wrong', async () => {
    bed.wire.on('GET', ARM, ofArm(`${BASE}/managedHSMs`), armRefused());
    const { outcome } = await bed.list();
    expect(outcome.failed).toBeUndefined();
    expect(outcome.covers?.(vaultStub('pool.managedhsm.azure.net'))).toBe(false);
    expect(outcome.covers?.(vaultStub())).toBe(true);
  });

  it('shows a managed HSM: its keys are listed, its deleted ones are nobody’s business', async () => {
    const host = 'pool.managedhsm.azure.net';
    bed.wire.on('GET', ARM, ofArm(`${BASE}/managedHSMs`), page([armHsm('pool')]));
    bed.wire.on('GET', host, ofVault('/keys'), page([item('root', {}, {}, host)]));
    bed.wire.on('GET', host, ofVault('/deletedkeys'), byRbac());
    const { listed, outcome } = await bed.list();
    expect(resources(listed)).toEqual(expect.arrayContaining([`https://${host}`, `https://${host}/keys/root`]));
    expect(outcome.covers?.(keyStub('root', host))).toBe(true);
    expect(listed.find(({ stub }) => stub.resource === `https://${host}`)?.stub.location).toBe('westus');
  });

  it('does not show a vault any more: it is missing, or among the deleted ones; its keys are not missing', async () => {
    await bed.list();
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([]));
    const gone = await bed.list();
    expect(gone.listed).toEqual([]);
    expect(gone.outcome.covers?.(vaultStub())).toBe(true);
    expect(gone.outcome.covers?.(keyStub())).toBe(false);
  });

  it('shows it among the deleted ones under the URL that it had, and back after its recovery', async () => {
    const own = 'https://kv.contoso.example:8443';
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([armVault('contoso', { vaultUri: `${own}/` })]), page([]));
    await bed.list();
    bed.wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([armDeleted()]));
    const { listed } = await bed.list();
    expect(listed.map(({ stub }) => stub)).toMatchObject([{ resource: own, name: 'contoso', location: 'westeurope' }]);
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([armVault()]));
    bed.wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([]));
    expect(resources((await bed.list()).listed)).toEqual([vaultStub().resource, CMK]);
  });

  it('tells at the first sweep of vaults that were deleted long ago', async () => {
    bed.wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([armDeleted('old')]));
    expect(resources((await bed.list()).listed)).toContain('https://old.vault.azure.net');
    bed.called.length = 0;
    bed.wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([]));
    expect(resources((await bed.list()).listed)).not.toContain('https://old.vault.azure.net');
    expect(bed.called.filter((operation) => operation.includes('ListDeleted'))).toEqual(['Vaults.ListDeleted']);
  });

  it('is asked by id where the vault was moved to another group', async () => {
    await bed.list();
    const moved = armVault('contoso', {}, { id: armId('contoso').replace('/media/', '/drm/') });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([moved]));
    bed.wire.on('GET', ARM, ofArm(armId('contoso').replace('/media/', '/drm/')), { body: moved });
    await bed.list();
    expect(await bed.verdict(vaultStub())).toBe('accessible');
  });
});

describe('versions that consumers still use', () => {
  const versions = (enabled: boolean) =>
    page([
      item('cmk', { created: 1_600_000_000, enabled }, { kid: `${CMK}/${V1}` }),
      item('cmk', { created: 1_700_000_000 }, { kid: `${CMK}/${V2}` }),
    ]);
  const used = (...ids: string[]) => ({ versionsInUse: (resource: string) => (resource === CMK ? ids : []) });

  it('cost nothing while they are the newest', async () => {
    await bed.look(keyStub());
    await bed.list(used(V1));
    expect(bed.called).not.toContain('ListKeyVersions');
  });

  it('are looked at while they are older ones, so that disabling one is seen', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', {}, {}, VAULT, V2) });
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk/versions'), versions(true));
    const plain = digest((await bed.list(used())).listed, CMK);
    const first = digest((await bed.list(used(V1))).listed, CMK);
    expect(first).not.toBe(plain);
    expect(digest((await bed.list(used(V1))).listed, CMK)).toBe(first);
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk/versions'), versions(false));
    expect(digest((await bed.list(used(V1))).listed, CMK)).not.toBe(first);
    const looked = await bed.look(keyStub());
    expect('facts' in looked && looked.facts.versions?.map(({ id, enabled }) => [id, enabled])).toEqual([
      [V2, true],
      [V1, false],
    ]);
  });

  it('change the key when they are gone, or cannot be listed', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk/versions'), versions(true));
    const there = digest((await bed.list(used(V1))).listed, CMK);
    expect(digest((await bed.list(used('f'.repeat(32)))).listed, CMK)).not.toBe(there);
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk/versions'), byRbac());
    const { listed, outcome } = await bed.list(used(V1));
    expect(digest(listed, CMK)).not.toBe(there);
    expect(outcome.covers?.(keyStub())).toBe(true);
  });
});

describe('a shutdown', () => {
  const call = () => Promise.reject(new Error('shutting down'));

  it('ends a listing and a look with its own reason, which is no failure of any vault', async () => {
    await expect(bed.list({ call })).rejects.toThrow('shutting down');
    await expect(bed.session.describe(keyStub(), undefined, { call, key: () => undefined })).rejects.toThrow(
      'shutting down',
    );
    await expect(bed.session.describe(vaultStub(), undefined, { call, key: () => undefined })).rejects.toThrow(
      'shutting down',
    );
  });
});
