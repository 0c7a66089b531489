import { describe, expect, test } from 'vitest';
import { routeOf } from '../../src/sandbox/azure/vault/operations.ts';
import { codes, DAY, HOST, START, testVault } from './vault.ts';

const SECONDS = START / 1000;
const MISSING =
  'was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182';

describe('routes', () => {
  test.each([
    ['GET', '/keys', 'GetKeys', 'list', undefined, undefined],
    ['GET', '/keys/', 'GetKeys', 'list', undefined, undefined],
    ['GET', '/keys/k', 'GetKey', 'get', 'k', undefined],
    ['GET', '/keys/k/', 'GetKey', 'get', 'k', undefined],
    ['get', '/keys/k/0a', 'GetKey', 'get', 'k', '0a'],
    ['GET', '/keys/k/versions', 'GetKeyVersions', 'list', 'k', undefined],
    ['POST', '/keys/k/create', 'CreateKey', 'create', 'k', undefined],
    ['PUT', '/keys/k', 'ImportKey', 'import', 'k', undefined],
    ['PATCH', '/keys/k/', 'UpdateKey', 'update', 'k', undefined],
    ['PATCH', '/keys/k/0a', 'UpdateKey', 'update', 'k', '0a'],
    ['DELETE', '/keys/k', 'DeleteKey', 'delete', 'k', undefined],
    ['POST', '/keys/k/rotate', 'RotateKey', 'rotate', 'k', undefined],
    ['GET', '/keys/k/rotationpolicy', 'GetKeyRotationPolicy', 'getrotationpolicy', 'k', undefined],
    ['PUT', '/keys/k/rotationpolicy', 'UpdateKeyRotationPolicy', 'setrotationpolicy', 'k', undefined],
    ['POST', '/keys/k/0a/wrapkey', 'wrapKey', 'wrapkey', 'k', '0a'],
    ['POST', '/keys/k/0a/wrapKey', 'wrapKey', 'wrapkey', 'k', '0a'],
    ['POST', '/keys/k//unwrapkey', 'unwrapKey', 'unwrapkey', 'k', undefined],
    ['POST', '/keys/k/encrypt', 'encrypt', 'encrypt', 'k', undefined],
    ['POST', '/keys/k/0a/decrypt', 'decrypt', 'decrypt', 'k', '0a'],
    ['POST', '/keys/k/0a/sign', 'sign', 'sign', 'k', '0a'],
    ['POST', '/keys/k/0a/verify', 'verify', 'verify', 'k', '0a'],
    ['POST', '/keys/k/backup', 'BackupKey', 'backup', 'k', undefined],
    ['POST', '/keys/restore', 'RestoreKey', 'restore', undefined, undefined],
    ['GET', '/deletedkeys', 'GetDeletedKeys', 'list', undefined, undefined],
    ['GET', '/deletedkeys/k', 'GetDeletedKey', 'get', 'k', undefined],
    ['POST', '/deletedkeys/k/recover', 'RecoverDeletedKey', 'recover', 'k', undefined],
    ['DELETE', '/deletedkeys/k', 'PurgeDeletedKey', 'purge', 'k', undefined],
  ])('%s %s is %s', (method, path, operation, permission, name, version) => {
    const route = routeOf(method, path);
    expect(route).toMatchObject({ operation, permission });
    expect([route?.name, route?.version]).toEqual([name, version]);
  });

  test.each([
    ['GET', '/'],
    ['GET', '/secrets/s'],
    ['POST', '/keys'],
    ['DELETE', '/keys/k/0a'],
    ['POST', '/keys/k/0a/constructor'],
    ['POST', '/keys/k/0a/wrapkey/more'],
    ['PUT', '/deletedkeys/k'],
    ['GET', '/deletedkeys/k/a/b'],
  ])('%s %s is nothing', (method, path) => {
    expect(routeOf(method, path)).toBeUndefined();
  });
});

