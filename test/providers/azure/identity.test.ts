/** How a machine of Azure, or a person on it, says who the monitor is, through the SDK's credentials. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectionTo } from '../../fixtures/azure-clients.ts';
import { freshMachine, RESOURCE, secondsIn } from '../../fixtures/azure-machine.ts';
import { AUTHORITY, SUBSCRIPTION, TENANT } from '../../fixtures/azure-wire.ts';
import { plainContext } from '../../fixtures/context.ts';
import { startLoopback } from '../../fixtures/loopback.ts';

const HOUR_MS = 3_600_000;
const machine = freshMachine();

describe('a workload identity', () => {
  const form = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body));
  const posted = () => machine.wire.tokens.filter(({ method }) => method === 'POST');

  it('proves itself with the token of its file, which is read again when the access token runs out', async () => {
    const AZURE_FEDERATED_TOKEN_FILE = join(machine.directory, 'token');
    await writeFile(AZURE_FEDERATED_TOKEN_FILE, 'first.jwt');
    const AZURE_CLIENT_ID = machine.client;
    const env = machine.environment({ AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE });
    await machine.bearers(env);
    await writeFile(AZURE_FEDERATED_TOKEN_FILE, 'second.jwt');
    await machine.bearers(env, HOUR_MS);
    const assertions = posted().map(({ body }) => form(body).client_assertion);
    expect([assertions[0], assertions.at(-1)]).toEqual(['first.jwt', 'second.jwt']);
    expect(new Set(posted().map(({ host, path }) => `${host}${path}`))).toEqual(
      new Set([`${AUTHORITY}/${TENANT}/oauth2/v2.0/token`]),
    );
    expect(form(posted()[0]?.body)).toMatchObject({
      grant_type: 'client_credentials',
      client_id: machine.client,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
  });

  it('whose file is not there is trouble with credentials, and nothing is asked', async () => {
    const env = machine.environment({
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: machine.client,
      AZURE_FEDERATED_TOKEN_FILE: join(machine.directory, 'missing'),
    });
    expect(await machine.failure(env)).toMatchObject({ reason: 'credentials' });
    expect(posted()).toHaveLength(0);
  });
});

describe('a managed identity of a virtual machine', () => {
  it('is asked for again before its token runs out', async () => {
    let given = 0;
    await using service = await startLoopback(({ headers }) => {
      if (headers.metadata !== 'true') return { status: 400, body: { error: 'bad_request' } };
      given += 1;
      const expires = { expires_in: '3600', expires_on: secondsIn(HOUR_MS) };
      return { body: { token_type: 'Bearer', access_token: `vm-${given}`, resource: RESOURCE, ...expires } };
    });
    const env = machine.environment({
      AZURE_POD_IDENTITY_AUTHORITY_HOST: service.url,
      AZURE_CLIENT_ID: machine.client,
      // The service is on the machine: it is never asked through a proxy.
      HTTP_PROXY: 'http://127.0.0.1:1',
    });
    expect(await machine.bearers(env, 10 * 60_000, HOUR_MS)).toEqual(['Bearer vm-1', 'Bearer vm-1', 'Bearer vm-2']);
    const asked = service.asked.filter(({ headers }) => headers.metadata === 'true');
    expect(asked).toHaveLength(2);
    const { pathname, searchParams } = new URL(asked[0]?.path ?? '', service.url);
    expect([pathname, Object.fromEntries(searchParams)]).toEqual([
      '/metadata/identity/oauth2/token/',
      { resource: RESOURCE, client_id: machine.client, 'api-version': '2018-02-01' },
    ]);
  });
});

describe('who is logged in with the Azure CLI', () => {
  /** An `az` that notes what it is called with, on a machine that is none of Azure's. */
  async function az(script: string): Promise<Record<string, string>> {
    const { directory } = machine;
    await writeFile(join(directory, 'az'), `#!/bin/sh\necho "$@" >> ${directory}/calls\n${script}\n`);
    await chmod(join(directory, 'az'), 0o700);
    return { PATH: `${directory}:${process.env.PATH}`, AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1' };
  }
  const calls = () => readFile(join(machine.directory, 'calls'), 'utf8').catch(() => '');
  const token = () => JSON.stringify({ accessToken: 'cli-1', expires_on: secondsIn(HOUR_MS), tokenType: 'Bearer' });

  it('is asked for a token of the tenant, once for all clients', async () => {
    const env = machine.environment({ ...(await az(`echo '${token()}'`)), AZURE_TENANT_ID: TENANT });
    expect(await machine.bearers(env, 60_000)).toEqual(['Bearer cli-1', 'Bearer cli-1']);
    expect(await calls()).toBe(`account get-access-token --output json --resource ${RESOURCE} --tenant ${TENANT}\n`);
  });

  it('is not asked where only the machine counts', async () => {
    const env = machine.environment({ ...(await az(`echo '${token()}'`)), AZURE_TOKEN_CREDENTIALS: 'prod' });
    expect(await machine.failure(env)).toMatchObject({ reason: 'credentials' });
    expect(await calls()).toBe('');
  });

  it.each([
    ['is nobody', "echo 'ERROR: Please run az login to setup account.' >&2; exit 1"],
    ['has no token', "echo '{}'"],
  ])('%s: that is trouble with credentials', async (_, script) => {
    const env = machine.environment(await az(script));
    expect(await machine.failure(env)).toMatchObject({ reason: 'credentials', evidence: { operation: 'GetToken' } });
  });

  it('is given up where the program does not end, and asked again', async () => {
    const first = `[ -e ${machine.directory}/once ] || { touch ${machine.directory}/once; exec sleep 60; }`;
    const env = machine.environment(await az(`${first}\necho '${token()}'`));
    await using connection = connectionTo(machine.wire, {}, { env, callTimeoutMs: 1_000 });
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({ reason: 'credentials' });
    expect(await connection.identify(plainContext)).toMatchObject({ account: SUBSCRIPTION });
  });
});
