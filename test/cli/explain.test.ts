import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AskOptions, ask } from '../../src/cli/ask.ts';
import { explainCommand } from '../../src/cli/explain.ts';
import { IMPACT_EXIT, impactCommand } from '../../src/cli/impact.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { FIXTURES, HASH, secured, TLS } from '../web/secured.ts';
import { createPlace, listening, type Place, runCli, startCli } from './child.ts';
import { recordedIo } from './io.ts';

type Region = ReturnType<ReturnType<Sandbox['aws']['account']>['region']>;

/** Asks without a configuration to fall back to, as somebody does who has only the daemon. */
function asking(url: string, resource: string, changed: Partial<AskOptions> = {}): AskOptions {
  const { signal: stop } = new AbortController();
  const none = { configured: false, load: async () => undefined };
  return { resource, url, output: 'text', version: '0', stop, ...none, ...changed };
}

describe('asking a daemon', () => {
  const stack = new AsyncDisposableStack();
  const closing: Array<() => Promise<void>> = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(() => stack.disposeAsync());

  async function served(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('gives a user and a password over TLS, and trusts the authority that it is told', async () => {
    const { url, folder } = await secured(stack, `${TLS}basic_auth_users: { prometheus: ${HASH} }\n`);
    const passwordFile = await folder.put('password', 'correct horse\n');
    const wrongFile = await folder.put('wrong', 'canary');
    const caFile = join(FIXTURES, 'ca.pem');
    const options = { user: 'prometheus', passwordFile, caFile };
    const local = url.replace('127.0.0.1', 'localhost');

    const io = recordedIo();
    expect(await explainCommand(asking(local, 'alias/video-prod', options), io)).toBe(0);
    expect(io.written.out).toContain('KMS key alias/video-prod');
    expect(io.written.err).toBe('');

    for (const [changed, says] of [
      [{ caFile }, /asks for a user: give --user and --password-file/],
      [{ ...options, passwordFile: wrongFile }, /does not know this user and password/],
      // A password goes to nobody who cannot prove who it is.
      [{ user: 'prometheus', passwordFile }, /certificate/],
    ] as const) {
      const refused = recordedIo();
      expect(await explainCommand(asking(local, 'alias/video-prod', changed), refused)).toBe(2);
      expect(refused.written.err).toMatch(says);
      expect(refused.written.out + refused.written.err).not.toMatch(/canary|correct horse/);
    }
  });

  it('shows a certificate to a daemon that wants one', async () => {
    const yaml = `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`;
    const { url } = await secured(stack, yaml);
    const mine = { certFile: join(FIXTURES, 'client.pem'), keyFile: join(FIXTURES, 'client.key') };
    const local = url.replace('127.0.0.1', 'localhost');
    const io = recordedIo();
    const options = asking(local, 'alias/video-prod', { ...mine, caFile: join(FIXTURES, 'ca.pem') });
    expect(await impactCommand(options, io)).toBe(3);
    expect(io.written.out).toContain('2 consumers and 6 keys broken already');
  });

  it.each<readonly [string, Partial<AskOptions>, RegExp]>([
    ['nonsense', {}, /--url: must begin with http/],
    ['http://me:secret@127.0.0.1', {}, /--url: holds a password/],
    ['http://127.0.0.1', { user: 'me' }, /--user and --password-file belong together/],
    ['http://127.0.0.1', { certFile: 'x' }, /--cert-file and --key-file belong together/],
    ['http://example.invalid', { user: 'me', passwordFile: 'x' }, /use https:/],
  ])('refuses %s %o by name: exit 2', async (url, changed, says) => {
    const io = recordedIo();
    expect(await impactCommand(asking(url, 'x', changed), io)).toBe(2);
    expect(io.written.err).toMatch(says);
    expect(io.written.err).not.toContain('secret@');
  });

  it.each<readonly [string, RequestListener, RegExp]>([
    ['another service', (_, response) => response.end('<html>welcome</html>'), /its answer is not understood/],
    ['a daemon in trouble', (_, response) => response.writeHead(500).end(), /it answers 500/],
    [
      'one that sends us elsewhere',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /it answers 302/,
    ],
    [
      'an older daemon',
      (_, response) => response.writeHead(404).end('{"error":"no such page"}'),
      /does not know how to tell that \(404\); is it of another version\?/,
    ],
    ['half an object', (_, response) => response.end('{"resource":"x"}'), /its answer is not understood/],
    ['a well without a ground', (_, response) => response.end(`{"needs":${'['.repeat(200_000)}`), /not understood/],
  ])('takes no word of %s, and looks for itself', async (_name, listener, says) => {
    const io = recordedIo();
    expect(await explainCommand(asking(await served(listener), 'x'), io)).toBe(2);
    expect(io.written).toMatchObject({ out: '', err: expect.stringMatching(says) });
    expect(io.written.err).toContain('; looking for itself\n');
  });

  it('prints what may be meant where a name is not enough: as text, or as JSON for a program', async () => {
    const body = {
      error: 'resource: "db" means 2 things that are watched; name one of them in full',
      candidates: [
        { resource: 'arn:a\u202e', kind: 'aws-secret', name: 'db' },
        { resource: 'arn:b', kind: 'aws-secret', name: 'db' },
      ],
    };
    const url = await served((_, response) => response.writeHead(404).end(JSON.stringify(body)));
    const [text, json] = [recordedIo(), recordedIo()];
    expect(await impactCommand(asking(url, 'db'), text)).toBe(2);
    expect(text.written).toEqual({
      out: '',
      err: 'keyvigil: "db" means 2 things that are watched; name one of them in full\n  arn:a\\u{202e}  (aws-secret)\n  arn:b  (aws-secret)\n',
    });
    expect(await explainCommand(asking(url, 'db', { output: 'json' }), json)).toBe(2);
    expect(JSON.parse(json.written.out)).toEqual(body);
  });

  it('of an identity that is not watched says that nothing can be told: 4, never 0', async () => {
    const body = { error: 'resource: nothing that is watched is called that', near: [] };
    const url = await served((_, response) => response.writeHead(404).end(JSON.stringify(body)));
    const arn = 'arn:aws:kms:eu-west-1:1:key/x';
    expect(await impactCommand(asking(url, arn), recordedIo())).toBe(4);
    expect(await impactCommand(asking(url, 'alias/typo'), recordedIo())).toBe(2);
    expect(await explainCommand(asking(url, arn), recordedIo())).toBe(2);
  });

  it('gives up when it is stopped', async () => {
    const stop = new AbortController();
    const url = await served(() => stop.abort(new Error('stopped')));
    const question = { name: 'explain', read: () => ({}), answer: () => ({}) };
    await expect(ask(question, asking(url, 'x', { stop: stop.signal }), recordedIo())).rejects.toThrow('stopped');
  });

  it('lets only a sure "nothing" through a gate', () => {
    expect(IMPACT_EXIT).toEqual({ nothing: 0, something: 3, unknown: 4 });
  });
});

function target(endpoint: string): string {
  return `{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${endpoint}", services: { kms: {}, secrets-manager: {} } }`;
}

function refusedBy(url: string): string {
  return `connect ECONNREFUSED ${new URL(url).host}`;
}

// Real processes, each loading a cloud's SDK: on two busy cores that takes its time.
describe('on the command line', { timeout: 90_000 }, () => {
  const places: Place[] = [];
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 5 });
  });
  afterAll(async () => {
    for (const place of places) place[Symbol.dispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  /** A place with a configuration; what `fill` gives is for the test. */
  function account<T>(
    id: string,
    fill: (region: Region) => T,
    more = '',
    endpoint = sandbox.url,
  ): { place: Place; made: T } {
    const { credentials } = sandbox.aws.account(id);
    const place = createPlace(credentials);
    places.push(place);
    const made = fill(sandbox.aws.account(id).region('eu-west-1'));
    place.file('keyvigil.yml', `targets: [${target(endpoint)}]\nlabels: [team]\n${more}`);
    return { place, made };
  }

  /** A used key, one that nothing uses, and a secret with a name that a terminal would act on. */
  function keys({ kms, secrets }: Region) {
    const [used, idle] = ['used', 'idle'].map((name) => {
      const { arn, keyId } = kms.createKey();
      kms.alias(`alias/${name}`, keyId);
      return arn;
    });
    secrets.create({
      Name: 'prod/db',
      SecretString: 'x',
      KmsKeyId: used!,
      Tags: [{ Key: 'team', Value: 'vi\u001b[31mdeo' }],
    });
    return { used: used!, idle: idle! };
  }

  it('asks the daemon of the configuration, else looks and says so; both agree', async () => {
    const { place, made } = account('111111111111', keys, 'listen: "127.0.0.1:0"\n');
    await using daemon = startCli(['serve'], place);
    const url = await listening(daemon);
    const file = place.file(
      'client.yml',
      `listen: "${new URL(url).host}"\ntargets: [${target(sandbox.url)}]\nlabels: [team]\n`,
    );
    /** In this process: another one takes seconds to start. */
    const cli = async (name: 'explain' | 'impact', resource: string, output: 'text' | 'json' = 'text') => {
      const io = recordedIo({ env: place.env });
      const run = name === 'explain' ? explainCommand : impactCommand;
      const load = () => loadConfig(file, { env: place.env, services: SERVICES });
      const code = await run({ ...asking('', resource, { output, configured: true, load }), url: undefined }, io);
      return { code, ...io.written };
    };
    const seen = async () => ((await cli('explain', 'prod/db')).code === 0 ? true : undefined);
    await daemon.until('the secret', seen, 60_000);

    const explained = JSON.parse((await cli('explain', 'prod/db', 'json')).out);
    expect(explained).toMatchObject({ live: false, health: 'accessible', events: [{ type: 'first_seen' }] });
    const told = await Promise.all(['alias/used', made.idle, 'alias/usd'].map((name) => cli('impact', name)));
    expect(told.map(({ code }) => code)).toEqual([3, 0, 2]);
    expect(told[0]?.out).toContain('Without it: 1 key would break.');
    expect(told[2]?.err).toMatch(
      /nothing that is watched is called "alias\/usd"\nNear it:\n {2}alias\/used {2}arn:aws:kms/,
    );
    const text = await runCli(['explain', 'db', '--config.file', file], place);
    expect(text.out).not.toContain('\u001b');
    expect(text.out).toContain('team: vi\\u{1b}[31mdeo');
    expect([text.code, text.err]).toEqual([0, '']);

    daemon.signal('SIGKILL');
    await daemon.ended;
    const [live, gate] = await Promise.all([cli('explain', 'prod/db', 'json'), cli('impact', 'alias/used')]);
    expect([live.code, gate.code]).toEqual([0, 3]);
    expect(live.err).toBe(`keyvigil: the daemon at ${url} cannot be asked: ${refusedBy(url)}; looking for itself\n`);
    const looked = JSON.parse(live.out);
    expect(looked).toMatchObject({ live: true, resource: explained.resource, needs: [{ role: 'decrypts' }] });
    expect(looked.events).toBeUndefined();
  });

  it('is no leave to delete anything where a source cannot be read: 4; where none can: 1', async () => {
    const { place } = account('222222222222', keys);
    sandbox.aws.deny({ account: '222222222222', action: 'secretsmanager:ListSecrets' });
    const silent = account('333333333333', () => undefined, '', 'http://127.0.0.1:1').place;
    const part = await runCli(['impact', 'alias/idle', '--live'], place);
    const none = await runCli(['impact', 'alias/idle', '--live'], silent);
    expect([part.code, none.code]).toEqual([4, 1]);
    expect(part.out).toContain('Nothing is known to break without it, but not everything is known.');
    expect(part.out).toContain('? Cannot be read: secrets-manager of prod in eu-west-1');
    expect(none).toMatchObject({ out: '', err: expect.stringContaining('no source could be read') });
  });

  it('draws a tree on a terminal of 80 columns, coloured, with a bar while it looks', async () => {
    const { place } = account('444444444444', (region) => {
      region.kms.disable(keys(region).used);
    });
    sandbox.faults.add({ kind: 'slow', ms: 150 }, { account: '444444444444' });
    const load = () => loadConfig(join(place.directory, 'keyvigil.yml'), { env: place.env, services: SERVICES });
    const io = recordedIo({ env: place.env, tty: true, color: true, columns: 80 });
    const options = asking('http://127.0.0.1:1', 'alias/used', { live: true, configured: true, load });
    expect(await explainCommand(options, io)).toBe(0);
    expect(io.written.err).toMatch(/\[[#.]{10}\] \d\/\d keys/);
    const { out } = io.written;
    expect(out).toContain('\u001b[31m');
    expect(out).toMatch(/└─ ✖ secret prod\/db/);
    expect(out).toContain('This is a look of its own: it knows no timeline, and tells nobody.');
    expect(out).not.toContain('Timeline');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room.
    const lines = out.replace(/\u001b\[\d+m/g, '').split('\n');
    const tooLong = lines.filter((line) => line.length > 80 && !/^ +(aws |arn:)/.test(line));
    expect(tooLong).toEqual([]);
  });

  it.each(['explain', 'impact'])('%s starts its help with examples, and wants a resource', async (name) => {
    const place = createPlace();
    places.push(place);
    const [help, bare] = await Promise.all([runCli([name, '--help'], place), runCli([name], place)]);
    expect(help.out).toMatch(new RegExp(`^Examples:\n {2}keyvigil ${name} `));
    expect(bare).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining("missing required argument 'resource'"),
    });
  });
});
