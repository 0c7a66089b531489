import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { ROOT } from '../tools.ts';
import { codeBuildScenarios } from './codebuild-scenarios.ts';
import { differences, type Exchange } from './compare.ts';
import { kmsScenarios } from './kms-scenarios.ts';
import { secretsScenarios } from './secrets-scenarios.ts';
import { asker } from './wire.ts';

const RECORDED = path.resolve(ROOT, '..', 'shared', 'data', 'recorded', 'aws');
const SCENARIOS = { ...kmsScenarios, ...secretsScenarios, ...codeBuildScenarios };

const SINCE_2018 = 'recorded in 2018, before this field existed; younger recordings have it';
const SINCE_2020 = 'recorded in 2020, before this field existed; the API model has it';
const SINCE_2021 = 'recorded in 2021, before this field existed; younger recordings have it';
const NO_RULES = 'a schedule so old that AWS keeps no rules for it; none can be made like that any more';

/** Every difference that is right as it is: recording, number of the exchange, difference, and why. */
const JUSTIFIED: readonly (readonly [file: string, exchange: number, difference: string, why: string])[] = [
  ['codebuild-project', 1, 'invents projects[0].projectVisibility', SINCE_2020],
  ['kms-describe-access-denied', 1, 'invents KeyMetadata.CurrentKeyMaterialId', SINCE_2021],
  ['kms-describe-access-denied', 1, 'invents KeyMetadata.KeySpec', SINCE_2021],
  ['kms-describe-access-denied', 1, 'invents KeyMetadata.MultiRegion', SINCE_2021],
  ['kms-disable-and-schedule-deletion', 0, 'invents KeyMetadata.CurrentKeyMaterialId', SINCE_2018],
  ['kms-disable-and-schedule-deletion', 0, 'invents KeyMetadata.CustomerMasterKeySpec', SINCE_2018],
  ['kms-disable-and-schedule-deletion', 0, 'invents KeyMetadata.EncryptionAlgorithms', SINCE_2018],
  ['kms-disable-and-schedule-deletion', 0, 'invents KeyMetadata.KeySpec', SINCE_2018],
  ['kms-disable-and-schedule-deletion', 0, 'invents KeyMetadata.MultiRegion', SINCE_2018],
  ['kms-disable-and-schedule-deletion', 2, 'invents KeyState', SINCE_2018],
  ['kms-disable-and-schedule-deletion', 2, 'invents PendingWindowInDays', SINCE_2018],
  ['secretsmanager-deleted-date-is-the-past', 0, 'invents RotationRules', NO_RULES],
  ['secretsmanager-deleted-date-is-the-past', 0, 'invents RotationRules.AutomaticallyAfterDays', NO_RULES],
  ['secretsmanager-deleted-date-is-the-past', 2, 'invents RotationRules', NO_RULES],
  ['secretsmanager-deleted-date-is-the-past', 2, 'invents RotationRules.AutomaticallyAfterDays', NO_RULES],
  ['secretsmanager-list', 0, 'invents SecretList[0].RotationRules', NO_RULES],
  ['secretsmanager-list', 0, 'invents SecretList[0].RotationRules.AutomaticallyAfterDays', NO_RULES],
];

/** Recorded operations that the sandbox does not have, and what is asked instead for the same error. */
const ASKED_INSTEAD: Readonly<Record<string, string>> = {
  GenerateDataKeyPair: 'Encrypt with DryRun',
  ReEncrypt: 'Decrypt with another KeyId',
};

type Recording = { readonly kind: string; readonly exchanges: readonly Exchange[] };

function recording(name: string): Recording {
  return JSON.parse(readFileSync(path.join(RECORDED, `${name}.json`), 'utf8'));
}

function recordings(): readonly string[] {
  if (!existsSync(RECORDED)) throw new Error(`the recorded answers of AWS are missing: ${RECORDED}`);
  return readdirSync(RECORDED)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -5));
}

describe('the sandbox answers as AWS did', () => {
  test('every recording has its scenario', () => {
    expect(Object.keys(SCENARIOS).toSorted()).toEqual(recordings().toSorted());
  });

  test('every recorded operation is imitated, but for those that are asked in another way', async () => {
    await using sandbox = await startSandbox();
    const imitated = new Set(sandbox.aws.operations.map((name) => name.split(':')[1]));
    const recorded = recordings().flatMap((name) => recording(name).exchanges.map(({ request }) => request.operation));
    const missing = recorded.map((operation) => operation.split(/[:.]/)[1] ?? '').filter((name) => !imitated.has(name));
    expect([...new Set(missing)].toSorted()).toEqual(Object.keys(ASKED_INSTEAD).toSorted());
  });

  test('a field that lacks, that is invented or that says something else is found', () => {
    const body = { KeyMetadata: { KeyState: 'Enabled', Arn: 'arn:a', CreationDate: 1 }, Tags: [{ TagKey: 'a' }] };
    const other = { KeyMetadata: { KeyState: 'Disabled', CreationDate: '1', New: 1 }, Tags: [{}] };
    expect(differences({ status: 200, body }, { status: 200, body }, true)).toEqual([]);
    expect(differences({ status: 200, body }, { status: 201, body: other }, true)).toEqual([
      'status 201 instead of 200',
      'lacks KeyMetadata.Arn',
      'lacks Tags[0].TagKey',
      'invents KeyMetadata.New',
      'KeyMetadata.KeyState is "Disabled" instead of "Enabled"',
      'KeyMetadata.CreationDate is "a string" instead of "a number"',
    ]);
    const refused = { Error: { Code: 'NotFoundException', Message: "Key '<key-arn>' does not exist" } };
    const wire = { __type: 'NotFoundException', message: 'Key gone' };
    expect(differences({ status: 400, body: refused }, { status: 400, body: wire }, false)).toEqual([
      `message "Key gone" instead of "Key 'X' does not exist"`,
    ]);
  });

  test.each(Object.entries(SCENARIOS))('%s', async (name, scenario) => {
    const clock = { lead: 0 };
    await using sandbox = await startSandbox({ now: () => Date.now() + clock.lead });
    const [account, region] = ['111122223333', 'us-east-1'];
    const answers = await scenario({ ask: asker(sandbox, account, region), sandbox, account, region, clock });
    const { kind, exchanges } = recording(name);
    expect(answers).toHaveLength(exchanges.length);
    const found = exchanges.flatMap((exchange, index) => {
      const answer = answers[index];
      if (!answer) return [];
      return differences(exchange.response, answer, kind === 'recorded').map((difference) => `${index}: ${difference}`);
    });
    const justified = JUSTIFIED.filter(([file]) => file === name).map(
      ([, index, difference]) => `${index}: ${difference}`,
    );
    expect(found.toSorted()).toEqual(justified.toSorted());
  });
});
