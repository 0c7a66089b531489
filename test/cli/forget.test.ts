import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AskOptions } from '../../src/cli/ask.ts';
import { forgetCommand } from '../../src/cli/forget.ts';
import type { WebDeps } from '../../src/web/deps.ts';
import { createWeb } from '../../src/web/server.ts';
import { startWorld } from '../e2e/world.ts';
import { FIXTURES, HASH, secured, TLS } from '../web/secured.ts';
import { arn, consumerView, keyView, MINUTE, NOW, snapshotOf, world } from '../web/world.ts';
import { createPlace, runCli } from './child.ts';
import { recordedIo } from './io.ts';

const closing: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const GONE = arn('secretsmanager', 'secret:prod/gone-AbCdEf');
const STAYS = arn('secretsmanager', 'secret:prod/stays-AbCdEf');
const HOSTILE = arn('secretsmanager', 'secret:x\u001b[2J\u202e-AbCdEf');
const FLOW = arn('mediaconnect', 'flow:1-a:news');

/** A daemon that knows these, and forgets what is not found. */
async function daemon(changed: Partial<WebDeps> = {}): Promise<{ url: string; forgotten: string[] }> {
  const forgotten: string[] = [];
  const since = NOW - MINUTE;
  const own = { status: 'inaccessible', reason: 'not_found', since } as const;
  const gone = { health: 'inaccessible', reason: 'not_found', since, own } as const;
  const keys = [
    keyView({ resource: GONE, name: 'prod/gone', ...gone }),
    keyView({ resource: HOSTILE, name: 'x\u001b[2J\u202e', ...gone }),
    keyView({ resource: STAYS, name: 'prod/stays' }),
  ];
  const consumers = [
    consumerView({ resource: FLOW, name: 'news', uses: [{ resource: GONE, role: 'output-encryption' }] }),
  ];
  const snapshot = snapshotOf({ keys, consumers });
  const { deps } = world(snapshot, {
    async forget(resource) {
      if (resource === STAYS) return 'not_gone';
      forgotten.push(resource);
      return 'forgotten';
    },
    ...changed,
  });
  const web = createWeb(deps, { drainMs: 50 });
  closing.push(async () => web[Symbol.asyncDispose]());
  return { url: (await web.listen('127.0.0.1', 0)).url, forgotten };
}

async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function forget(url: string, resource: string, changed: Partial<AskOptions> = {}) {
  const io = recordedIo();
  const { signal: stop } = new AbortController();
  const none = { configured: false, load: async () => undefined };
  const code = await forgetCommand({ resource, url, output: 'text', version: '0', stop, ...none, ...changed }, io);
  return { code, ...io.written };
}

