import { describe, expect, it } from 'vitest';
import type { Grant, KeyFacts, Version } from '../../../src/core/model.ts';
import {
  ACCOUNT,
  account,
  DAY,
  judge,
  KEY,
  key,
  MINUTE,
  NOW,
  PRINCIPAL,
  policy,
  SUBSCRIPTION,
  said,
  vault,
} from './media-services-edge.ts';

const V1: Version = { id: 'v1', createdAt: NOW - 90 * DAY, enabled: true };
const V2: Version = { id: 'v2', createdAt: NOW, enabled: true };

describe('a new version that the account has not moved to', () => {
  it.each([
    [0, [], 15],
    [15 * MINUTE - 1, [], 15],
    [15 * MINUTE, ['rotation-lag warning'], 60],
    [60 * MINUTE - 1, ['rotation-lag warning'], 60],
    [60 * MINUTE, ['rotation-lag critical'], undefined],
  ])('after %i ms', (after, findings, until) => {
    const judgement = judge(account(), [key({ version: V2, versions: [V2, V1] }), vault()], NOW + after);
    expect(said(judgement)).toEqual(findings);
    expect(judgement.until).toBe(until === undefined ? undefined : NOW + until * MINUTE);
    expect(judgement.impairment).toBeUndefined();
  });

  it('is known by its key alone before its versions were listed', () => {
    expect(said(judge(account(), [key({ version: V2 }), vault()], NOW + 15 * MINUTE))).toEqual([
      'rotation-lag warning',
    ]);
  });

  it('counts from when it became valid', () => {
    const version = { ...V2, notBeforeAt: NOW + DAY };
    const keys = [key({ version, versions: [version, V1] }), vault()];
    expect(judge(account(), keys, NOW + DAY)).toEqual({ findings: [], until: NOW + DAY + 15 * MINUTE });
    expect(said(judge(account(), keys, NOW + DAY + 60 * MINUTE))).toEqual(['rotation-lag critical']);
  });

  it('stays late when one more version appears', () => {
    const v3 = { id: 'v3', createdAt: NOW + 59 * MINUTE, enabled: true };
    const { findings } = judge(account(), [key({ version: v3, versions: [v3, V2, V1] }), vault()], NOW + 60 * MINUTE);
    expect(findings).toMatchObject([{ id: 'media-services.rotation-lag', severity: 'critical' }]);
    expect(findings[0]?.summary).toContain('though v3 exists');
  });

  it('says the same sentence as long as it is the same', () => {
    const keys = [key({ version: V2, versions: [V2, V1] }), vault()];
    const at = (minutes: number) => judge(account(), keys, NOW + minutes * MINUTE).findings;
    expect(at(20)).toEqual(at(50));
    expect(at(20)[0]?.summary).toBe(
      'It still uses version v1, though v2 exists and it could have moved on since 2026-11-20 12:00:00 UTC.',
    );
    expect(at(20)[0]?.remedy).toContain(
      `az resource update --ids ${ACCOUNT} --set properties.encryption.keyVaultProperties.keyIdentifier=${KEY}`,
    );
  });

  it.each<[string, Partial<KeyFacts>]>([
    ['the account uses it', { version: V1, versions: [V1] }],
    ['it is disabled', { version: V1, versions: [{ ...V2, enabled: false }, V1] }],
    ['its age is not known', { version: { id: 'v2', enabled: true } }],
    ['the account is ahead of what is known of the key', { version: V1, versions: [V1], state: 'Enabled' }],
    ['the key itself is lost', { version: V2, versions: [V2, V1], state: 'SoftDeleted' }],
  ])('is no finding where %s', (_, more) => {
    expect(judge(account(), [key(more), vault()], NOW + DAY)).toEqual({ findings: [] });
  });

  it('is no finding for an account that does not tell what it uses', () => {
    const { versionInUse: _, ...use } = account().uses[0]!;
    expect(judge(account({ uses: [use] }), [key({ version: V2 }), vault()], NOW + DAY)).toEqual({ findings: [] });
  });

  it('is the newest also when two were made within a second', () => {
    const twin = { ...V1, id: 'v2' };
    expect(said(judge(account(), [key({ version: twin, versions: [V1, twin] }), vault()]))).toEqual([
      'rotation-lag critical',
    ]);
  });

  it('is not older than the version in use because the key was looked at before', () => {
    const ahead = account({}, { versionInUse: 'v2' });
    expect(judge(ahead, [key({ version: V1, versions: [V2, V1] }), vault()], NOW + DAY)).toEqual({ findings: [] });
  });
});

describe('a pinned version', () => {
  it('is never late, and a newer one is named', () => {
    const pinned = account({}, { pinned: true });
    const { findings, until } = judge(pinned, [key({ version: V2, versions: [V2, V1] }), vault()], NOW + DAY);
    expect(until).toBeUndefined();
    expect(findings).toMatchObject([
      {
        id: 'media-services.pinned-version',
        severity: 'info',
        summary: 'It stays with one version of its key and follows no rotation; a newer one exists, v2.',
      },
    ]);
  });

  it('is told without one too', () => {
    const { findings } = judge(account({}, { pinned: true }));
    expect(findings[0]?.summary).toBe('It stays with one version of its key and follows no rotation.');
  });
});

