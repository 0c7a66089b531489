import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import expected from '../fixtures/config/broken.json' with { type: 'json' };

const DIRECTORY = join(import.meta.dirname, '../fixtures/config/broken');

async function errorOf(file: string): Promise<ConfigError> {
  const error = await loadConfig(file, { env: { BUDGET: '0.5' }, services: SERVICES }).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  return error;
}

describe('a broken configuration', () => {
  it('has a file and its messages for every rule', () => {
    const files = readdirSync(DIRECTORY).map((file) => file.replace(/\.yaml$/, ''));
    expect(files.sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(Object.entries(expected))('%s is told exactly what is wrong, and where', async (name, messages) => {
    const file = join(DIRECTORY, `${name}.yaml`);
    const error = await errorOf(file);
    expect(error.message.split('\n')).toEqual(messages.map((message) => `${file}:${message}`));
    expect(error.message).not.toContain('canary');
    for (const issue of error.issues) expect(issue).toMatchObject({ file });
  });

  it('is told all its errors at once, in the order of the file, whichever part finds them', async () => {
    const { issues } = await errorOf(join(import.meta.dirname, '../fixtures/config/many-errors.yaml'));
    expect(issues.map(({ line, column, message }) => `${line}:${column}: ${message}`)).toEqual([
      '1:11: the environment variable KEYVIGIL_UNSET is not set',
      '2:1: this key was given before, on line 1: remove one of the two',
      '5:15: targets[0].provider: expected "aws" or "azure"',
      '7:5: targets[1].regions: missing: expected a list',
      '7:13: targets[1].name: a target of this name is already on line 4',
      '7:31: unknown key "rigions" in targets[1]: did you mean "regions"?',
      '9:37: receivers[0].slack.urlFile: cannot read the file: there is no such file (a relative path starts beside this configuration)',
    ]);
  });
});
