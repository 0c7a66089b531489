import { describe, expect, it } from 'vitest';
import type { KeyFacts, Scalar } from '../../../../src/core/model.ts';
import type { Policy } from '../../../../src/core/policy.ts';
import { REFUSALS } from '../../../../src/providers/aws/speke/guard.ts';
import { remedy } from '../../../../src/providers/aws/speke/remedies.ts';
import { RULES } from '../../../../src/providers/aws/speke/rule-table.ts';
import { judge } from '../../../../src/providers/aws/speke/rules.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const DAY = 86_400_000;
const policy = { expiryWarningMs: 30 * DAY } as Policy;

/** A provider without anything to find: behind API Gateway, answering, with its logs on. */
function provider(changed: Partial<KeyFacts> = {}, attributes: Record<string, Scalar | undefined> = {}): KeyFacts {
  const merged = {
    host: 'api-gateway',
    gatewayId: 'abc123',
    gatewayRegion: 'eu-west-1',
    stage: 'prod',
    via: 'direct',
    status: 403,
    stageSeen: 'yes',
    executionLog: 'ERROR',
    accessLog: false,
    dataTrace: false,
    ...attributes,
  };
  return {
    resource: 'https://abc123.execute-api.eu-west-1.amazonaws.com/prod/copyProtection',
    kind: 'speke-provider',
    name: 'abc123.execute-api.eu-west-1.amazonaws.com/prod/copyProtection',
    provider: 'aws',
    account: '111122223333',
    location: 'eu-west-1',
    state: 'Answering',
    expiresAt: NOW + 300 * DAY,
    tags: {},
    dependsOn: [],
    attributes: Object.fromEntries(
      Object.entries(merged).filter((entry): entry is [string, Scalar] => entry[1] !== undefined),
    ),
    ...changed,
  };
}

/** A provider behind a name of its owner's. */
function ownName(changed: Partial<KeyFacts> = {}): KeyFacts {
  const nothing = { gatewayId: undefined, gatewayRegion: undefined, stage: undefined, stageSeen: undefined };
  const unknown = { executionLog: undefined, accessLog: undefined, dataTrace: undefined };
  return provider(
    { resource: 'https://keys.example.com/speke', ...changed },
    { host: 'own-name', ...nothing, ...unknown },
  );
}

function findingsOf(facts: KeyFacts, now = NOW) {
  return judge(facts, now, policy).findings;
}

function idsOf(facts: KeyFacts, now = NOW): string[] {
  return findingsOf(facts, now).map(({ id }) => id);
}

describe('the rules of key providers', () => {
  it('find nothing in a provider as it should be', () => {
    expect(idsOf(provider())).toEqual([]);
  });

  it('have every id that can be found in their table, and no other', () => {
    const found = new Set<string>();
    const cases = [
      ...REFUSALS.map((refusal) => provider({ state: 'Refused' }, { refusal })),
      ...['denied', 'not_found', 'elsewhere', 'unnamed'].map((stageSeen) => provider({}, { stageSeen })),
      provider({ state: 'NotProbed' }, { executionLog: 'OFF' }),
      provider({ expiresAt: NOW }, { dataTrace: true, status: 200 }),
      ownName({ expiresAt: NOW + DAY }),
    ];
    for (const facts of cases) for (const id of idsOf(facts)) found.add(id);
    expect([...found].sort()).toEqual(RULES.map(({ id }) => id).sort());
  });
});

describe('a certificate of one’s own', () => {
  it.each([
    [31 * DAY, undefined, undefined],
    [30 * DAY, 'speke.certificate-expiring', 'warning'],
    [4 * DAY, 'speke.certificate-expiring', 'warning'],
    [3 * DAY, 'speke.certificate-expiring', 'critical'],
    [1, 'speke.certificate-expiring', 'critical'],
    [0, 'speke.certificate-expired', 'critical'],
    [-DAY, 'speke.certificate-expired', 'critical'],
  ])('that ends in %i ms is %s, %s', (left, id, severity) => {
    const found = findingsOf(ownName({ expiresAt: NOW + left })).filter((one) => one.id.includes('certificate'));
    expect(found.map((one) => [one.id, one.severity])).toEqual(id === undefined ? [] : [[id, severity]]);
  });

  it('is judged again when that changes', () => {
    const facts = ownName({ expiresAt: NOW + 40 * DAY });
    expect(judge(facts, NOW, policy).until).toBe(NOW + 10 * DAY);
    expect(judge(facts, NOW + 10 * DAY, policy).until).toBe(NOW + 37 * DAY);
    expect(judge(facts, NOW + 37 * DAY, policy).until).toBe(NOW + 40 * DAY);
    expect(judge(facts, NOW + 40 * DAY, policy).until).toBeUndefined();
  });

  it('has a remedy that names its host', () => {
    const [finding] = findingsOf(ownName({ expiresAt: NOW + DAY }));
    expect(finding?.remedy).toContain(
      'aws apigateway get-domain-name --domain-name keys.example.com --region eu-west-1',
    );
  });

  it('that no look has shown is not judged', () => {
    const { expiresAt: _gone, ...facts } = ownName();
    expect(judge(facts, NOW, policy)).toMatchObject({ findings: [{ id: 'speke.own-name' }] });
    expect(judge(facts, NOW, policy).until).toBeUndefined();
  });
});

