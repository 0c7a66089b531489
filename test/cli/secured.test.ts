import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { basic, FIXTURES, get, HASH } from '../web/secured.ts';
import { createPlace, listening, logLines, type Place, runCli, startCli } from './child.ts';

describe('a daemon that other machines reach', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ seed: 5 });
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  function openPlace(web: string): Place {
    const place = createPlace(sandbox.aws.account('111111111111').credentials);
    place.file('web.yml', web);
    place.file(
      'keyvigil.yml',
      `listen: "0.0.0.0:0"
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }]
web: { configFile: web.yml }
`,
    );
    return place;
  }

  const SECURED = `tls_server_config:
  cert_file: ${join(FIXTURES, 'server.pem')}
  key_file: ${join(FIXTURES, 'server.key')}
basic_auth_users: { prometheus: ${HASH} }
`;

  it('asks over TLS for a password, is healthy without one, and takes up another while it runs', async () => {
    using place = openPlace(SECURED);
    await using child = startCli(['serve'], place);
    const url = await listening(child);
    expect(url).toMatch(/^https:\/\/localhost:\d+$/);
    const status = async (password?: string) =>
      (await get(url, { rejectUnauthorized: false, headers: password ? basic('prometheus', password) : {} })).status;
    expect([await status(), await status('correct horse')]).toEqual([401, 200]);
    expect(await runCli(['healthcheck', '--url', url], place)).toEqual({ code: 0, out: '', err: '' });

    place.file('web.yml', 'basic_auth_users: { prometheus: canary }\n');
    const said = (text: string) => logLines(child).filter(({ msg }) => String(msg).includes(text));
    await child.until('the refusal', () => (said('what it said before stands').length > 0 ? true : undefined));
    expect(await status('correct horse')).toBe(200);
    place.file('web.yml', SECURED.replace('prometheus:', 'grafana:'));
    await child.until('the change', () => (said('was read again').length > 0 ? true : undefined));
    expect(await status('correct horse')).toBe(401);
    expect(said('what it said before stands')).toHaveLength(1);
    expect(child.err).not.toMatch(/canary|Xk\/yl|correct horse/);
  });

  it.each([
    [SECURED.replace('server.key', 'client.key'), /^web\.yml:3:13: .*key_file: belongs to another certificate$/],
    [SECURED.replace(/basic_auth_users.*\n/, ''), /^keyvigil\.yml:1:9: listen: every machine .*$/],
  ])('does not start with a file that protects nothing: exit 2', async (web, says) => {
    using place = openPlace(web);
    const { code, out, err } = await runCli(['serve'], place);
    expect([code, out]).toEqual([2, '']);
    expect(err.replaceAll(`${place.directory}/`, '').trimEnd()).toMatch(says);
  });
});
