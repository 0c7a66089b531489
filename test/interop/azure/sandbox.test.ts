import { describe, expect, test } from 'vitest';
import { differences } from './compare.ts';
import { exchangesOf, recordingNames } from './recordings.ts';
import { SCENARIOS } from './scenarios.ts';
import { answersOf, type Scenario, vaultAt } from './setting.ts';

/** Recordings of what the sandbox has no API for, and why not. */
const NOT_IMITATED: Readonly<Record<string, string>> = {
  'cosmos-account-customer-key': 'keyvigil reads no Cosmos DB accounts',
  'disk-encryption-set-rotation-error': 'keyvigil reads no disk encryption sets',
  'event-hubs-published': 'keyvigil reads no Event Hubs',
  'kusto-null-key-properties': 'keyvigil reads no Data Explorer clusters',
  'postgresql-flexible-published': 'keyvigil reads no PostgreSQL servers',
  'secret-disabled-403': 'keyvigil reads no secrets of Key Vault',
  'sql-server-keys': 'keyvigil reads no SQL servers',
  'sql-server-protector': 'keyvigil reads no SQL servers',
};

/** Codes for what is no API here; another one means that the table above is out of date. */
const REFUSALS = ['BadParameter', 'InvalidResourceNamespace'];
type Refusal = { readonly error?: { readonly code: string } };

const AUTHORITY =
  'header www-authenticate is Bearer authorization="https://login.microsoftonline.com/UUID", resource="https://vault.azure.net" instead of Bearer authorization="https://login.windows.net/UUID", resource="https://vault.azure.net"';
const SINCE_2023 = 'recorded in 2020 and 2022; since 2023 vaults name the other authority, as other recordings show';
const SINCE_2021 = 'recorded in 2020; younger recordings have the number of the error in its text';
const PUBLISHED = 'a published example, which nobody received, leaves out what every recording of this api-version has';

const IDENTITY = (group: string) =>
  `/subscriptions/UUID/resourceGroups/${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1`;

/** Every difference that is right as it is: recording, number of the exchange, difference, and why. */
const JUSTIFIED: readonly (readonly [file: string, exchange: number, difference: string, why: string])[] = [
  ['key-list-page', 0, AUTHORITY, SINCE_2023],
  ['key-not-found', 0, AUTHORITY, SINCE_2023],
  ['key-versions-of-missing-key', 0, AUTHORITY, SINCE_2023],
  [
    'key-versions-of-missing-key',
    0,
    'error.message is "AKV10000: Request is missing a Bearer or PoP token." instead of "Request is missing a Bearer or PoP token."',
    SINCE_2021,
  ],
  ['key-versions-published-page', 0, 'invents value[0].attributes.exportable', PUBLISHED],
  ['key-versions-published-page', 0, 'invents value[0].attributes.recoverableDays', PUBLISHED],
  [
    'media-account-published-user-identity',
    0,
    'invents properties.mediaServiceId',
    'a published example leaves it out; the recorded account has it',
  ],
  [
    'media-account-published-user-identity',
    0,
    'invents systemData',
    'a published example leaves it out; the recorded account has it',
  ],
  [
    'media-account-published-user-identity',
    0,
    'lacks properties.privateEndpointConnections',
    'private endpoints are resources of Microsoft.Network, which is not imitated',
  ],
  [
    'media-account-published-user-identity',
    0,
    'name is "contosotv" instead of "contososports"',
    'the example contradicts itself: its id says contosotv',
  ],
  [
    'media-account-published-user-identity',
    0,
    `properties.encryption.identity.userAssignedIdentity is "${IDENTITY('rg')}" instead of "${IDENTITY('contoso')}"`,
    'the example contradicts itself: the account does not have this identity, and nobody can be given a key with it',
  ],
  [
    'media-account-published-user-identity',
    0,
    'properties.encryption.keyVaultProperties.currentKeyIdentifier is "https://keyvault.vault.azure.net/keys/key1/VERSION" instead of "https://keyvault.vault.azure.net/keys/key1/ver1"',
    'no vault gives out such a version: every recorded one has 32 hexadecimal digits',
  ],
];

