import { afterEach, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../src/web/auth.ts';
import type { Comparer } from '../../src/web/bcrypt.ts';
import { basic, COSTLY_HASH, get, HASH, SECOND_HASH, secured, until } from './secured.ts';

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const USERS = `basic_auth_users:\n  prometheus: ${HASH}\n  "o'neil": ${SECOND_HASH}\n`;
const GOOD = basic('prometheus', 'correct horse');

describe('a password', () => {
  it.each(['/', '/metrics', '/-/healthy', '/-/ready', '/style.css', '/api/v1/keys', '/nothing'])(
    'is asked for at %s, whatever lies there',
    async (path) => {
      const { url } = await secured(open, USERS);
      const asked = await get(url + path);
      expect([asked.status, asked.body]).toEqual([401, 'Unauthorized\n']);
      expect(asked.headers).toMatchObject({
        'www-authenticate': 'Basic realm="keyvigil", charset="UTF-8"',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      expect((await get(url + path, { headers: GOOD })).status).toBe(path === '/nothing' ? 404 : 200);
    },
  );

  it.each<[string, Record<string, string>, number]>([
    ['right', GOOD, 200],
    ['of a second user', basic("o'neil", 'second'), 200],
    ['with the scheme in small letters', { authorization: GOOD.authorization.replace('Basic', 'basic') }, 200],
    ['wrong', basic('prometheus', 'correct horses'), 401],
    ['empty', basic('prometheus', ''), 401],
    ['of somebody else', basic('prometheus', 'second'), 401],
    ['of nobody', basic('nobody', 'correct horse'), 401],
    ['of what every object has', basic('__proto__', 'correct horse'), 401],
    ['that is the hash', basic('prometheus', HASH), 401],
    ['longer than any', basic('prometheus', 'x'.repeat(2_000)), 401],
    ['without a colon', { authorization: `Basic ${btoa('prometheus')}` }, 401],
    ['that is not UTF-8', { authorization: `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}` }, 401],
    ['that is not base64', { authorization: 'Basic ???' }, 401],
    ['of another scheme', { authorization: 'Bearer abc' }, 401],
  ])('that is %s', async (_, headers, status) => {
    const { url, errors } = await secured(open, USERS);
    // Remembered verdicts are the same as the first ones.
    for (const _again of [1, 2]) expect((await get(`${url}/metrics`, { headers })).status).toBe(status);
    expect(errors).toEqual([]);
  });

  it('does not make a foreign page a friend: POST is guarded as before', async () => {
    const { url, checked } = await secured(open, USERS);
    const post = (headers: Record<string, string>) => get(`${url}/api/v1/check`, { method: 'POST', headers });
    expect((await post({ origin: 'http://evil.example' })).status).toBe(401);
    expect((await post({ ...GOOD, origin: 'http://evil.example' })).status).toBe(403);
    expect(checked).toEqual([]);
    expect((await post({ ...GOOD, origin: url })).status).toBe(202);
  });

  it('that is changed or taken away counts from the next request on', async () => {
    const { url, folder } = await secured(open, USERS);
    expect((await get(url, { headers: GOOD })).status).toBe(200);
    await folder.put('web.yml', `basic_auth_users:\n  prometheus: ${SECOND_HASH}\n`);
    await until(
      () => get(url, { headers: GOOD }),
      ({ status }) => status === 401,
    );
    expect((await get(url, { headers: basic('prometheus', 'second') })).status).toBe(200);
    expect((await get(url, { headers: basic("o'neil", 'second') })).status).toBe(401);
  });
});

describe('checking', () => {
  /** Answers by the plain text, and counts. */
  function counting(costs: ReadonlyMap<string, string>) {
    const asked: (readonly string[])[] = [];
    const comparer: Comparer = {
      async compare(password, hashes) {
        asked.push(hashes);
        return costs.get(password) === hashes[0];
      },
      async [Symbol.asyncDispose]() {},
    };
    return { asked, comparer };
  }

  /** What bcrypt computes: 2^cost for each hash. */
  const work = (hashes: readonly string[]) => hashes.reduce((sum, hash) => sum + 2 ** Number(hash.slice(4, 6)), 0);

  it('costs the same for everybody, known or not, whatever the cost of their own hash', async () => {
    const { asked, comparer } = counting(new Map());
    const auth = createAuthenticator(comparer);
    const middle = COSTLY_HASH.replace('$10$', '$07$');
    const users = new Map(Object.entries({ cheap: HASH, middle, costly: COSTLY_HASH }));
    for (const user of ['cheap', 'middle', 'costly', 'nobody', '__proto__', '']) {
      expect(await auth.check(basic(user, 'wrong').authorization, '10.0.0.1', users)).toBe('refused');
    }
    expect(asked.map(work)).toEqual(Array(6).fill(2 ** 10));
    expect(asked.every((hashes) => hashes.every((hash) => hash.length === 60))).toBe(true);
  });

  it('takes as long for unknown users as for known ones', async () => {
    const { url } = await secured(
      open,
      `basic_auth_users:\n  cheap: ${HASH}\n  costly: ${COSTLY_HASH.replace('$10$', '$08$')}\n`,
    );
    const times: Record<string, number[]> = { cheap: [], costly: [], nobody: [] };
    await get(url, { headers: basic('warm', 'up') });
    // The least of many is what it takes without what else this machine does; a busy one needs more of them.
    const ratio = () => {
      const least = Object.values(times).map((took) => Math.min(...took));
      return Math.max(...least) / Math.min(...least);
    };
    for (let round = 0; round < 15 || (round < 90 && ratio() >= 1.6); round += 1) {
      for (const [user, took] of Object.entries(times)) {
        const before = performance.now();
        await get(url, { headers: basic(user, `wrong ${round}`) });
        took.push(performance.now() - before);
      }
    }
    expect(ratio()).toBeLessThan(1.6);
  });

  it('remembers verdicts, each user and hash apart, and asks once for what many ask at once', async () => {
    const { asked, comparer } = counting(new Map([['right', HASH]]));
    const auth = createAuthenticator(comparer);
    const check = (user: string, password: string, hash: string) =>
      auth.check(basic(user, password).authorization, '10.0.0.1', new Map([['a', hash]]));
    const first = await Promise.all(Array.from({ length: 20 }, () => check('a', 'right', HASH)));
    expect([...new Set(first), asked.length]).toEqual(['allowed', 1]);
    expect(check('a', 'right', HASH)).toBe('allowed');
    expect(await check('a', 'wrong', HASH)).toBe('refused');
    expect(check('a', 'wrong', HASH)).toBe('refused');
    expect(await check('b', 'right', HASH)).toBe('refused');
    expect(await check('a', 'right', SECOND_HASH)).toBe('refused');
    expect(asked).toHaveLength(4);
  });

  it('forgets what was refused before it forgets who got in', async () => {
    const { comparer, asked } = counting(new Map([['right', HASH]]));
    const auth = createAuthenticator(comparer);
    const users = new Map([['a', HASH]]);
    const check = (password: string) => auth.check(basic('a', password).authorization, '10.0.0.1', users);
    expect(await check('right')).toBe('allowed');
    for (let at = 0; at < 10_000; at += 1) await check(`wrong ${at}`);
    expect(check('right')).toBe('allowed');
    const before = asked.length;
    expect(await check('wrong 9999')).toBe('refused');
    expect(asked).toHaveLength(before);
    await check('wrong 0');
    expect(asked).toHaveLength(before + 1);
  });

  it('goes on with the next after one that failed', async () => {
    let failing = true;
    const auth = createAuthenticator({
      async compare() {
        if (failing) throw new Error('no thread');
        return true;
      },
      async [Symbol.asyncDispose]() {},
    });
    const check = () => auth.check(GOOD.authorization, '10.0.0.1', new Map([['prometheus', HASH]]));
    await expect(check()).rejects.toThrow('no thread');
    failing = false;
    expect(await check()).toBe('allowed');
  });
});

describe('headers and limits of the file', () => {
  it('sets its headers over ours on every answer, and leaves out what is empty', async () => {
    const { url } = await secured(
      open,
      `http_server_config:
  headers:
    X-Frame-Options: sameorigin
    Strict-Transport-Security: max-age=31536000
    X-XSS-Protection: 0
    Content-Security-Policy: ""
${USERS}`,
    );
    for (const [path, headers] of [
      ['/', GOOD],
      ['/metrics', GOOD],
      ['/nothing', GOOD],
      ['/', {}],
    ] as const) {
      const got = await get(url + path, { headers });
      expect(got.headers).toMatchObject({
        'x-frame-options': 'sameorigin',
        'strict-transport-security': 'max-age=31536000',
        'x-xss-protection': '0',
        'x-content-type-options': 'nosniff',
      });
      expect(got.headers).not.toHaveProperty('content-security-policy');
    }
  });

  it('lets no more through than the rate allows, before anybody is asked who they are', async () => {
    const { url } = await secured(open, `rate_limit: { interval: 1h, burst: 3 }\n${USERS}`);
    const statuses: number[] = [];
    for (const headers of [GOOD, {}, GOOD, GOOD, {}]) statuses.push((await get(url, { headers })).status);
    expect(statuses).toEqual([200, 401, 200, 429, 429]);
    expect((await get(url)).headers['retry-after']).toBe('1');
  });
});
