import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verdict } from '../../../../src/providers/aws/speke/verdict.ts';
import { serveProxy } from '../../../../src/sandbox/proxy.ts';
import { REGION } from '../../../fixtures/aws-wire.ts';
import { REFUSED_URLS } from '../../../fixtures/ssrf.ts';
import { type Cloud, factsOf, failureOf, look, startCloud } from './cloud.ts';

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud[Symbol.asyncDispose]());
afterEach(() => {
  cloud.sandbox.faults.clear();
  cloud.sandbox.requests.clear();
  cloud.sandbox.apis.answerNames('working');
});

describe('a probe', () => {
  it('takes a gateway that wants a signature for one that is there', async () => {
    const { url, id } = cloud.apiGateway.create();
    const opened = await cloud.open();
    const seen = await look(opened, `${url}/copyProtection`);
    expect(seen).toMatchObject({
      facts: {
        resource: `${url}/copyProtection`,
        kind: 'speke-provider',
        location: REGION,
        state: 'Answering',
        expiresAt: Date.UTC(2099, 11, 31, 23, 59, 59),
        attributes: {
          host: 'api-gateway',
          gatewayId: id,
          gatewayRegion: REGION,
          stage: 'prod',
          status: 403,
          errorType: 'MissingAuthenticationTokenException',
        },
      },
      evidence: { operation: 'Probe', status: 403, code: 'MissingAuthenticationTokenException' },
    });
    expect(verdict(seen)).toEqual({ status: 'accessible' });
  });

  it('asks once, with a GET that has neither signature nor body', async () => {
    const { url, host } = cloud.apiGateway.create();
    await factsOf(await cloud.open(), `${url}/copyProtection`);
    expect(cloud.sandbox.requests.list().filter(({ service }) => service === 'execute-api')).toMatchObject([
      { operation: 'Invoke', target: 'GET /prod/copyProtection', resource: `${host}/prod/copyProtection` },
    ]);
  });

  it.each([200, 301, 400, 401, 404, 405, 415])('takes an answer of %i for one that is there', async (status) => {
    const { url, id } = cloud.apiGateway.create();
    cloud.apiGateway.answerUnsigned(id, status);
    const facts = await factsOf(await cloud.open(), url);
    expect(facts.attributes).toMatchObject({ status });
    expect(verdict({ facts })).toEqual({ status: 'accessible' });
  });

  it.each([
    [{ kind: 'throttle' }, 'throttled', 429],
    [{ kind: 'server-error' }, 'provider_error', 500],
    [{ kind: 'server-error', status: 502 }, 'provider_error', 502],
    [{ kind: 'server-error', status: 503 }, 'provider_error', 503],
    [{ kind: 'server-error', status: 504 }, 'provider_error', 504],
  ] as const)('learns nothing from %o', async (effect, reason, status) => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.faults.add(effect, { service: 'execute-api' });
    expect(await failureOf(await cloud.open(), url)).toMatchObject({ reason, evidence: { status } });
  });

  it('learns nothing from a connection that is reset', async () => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.faults.add({ kind: 'reset' }, { service: 'execute-api' });
    const failure = await failureOf(await cloud.open(), url);
    expect(failure).toMatchObject({ reason: 'network', evidence: { code: 'ECONNRESET' } });
  });

  it('learns nothing from a connection that is refused: a firewall in between answers just so', async () => {
    const { url } = cloud.apiGateway.create();
    await using gone = await serveProxy({
      host: '127.0.0.1',
      target: 1,
      judge: () => 'closed',
      plain: () => ({ status: 200, headers: {}, body: '', manner: 'whole', delayMs: 0 }),
    });
    await gone[Symbol.asyncDispose]();
    const failure = await failureOf(await cloud.open({ endpoint: gone.url.replace('http', 'https') }), url);
    expect(failure).toMatchObject({ reason: 'network', evidence: { code: 'ECONNREFUSED' } });
  });

  it('reads no body, however long it is in coming', async () => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.faults.add({ kind: 'stall' }, { service: 'execute-api' });
    expect(await factsOf(await cloud.open(), url)).toMatchObject({ state: 'Answering' });
  });

  it('ends with its deadline where nothing answers', async () => {
    const { url } = cloud.apiGateway.create();
    const silence = cloud.sandbox.faults.add({ kind: 'silence' }, { service: 'execute-api' });
    const stop = new AbortController();
    const failing = failureOf(await cloud.open(), url, undefined, stop.signal);
    while (silence.hits() === 0) await new Promise(setImmediate);
    stop.abort(Object.assign(new Error('late'), { name: 'TimeoutError' }));
    expect(await failing).toMatchObject({ reason: 'timeout' });
  });

  it('is not made where the configuration says so, and nothing is asked', async () => {
    const { url } = cloud.apiGateway.create();
    const opened = await cloud.open({ probe: false });
    cloud.sandbox.requests.clear();
    const facts = await factsOf(opened, url);
    expect(facts.state).toBe('NotProbed');
    expect(verdict({ facts })).toEqual({ status: 'accessible' });
    expect(cloud.sandbox.requests.count()).toBe(0);
  });

  it('keeps what was known of the certificate and the stage', async () => {
    const { url } = cloud.apiGateway.create();
    const opened = await cloud.open();
    const first = await factsOf(opened, url);
    const known = { ...first, expiresAt: 7, attributes: { ...first.attributes, accessLog: true } };
    expect(await factsOf(await cloud.open({ probe: false }), url, known)).toMatchObject({
      expiresAt: 7,
      attributes: { accessLog: true },
    });
  });

  it('leaves a provider of two accounts in the one in which it was seen first', async () => {
    const { url } = cloud.apiGateway.create();
    const opened = await cloud.open();
    const first = await factsOf(opened, url);
    expect(await factsOf(opened, url, { ...first, account: '999988887777' })).toMatchObject({
      account: '999988887777',
    });
  });
});

