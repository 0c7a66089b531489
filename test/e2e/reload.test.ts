/** A configuration that changes while the daemon runs. */
import { describe, expect, it } from 'vitest';
import { startSink } from './sink.ts';
import { startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const BOUND = 75_000;
const RELOADED = /^keyvigil_config_last_reload_successful (\d)$/m;

function company({ kms, secrets }: World['region']): void {
  const { keyId, arn } = kms.createKey();
  kms.alias('alias/app', keyId);
  secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: arn });
  secrets.create({ Name: 'test/app', SecretString: 'x' });
}

async function reloaded(world: World): Promise<string | undefined> {
  return RELOADED.exec(await world.metrics())?.[1];
}

describe('a reload', () => {
  it('tells new receivers what fires, without telling the old ones again', async () => {
    await using old = await startSink();
    await using fresh = await startSink();
    const hook = (name: string, url: string) => `{ name: ${name}, webhook: { url: "${url}" } }`;
    await using world = await startWorld(company, { yaml: `receivers: [${hook('old', old.url)}]` });
    world.region.kms.disable('alias/app');
    await world.until('the alert', BOUND, () => old.told.length > 0);
    const both = `receivers: [${hook('old', old.url)}, ${hook('fresh', fresh.url)}]`;
    expect(await world.reload({ yaml: both })).toEqual({ outcome: 'applied' });
    await world.until('the alert at the new one', MINUTE, () => fresh.told.length > 0);
    expect(fresh.told[0]).toMatchObject({ status: 'firing', startsAt: old.told[0]?.startsAt });
    await world.pass(5 * MINUTE);
    expect([old.told.length, fresh.told.length]).toEqual([1, 1]);

    world.region.kms.enable('alias/app');
    await world.until('its end', BOUND, () => fresh.told.length > 1);
    await world.pass(MINUTE);
    expect(old.told.map(({ status }) => status)).toEqual(['firing', 'resolved']);
  });

  it('ends the series of what is no longer watched at once, and its alerts', async () => {
    await using sink = await startSink();
    const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
    await using world = await startWorld(company, { yaml });
    world.region.kms.disable('alias/app');
    await world.until('the alert', BOUND, () => sink.told.length > 0);
    const { resource } = world.key('alias/app')!;
    expect(await world.reload({ services: '{ secrets-manager: {} }' })).toEqual({ outcome: 'applied' });
    expect(await world.metrics()).not.toContain(resource);
    await world.until('its end', MINUTE, () => sink.told.length > 1);
    expect(sink.told.map(({ status }) => status)).toEqual(['firing', 'resolved']);
    expect(world.key('prod/app')?.health).toBe('accessible');
  });

  it('judges by the new policy without waiting for a look', async () => {
    await using world = await startWorld(({ secrets }) => void secrets.create({ Name: 'empty' }));
    const still = 'secrets-manager.never-filled';
    const findings = () => world.app.snapshot.keys[0]?.findings.map(({ id }) => id);
    expect(findings()).toContain(still);
    await world.reload({ yaml: `policy: { rules: { ${still}: off } }` });
    await world.until('the end of the finding', 1_000, () => !findings()?.includes(still));
    await world.reload({ yaml: '' });
    await world.until('the finding', 1_000, () => findings()?.includes(still) === true);
  });

  it('of the same configuration interrupts nothing', async () => {
    await using world = await startWorld(company);
    const before = world.sandbox.requests.count();
    expect(await world.reload({})).toEqual({ outcome: 'unchanged' });
    expect(world.sandbox.requests.count()).toBe(before);
    expect(await reloaded(world)).toBe('1');
  });

  it('that is refused keeps the old configuration, says so, and says when that is over', async () => {
    await using sink = await startSink();
    const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
    await using world = await startWorld(company, { yaml });
    const refused = await world.reload({ yaml: `${yaml}\npolicy: { confirmation: {} }` });
    expect(refused).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/confirmations/) });
    expect(await reloaded(world)).toBe('0');
    await world.until('its alert', MINUTE, () => sink.told.length > 0);
    expect(sink.told[0]).toMatchObject({ status: 'firing', labels: { alertname: 'KeyvigilConfigReloadFailed' } });
    world.region.kms.disable('alias/app');
    await world.until('the loss', BOUND, () => world.key('alias/app')?.health === 'inaccessible');

    expect(await world.reload({ yaml })).toEqual({ outcome: 'unchanged' });
    expect(await reloaded(world)).toBe('1');
    const told = () => sink.told.filter(({ labels }) => labels.alertname === 'KeyvigilConfigReloadFailed');
    await world.until('its end', MINUTE, () => told().length > 1);
    expect(told()[1]?.status).toBe('resolved');
  });

  it('a hundred times in a row drops no sweep and leaves nothing behind', async () => {
    await using world = await startWorld(company);
    const held = () =>
      process.getActiveResourcesInfo().filter((one) => one !== 'Timeout' && one !== 'Immediate').length;
    await world.reload({ yaml: 'policy: { describeEvery: 15m }' });
    await world.pass(MINUTE);
    const before = held();
    for (let at = 0; at < 100; at += 1) {
      expect((await world.reload({ yaml: `policy: { describeEvery: ${16 + at}m }` })).outcome).toBe('applied');
      await world.pass(3_000);
    }
    const ages = world.app.snapshot.sources.map(({ lastSuccessAt }) => Date.now() - (lastSuccessAt ?? 0));
    expect(Math.max(...ages)).toBeLessThanOrEqual(MINUTE);
    await world.pass(MINUTE);
    expect(held()).toBeLessThanOrEqual(before + 2);
    expect((await world.events()).map(({ type }) => type)).toEqual(['first_seen', 'first_seen', 'first_seen']);
  });

  it('asked for many times at once is done once more than what is under way', async () => {
    await using world = await startWorld(company);
    const asked = world.logged.length;
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => world.reload({ yaml: `policy: { describeEvery: ${20 + at}m }` })),
    );
    const said = world.logged.slice(asked).filter((line) => line.includes('the configuration was read again'));
    expect(said.length).toBeLessThanOrEqual(2);
    expect(said.at(-1)).toContain('applied');
  });
});