describe('the version in use', () => {
  const off = { ...V1, enabled: false };
  it.each([true, false])('disabled while a newer one is enabled is an outage (pinned: %s)', (pinned) => {
    const judgement = judge(account({}, { pinned }), [key({ version: V2, versions: [V2, off] }), vault()]);
    expect(judgement.impairment).toBe('version_in_use_disabled');
    expect(judgement.findings[0]).toMatchObject({
      id: 'media-services.version-in-use-disabled',
      severity: 'critical',
      remedy: `az keyvault key set-attributes --id ${KEY}/v1 --enabled true`,
    });
  });

  it('disabled with nothing newer is the loss of the key itself', () => {
    expect(judge(account(), [key({ version: off, versions: [off], state: 'Disabled' }), vault()])).toEqual({
      findings: [],
    });
    expect(
      judge(account(), [key({ version: { ...V2, enabled: false }, versions: [off], state: 'Disabled' }), vault()]),
    ).toEqual({
      findings: [],
    });
  });

  it('that the key does not have any more is gone, and nothing is said of newer ones', () => {
    const judgement = judge(account(), [key({ version: V2, versions: [V2] }), vault()], NOW + DAY);
    expect(said(judgement)).toEqual(['version-in-use-gone critical']);
    expect(judgement.findings[0]?.remedy).toContain('az keyvault key restore --vault-name contoso --file key.backup');
  });
});

describe('the access of its identity', () => {
  const grant = (permissions: string[], more: Partial<Grant> = {}): Grant => ({
    principal: PRINCIPAL,
    via: 'policy',
    permissions,
    ...more,
  });
  const held = (grants: readonly Grant[] | undefined, access = 'policy') => {
    const { grants: _, ...bare } = vault({ attributes: { access } });
    return judge(account(), [key(), grants ? { ...bare, grants } : bare]);
  };

  it.each<[string, readonly Grant[] | undefined]>([
    ['a policy', [grant(['get', 'wrapkey', 'unwrapkey'])]],
    ['everything', [grant(['all'])]],
    ['several roles', [grant(['get'], { via: 'role' }), grant(['wrapkey', 'unwrapkey'], { via: 'role' })]],
    ['another spelling of its id', [grant(['all'], { principal: PRINCIPAL.toUpperCase() })]],
    ['grants that are not known', undefined],
    ['a role for this very key', [grant(['all'], { via: 'role', key: 'cmk' })]],
  ])('is given by %s', (_, grants) => {
    expect(held(grants)).toEqual({ findings: [] });
  });

  it.each<[string, readonly Grant[], string]>([
    ['nothing', [], 'get, wrapKey, unwrapKey'],
    ['one permission less', [grant(['get', 'wrapkey'])], 'unwrapKey'],
    ['the grants of somebody else', [grant(['all'], { principal: 'other' })], 'get, wrapKey, unwrapKey'],
    ['a role for another key', [grant(['all'], { via: 'role', key: 'other' })], 'get, wrapKey, unwrapKey'],
    [
      'a group that may do something else',
      [grant(['list'], { principal: 'g', type: 'group' })],
      'get, wrapKey, unwrapKey',
    ],
  ])('is lost with %s', (_, grants, lack) => {
    const judgement = held(grants);
    expect(judgement.impairment).toBe('access_revoked');
    expect(judgement.findings).toMatchObject([
      {
        id: 'media-services.access',
        severity: 'critical',
        summary: `Its identity ${PRINCIPAL} may not use the key: it lacks ${lack} on the vault.`,
      },
    ]);
  });

  it('cannot be told where groups have it', () => {
    const group = (principal: string, ...permissions: string[]) =>
      grant(permissions, { principal, type: 'group', via: 'role' });
    for (const grants of [[group('g', 'all')], [group('g', 'get'), group('h', 'wrapkey', 'unwrapkey')]]) {
      const judgement = held(grants, 'rbac');
      expect(judgement.impairment).toBeUndefined();
      expect(said(judgement)).toEqual(['access-unknown info']);
      expect(judgement.findings[0]?.remedy).toContain(`az ad group member check --group g --member-id ${PRINCIPAL}`);
    }
    expect(said(held([grant(['get']), group('g', 'wrapkey', 'unwrapkey')]))).toEqual(['access-unknown info']);
    expect(said(held([group('g', 'get'), group('h', 'wrapkey')]))).toEqual(['access critical']);
  });

  it('comes back by the command for the way in which the vault grants', () => {
    expect(held([grant(['list', 'get'])]).findings[0]?.remedy).toBe(
      `az keyvault set-policy --name contoso --subscription ${SUBSCRIPTION} --object-id ${PRINCIPAL} --key-permissions get wrapKey unwrapKey list`,
    );
    expect(held([], 'rbac').findings[0]?.remedy).toBe(
      `az role assignment create --role 'Key Vault Crypto Service Encryption User' --assignee-object-id ${PRINCIPAL} --assignee-principal-type ServicePrincipal --scope ${vault().attributes.resourceId}`,
    );
  });

  it('impairs nothing where policy has switched the rule off, or made it a remark', () => {
    const judged = (severity: 'off' | 'info' | 'warning') =>
      judge(account(), [key(), vault({ grants: [] })], undefined, {
        ...policy,
        rules: { 'media-services.access': severity },
      }).impairment;
    expect(judged('off')).toBeUndefined();
    expect(judged('info')).toBeUndefined();
    expect(judged('warning')).toBe('access_revoked');
  });

  it('is judged by the vault of a key that was never seen', () => {
    expect(judge(account(), [vault({ grants: [] })]).impairment).toBe('access_revoked');
  });

  it('is not judged for an identity that nobody told', () => {
    const bare = account();
    const { principal: _, ...attributes } = bare.attributes;
    const judgement = judge({ ...bare, attributes }, [key(), vault({ grants: [] })]);
    expect(judgement.impairment).toBeUndefined();
    expect(said(judgement)).toEqual(['identity-unknown info']);
  });
});
