/** Two accounts through roles, two regions each, on moto (which takes any ExternalId: tested on the sandbox). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, type Key, many, type Region, roleIn, startCloud } from './cloud.ts';
import { eventually, startDaemon, target } from './daemon.ts';

const REGIONS = ['eu-west-1', 'us-east-1'];
const TARGETS = [
  { name: 'video', account: '111122223333' },
  { name: 'audio', account: '444455556666' },
];
/** Secrets of each place besides the one under the key: others in each, so that nothing is counted twice unnoticed. */
const OTHERS = [1, 2, 3, 4];

interface Place {
  readonly target: string;
  readonly account: string;
  readonly location: string;
  readonly region: Region;
  readonly key: Key;
  readonly secrets: number;
}

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

/** The same names everywhere. */
async function fill(): Promise<Place[]> {
  const places = TARGETS.flatMap((one) => REGIONS.map((location) => ({ ...one, location })));
  return await many(places.length, async (at) => {
    const { name, account, location } = places[at] ?? { name: '', account: '', location: '' };
    const region = await cloud.region(location, account);
    const key = await region.createKey('alias/app');
    await region.createSecret('prod/app', 'alias/app');
    const others = OTHERS[at] ?? 0;
    for (let other = 0; other < others; other += 1) await region.createSecret(`prod/other-${other}`);
    return { target: name, account, location, region, key, secrets: 1 + others };
  });
}

test('two accounts and two regions each are watched side by side, and a loss in one place is a loss there alone', async () => {
  const places = await fill();
  // Nobody may see what lies in the account of the monitor itself.
  await (await cloud.region()).createSecret('own/secret');
  const targets = TARGETS.map(({ name, account }) =>
    target(name, cloud.url, { regions: REGIONS, yaml: `, roleArn: "${roleIn(account)}", externalId: e-1` }),
  );
  await using daemon = await startDaemon(cloud, { targets: targets.join('\n') });

  const page = await daemon.metrics();
  for (const { target, account, location, key, secrets } of places) {
    expect(page.value('keyvigil_source_objects', { target, location, service: 'secrets-manager' })).toBe(secrets);
    expect(page.value('keyvigil_source_objects', { target, location, service: 'kms' })).toBe(1);
    const counted = { account, location, health: 'accessible' };
    expect(page.value('keyvigil_keys', { ...counted, kind: 'aws-secret' })).toBe(secrets);
    expect(await daemon.key(key.arn)).toMatchObject({ account, location, targets: [target], consumers: 1 });
  }
  const total = places.reduce((sum, { secrets }) => sum + secrets + 1, 0);
  const all = await daemon.keys();
  expect(all).toHaveLength(total);
  expect(all.some(({ name }) => name === 'own/secret')).toBe(false);

  const [lost] = places;
  if (!lost) throw new Error('there is no place');
  await lost.region.disable(lost.key);
  const affected = async () => {
    const keys = await daemon.keys();
    return keys.filter(({ health }) => health !== 'accessible');
  };
  await eventually(async () => expect(await affected()).toHaveLength(2));
  await daemon.sweeps(2);
  for (const key of await affected()) {
    expect(key).toMatchObject({ account: lost.account, location: lost.location, targets: [lost.target] });
  }
  expect((await affected()).map(({ reason }) => reason).sort()).toEqual(['dependency', 'disabled']);
  const told = (await daemon.events()).filter(({ type }) => type === 'transition');
  expect(told).toMatchObject([{ resource: lost.key.arn, to: 'inaccessible', reason: 'disabled' }]);
  const counted = (await daemon.metrics()).all('keyvigil_source_transitions_total');
  expect(counted.filter(({ value }) => value > 0).map(({ labels }) => labels)).toMatchObject([
    { target: lost.target, location: lost.location, service: 'kms', to: 'inaccessible' },
  ]);
});