describe('the sandbox answers over the wire as Azure did', () => {
  test('every recording has its scenario, or a reason why the sandbox has no API for it', () => {
    const told = [...Object.keys(SCENARIOS), ...Object.keys(NOT_IMITATED)];
    expect(told.toSorted()).toEqual(recordingNames().toSorted());
  });

  test.each(Object.keys(NOT_IMITATED))('%s is refused as something that is not there', async (name) => {
    const given: Scenario['given'] = (setting) => vaultAt(setting, 'keyvault_name');
    const answers = await answersOf(name, { given });
    const codes = answers.map((answer) => (answer?.body as Refusal | undefined)?.error?.code);
    for (const code of codes) expect(REFUSALS).toContain(code);
  });

  test('every justified difference belongs to an exchange that is compared, and has its reason', () => {
    for (const [file, index, difference, why] of JUSTIFIED) {
      expect(SCENARIOS, file).toHaveProperty([file]);
      expect(exchangesOf(file)[index], `${file} ${index}`).toBeDefined();
      expect([difference, why].every((text) => text !== '')).toBe(true);
    }
  });

  test('a field or header that lacks, that is invented or that says something else is found', () => {
    const headers = { 'x-ms-failure-cause': 'gateway', 'x-ms-request-id': 'r', 'content-type': 'application/json' };
    const at = '2022-04-07T07:21:51.04Z';
    const body = { a: { b: [{ id: `x/${'1'.repeat(32)}` }] }, at, enabled: true, keySize: 2048, n: 1 };
    const recorded = { status: 200, headers, body: { ...body, old: null } };
    const later = { ...body, a: { b: [{ id: `x/${'2'.repeat(32)}` }] }, at: '2026-01-01T00:00:00.123Z', n: 2 };
    expect(differences(recorded, recorded)).toEqual([]);
    expect(
      differences({ ...recorded, body }, { status: 200, headers: { ...headers, date: 'd' }, body: later }),
    ).toEqual([]);
    const other = { a: [], at: '2026-01-01T00:00:00Z', enabled: false, keySize: 4096, n: '1', young: { c: 1 } };
    const given = {
      status: 202,
      headers: { 'x-ms-failure-cause': 'service', 'content-type': 'text/plain' },
      body: other,
    };
    expect(differences(recorded, given)).toEqual([
      'status 202 instead of 200',
      'lacks a.b',
      'lacks old',
      'invents young',
      'a is a list of 0 instead of an object',
      'at is "DATETTIMEZ" instead of "DATETTIME.000Z"',
      'enabled is false instead of true',
      'keySize is 4096 instead of 2048',
      'n is "1" instead of a number',
      'header x-ms-failure-cause is service instead of gateway',
      'lacks header x-ms-request-id',
      'header content-type is text/plain instead of application/json',
    ]);
    const refused = (code: string, inner?: string) => ({ error: { code, message: 'm', innererror: { code: inner } } });
    expect(differences({ ...recorded, body: refused('A', 'B') }, { ...recorded, body: refused('A', 'C') })).toEqual([
      'error.innererror.code is "C" instead of "B"',
    ]);
  });

  test.each(Object.entries(SCENARIOS))('%s', async (name, scenario) => {
    const exchanges = exchangesOf(name);
    const answers = await answersOf(name, scenario);
    const found = exchanges.flatMap(({ response }, index) => {
      const answer = answers[index];
      const told = answer ? differences(response, answer) : ['no link leads to it'];
      return told.map((difference) => `${index}: ${difference}`);
    });
    const justified = JUSTIFIED.filter(([file]) => file === name);
    expect(found.toSorted()).toEqual(justified.map(([, index, difference]) => `${index}: ${difference}`).toSorted());
  });
});