describe('what a key looks like', () => {
  test('an RSA key is answered with its public half, its dates in seconds and its tags', () => {
    const { ask } = testVault();
    const created = ask('POST', '/keys/CMK/create', {
      kty: 'RSA',
      key_size: 3072,
      key_ops: ['wrapKey', 'unwrapKey'],
      attributes: { enabled: false, nbf: SECONDS, exp: SECONDS + 60 },
      tags: { owner: 'video' },
    });
    const [id] = created.body.key.kid.split('/').slice(-1);
    const n = expect.stringMatching(/^[\w-]{512}$/);
    expect(created).toEqual({
      status: 200,
      body: {
        key: { kid: `https://${HOST}/keys/CMK/${id}`, kty: 'RSA', key_ops: ['wrapKey', 'unwrapKey'], n, e: 'AQAB' },
        attributes: {
          enabled: false,
          nbf: SECONDS,
          exp: SECONDS + 60,
          created: SECONDS,
          updated: SECONDS,
          recoveryLevel: 'Recoverable+Purgeable',
          recoverableDays: 90,
          exportable: false,
          hsmPlatform: '0',
        },
        tags: { owner: 'video' },
      },
    });
    expect(ask('GET', '/keys/cmk/')).toEqual(created);
    expect(ask('GET', `/keys/cmk/${id}`)).toEqual(created);
  });

  test.each([
    ['P-256', 43],
    ['P-384', 64],
    ['P-521', 88],
    ['P-256K', 43],
  ])('an EC key on %s is answered with its point', (crv, length) => {
    const { ask } = testVault();
    const { key } = ask('POST', '/keys/k/create', { kty: 'EC-HSM', crv }).body;
    const coordinate = expect.stringMatching(new RegExp(`^[\\w-]{${length}}$`));
    expect(key).toEqual({
      kid: key.kid,
      kty: 'EC-HSM',
      key_ops: ['sign', 'verify'],
      crv,
      x: coordinate,
      y: coordinate,
    });
  });

  test.each([2048, 3072, 4096])('the modulus of an RSA key has %i bits', (key_size) => {
    const { ask } = testVault();
    const moduli = [1, 2, 3].map(() => ask('POST', '/keys/k/create', { kty: 'RSA', key_size }).body.key.n);
    expect(new Set(moduli).size).toBe(3);
    for (const n of moduli) {
      const bytes = Buffer.from(n, 'base64url');
      expect([bytes.length * 8, bytes.readUInt8(0) >> 7]).toEqual([key_size, 1]);
    }
  });

  test.each([
    ['7.1', []],
    ['7.3', ['exportable']],
    ['7.4', ['exportable']],
    ['7.5', ['exportable', 'hsmPlatform']],
    ['2025-07-01', ['exportable', 'hsmPlatform']],
  ])('version %s of the API has its own fields', (version, fields) => {
    const { ask, keys } = testVault();
    keys.create('k');
    const { attributes } = ask('GET', `/keys/k?api-version=${version}`).body;
    expect(Object.keys(attributes).slice(5)).toEqual(fields);
  });

  test.each([
    [{}, 'Recoverable+Purgeable', 90],
    [{ purgeProtection: true }, 'Recoverable', 90],
    [{ retentionDays: 7 }, 'CustomizedRecoverable+Purgeable', 7],
    [{ retentionDays: 7, purgeProtection: true }, 'CustomizedRecoverable', 7],
    [{ softDelete: false }, 'Purgeable', 0],
    [{ softDelete: false, hsm: true }, 'Recoverable+Purgeable', 90],
  ] as const)('a vault with %j has the recovery level %s', (settings, recoveryLevel, recoverableDays) => {
    const { ask, keys } = testVault(settings);
    keys.create('k');
    expect(ask('GET', '/keys/k').body.attributes).toMatchObject({ recoveryLevel, recoverableDays });
  });

  test('an update changes what it names and leaves the rest', () => {
    const { ask, clock } = testVault();
    ask('POST', '/keys/k/create', { kty: 'RSA', attributes: { exp: SECONDS + 60 }, tags: { a: '1' } });
    clock.now += 5000;
    const { body } = ask('PATCH', '/keys/k/', { attributes: { enabled: false, exp: null }, key_ops: ['unwrapKey'] });
    expect(body).toMatchObject({ key: { key_ops: ['unwrapKey'] }, tags: { a: '1' } });
    expect(body.attributes).toMatchObject({ enabled: false, exp: SECONDS + 60, updated: SECONDS + 5 });
    expect(ask('PATCH', '/keys/k/', { tags: {} }).body.tags).toEqual({});
    expect(ask('PATCH', '/keys/k', JSON.parse('{"tags":{"__proto__":"data"}}')).body.tags).toEqual(
      Object.fromEntries([['__proto__', 'data']]),
    );
  });
});

