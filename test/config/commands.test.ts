import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkConfigCommand } from '../../src/cli/check-config.ts';
import type { Io } from '../../src/cli/io.ts';
import { schemaCommand } from '../../src/cli/schema.ts';
import { ENV, goodDirectory, TARGETS } from './files.ts';

function capture(env: Io['env'] = ENV) {
  const printed = { out: '', err: '' };
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    env,
    tty: false,
    color: false,
    columns: 80,
  };
  return { io, printed };
}

describe('check-config', () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 10, 0, 30), toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('prints what would be watched and when, and exits 0', async () => {
    await using directory = await goodDirectory();
    const file = join(directory.path, 'minimal.yaml');
    const { io, printed } = capture();
    expect(await checkConfigCommand({ file, output: 'text' }, io)).toBe(0);
    expect(printed).toEqual({
      out: [
        `${file} is valid.`,
        '',
        'TARGET      PROVIDER  LOCATION   SERVICE          SCHEDULE',
        'video-prod  aws       eu-west-1  secrets-manager  0 * * * * *',
        'video-prod  aws       eu-west-1  kms              0 * * * * *',
        'video-prod  aws       eu-west-1  mediaconnect     0 * * * * *',
        'video-prod  aws       eu-west-1  speke            0 * * * * *',
        'video-prod  aws       eu-west-1  codebuild        0 * * * * *',
        '',
        'Next runs:',
        '  0 * * * * * (UTC)',
        '    2026-11-22T10:01:00.000Z',
        '    2026-11-22T10:02:00.000Z',
        '    2026-11-22T10:03:00.000Z',
        '',
      ].join('\n'),
      err: '',
    });
  });

  it('says on stderr what is doubtful', async () => {
    await using directory = await goodDirectory();
    const { io, printed } = capture();
    expect(await checkConfigCommand({ file: join(directory.path, 'full.yaml'), output: 'text' }, io)).toBe(0);
    expect(printed.out).toMatch(/^video-prod +aws +eu-west-1 +codebuild +0 \*\/5 \* \* \* \*$/m);
    // It is no source: it has no schedule.
    expect(printed.out).not.toMatch(/ iam /);
    expect(printed.out).toMatch(/^media-azure +azure +global +key-vault +\*\/30 \* \* \* \* \*$/m);
    expect(printed.out).toContain('  0 0 * * * * (UTC)\n    2026-11-22T11:00:00.000Z\n');
    expect(printed.err.match(/^warning: .*$/gm)).toHaveLength(1);
    expect(printed.err).toContain('full.yaml:44:28: receivers[1].slack.url: a secret stands in this file');
    expect(printed.out + printed.err).not.toContain('canary');
  });

  it('exits 2 with every error on a line of its own', async () => {
    await using directory = await goodDirectory();
    const file = await directory.write('keyvigil.yml', `${TARGETS}budget: 2\nlabel: [a]\n`);
    const { io, printed } = capture();
    expect(await checkConfigCommand({ file, output: 'text' }, io)).toBe(2);
    expect(printed).toEqual({
      out: '',
      err: `${file}:2:9: budget: expected a number of at most 1\n${file}:3:1: unknown key "label": did you mean "labels"?\n`,
    });
  });

  it('gives the same as JSON on stdout, without a secret', async () => {
    await using directory = await goodDirectory();
    const good = capture();
    const file = join(directory.path, 'full.yaml');
    expect(await checkConfigCommand({ file, output: 'json' }, good.io)).toBe(0);
    expect(good.printed.err).toBe('');
    expect(good.printed.out).not.toContain('canary');
    const data = JSON.parse(good.printed.out);
    expect(data).toMatchObject({ valid: true, file, config: { schedule: '*/30 * * * * *' } });
    expect(data.warnings).toHaveLength(1);
    expect(data.sources).toHaveLength(14);
    expect(data.sources[0]).toEqual({
      target: 'video-prod',
      provider: 'aws',
      location: 'eu-west-1',
      service: 'secrets-manager',
      schedule: '0 */5 * * * *',
    });
    expect(data.schedules[0]).toEqual({
      schedule: '0 */5 * * * *',
      timezone: 'America/New_York',
      next: ['2026-11-22T10:05:00.000Z', '2026-11-22T10:10:00.000Z', '2026-11-22T10:15:00.000Z'],
    });

    const bad = capture();
    const broken = await directory.write('keyvigil.yml', `${TARGETS}budget: 2\n`);
    expect(await checkConfigCommand({ file: broken, output: 'json' }, bad.io)).toBe(2);
    expect(JSON.parse(bad.printed.out)).toEqual({
      valid: false,
      file: broken,
      errors: [{ file: broken, line: 2, column: 9, message: 'budget: expected a number of at most 1' }],
    });
  });
});

describe('schema', () => {
  it('prints the JSON Schema of what is written, defaults and all', () => {
    const { io, printed } = capture();
    expect(schemaCommand(io)).toBe(0);
    const schema = JSON.parse(printed.out);
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['targets'],
      additionalProperties: false,
      properties: {
        listen: { type: 'string', default: '127.0.0.1:10539' },
        labels: { type: 'array', maxItems: 3 },
        policy: { properties: { staleAfter: { type: 'string', default: '5m' } } },
        receivers: { items: { oneOf: expect.arrayContaining([{ required: ['slack'] }]) } },
      },
    });
    const [aws, azure] = schema.properties.targets.items.oneOf;
    expect(aws.required).toEqual(['name', 'provider', 'regions']);
    expect(Object.keys(aws.properties.services.properties)).toEqual([
      'secrets-manager',
      'kms',
      'mediaconnect',
      'speke',
      'codebuild',
      'iam',
    ]);
    expect(aws.properties.services.properties.kms.properties).toHaveProperty('schedule');
    expect(Object.keys(azure.properties.services.properties)).toEqual(['key-vault', 'media-services']);
  });
});

describe('reading a configuration', () => {
  it('loads no cloud SDK', async () => {
    const url = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src', path)).href);
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
      await import(${url('config/load.ts')});
      await import(${url('cli/check-config.ts')});
      console.log(loaded.join('\\n'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toContain('/src/config/parse.ts');
    expect(stdout).toContain('/node_modules/zod/');
    expect(stdout).not.toMatch(/@aws-sdk|@smithy|@azure/);
  });
});
