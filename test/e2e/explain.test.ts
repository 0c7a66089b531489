import { afterEach, describe, expect, it } from 'vitest';
import { ExplanationAnswer, ImpactAnswer } from '../../src/cli/answers.ts';
import type { Dependent } from '../../src/core/tree.ts';
import { startWorld, type World } from './world.ts';

const SECRETS = 40;

describe('explain and impact, asked of a running daemon', () => {
  let world: World | undefined;
  afterEach(async () => {
    await world?.[Symbol.asyncDispose]();
    world = undefined;
  });

  it('impact, asked before, agrees with the incident after; explain tells the same story then', async () => {
    let cmk = '';
    let spare = '';
    const running = await startWorld(
      ({ kms, secrets }) => {
        cmk = kms.createKey().arn;
        spare = kms.createKey().arn;
        for (let at = 0; at < SECRETS; at += 1) {
          secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: cmk });
        }
        secrets.create({ Name: 'prod/elsewhere', SecretString: 'x', KmsKeyId: spare });
        secrets.create({ Name: 'prod/default', SecretString: 'x' });
      },
      { yaml: 'receivers: [{ name: oncall, webhook: { url: "http://127.0.0.1:1/" } }]' },
    );
    world = running;
    await running.pass(60_000);
    const get = async (path: string): Promise<unknown> => (await running.get(path)).json();
    const impact = async (key: string) => ImpactAnswer.parse(await get(`/api/v1/impact?resource=${key}`));
    const explained = async (key: string) => ExplanationAnswer.parse(await get(`/api/v1/explain?resource=${key}`));

    const before = await impact(cmk);
    expect(before).toMatchObject({ outcome: 'something', keys: { breaks: SECRETS, already: 0 }, gaps: [] });
    expect(await explained(cmk)).toMatchObject({ health: 'accessible', silence: { reason: 'well' } });

    running.region.kms.disable(cmk.split('/').at(-1) ?? '');
    await running.until('the incident', 180_000, () => running.app.snapshot.incidents.length > 0);
    const [incident] = running.app.snapshot.incidents;
    expect(incident).toMatchObject({ root: cmk });
    expect(resourcesIn(before.tree)).toEqual([...(incident?.keys ?? [])].sort());

    await running.pass(2_000);
    const told = await explained(cmk);
    expect(told).toMatchObject({
      health: 'inaccessible',
      reason: 'disabled',
      undo: expect.stringContaining('aws kms enable-key'),
      dependents: { keys: SECRETS, consumers: 0 },
      evidence: { operation: 'DescribeKey', status: 200, requestId: expect.any(String) },
      alerts: [{ name: 'KeyvigilKeyInaccessible', told: [{ receiver: 'oncall', state: 'waiting' }] }],
    });
    expect(told.events?.at(-1)).toMatchObject({ type: 'transition', to: 'inaccessible', reason: 'disabled' });
    const secret = await explained('prod/secret-7');
    expect(secret).toMatchObject({ reason: 'dependency', rootCauses: [cmk], verdict: { status: 'accessible' } });
    expect(await impact(cmk)).toMatchObject({ outcome: 'something', keys: { breaks: 0, already: SECRETS } });
  });

  it('is sure that nothing breaks only while every source is read', async () => {
    let idle = '';
    const running = await startWorld(({ kms, secrets }) => {
      idle = kms.createKey().arn;
      secrets.create({ Name: 'prod/default', SecretString: 'x' });
    });
    world = running;
    await running.pass(60_000);
    const outcome = async () => {
      const response = await running.get(`/api/v1/impact?resource=${idle}`);
      const { outcome, gaps } = ImpactAnswer.parse(await response.json());
      return [outcome, gaps.map(({ kind }) => kind)];
    };
    expect(await outcome()).toEqual(['nothing', []]);
    running.sandbox.faults.add({ kind: 'reset' }, { service: 'secretsmanager' });
    await running.until('the source to be down', 180_000, () =>
      running.app.snapshot.sources.some(({ up }) => up === false),
    );
    expect(await outcome()).toEqual(['unknown', ['source_down']]);
  });
});

function resourcesIn(tree: readonly Dependent[]): readonly string[] {
  return tree.flatMap(({ resource, children = [] }) => [resource, ...resourcesIn(children)]).sort();
}
