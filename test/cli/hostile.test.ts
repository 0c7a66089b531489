/** What commands print of what others wrote: a cloud's answer, a receiver's, a configuration. Nothing of it may do anything. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfigCommand } from '../../src/cli/check-config.ts';
import { planCommand } from '../../src/cli/plan.ts';
import { policyCommand } from '../../src/cli/policy.ts';
import { testNotifyCommand } from '../../src/cli/test-notify.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { ACCOUNT, awsError, ENV, REGION, startWire, type Wire } from '../fixtures/aws-wire.ts';
import { type Behaviour, says, startSink } from '../notify/sink.ts';
import { type RecordedIo, recordedIo } from './io.ts';

/** Clears the screen, sets the title, writes a link, turns text around, forges a line of a log and a line of output. */
const HOSTILE =
  'evil\u001b[2J\u001b]0;owned\u0007\u001b]8;;https://evil.example\u0007\u009b31m\u202etxt.exe\u200b\u2028\r\n✖ prod: forged';

/** Whatever a terminal or a viewer acts on. */
const ACTIVE = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function expectInert(io: RecordedIo): void {
  for (const text of [io.written.out, io.written.err]) {
    expect(text).not.toMatch(ACTIVE);
    expect(text).not.toMatch(/^✖ prod: forged/m);
  }
}

function configOf(text: string) {
  const { config, issues } = parseConfig(text, '/keyvigil.yml', { env: {}, services: SERVICES });
  if (!config) throw new Error(JSON.stringify(issues));
  return config;
}

describe('check-config --online', () => {
  let wire: Wire;
  let directory: string;
  beforeAll(async () => {
    wire = await startWire();
    directory = await mkdtemp(join(tmpdir(), 'keyvigil-'));
  });
  afterAll(async () => {
    await wire[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${HOSTILE}-AbCdEf`;

  it.each([
    ['names', () => wire.on('DescribeSecret', awsError('AccessDeniedException', HOSTILE)), 'missing'],
    ['codes', () => wire.on('ListSecrets', awsError(HOSTILE, HOSTILE, 500)), 'cannot be read'],
    ['answers', () => wire.on('ListSecrets', { body: HOSTILE }), 'cannot be read'],
  ])('shows nothing active of the %s of a cloud', async (_, script, said) => {
    wire.on('ListSecrets', { body: { SecretList: [{ ARN: arn, Name: HOSTILE }] } });
    wire.on('DescribeSecret', awsError('AccessDeniedException', HOSTILE));
    script();
    const file = join(directory, 'keyvigil.yml');
    await writeFile(
      file,
      `targets: [{ name: prod, provider: aws, regions: [${REGION}], endpoint: "${wire.url}", services: { secrets-manager: {} } }]`,
    );
    for (const output of ['text', 'json'] as const) {
      const io = recordedIo({ env: ENV });
      const online = { version: '1.2.3', stop: new AbortController().signal };
      expect(await checkConfigCommand({ file, output, online }, io)).toBe(2);
      expectInert(io);
      if (output === 'text') expect(io.written.out + io.written.err).toContain(said);
    }
  });
});

describe('plan', () => {
  it.each([
    ['names', {}],
    ['codes', awsError(HOSTILE, HOSTILE, 500)],
    ['answers', { body: HOSTILE }],
  ])('shows nothing active of the %s of a cloud, nor of its own arguments', async (_, answer) => {
    await using wire = await startWire();
    const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${HOSTILE}-AbCdEf`;
    wire.on('ListSecrets', { body: { SecretList: [{ ARN: arn, Name: HOSTILE }] }, ...answer });
    wire.on('DescribeSecret', awsError('AccessDeniedException', HOSTILE));
    const services = '{ secrets-manager: {} }';
    const target = `{ name: prod, provider: aws, regions: [${REGION}], endpoint: "${wire.url}", services: ${services} }`;
    const stop = new AbortController().signal;
    for (const output of ['text', 'json'] as const) {
      for (const objects of [[], [`${HOSTILE}=1`], [`secrets-manager=${HOSTILE}`]]) {
        const io = recordedIo({ env: ENV });
        await planCommand({ config: configOf(`targets: [${target}]`), output, objects, version: '1', stop }, io);
        expect(io.written.out + io.written.err).not.toBe('');
        expectInert(io);
      }
    }
  });
});

describe('test-notify', () => {
  const receivers: Readonly<Record<string, (url: string) => string>> = {
    webhook: (url) => `webhook: { url: "${url}" }`,
    slack: (url) => `slack: { url: "${url}" }`,
    alertmanager: (url) => `alertmanager: { urls: ["${url}"] }`,
    pagerduty: (url) => `pagerduty: { routingKey: "0123456789abcdef0123456789abcdef", url: "${url}" }`,
  };
  const behaviours: Readonly<Record<string, Behaviour>> = {
    'refuses with a text': says(400, HOSTILE),
    'accepts with a text': says(200, HOSTILE),
    'answers with JSON': says(400, JSON.stringify({ status: HOSTILE, message: HOSTILE, errors: [HOSTILE] })),
    'is none of HTTP': (response) => response.socket?.end(`HTTP/1.1 200 ${HOSTILE}\r\n\r\n`),
  };
  const cases = Object.keys(receivers).flatMap((type) => Object.keys(behaviours).map((how) => [type, how] as const));

  it.each(cases)('shows nothing active of a %s that %s', async (type, how) => {
    await using sink = await startSink(behaviours[how] ?? says(200));
    const target = `{ name: prod, provider: aws, regions: [${REGION}], services: { kms: {} } }`;
    const config = configOf(`targets: [${target}]\nreceivers: [{ name: one, ${receivers[type]?.(sink.url)} }]\n`);
    for (const output of ['text', 'json'] as const) {
      const io = recordedIo();
      const stop = new AbortController().signal;
      await testNotifyCommand({ config, receiver: 'one', output, version: '1.2.3', stop }, io);
      expect(io.written.out + io.written.err).not.toBe('');
      expectInert(io);
    }
  });

  it('nor of a name that no receiver has', async () => {
    const io = recordedIo();
    const config = configOf(`targets: [{ name: prod, provider: aws, regions: [${REGION}], services: { kms: {} } }]`);
    const stop = new AbortController().signal;
    expect(await testNotifyCommand({ config, receiver: HOSTILE, output: 'text', version: '1', stop }, io)).toBe(2);
    expectInert(io);
  });
});

describe('policy', () => {
  it('shows nothing active of a role, an account or a target', () => {
    const role = JSON.stringify(`arn:aws:iam::${ACCOUNT}:role/${HOSTILE.replaceAll(/[\r\n\u2028]/g, '')}`);
    const target = `{ name: prod, provider: aws, regions: [${REGION}], roleArn: ${role}, services: { kms: {} } }`;
    const config = configOf(`targets: [${target}]`);
    for (const options of [{}, { account: HOSTILE }, { target: HOSTILE }]) {
      const io = recordedIo();
      policyCommand({ cloud: 'aws', config, target: undefined, account: undefined, ...options }, io);
      expectInert(io);
    }
  });
});
