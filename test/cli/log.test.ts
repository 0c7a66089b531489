import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/cli/log.ts';
import { recordedIo } from './io.ts';

/** What a cloud may call a key, to end a line, forge a field, or drive a terminal. */
const HOSTILE = {
  'with a quote and a newline': 'a"b\n} 1',
  'like a line of the log': 'x\r\n2026-11-22T10:00:00.000Z FATAL forged',
  'like fields': 'x reason=disabled level=60',
  'with escape sequences': '\u001b[2J\u001b]0;owned\u0007',
  'with C1 controls': '\u009b31m',
  'with a bidi override': 'user\u202etxt.exe',
  'with a line separator and a NUL': 'a\u2028b\u0000c',
  'with what cannot be seen': 'zero\u200bwidth \u{e0041}tag',
  'with half a character': '\ud800 lone',
  'in other scripts': '🔑 ключ 鍵',
  nothing: '',
  'with five hundred characters': 'x'.repeat(500),
};

function logged(format: 'json' | 'text', level = 'debug') {
  const io = recordedIo();
  return { log: createLog({ level, format }, io), io };
}

describe('the log', () => {
  it('is JSON lines with a time, on stderr alone', () => {
    const { log, io } = logged('json');
    log.warn({ resource: 'arn:x', objects: 3 }, 'source is down');
    expect(io.written.out).toBe('');
    expect(JSON.parse(io.written.err)).toEqual({
      level: 40,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      resource: 'arn:x',
      objects: 3,
      msg: 'source is down',
    });
  });

  it('is one readable line each as text: time, level, message, then the fields', () => {
    const { log, io } = logged('text');
    log.warn(
      { resource: 'arn:aws:kms:eu-west-1:1:key/2', reason: 'two words', objects: 3, up: false },
      'source is down',
    );
    log.info('stopped');
    expect(io.written.err.replace(/\d{4}-\S+Z/g, 'TIME')).toBe(
      'TIME WARN source is down resource=arn:aws:kms:eu-west-1:1:key/2 reason="two words" objects=3 up=false\n' +
        'TIME INFO stopped\n',
    );
  });

  it('keeps quiet below its level', () => {
    const { log, io } = logged('json', 'warn');
    log.info('no');
    log.error('yes');
    expect(io.written.err.match(/"msg":"\w+"/g)).toEqual(['"msg":"yes"']);
  });

  it.each(Object.entries(HOSTILE))('is not broken by a resource called %s', (_, resource) => {
    const text = logged('text');
    text.log.warn({ resource, reason: 'disabled' }, 'key became inaccessible');
    const line = text.io.written.err;
    expect(line.split('\n')).toHaveLength(2);
    // Printable to the last character: nothing invisible, nothing that a terminal obeys.
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    // The fields can be told apart whatever stands in them.
    const [, value = '', reason] = /inaccessible resource=("(?:[^"\\]|\\.)*"|\S+) reason=(\S+)\n$/.exec(line) ?? [];
    expect(reason).toBe('disabled');
    if (/^[\w 🔑ключ鍵={}"]*$/u.test(resource))
      expect(value.startsWith('"') ? JSON.parse(value) : value).toBe(resource);

    const json = logged('json');
    json.log.warn({ resource }, 'key became inaccessible');
    const raw = json.io.written.err;
    expect(raw.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(raw)).toMatchObject({ resource, msg: 'key became inaccessible' });
  });

  it('tells an error with its causes, without what an SDK hangs on it and without stacks of what is expected', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), {
      request: { headers: { authorization: 'CANARY' } },
    });
    const error = Object.assign(new Error('the sweep failed', { cause }), { $response: 'CANARY' });
    const json = logged('json');
    json.log.error({ err: error }, 'unexpected error');
    expect(JSON.parse(json.io.written.err).err).toEqual([
      { name: 'Error', message: 'the sweep failed' },
      { name: 'Error', message: 'connect ECONNREFUSED' },
    ]);
    const text = logged('text');
    text.log.error({ err: error }, 'unexpected error');
    expect(text.io.written.err).toContain('err="Error: the sweep failed; caused by Error: connect ECONNREFUSED"\n');
    expect(json.io.written.err + text.io.written.err).not.toContain('CANARY');
  });

  it('says a cause that repeats its error only once as text', () => {
    const { log, io } = logged('text');
    log.error({ err: new Error('state file x: disk I/O error', { cause: new Error('disk I/O error') }) }, 'no');
    expect(io.written.err).toContain('err="Error: state file x: disk I/O error"\n');
  });

  it('keeps the stack of a bug, on one line', () => {
    const { log, io } = logged('text');
    log.error({ err: new TypeError('x is not a function') }, 'unexpected error');
    expect(io.written.err.split('\n')).toHaveLength(2);
    expect(io.written.err).toMatch(/err="TypeError: x is not a function\\n {4}at .*log\.test\.ts/);
  });

  it('ends with an error that causes itself, and takes what is thrown without being an error', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    const { log, io } = logged('json');
    log.error({ err: loop }, 'a');
    log.error({ err: 'thrown text' }, 'b');
    const [first, second] = io.written.err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).err);
    expect(first.length).toBeLessThanOrEqual(5);
    expect(second).toEqual([{ name: 'string', message: 'thrown text' }]);
  });
});
