import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { createPlace, holdUp, listening, logLines, type Place, runCli, startCli } from './child.ts';

// Real processes, all at once: on two busy cores that takes its time.
describe.concurrent('the daemon', { timeout: 90_000 }, () => {
  const places: Place[] = [];
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 5 });
    sandbox.aws.account('111111111111').region('eu-west-1').secrets.create({ Name: 'app', SecretString: 'x' });
  });
  afterAll(async () => {
    for (const place of places) place[Symbol.dispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  function daemonPlace(yaml = '', listen = '127.0.0.1:0', account = '111111111111'): Place {
    const place = createPlace(sandbox.aws.account(account).credentials);
    places.push(place);
    place.file(
      'keyvigil.yml',
      `listen: "${listen}"
schedule: "*/1 * * * * *"
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }]
${yaml}`,
    );
    return place;
  }

  it('gets ready, logs on stderr only, answers its health check, and ends with 0 after SIGTERM', async () => {
    const place = daemonPlace();
    await using child = startCli(['serve'], place);
    const url = await listening(child);
    await child.until('readiness', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    expect(await runCli(['healthcheck', '--url', url], place)).toEqual({ code: 0, out: '', err: '' });
    child.signal('SIGTERM');
    expect(await child.until('the end', () => child.ending, 10_000)).toBe(0);
    expect(child.out).toBe('');
    expect(logLines(child).map(({ msg }) => msg)).toEqual([
      'keyvigil is up',
      'source is up',
      'source is up',
      'stopping',
      'stopped',
    ]);
  });

  it('takes the same signal twice at once, as npm passes it on, for one', async () => {
    await using child = startCli(['serve'], daemonPlace());
    await listening(child);
    child.signal('SIGTERM');
    child.signal('SIGINT');
    expect(await child.until('the end', () => child.ending, 10_000)).toBe(0);
    expect(logLines(child).at(-1)?.msg).toBe('stopped');
  });

  it('exits at once on a second SIGINT', async () => {
    await using child = startCli(['serve'], daemonPlace());
    using _client = await holdUp(await listening(child));
    const ending = await child.until('the end', () => {
      child.signal('SIGINT');
      return child.ending;
    });
    expect(ending).toBe(130);
    expect(logLines(child).map(({ msg }) => msg)).not.toContain('stopped');
  });

  it('exits 1 with a clear line when the port is taken, in either format', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const [json, text] = await Promise.all([
      runCli(['serve'], daemonPlace('', address)),
      runCli(['serve'], daemonPlace('log: { format: text }\n', address)),
    ]);
    taken.close();
    const says = `keyvigil cannot start: ${address} is in use by another process; stop that, or listen elsewhere`;
    expect([json.code, json.out, text.code, text.out]).toEqual([1, '', 1, '']);
    expect(logLines(json)).toEqual([expect.objectContaining({ level: 60, msg: says })]);
    expect(text.err.trimEnd().split('\n')).toEqual([expect.stringMatching(`^\\S+Z FATAL ${says} err=`)]);
  });

  it('exits 1 with a clear line when another daemon holds the state file, which goes on', async () => {
    const place = daemonPlace();
    await using first = startCli(['serve'], place);
    const url = await listening(first);
    const second = await runCli(['serve'], place);
    expect([second.code, second.out]).toEqual([1, '']);
    const state = join(place.directory, 'keyvigil.db');
    const msg = `keyvigil cannot start: the state file ${state} is in use by another process, most likely another keyvigil`;
    expect(logLines(second)).toEqual([expect.objectContaining({ level: 60, msg })]);
    expect((await fetch(`${url}/-/healthy`)).ok).toBe(true);
  });

  it('reads its configuration again on SIGHUP and on request, and keeps the one before if that is refused', async () => {
    const place = daemonPlace();
    await using child = startCli(['serve'], place);
    const url = await listening(child);
    await child.until('readiness', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    const config = readFileSync(join(place.directory, 'keyvigil.yml'), 'utf8');
    const said = () => logLines(child).filter(({ msg }) => String(msg).includes('configuration was'));
    place.file('keyvigil.yml', `${config}labels: [team]\n`);
    child.signal('SIGHUP');
    await child.until('the reload', () => (said().length > 0 ? true : undefined));
    expect(said()[0]).toMatchObject({ level: 30, outcome: 'applied' });

    const reload = async () => {
      const response = await fetch(`${url}/-/reload`, { method: 'POST' });
      return [response.status, await response.text()];
    };
    expect(await reload()).toEqual([200, 'nothing has changed\n']);
    place.file('keyvigil.yml', config.replace('127.0.0.1:0', '127.0.0.1:1'));
    expect(await reload()).toEqual([400, 'listen: changed only by a restart\n']);
    place.file('keyvigil.yml', `${config}labels: team\n`);
    expect(await reload()).toEqual([400, expect.stringMatching(/keyvigil\.yml:\d+:\d+: labels: /)]);
    const page = await (await fetch(`${url}/metrics`)).text();
    expect(page).toContain('keyvigil_config_last_reload_successful 0');
    place.file('keyvigil.yml', config);
    expect(await reload()).toEqual([200, 'the new configuration is in force\n']);
    expect((await fetch(`${url}/-/ready`)).status).toBe(200);
  });

  it('goes on watching when nobody reads its log any more', async () => {
    const region = sandbox.aws.account('222222222222').region('eu-west-1');
    const key = region.kms.createKey();
    const place = daemonPlace('', '127.0.0.1:0', '222222222222');
    await using child = startCli(['serve'], place);
    const url = await listening(child);
    child.hangUp('stderr');
    await child.until('the first look', async () => {
      const page = await (await fetch(`${url}/metrics`)).text();
      return page.includes('keyvigil_key_accessible{') ? true : undefined;
    });
    region.kms.disable(key.keyId);
    await child.until('the loss', async () => {
      const page = await (await fetch(`${url}/metrics`)).text();
      return /^keyvigil_key_accessible\{.*\} 0$/m.test(page) ? true : undefined;
    });
  });
});
