/** The managed identity of an app service. The library looks once a process where it runs: this has a file of its own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshMachine, RESOURCE, secondsIn } from '../../fixtures/azure-machine.ts';
import { type Loopback, startLoopback } from '../../fixtures/loopback.ts';

const machine = freshMachine();
let site: Loopback;
let refuses = false;
beforeAll(async () => {
  site = await startLoopback(({ headers }) => {
    const json = { 'content-type': 'application/json' };
    if (refuses || headers['x-identity-header'] !== 'the-header') {
      return { status: 401, headers: json, body: { statusCode: 401, message: 'no' } };
    }
    const token = { token_type: 'Bearer', access_token: 'app-1', expires_on: secondsIn(3_600_000), resource: RESOURCE };
    return { headers: json, body: { ...token, client_id: machine.client } };
  });
});
afterAll(() => site[Symbol.asyncDispose]());

const environment = () =>
  machine.environment({
    IDENTITY_ENDPOINT: `${site.url}/msi/token`,
    IDENTITY_HEADER: 'the-header',
    AZURE_CLIENT_ID: machine.client,
    AZURE_TOKEN_CREDENTIALS: 'prod',
    // It is on the machine: never asked through a proxy.
    HTTP_PROXY: 'http://127.0.0.1:1',
  });

it('is asked for at the address and with the header of the environment', async () => {
  expect(await machine.bearers(environment())).toEqual(['Bearer app-1']);
  expect(site.asked).toHaveLength(1);
  const { pathname, searchParams } = new URL(site.asked[0]?.path ?? '', site.url);
  expect([pathname, Object.fromEntries(searchParams)]).toEqual([
    '/msi/token',
    { resource: RESOURCE, client_id: machine.client, 'api-version': '2019-08-01' },
  ]);
});

it('that is refused is trouble with credentials', async () => {
  const before = site.asked.length;
  refuses = true;
  expect(await machine.failure(environment())).toMatchObject({ reason: 'credentials' });
  expect(site.asked.length).toBeGreaterThan(before);
});
