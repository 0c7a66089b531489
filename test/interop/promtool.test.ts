/** Prometheus' own linter on our page and our PromQL. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { KeyView } from '../../src/core/snapshot.ts';
import { TABLE } from '../../src/metrics/table.ts';
import { parseExposition } from '../metrics/exposition.ts';
import { consumerView, keyView, metricsOf, pageText, snapshotOf, sourceRecord } from '../metrics/views.ts';
import { promtool } from './tools.ts';

const AT = 1_700_000_000_500;

/** A key with a series in every family. */
function everything(change: Partial<KeyView>): KeyView {
  return keyView({
    health: 'inaccessible',
    reason: 'dependency',
    tags: { CostCenter: '4711', Name: 'a"b\n} 1', team: '🔑'.repeat(500) },
    rootCauses: ['arn:root', 'arn:other\u0001'],
    blindSince: AT,
    blindReason: 'timeout',
    baseline: true,
    critical: true,
    state: 'Disabled',
    spec: 'RSA_2048',
    version: 'v2',
    versionChanges: 2,
    versionCreatedAt: AT,
    versionDetectedAt: AT,
    expiresAt: AT,
    deletionAt: AT,
    lastRotatedAt: AT,
    nextRotationAt: AT,
    consumers: 3,
    findings: [{ id: 'kms.imported', severity: 'info', summary: 'Imported.', since: AT }],
    ...change,
  });
}

test('promtool has nothing to say about a page with everything on it', async () => {
  const metrics = metricsOf({
    revision: 'abc',
    tagLabels: ['CostCenter', 'Name', 'team'],
    waiting: () => [{ receiver: 'oncall', pending: 2, oldestAt: AT }],
  });
  metrics.delivered({ receiver: 'oncall', count: 3, outcome: 'accepted' });
  metrics.delivered({ receiver: 'oncall', count: 1, outcome: 'retry', reason: 'timeout' });
  metrics.observeCall({ target: 'video-prod', service: 'kms', operation: 'ListKeys', code: '200', seconds: 0.1 });
  const uses = [{ resource: 'arn:1', role: 'decryption', versionInUse: 'v1', key: 'arn:1', outdatedSince: AT }];
  const findings = [{ id: 'mediaconnect.default-key', severity: 'warning', summary: 'Default.', since: AT }] as const;
  const snapshot = snapshotOf(
    [everything({ resource: 'arn:1' }), everything({ resource: 'arn:\ud83d"\n', name: 'x\\' })],
    {
      consumers: [consumerView({ health: 'impaired', reason: 'key_inaccessible', uses, findings })],
      sources: [
        sourceRecord({
          up: true,
          lastSuccessAt: AT,
          objects: 2,
          detectionBoundMs: 75_000,
          sweepDurationMs: 900,
          budgetUsedRatio: 0.1,
        }),
      ],
    },
  );
  const page = await pageText(metrics, snapshot);
  expect(parseExposition(page).filter(({ series }) => series.length === 0)).toEqual([]);

  const run = spawnSync(await promtool(), ['check', 'metrics'], { input: page, encoding: 'utf8' });
  expect({ error: run.error, status: run.status, stdout: run.stdout, stderr: run.stderr }).toEqual({
    error: undefined,
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('promtool has nothing to say about a page with nothing on it', async () => {
  const page = await pageText(metricsOf(), snapshotOf([]));
  const run = spawnSync(await promtool(), ['check', 'metrics'], { input: page, encoding: 'utf8' });
  expect(`${run.stdout}${run.stderr}`).toBe('');
  expect(run.status).toBe(0);
});

test('promtool can read every PromQL example of the docs', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-promql-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const rules = TABLE.flatMap(({ name, example }) => (example ? [{ record: `example:${name}`, expr: example }] : []));
  const file = join(directory, 'rules.yml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ groups: [{ name: 'examples', rules }] }));
  const run = spawnSync(await promtool(), ['check', 'rules', file], { encoding: 'utf8' });
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toContain(`${rules.length} rules found`);
});
