import { afterAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { createPlace, runCli, startCli } from './child.ts';

const GOOD = 'targets:\n  - { name: prod, provider: aws, regions: [eu-west-1] }\n';

describe.concurrent('the command line', () => {
  const place = createPlace();
  afterAll(() => place[Symbol.dispose]());

  it('starts its help with examples, uncoloured in a pipe, and exits 0', async () => {
    const { code, out, err } = await runCli(['--help'], place, { FORCE_COLOR: '1', TERM: 'xterm-256color' });
    expect(out).not.toContain('\u001b');
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out).toMatch(/^Examples:\n {2}keyvigil demo {2,}\S/);
    expect(out.indexOf('Usage:')).toBeGreaterThan(0);
  });

  it('starts the help of a command with examples of that command', async () => {
    const { code, out } = await runCli(['once', '--help'], place);
    expect(code).toBe(0);
    expect(out).toMatch(/^Examples:\n {2}keyvigil once /);
    expect(out).toContain('--config.file <file>');
  });

  it.each([
    { args: ['sevre'], says: "error: unknown command 'sevre'\n(Did you mean serve?)\n" },
    { args: ['once', '--ouput', 'json'], says: "error: unknown option '--ouput'\n(Did you mean --output?)\n" },
    {
      args: ['once', '--output', 'xml'],
      says: "error: option '--output <format>' argument 'xml' is invalid. Allowed choices are text, json.\n",
    },
    {
      args: ['demo', '--listen', 'here'],
      says: 'keyvigil: --listen: expected host:port, such as 127.0.0.1:10539 or "[::1]:10539"\n',
    },
  ])('answers $args with exit 2, a hint on stderr and nothing on stdout', async ({ args, says }) => {
    expect(await runCli(args, place)).toEqual({ code: 2, out: '', err: says });
  });

  it('without a command shows its help on stderr and exits 2', async () => {
    const { code, out, err } = await runCli([], place);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^Examples:/);
  });

  it('prints its version', async () => {
    expect(await runCli(['version'], place)).toEqual({ code: 0, out: `keyvigil ${packageJson.version}\n`, err: '' });
  });

  it('prints the schema as JSON and nothing else', async () => {
    const { code, out, err } = await runCli(['schema'], place);
    expect([code, err]).toEqual([0, '']);
    const schema = JSON.parse(out) as { type: string; required: string[]; properties: object };
    expect(schema.type).toBe('object');
    expect(schema.required).toContain('targets');
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['listen', 'state', 'schedule', 'receivers']),
    );
  });

  it('finds a good configuration good, by option or by environment', async () => {
    const file = place.file('good.yml', GOOD);
    const [byOption, byEnv] = await Promise.all([
      runCli(['check-config', '--config.file', file], place),
      runCli(['check-config', '--output', 'json'], place, { KEYVIGIL_CONFIG: file }),
    ]);
    expect(byOption).toMatchObject({ code: 0, err: '' });
    expect(byOption.out).toContain('eu-west-1');
    expect(byEnv).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(byEnv.out)).toMatchObject({ valid: true, file });
  });

  it('names every error of a bad configuration with its place, in every command that reads it', async () => {
    const file = place.file('bad.yml', `${GOOD}colour: red\nbudget: 7\n`);
    const results = await Promise.all(
      ['check-config', 'serve'].map((command) => runCli([command, '--config.file', file], place)),
    );
    for (const { code, out, err } of results) {
      expect([code, out]).toEqual([2, '']);
      const lines = err.trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatch(`${file}:3:1: unknown key "colour"`);
      expect(lines[1]).toMatch(`${file}:4:9: budget: `);
    }
  });

  it.each(['serve', 'once', 'check-config'])(
    '%s says in one line that there is no configuration file',
    async (command) => {
      const { code, out, err } = await runCli([command], place);
      expect({ code, out, err }).toEqual({
        code: 2,
        out: '',
        err: 'keyvigil.yml:1:1: the configuration cannot be read: there is no such file\n',
      });
    },
  );

  it('takes a reader that goes away for the end of it, without a word', async () => {
    await using child = startCli(['schema'], place);
    child.hangUp('stdout');
    expect(await child.ended).toBe(0);
    expect(child.err).toBe('');
  });
});
