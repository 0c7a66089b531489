/** One cause under many: one incident and one alert that name it and everything it breaks; two causes stay two. */
import { expect, it } from 'vitest';
import { startSink } from './sink.ts';
import { ACCOUNT, startWorld, type World, type WorldOptions } from './world.ts';

const BOUND = 100_000;
const MINUTE = 60_000;
const SECRETS = 40;
const FLOWS = 12;
const OUTPUTS = 4;
const SERVICES = '{ secrets-manager: {}, kms: {}, mediaconnect: {}, codebuild: {} }';
const YAML = 'policy: { rules: { mediaconnect.default-key: off } }';

const encryption = (roleArn: string, secretArn: string) =>
  ({ keyType: 'static-key', algorithm: 'aes128', roleArn, secretArn }) as const;

interface Company {
  readonly root: string;
  readonly other: string;
  readonly secrets: readonly string[];
  readonly flows: readonly string[];
}

/** Forty secrets under one KMS key, read by twelve flows, and a second key with a secret that one of the flows needs as well. */
function company({ kms, secrets, mediaConnect }: World['region'], sandbox: World['sandbox']): Company {
  sandbox.aws.settings.keyRefreshMs = 5 * MINUTE;
  const roleArn = sandbox.aws.account(ACCOUNT).role('keys', { services: ['mediaconnect.amazonaws.com'] });
  const root = kms.createKey();
  kms.alias('alias/video', root.keyId);
  const other = kms.createKey();
  kms.alias('alias/other', other.keyId);
  const SecretString = '0123456789abcdef0123456789abcdef';
  const arns = Array.from({ length: SECRETS }, (_, at) => {
    return secrets.create({ Name: `video/${at}`, SecretString, KmsKeyId: root.arn }).arn;
  });
  const apart = secrets.create({ Name: 'audio/0', SecretString, KmsKeyId: other.arn }).arn;
  const flows = Array.from({ length: FLOWS }, (_, at) => {
    const outputs = Array.from({ length: OUTPUTS }, (_, output) => ({
      name: `out-${output}`,
      protocol: 'zixi-push',
      encryption: encryption(roleArn, arns[(at * OUTPUTS + output) % SECRETS] ?? ''),
    }));
    const more = { name: 'audio', protocol: 'zixi-push', encryption: encryption(roleArn, apart) };
    const flow = mediaConnect.createFlow({
      name: `flow-${at}`,
      source: { name: 'in', protocol: 'rtp' },
      outputs: at === 0 ? [...outputs, more] : outputs,
    });
    mediaConnect.activate(flow);
    return flow;
  });
  return { root: root.arn, other: other.arn, secrets: arns, flows };
}

async function watched(options: WorldOptions = {}) {
  let made: Company | undefined;
  const stack = new AsyncDisposableStack();
  const sink = stack.use(await startSink());
  const yaml = `${YAML}\nreceivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
  const fill = (region: World['region'], sandbox: World['sandbox']) => {
    made = company(region, sandbox);
  };
  const world = stack.use(await startWorld(fill, { services: SERVICES, yaml, ...options }));
  if (!made) throw new Error('nothing was made');
  return { world, sink, company: made, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function impactOf(world: World, resource: string) {
  const response = await world.get(`/api/v1/impact?limit=1000&resource=${encodeURIComponent(resource)}`);
  return { status: response.status, answer: JSON.stringify(await response.json()) };
}

it('one KMS key under forty secrets of twelve flows is one incident and one alert with all 52, as impact said before', {
  timeout: 60_000,
}, async () => {
  await using at = await watched();
  const { world, sink, company: made } = at;
  const { status, answer } = await impactOf(world, made.root);
  expect(status).toBe(200);
  for (const one of [...made.secrets, ...made.flows]) expect(answer).toContain(one);
  expect(answer).not.toContain(made.other);

  world.region.kms.disable(made.root);
  await world.until('the loss of every flow', BOUND, () =>
    made.flows.every((flow) => world.consumer(flow)?.health === 'impaired'),
  );
  await world.pass(2 * MINUTE);
  const { incidents } = world.app.snapshot;
  expect(incidents).toHaveLength(1);
  expect(incidents[0]).toMatchObject({ root: made.root, reason: 'disabled' });
  expect([...(incidents[0]?.keys ?? [])].sort()).toEqual([...made.secrets].sort());
  expect([...(incidents[0]?.consumers ?? [])].sort()).toEqual([...made.flows].sort());
  expect(sink.told).toHaveLength(1);
  expect(sink.told[0]).toMatchObject({
    status: 'firing',
    labels: { alertname: 'KeyvigilKeyInaccessible', severity: 'critical', resource: made.root },
  });
  const affected = sink.told[0]?.annotations.affected ?? '';
  for (let flow = 0; flow < FLOWS; flow += 1) expect(affected).toContain(`flow-${flow}`);
  for (let secret = 0; secret < SECRETS; secret += 1) expect(affected).toContain(`video/${secret}`);

  // What the flows say themselves, once they have read their keys again, is explained already.
  await world.pass(6 * MINUTE);
  expect(sink.told).toHaveLength(1);
  world.region.kms.enable(made.root);
  await world.until('the recovery', BOUND, () => world.app.snapshot.incidents.length === 0);
  await world.until('its end', MINUTE, () => sink.told.length > 1);
  await world.pass(20 * MINUTE);
  expect(sink.told.map((told) => told.status)).toEqual(['firing', 'resolved']);
});

it('two causes at once stay two incidents, and a flow that both hit names both', { timeout: 60_000 }, async () => {
  await using at = await watched();
  const { world, sink, company: made } = at;
  world.region.kms.disable(made.root);
  world.region.kms.disable(made.other);
  const both = made.flows[0] ?? '';
  await world.until('both losses', BOUND, () => world.consumer(both)?.rootCauses.length === 2);
  await world.pass(2 * MINUTE);
  const { incidents } = world.app.snapshot;
  expect(incidents.map(({ root }) => root).sort()).toEqual([made.root, made.other].sort());
  expect(incidents.every(({ consumers }) => consumers.includes(both))).toBe(true);
  expect(world.consumer(both)?.rootCauses).toEqual([made.root, made.other].sort());
  expect(world.consumer(made.flows[1] ?? '')?.rootCauses).toEqual([made.root]);
  expect(sink.told.map(({ labels }) => labels.resource).sort()).toEqual([made.root, made.other].sort());
});