describe('forget', () => {
  it.each([
    ['its identity', GONE],
    ['its name', 'prod/gone'],
  ])('has the daemon drop a key by %s, and says what that is and who still needs it', async (_, resource) => {
    const { url, forgotten } = await daemon();
    expect(await forget(url, resource)).toEqual({
      code: 0,
      out: `forgotten: ${GONE}\n`,
      err:
        `keyvigil: secret prod/gone (${GONE}) in 111122223333/eu-west-1: inaccessible (not_found) since ` +
        '2026-11-20T10:26:30.000Z; still needed by 1 consumer\n',
    });
    expect(forgotten).toEqual([GONE]);
  });

  it('answers a program with JSON', async () => {
    const { url } = await daemon();
    const { code, out } = await forget(url, GONE, { output: 'json' });
    expect([code, JSON.parse(out)]).toEqual([0, { forgotten: GONE }]);
  });

  it('leaves alone what is not gone: 1', async () => {
    const { url, forgotten } = await daemon();
    const told = await forget(url, STAYS);
    expect(told).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/is not gone as far as is known/) });
    const json = await forget(url, STAYS, { output: 'json' });
    expect(JSON.parse(json.out)).toEqual({ error: expect.stringContaining('not gone') });
    expect(forgotten).toEqual([]);
  });

  it.each([
    ['nothing has that name', 'prod/gon', /nothing that is watched is called "prod\/gon"\nNear it:\n {2}prod\/gone/],
    [
      'it is only the end of a name, which may be another',
      'gone',
      /"gone" may mean arn:\S+gone-AbCdEf; name it in full/,
    ],
    ['it is a consumer', FLOW, /is a consumer, whose record ends by itself/],
  ])('does nothing where %s: 2', async (_, resource, says) => {
    const { url, forgotten } = await daemon();
    expect(await forget(url, resource)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(says) });
    expect(forgotten).toEqual([]);
  });

  it('does nothing where another was quicker: 2', async () => {
    const { url } = await daemon({ forget: async () => 'unknown' });
    expect(await forget(url, GONE)).toMatchObject({ code: 2, err: expect.stringMatching(/no such key or consumer/) });
  });

  it('prints names as what they are: text', async () => {
    const { url, forgotten } = await daemon();
    const { code, out, err } = await forget(url, HOSTILE);
    expect(code).toBe(0);
    expect(forgotten).toEqual([HOSTILE]);
    expect(out + err).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });

  it.each<readonly [string, RequestListener, RegExp]>([
    ['another service', (_, response) => response.end('<html>'), /its answer is not understood/],
    ['a daemon in trouble', (_, response) => response.writeHead(500).end(), /it answers 500/],
    [
      'one that goes by another name',
      (_, response) =>
        response.writeHead(403).end('{"error":"Host: not a name of this server; behind a proxy set web.externalUrl"}'),
      /it refuses us \(403\): Host: not a name of this server/,
    ],
    [
      'one that says more than that',
      (_, response) => response.writeHead(403).end('{"error":"Host: \u001b[2J\u202e"}'),
      /it refuses us \(403\): Host: \\u\{1b\}\[2J/,
    ],
  ])('cannot ask %s: 1', async (_, listener, says) => {
    const { code, out, err } = await forget(await served(listener), GONE);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });

  it('cannot ask where nobody listens: 1, and does not look for itself', async () => {
    expect(await forget('http://127.0.0.1:1', GONE)).toEqual({
      code: 1,
      out: '',
      err: 'keyvigil: the daemon at http://127.0.0.1:1 cannot be asked: connect ECONNREFUSED 127.0.0.1:1\n',
    });
  });

  it('gives user and password over TLS, and is refused without', async () => {
    await using own = new AsyncDisposableStack();
    const forgotten: string[] = [];
    const deps = {
      async forget(resource: string) {
        forgotten.push(resource);
        return 'forgotten' as const;
      },
    };
    const { url, folder } = await secured(own, `${TLS}basic_auth_users: { sre: ${HASH} }\n`, { deps });
    const passwordFile = await folder.put('password', 'correct horse\n');
    const local = url.replace('127.0.0.1', 'localhost');
    const caFile = join(FIXTURES, 'ca.pem');
    expect(await forget(local, 'alias/video-prod', { user: 'sre', passwordFile, caFile })).toMatchObject({ code: 0 });
    expect(forgotten).toHaveLength(1);
    expect(await forget(local, 'alias/video-prod', { caFile })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/asks for a user/),
    });
    expect(forgotten).toHaveLength(1);
  });

  it('ends the record and the alert in the daemon itself', async () => {
    await using running = await startWorld(({ secrets }) => {
      secrets.create({ Name: 'gone', SecretString: 'x' });
    });
    const { resource } = running.key('gone')!;
    running.region.secrets.delete('gone', { ForceDeleteWithoutRecovery: true });
    await running.until('the loss', 5 * MINUTE, () => running.key(resource)?.reason === 'not_found');
    expect(await forget(running.app.url, 'gone')).toMatchObject({ code: 0, out: `forgotten: ${resource}\n` });
    expect(running.key(resource)).toBeUndefined();
    expect(await forget(running.app.url, 'gone')).toMatchObject({ code: 2 });
  });

  it('starts its help with an example, and wants a resource', { timeout: 60_000 }, async () => {
    using place = createPlace();
    const [help, bare, live] = await Promise.all([
      runCli(['forget', '--help'], place),
      runCli(['forget'], place),
      runCli(['forget', 'x', '--live'], place),
    ]);
    expect(help.out).toMatch(/^Examples:\n {2}keyvigil forget /);
    expect(bare).toMatchObject({ code: 2, err: expect.stringContaining("missing required argument 'resource'") });
    expect(live).toMatchObject({ code: 2, err: expect.stringContaining("unknown option '--live'") });
  });
});
