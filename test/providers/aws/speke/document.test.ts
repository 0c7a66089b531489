/** Every sentence of "Key management for SPEKE" that states a rule, in a case that keeps it and one that breaks it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../../src/core/model.ts';
import type { Policy } from '../../../../src/core/policy.ts';
import { RULES } from '../../../../src/providers/aws/speke/rule-table.ts';
import { judge } from '../../../../src/providers/aws/speke/rules.ts';
import { plainContext } from '../../../fixtures/context.ts';
import { type Cloud, factsOf, failureOf, startCloud } from './cloud.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const policy = { expiryWarningMs: 0 } as Policy;
const LOGS = { executionLog: 'ERROR' } as const;
let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud[Symbol.asyncDispose]());

/** Findings of a provider after one look and its details. */
async function findingsOf(url: string): Promise<readonly string[]> {
  const opened = await cloud.open();
  const facts: KeyFacts = await factsOf(opened, url);
  const enriched = (await opened.session.enrich?.(facts, NOW, plainContext)) ?? facts;
  return judge(enriched, NOW, policy).findings.map(({ id }) => id);
}

describe('"API Gateway acts as a proxy for the communication between the service and the CA platform key provider."', () => {
  it('is kept by a URL of API Gateway', async () => {
    const { url } = cloud.apiGateway.create({ logging: LOGS });
    expect(await findingsOf(`${url}/copyProtection`)).toEqual([]);
  });

  it('cannot be told of any other URL, and that is said', async () => {
    cloud.apiGateway.create({ ownNames: ['proxy.example.com'] });
    expect(await findingsOf('https://proxy.example.com/copyProtection')).toEqual(['speke.own-name']);
  });

  it('is broken when the proxy is deleted: keys can no longer be had', async () => {
    const { url, id } = cloud.apiGateway.create();
    cloud.apiGateway.delete(id);
    expect(await failureOf(await cloud.open(), url)).toMatchObject({ reason: 'unreachable' });
  });
});

describe('"Each AWS Elemental MediaConnect flow must reside in the same AWS Region as its API Gateway proxy." and "The API Gateway must reside in the same AWS Region as the encryptor."', () => {
  it('can be judged on the flow by the Region that the facts of the provider tell', async () => {
    const { url } = cloud.apiGateway.create();
    expect((await factsOf(await cloud.open(), url)).attributes.gatewayRegion).toBe('eu-west-1');
  });

  it('is told as broken where the API is in another Region', async () => {
    const { url } = cloud.sandbox.aws.account('111122223333').region('us-east-1').apiGateway.create();
    const facts = await factsOf(await cloud.open(), url);
    expect(facts).toMatchObject({ location: 'us-east-1', attributes: { gatewayRegion: 'us-east-1' } });
    expect(await findingsOf(url)).toEqual(['speke.stage-not-visible']);
  });
});

describe('"API Gateway – Manages customer-trusted roles and proxy communication between the encryptor and the key provider."', () => {
  it('is kept where a request without a role is refused', async () => {
    const { url } = cloud.apiGateway.create({ logging: LOGS });
    expect(await findingsOf(url)).toEqual([]);
  });

  it('is doubted where a request without a role is answered', async () => {
    const { url, id } = cloud.apiGateway.create({ logging: LOGS });
    cloud.apiGateway.answerUnsigned(id, 200);
    expect(await findingsOf(url)).toEqual(['speke.answers-unsigned']);
  });
});

describe('"API Gateway provides logging capabilities and lets customers control their relationships with the encryptor and with the CA platform."', () => {
  it.each([
    [{ executionLog: 'ERROR' }],
    [{ executionLog: 'INFO' }],
    [{ accessLog: 'arn:aws:logs:eu-west-1:1:x' }],
  ] as const)('is used with %j', async (logging) => {
    const { url } = cloud.apiGateway.create({ logging });
    expect(await findingsOf(url)).toEqual([]);
  });

  it('is not used where both logs are off', async () => {
    const { url } = cloud.apiGateway.create();
    expect(await findingsOf(url)).toEqual(['speke.logging-off']);
  });
});

describe('"CA platform key provider – Provides encryption and decryption keys to AWS Elemental MediaConnect through a SPEKE-compliant API."', () => {
  it('is never tried out: what is asked asks for no key', async () => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.requests.clear();
    await findingsOf(url);
    const asked = cloud.sandbox.requests.list().filter(({ service }) => service === 'execute-api');
    expect(asked.map(({ target }) => target)).toEqual(['GET /prod']);
  });
});

describe('the page on SPEKE', () => {
  it('names every rule, or the table of rules does', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/speke.md'), 'utf8');
    const named = new Set([...page.matchAll(/`(speke\.[a-z-]+)`/g)].map(([, id]) => id));
    const known = new Set(RULES.map(({ id }) => id));
    expect([...named].filter((id) => !known.has(id ?? ''))).toEqual([]);
    const byDate = ['speke.certificate-expiring', 'speke.certificate-expired'];
    expect([...known].filter((id) => !named.has(id) && !byDate.includes(id))).toEqual([]);
  });
});
