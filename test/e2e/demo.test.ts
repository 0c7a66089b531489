import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPlace, holdUp, type Place, startCli } from '../cli/child.ts';
import { series } from './world.ts';

/** The contract: the first loss is on /metrics within a minute of the start. */
const FIRST_LOSS_MS = 60_000;

function addressIn(out: string): string | undefined {
  return /metrics +(http:\S+)\/metrics\n/.exec(out)?.[1];
}

function leftIn({ directory }: Place): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('keyvigil-'));
}

describe.concurrent('the demo', () => {
  it('shows the first loss within a minute, and one in each cloud; ends with 0 on Ctrl-C and leaves nothing behind', {
    timeout: 90_000,
  }, async () => {
    using place = createPlace();
    await using child = startCli(['demo', '--listen', '127.0.0.1:0'], place);
    const url = await child.until('the address', () => addressIn(child.out));
    expect(new URL(url).port).not.toBe('0');
    const page = await child.until(
      'the first loss',
      async () => {
        const text = await (await fetch(`${url}/metrics`)).text();
        return series(text, 'keyvigil_key_accessible', '"prod/payments/db"') === 0 ? text : undefined;
      },
      FIRST_LOSS_MS,
    );
    expect(page).toMatch(/^keyvigil_key_root_cause\{.*prod\/payments\/db.*,root="arn:aws:kms:.*"\} 1$/m);
    const incident = await child.until(
      'the story',
      () => /keyvigil: 3 secrets .* 2 CodeBuild projects fail.*alias\/payments\n +undo: (.*)\n/.exec(child.out)?.[1],
    );
    expect(incident).toContain('aws kms enable-key');
    const azure = await child.until(
      'the incident in the other cloud',
      () => /keyvigil: 2 Media Services accounts stop.*\n +undo: (.*)\n/.exec(child.out)?.[1],
      FIRST_LOSS_MS,
    );
    expect(azure).toContain('az keyvault key set-attributes');
    const flow = await child.until(
      'the flow that its key takes down',
      () => /keyvigil: the flow live-contribution .*\n +undo: (.*)\n/.exec(child.out)?.[1],
      FIRST_LOSS_MS,
    );
    expect(flow).toContain('aws kms cancel-key-deletion');
    expect(child.out).not.toContain('undefined');
    expect(leftIn(place)).toHaveLength(1);

    child.signal('SIGINT');
    expect(await child.until('the end', () => child.ending)).toBe(0);
    const warnings = child.err.trimEnd().split('\n');
    expect(warnings[0]).toMatch(
      /^\S+Z WARN key became inaccessible event=transition name=alias\/payments .*reason=disabled$/,
    );
    const told = / WARN .*name=(media-cmk|contoso|payments-|alias\/video-origin|live-contribution)/;
    expect(warnings.slice(1).filter((line) => !told.test(line))).toEqual([]);
    expect(leftIn(place)).toEqual([]);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('leaves nothing behind either when a second Ctrl-C ends it at once', async () => {
    using place = createPlace();
    await using child = startCli(['demo', '--listen', '127.0.0.1:0'], place);
    const url = await child.until('the address', () => addressIn(child.out));
    using _client = await holdUp(url);
    const ending = await child.until('the end', () => {
      child.signal('SIGINT');
      return child.ending;
    });
    expect(ending).toBe(130);
    expect(leftIn(place)).toEqual([]);
  });
});
