/** The managed identity of a machine outside of Azure (Arc). The library looks once a process where it runs: a file of its own. */
import fs from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { freshMachine, RESOURCE, secondsIn } from '../../fixtures/azure-machine.ts';
import { type Loopback, startLoopback } from '../../fixtures/loopback.ts';

/** Where the agent keeps its proofs. Only root may write there. */
const TOKENS = '/var/opt/azcmagent/tokens/';

const machine = freshMachine();
/** The agent names this file, and gives a token to whoever shows what stands in it. */
let proof = '';
let agent: Loopback;
beforeAll(async () => {
  agent = await startLoopback(({ headers }) => {
    if (headers.authorization !== 'Basic the-secret') {
      return { status: 401, headers: { 'www-authenticate': `Basic realm=${proof}` }, body: {} };
    }
    const token = { token_type: 'Bearer', access_token: 'arc-1', expires_on: secondsIn(3_600_000), resource: RESOURCE };
    return { headers: { 'content-type': 'application/json' }, body: { ...token, client_id: machine.client } };
  });
});
afterAll(() => agent[Symbol.asyncDispose]());
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const environment = () =>
  machine.environment({
    IDENTITY_ENDPOINT: `${agent.url}/metadata/identity/oauth2/token`,
    IMDS_ENDPOINT: agent.url,
    AZURE_CLIENT_ID: machine.client,
    AZURE_TOKEN_CREDENTIALS: 'prod',
  });

it('is given to who shows that the file of the agent can be read', async () => {
  const file = `${TOKENS}one.key`;
  proof = file;
  const { statSync, readFileSync } = fs;
  vi.spyOn(fs, 'statSync').mockImplementation(((path: string, ...rest: never[]) =>
    path === file ? { size: 10 } : statSync(path, ...rest)) as typeof fs.statSync);
  vi.spyOn(fs, 'readFileSync').mockImplementation(((path: string, ...rest: never[]) =>
    path === file ? 'the-secret' : readFileSync(path, ...rest)) as typeof fs.readFileSync);
  syncBuiltinESMExports();
  expect(await machine.bearers(environment())).toEqual(['Bearer arc-1']);
  expect(agent.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Basic the-secret']);
});

it.each([
  ['another file', () => join(machine.directory, 'stolen.key')],
  ['a way out', () => `${TOKENS}../../etc/stolen.key`],
  ['what is no proof', () => `${TOKENS}passwd`],
])('shows nothing of %s to an agent that asks for it', async (_, file) => {
  await writeFile(join(machine.directory, 'stolen.key'), 'the-secret');
  proof = file();
  const before = agent.asked.length;
  expect(await machine.failure(environment())).toMatchObject({ reason: 'credentials' });
  const asked = agent.asked.slice(before);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.every(({ headers }) => headers.authorization === undefined)).toBe(true);
});
