import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { readRunbook, startBeating } from '../src/app-notify.ts';
import { extraTrust } from '../src/app-trust.ts';
import { parseConfig } from '../src/config/load.ts';
import { createOutboxBook } from '../src/engine/outbox.ts';
import { SERVICES } from '../src/providers/index.ts';
import { source } from './core/support/alerts.ts';
import { POLICY } from './core/support/looks.ts';
import { plainLedger } from './fixtures/ledger.ts';
import { LOOPBACK_CERTIFICATE } from './fixtures/tls.ts';
import { says, startSink } from './notify/sink.ts';

it('the heartbeat trusts the authority that the configuration adds', async () => {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'keyvigil-beat-'));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'ca.pem'), LOOPBACK_CERTIFICATE);
  const sink = stack.use(await startSink(says(204), { tls: true }));
  const ledger = plainLedger();
  await ledger.source(source({ lastSuccessAt: Date.now() }));
  const outbox = createOutboxBook({
    receivers: [],
    context: () => ({ policy: POLICY, tagLabels: [], statusUrl: 'http://127.0.0.1', runbookUrl: 'http://127.0.0.1' }),
  });
  const beaten = Promise.withResolvers<string>();
  const log = pino({ level: 'info' }, { write: (line) => beaten.resolve(JSON.parse(line).msg) });
  const yaml = 'targets: [{ name: prod, provider: aws, regions: [eu-west-1] }]\noutbound: { caFile: ca.pem }';
  const { config: parsed, issues } = parseConfig(yaml, join(directory, 'keyvigil.yml'), {
    env: {},
    services: SERVICES,
  });
  if (!parsed) throw new Error(JSON.stringify(issues));
  const config = { ...parsed, heartbeat: { url: sink.url, every: 1 } };
  startBeating({ config, env: {}, log, version: '0.0.0' }, stack, ledger, outbox, await extraTrust(config));
  expect(await beaten.promise).toBe('the heartbeat goes out');
  expect(sink.requests).toHaveLength(1);
});

it('has no runbook for an alert that is none, and does not take one that cannot be read for that', async () => {
  expect(await readRunbook('KeyvigilKeyInaccessible')).toMatch(/^# KeyvigilKeyInaccessible/);
  expect(await readRunbook('KeyvigilNothing')).toBeUndefined();
  await expect(readRunbook('K'.repeat(300))).rejects.toThrow('ENAMETOOLONG');
});