describe('a certificate of AWS', () => {
  it.each([
    [29 * DAY, []],
    [3 * DAY + 1, []],
    [3 * DAY, ['speke.certificate-expiring']],
    [0, ['speke.certificate-expired']],
  ])('that ends in %i ms: %j, because AWS renews it and nobody else can', (left, ids) => {
    expect(idsOf(provider({ expiresAt: NOW + left }))).toEqual(ids);
  });
});

describe('what the guard refuses', () => {
  it.each([
    ['scheme', 'warning', 'it is not https'],
    ['port', 'warning', 'it names a port'],
    ['userinfo', 'warning', 'it holds a user'],
    ['address', 'warning', 'it names an address'],
    ['local_name', 'warning', 'a name of a local network'],
    ['private_address', 'info', 'leads to a private address from here'],
  ])('for its %s is a finding of severity %s: %s', (refusal, severity, words) => {
    const [finding] = findingsOf(provider({ state: 'Refused' }, { refusal }));
    expect(finding).toMatchObject({ id: 'speke.probe-refused', severity });
    expect(finding?.summary).toContain('keyvigil does not call this endpoint');
    expect(finding?.summary).toContain(words);
  });
});

describe('logging', () => {
  it.each([
    ['OFF', false, ['speke.logging-off']],
    ['OFF', true, []],
    ['ERROR', false, []],
    ['INFO', false, []],
    [undefined, false, []],
    ['OFF', undefined, []],
  ])('with the execution log %s and the access log %s: %j', (executionLog, accessLog, ids) => {
    expect(idsOf(provider({}, { executionLog, accessLog }))).toEqual(ids);
  });

  it('is turned on by the command of its finding', () => {
    const [finding] = findingsOf(provider({}, { executionLog: 'OFF' }));
    expect(finding?.remedy).toBe(
      "aws apigateway update-stage --rest-api-id abc123 --stage-name prod --patch-operations 'op=replace,path=/*/*/logging/loglevel,value=ERROR' --region eu-west-1",
    );
  });

  it('of whole answers, which hold keys, is a warning with the command that ends it', () => {
    expect(findingsOf(provider({}, { dataTrace: true }))).toMatchObject([
      {
        id: 'speke.data-trace',
        severity: 'warning',
        remedy:
          "aws apigateway update-stage --rest-api-id abc123 --stage-name prod --patch-operations 'op=replace,path=/*/*/logging/dataTrace,value=false' --region eu-west-1",
      },
    ]);
  });

  it.each(['denied', 'not_found', 'elsewhere', 'unnamed'])('that cannot be told is said: %s', (stageSeen) => {
    const facts = provider({}, { stageSeen, executionLog: undefined, accessLog: undefined, dataTrace: undefined });
    expect(findingsOf(facts)).toMatchObject([{ id: 'speke.stage-not-visible', severity: 'info' }]);
  });
});

describe('an answer to nobody’s request', () => {
  it.each([200, 204])('of %i is worth a look', (status) => {
    expect(findingsOf(provider({}, { status }))).toMatchObject([{ id: 'speke.answers-unsigned', severity: 'info' }]);
  });

  it.each([301, 400, 401, 403, 404])('of %i is none', (status) => {
    expect(idsOf(provider({}, { status }))).toEqual([]);
  });
});

describe('the remedy of a lost provider', () => {
  it('shows what is left of the API', () => {
    expect(remedy('unreachable', provider())).toContain(
      'aws apigateway get-stage --rest-api-id abc123 --stage-name prod --region eu-west-1',
    );
    expect(remedy('unreachable', provider({}, { stage: undefined }))).toContain(
      'aws apigateway get-rest-api --rest-api-id abc123 --region eu-west-1',
    );
  });

  it('shows where a name of one’s own leads', () => {
    const text = remedy('unreachable', ownName());
    expect(text).toContain('get-domain-name --domain-name keys.example.com');
    expect(text).toContain('dig keys.example.com');
  });

  it('keeps a hostile stage within its word', () => {
    expect(remedy('unreachable', provider({}, { stage: "a'; rm -rf /" }))).toContain(`--stage-name 'a'\\''; rm -rf /'`);
  });

  it('is none of other reasons', () => {
    expect(remedy('timeout', provider())).toBeUndefined();
  });
});