describe('a certificate', () => {
  it.each([
    ['expired', 'unreachable', 'CERT_HAS_EXPIRED', 'its certificate expired on 2001-01-31 00:00:00 UTC'],
    ['other-host', 'unreachable', 'ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host'],
    ['untrusted', 'network', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', expect.any(String)],
  ] as const)('that is %s means %s', async (state, reason, code, message) => {
    const { url, id } = cloud.apiGateway.create();
    cloud.apiGateway.certificate(id, state);
    cloud.sandbox.requests.clear();
    const opened = await cloud.open();
    cloud.sandbox.requests.clear();
    expect(await failureOf(opened, url)).toMatchObject({ reason, evidence: { operation: 'Probe', code, message } });
    // Nothing is sent to somebody who has not shown who they are.
    expect(cloud.sandbox.requests.count()).toBe(0);
  });

  it('of a name of one’s own is judged by that name', async () => {
    cloud.apiGateway.create({ ownNames: ['keys.example.com'] });
    expect(await factsOf(await cloud.open(), 'https://keys.example.com/speke')).toMatchObject({
      state: 'Answering',
      location: REGION,
      attributes: { host: 'own-name' },
    });
  });

  it('is asked for where the endpoint is plain HTTP by nobody', async () => {
    const { url } = cloud.apiGateway.create();
    const facts = await factsOf(await cloud.open({ endpoint: cloud.sandbox.url }), url);
    expect(facts.state).toBe('Answering');
    expect(facts.expiresAt).toBeUndefined();
  });
});

describe('the name of an endpoint', () => {
  it('that is gone while its neighbours are there means that it is lost', async () => {
    const { url, id, host } = cloud.apiGateway.create();
    cloud.apiGateway.delete(id);
    expect(await failureOf(await cloud.open(), url)).toEqual({
      reason: 'unreachable',
      evidence: {
        operation: 'Resolve',
        code: 'ENOTFOUND',
        message: `there is no name ${host}, while execute-api.${REGION}.amazonaws.com is found`,
      },
    });
  });

  it('that is gone proves nothing where it is somebody’s own and was never found from here', async () => {
    const failure = await failureOf(await cloud.open(), 'https://keys-of-nobody.example.com/speke');
    expect(failure).toMatchObject({ reason: 'dns', evidence: { operation: 'Resolve', code: 'ENOTFOUND' } });
  });

  it('that is gone proves it lost where it was found from here before', async () => {
    const url = 'https://own-keys.example.com/speke';
    const { id } = cloud.apiGateway.create({ ownNames: ['own-keys.example.com'] });
    const opened = await cloud.open();
    const known = await factsOf(opened, url);
    cloud.apiGateway.delete(id);
    expect(await failureOf(opened, url, known)).toMatchObject({ reason: 'unreachable' });
  });

  it('proves nothing while name servers are in trouble', async () => {
    const { url, id } = cloud.apiGateway.create();
    cloud.apiGateway.delete(id);
    cloud.sandbox.apis.answerNames('failing');
    const failure = await failureOf(await cloud.open(), url);
    expect(failure).toMatchObject({ reason: 'dns', evidence: { code: 'EDNSSERVFAIL' } });
  });

  it('proves nothing while name servers are silent, and the look ends with its deadline', async () => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.apis.answerNames('silent');
    const stop = new AbortController();
    const failing = failureOf(await cloud.open(), url, undefined, stop.signal);
    await new Promise(setImmediate);
    stop.abort();
    const failure = await failing;
    expect(failure).toMatchObject({ reason: 'dns', evidence: { code: 'EDNSCANCELLED' } });
  });

  it('is not asked for where the way there is configured, unless name servers are too', async () => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.apis.answerNames('failing');
    const facts = await factsOf(await cloud.open({ nameservers: undefined }), url);
    expect(facts.attributes).toMatchObject({ via: 'endpoint' });
    expect(facts.attributes.nameFound).toBeUndefined();
  });
});

