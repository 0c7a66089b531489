/** What one listing leaves for the next, and for the looks in between. */
import { describe, expect, it } from 'vitest';
import { cloudOf } from '../../../src/providers/azure/clouds.ts';
import { forget, remember } from '../../../src/providers/azure/key-vault/memory.ts';
import type { ServiceEnv } from '../../../src/providers/azure/service.ts';
import type { Listed } from '../../../src/providers/provider.ts';
import { ARM, VAULT, vaultError } from '../../fixtures/azure-wire.ts';
import {
  armVault,
  BASE,
  bench,
  byFirewall,
  CMK,
  item,
  keyStub,
  ofArm,
  ofVault,
  page,
  V1,
  vaultStub,
} from './key-vault-cloud.ts';

const bed = bench();
const OTHER = 'other.vault.azure.net';
const oops = () => vaultError(500, 'InternalServerError', undefined, 'oops');
const resources = (listed: readonly Listed[]) => listed.map(({ stub }) => stub.resource).sort();

describe('a vault of which not all keys can be listed', () => {
  it('is blind, however well its first key answers', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([item('cmk')], `https://${VAULT}/keys?skiptoken=2`));
    bed.wire.on('GET', VAULT, /^\/keys\?skiptoken=2/, page([item('other', {}, { kid: `https://${OTHER}/keys/x` })]));
    const { outcome } = await bed.list();
    expect(outcome.covers?.(keyStub())).toBe(false);
    expect(await bed.verdict(vaultStub())).toBe('unknown: bad_response');
    bed.wire.on('GET', VAULT, /^\/keys\?skiptoken=2/, page([item('other')]));
    expect(await bed.verdict(vaultStub())).toBe('accessible');
  });

  it('is blind too where its deleted keys cannot be had, but a key that vanished is missed at once', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys'), page([]));
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys'), oops());
    for (let sweep = 0; sweep < 2; sweep++) {
      const { outcome } = await bed.list();
      expect(outcome.covers?.(keyStub())).toBe(true);
      expect(outcome.covers?.(keyStub('deleted-long-ago'))).toBe(false);
    }
    expect(await bed.verdict(vaultStub())).toBe('unknown: provider_error');
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys'), page([]));
    expect(await bed.verdict(vaultStub())).toBe('accessible');
  });
});

describe('vaults that all fail alike', () => {
  it('are not shown as unchanged: nobody has seen them', async () => {
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([armVault(), armVault('other')]));
    for (const host of [VAULT, OTHER]) bed.wire.on('GET', host, ofVault('/keys'), byFirewall());
    const { listed, outcome } = await bed.list();
    expect(outcome.failed).toBeDefined();
    expect(resources(listed)).toEqual([]);
    expect(outcome.covers?.(vaultStub())).toBe(false);
    expect(outcome.covers?.(vaultStub('gone.vault.azure.net'))).toBe(true);
  });
});

describe('a vault that is no more', () => {
  it('leaves nothing behind: whoever makes and drops many costs no memory', async () => {
    const { living, dead, ...memory } = remember({ cloud: cloudOf('public') } as ServiceEnv);
    for (const vault of ['https://a.vault.azure.net', 'https://b.vault.azure.net']) {
      memory.answered.set(vault, { operation: 'ListKeys', reason: 'dns' });
      memory.grants.set(vault, []);
      memory.listed.set(vault, new Set([`${vault}/keys/x`]));
      memory.withDeleted.add(vault);
      for (const key of ['x', 'y']) {
        memory.current.set(`${vault}/keys/${key}`, V1);
        memory.olderUsed.add(`${vault}/keys/${key}`);
      }
    }
    const stub = vaultStub('a.vault.azure.net');
    living.set(stub.resource, { type: 'vault', stub });
    forget({ living, dead, ...memory });
    const { answered, grants, listed, withDeleted, current, olderUsed } = memory;
    for (const known of [answered, grants, listed, withDeleted]) expect([...known.keys()]).toEqual([stub.resource]);
    for (const known of [current, olderUsed]) expect([...known.keys()]).toEqual([`${stub.resource}/keys/x`]);
  });
});

describe('a version that is used', () => {
  it('is listed once after a restart, and not again while it is the newest', async () => {
    const used = { versionsInUse: (resource: string) => (resource === CMK ? [V1] : []) };
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk/versions'), page([item(`cmk/${V1}`)]));
    const versions = () => bed.called.filter((operation) => operation === 'ListKeyVersions').length;
    await bed.list(used);
    expect(versions()).toBe(1);
    await bed.list(used);
    await bed.list(used);
    expect(versions()).toBe(1);
  });
});