describe('lists', () => {
  test('items have neither type nor version; a page has 25 and a link to the next with the port', () => {
    const { ask, keys } = testVault();
    for (let index = 0; index < 60; index += 1) keys.create(`key-${String(index).padStart(2, '0')}`);
    const seen: string[] = [];
    const sizes: number[] = [];
    let next: string | null = '/keys?api-version=7.4';
    while (next !== null) {
      const { body } = ask('GET', next);
      seen.push(...body.value.map((item: { kid: string }) => item.kid.split('/').at(-1)));
      sizes.push(body.value.length);
      next = body.nextLink;
      if (next !== null)
        expect(next).toMatch(new RegExp(`^https://${HOST}:443/keys\\?api-version=7.4&\\$skiptoken=[\\w-]+$`));
    }
    expect(sizes).toEqual([25, 25, 10]);
    expect(seen).toEqual(keys.names());
    expect(ask('GET', '/keys').body.value[0]).toEqual({
      kid: `https://${HOST}/keys/key-00`,
      attributes: expect.objectContaining({ enabled: true, exportable: false }),
    });
  });

  test('a key that goes between two pages hides no other', () => {
    const { ask, keys } = testVault();
    for (const name of ['a', 'B', 'c', 'd']) keys.create(name);
    const first = ask('GET', '/keys?maxresults=2').body;
    keys.delete('b');
    expect(ask('GET', first.nextLink).body.value).toMatchObject([
      { kid: `https://${HOST}/keys/c` },
      { kid: `https://${HOST}/keys/d` },
    ]);
    expect(first.nextLink).toContain('maxresults=2');
  });

  test('a full last page has no link, more than 25 are not given, and nonsense is refused', () => {
    const { ask, keys } = testVault();
    for (let index = 0; index < 25; index += 1) keys.create(`k${index}`);
    expect(ask('GET', '/keys').body.nextLink).toBeNull();
    keys.create('more');
    expect(ask('GET', '/keys?maxresults=1000').body.value).toHaveLength(25);
    for (const query of ['maxresults=0', 'maxresults=x', '$skiptoken=x', '$skiptoken=e30']) {
      expect(codes(ask('GET', `/keys?${query}`))).toEqual([400, 'BadParameter', undefined]);
    }
  });

  test('versions have their ids and attributes, and a missing key has none', () => {
    const { ask, keys } = testVault();
    const ids = [keys.create('k', { enabled: false }), keys.rotate('k'), keys.rotate('k')].map(({ id }) => id);
    const pages = [ask('GET', '/keys/k/versions?maxresults=2').body];
    pages.push(ask('GET', pages[0].nextLink).body);
    const items = pages.flatMap((page) => page.value);
    expect(items.map(({ kid }) => kid)).toEqual(ids.toSorted().map((id) => `https://${HOST}/keys/k/${id}`));
    expect(items.filter(({ attributes }) => !attributes.enabled)).toHaveLength(1);
    expect(ask('GET', '/keys/none/versions')).toEqual({ status: 200, body: { value: [], nextLink: null } });
  });
});

describe('deletion over the wire', () => {
  test('the deleted key says when it was deleted and when it will be purged', () => {
    const { ask, clock, keys } = testVault({ retentionDays: 7 });
    keys.create('k', { tags: { a: '1' } });
    const deleted = ask('DELETE', '/keys/k');
    expect(deleted.body).toMatchObject({
      recoveryId: `https://${HOST}/deletedkeys/k`,
      deletedDate: SECONDS,
      scheduledPurgeDate: SECONDS + 7 * (DAY / 1000),
      key: { kty: 'RSA' },
      attributes: { enabled: true, recoverableDays: 7 },
      tags: { a: '1' },
    });
    expect(codes(ask('DELETE', '/deletedkeys/k'))).toEqual([409, 'Conflict', 'ObjectIsBeingDeleted']);
    expect(ask('GET', '/deletedkeys/k').body.error).toEqual({
      code: 'KeyNotFound',
      message: 'Deleted Key not found: k',
    });
    clock.now += 65_000;
    expect(ask('GET', '/deletedkeys/k')).toEqual(deleted);
    const { key: _key, ...item } = deleted.body;
    expect(ask('GET', '/deletedkeys').body).toEqual({
      value: [{ ...item, kid: `https://${HOST}/keys/k` }],
      nextLink: null,
    });
    expect(ask('GET', '/keys/k').body.error).toEqual({
      code: 'KeyNotFound',
      message: `A key with (name/id) k ${MISSING}`,
    });
    expect(ask('POST', '/deletedkeys/k/recover').body).toMatchObject({ key: deleted.body.key });
    expect(codes(ask('GET', '/keys/k'))).toEqual([404, 'KeyNotFound', undefined]);
    clock.now += 15_000;
    expect(ask('GET', '/keys/k').status).toBe(200);
  });

  test('a purge answers 204 with nothing, or 403 where it is protected', () => {
    const { ask, clock, keys, settings } = testVault({ purgeProtection: true });
    keys.create('k');
    ask('DELETE', '/keys/k');
    clock.now += 65_000;
    expect(codes(ask('DELETE', '/deletedkeys/k'))).toEqual([403, 'Forbidden', undefined]);
    settings.purgeProtection = false;
    expect(ask('DELETE', '/deletedkeys/k')).toEqual({ status: 204, body: undefined });
    expect(codes(ask('DELETE', '/deletedkeys/k'))).toEqual([404, 'KeyNotFound', undefined]);
  });

  test('without soft delete the answer has nothing to recover', () => {
    const { ask, keys } = testVault({ softDelete: false });
    keys.create('k');
    expect(Object.keys(ask('DELETE', '/keys/k').body)).toEqual(['key', 'attributes']);
  });

  test('an unknown version is named together with its key', () => {
    const { ask, keys } = testVault();
    keys.create('k');
    expect(ask('GET', '/keys/k/0a').body.error.message).toBe(`A key with (name/id) k/0a ${MISSING}`);
    expect(ask('GET', '/keys/none/0a').body.error.message).toBe(`A key with (name/id) none/0a ${MISSING}`);
  });
});