describe('through a proxy', () => {
  async function proxied(run: (env: Record<string, string>, asked: string[]) => Promise<void>) {
    const asked: string[] = [];
    const { port } = new URL(cloud.sandbox.apis.url);
    await using proxy = await serveProxy({
      host: '127.0.0.1',
      target: Number(port),
      judge: (host, to) => {
        if (!host.startsWith('sts.')) asked.push(`${host}:${to}`);
        return host.startsWith('gone') ? 'unresolvable' : host.startsWith('foreign') ? 'foreign' : 'open';
      },
      plain: () => ({ status: 400, headers: {}, body: '', manner: 'whole', delayMs: 0 }),
    });
    await run({ HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1,.exempt.example.com' }, asked);
  }

  it('the proxy looks names up, and only the proxy is connected to', async () => {
    const { url, host } = cloud.apiGateway.create();
    await proxied(async (env, asked) => {
      const facts = await factsOf(await cloud.openReal(env), url);
      expect(facts).toMatchObject({ state: 'Answering', attributes: { via: 'proxy' } });
      expect(facts.attributes.nameFound).toBeUndefined();
      expect(asked).toEqual([`${host}:443`]);
    });
  });

  it.each(['gone', 'foreign'])('nothing is proved by a tunnel that is refused: %s', async (what) => {
    await proxied(async (env) => {
      const failure = await failureOf(await cloud.openReal(env), `https://${what}.example.com/speke`);
      expect(failure).toMatchObject({ reason: 'network', evidence: { code: 'ERR_PROXY_TUNNEL' } });
    });
  });

  it.each(['expired', 'other-host', 'untrusted'] as const)(
    'nothing is proved by a certificate that is %s: the proxy may have shown it',
    async (state) => {
      const { url, id } = cloud.apiGateway.create();
      cloud.apiGateway.certificate(id, state);
      await proxied(async (env) => {
        expect(await failureOf(await cloud.openReal(env), url)).toMatchObject({ reason: 'network' });
      });
    },
  );

  it('addresses and local names are refused all the same', async () => {
    await proxied(async (env, asked) => {
      const opened = await cloud.openReal(env);
      for (const [url] of REFUSED_URLS.filter(([text]) => /^https?:/.test(text))) {
        expect((await factsOf(opened, new URL(url).href)).state).toBe('Refused');
      }
      expect(asked).toEqual([]);
    });
  });
});

describe('the guard of a probe', () => {
  it.each(REFUSED_URLS)('sends nothing for %s', async (text, refusal) => {
    const opened = await cloud.open();
    cloud.sandbox.requests.clear();
    const facts = await factsOf(opened, new URL(text).href);
    expect(facts).toMatchObject({ state: 'Refused', attributes: { refusal } });
    expect(verdict({ facts })).toEqual({ status: 'accessible' });
    expect(cloud.sandbox.requests.count()).toBe(0);
  });
});