describe('rotation policies over the wire', () => {
  test('one that was never set has no id and one implicit notice; one that is set comes back', () => {
    const { ask, keys, clock } = testVault();
    keys.create('k');
    const notify = { trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Notify' } };
    expect(ask('GET', '/keys/k/rotationpolicy').body).toEqual({ lifetimeActions: [notify], attributes: null });
    clock.now += 1000;
    const policy = {
      lifetimeActions: [{ trigger: { timeAfterCreate: 'P3M' }, action: { type: 'rotate' } }],
      attributes: { expiryTime: 'P1Y' },
    };
    const set = ask('PUT', '/keys/k/rotationpolicy', policy);
    expect(set.body).toEqual({
      id: `https://${HOST}/keys/k/rotationpolicy`,
      lifetimeActions: [{ trigger: { timeAfterCreate: 'P3M' }, action: { type: 'Rotate' } }, notify],
      attributes: { expiryTime: 'P1Y', created: SECONDS + 1, updated: SECONDS + 1 },
    });
    expect(ask('GET', '/keys/k/rotationpolicy')).toEqual(set);
    const rotated = ask('POST', '/keys/k/rotate').body;
    expect(rotated.attributes).toMatchObject({ created: SECONDS + 1, exp: SECONDS + 1 + 365 * (DAY / 1000) });
    expect(codes(ask('GET', '/keys/none/rotationpolicy'))).toEqual([404, 'KeyNotFound', undefined]);
  });
});

describe('hostile requests', () => {
  test.each([
    ['POST', '/keys/k/create', undefined],
    ['POST', '/keys/k/create', []],
    ['POST', '/keys/k/create', { kty: 'constructor' }],
    ['POST', '/keys/k/create', { kty: 'EC', crv: 'toString' }],
    ['POST', '/keys/k/create', { kty: 'RSA', key_size: 2048.5 }],
    ['POST', '/keys/k/create', { kty: 'RSA', tags: { a: 1 } }],
    ['POST', '/keys/k/create', { kty: 'RSA', key_ops: 'wrapKey' }],
    ['POST', '/keys/k/create', { kty: 'RSA', attributes: { exp: 9e15 } }],
    ['POST', '/keys/k/create', { kty: 'RSA', attributes: { nbf: -1 } }],
    ['POST', '/keys/my_key/create', { kty: 'RSA' }],
    ['GET', '/keys/%00', undefined],
    ['GET', '/keys/%zz', undefined],
    ['PUT', '/keys/k', { key: { kty: 'RSA', n: 'AQ', e: 'AQAB' } }],
    ['PUT', '/keys/k', { key: { kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ' } }],
    ['PUT', '/keys/k/rotationpolicy', { lifetimeActions: 'x' }],
    ['PUT', '/keys/k/rotationpolicy', { lifetimeActions: [null] }],
    ['PUT', '/keys/k/rotationpolicy', { attributes: { expiryTime: 'P300000Y' } }],
    ['POST', '/keys/restore', { value: 'AAAA' }],
    ['POST', '/keys/restore', { value: '' }],
    ['POST', '/keys/k/wrapkey', {}],
    ['POST', '/keys/k/wrapkey', { alg: 'toString', value: 'AA' }],
  ])('%s %s with %j is a bad parameter', (method, target, body) => {
    const { ask, keys } = testVault();
    keys.create('k');
    expect(codes(ask(method, target, body))).toEqual([400, 'BadParameter', undefined]);
  });
});
