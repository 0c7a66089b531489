/** One cause is one incident and one page, from the cloud to the receiver, and what was asked before was right. */
import { afterEach, expect, it } from 'vitest';
import { ImpactAnswer } from '../../src/cli/answers.ts';
import { type Sink, startSink } from './sink.ts';
import { ACCOUNT, startWorld, type World } from './world.ts';

const SECRETS = 40;
const FLOWS = 12;
const MINUTE = 60_000;
/** One interval, the looks that confirm, and the flows that are looked at after their key. */
const BOUND = 90_000;
const SERVICES = '{ secrets-manager: {}, kms: {}, mediaconnect: {} }';

let world: World | undefined;
let sink: Sink | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  await sink?.[Symbol.asyncDispose]();
  world = undefined;
  sink = undefined;
});

/** Flows, each with some outputs, and a secret for each of those; the secrets are under these many KMS keys in turn. */
async function broadcaster(cmks: number): Promise<{ running: World; told: Sink; keys: readonly string[] }> {
  const keys: string[] = [];
  const told = await startSink();
  sink = told;
  const running = await startWorld(
    (region, sandbox) => {
      const role = sandbox.aws.account(ACCOUNT).role('MediaConnect-ASM', { services: ['mediaconnect.amazonaws.com'] });
      for (let at = 0; at < cmks; at += 1) keys.push(region.kms.createKey().arn);
      const secrets = Array.from({ length: SECRETS }, (_, at) => {
        const SecretString = '0123456789abcdef0123456789abcdef';
        return region.secrets.create({ Name: `video/key-${at}`, SecretString, KmsKeyId: keys[at % cmks] ?? '' }).arn;
      });
      for (let flow = 0; flow < FLOWS; flow += 1) {
        const arn = region.mediaConnect.createFlow({
          name: `channel-${flow}`,
          source: { name: 'Cam', protocol: 'srt-listener' },
          outputs: secrets.flatMap((secretArn, at) =>
            Math.floor((at * FLOWS) / SECRETS) !== flow
              ? []
              : {
                  name: `out-${at}`,
                  protocol: 'zixi-push',
                  encryption: { keyType: 'static-key', algorithm: 'aes128', roleArn: role, secretArn },
                },
          ),
        });
        // Some run, the others rest: what is lost hurts them at different times.
        if (flow % 2 === 0) region.mediaConnect.activate(arn);
      }
    },
    { services: SERVICES, yaml: `receivers: [{ name: oncall, webhook: { url: "${told.url}" } }]` },
  );
  world = running;
  await running.pass(MINUTE);
  return { running, told, keys };
}

const lossesIn = ({ told }: Sink) =>
  told.filter(
    ({ labels }) => labels.alertname === 'KeyvigilKeyInaccessible' || labels.alertname === 'KeyvigilConsumerImpaired',
  );

it('one KMS key disabled under 40 secrets used by 12 flows is one incident and one page that counts 52', async () => {
  const { running, told, keys } = await broadcaster(1);
  const [cmk = ''] = keys;
  const asked = ImpactAnswer.parse(await (await running.get(`/api/v1/impact?resource=${cmk}`)).json());
  expect(asked).toMatchObject({
    outcome: 'something',
    keys: { breaks: SECRETS },
    consumers: { breaks: FLOWS },
    gaps: [],
  });
  expect(running.key(cmk)?.consumers).toBe(SECRETS + FLOWS);

  running.region.kms.disable(cmk);
  const hit = () => running.app.snapshot.consumers.filter(({ health }) => health === 'impaired').length;
  await running.until('all flows to be impaired', BOUND, () => hit() === FLOWS);
  // Running flows come to read their keys, and report it: that is no news.
  await running.pass(10 * MINUTE);
  const { incidents } = running.app.snapshot;
  expect(incidents.map(({ root, reason, keys, consumers }) => [root, reason, keys.length, consumers.length])).toEqual([
    [cmk, 'disabled', SECRETS, FLOWS],
  ]);
  expect(incidents[0]?.noReturn?.text).toContain('No time runs out');
  expect(new Set(running.app.snapshot.consumers.map(({ rootCauses }) => rootCauses.join()))).toEqual(new Set([cmk]));

  expect(lossesIn(told).map(({ status, labels }) => [status, labels.alertname, labels.resource])).toEqual([
    ['firing', 'KeyvigilKeyInaccessible', cmk],
  ]);
  const annotations = lossesIn(told)[0]?.annotations;
  expect(annotations?.summary).toContain('breaks 12 consumers and 40 keys');
  const affected = annotations?.affected?.split(', ') ?? [];
  expect(affected.slice(0, FLOWS).filter((name) => name.startsWith('MediaConnect flow channel-'))).toHaveLength(FLOWS);
  expect(affected.at(-1)).toMatch(/^secret video\/key-\d+ and 32 more$/);
  expect(annotations?.undo).toBe(`aws kms enable-key --key-id ${cmk.split('/').at(-1)} --region eu-west-1`);
  expect(annotations?.description).toContain('6 MediaConnect flows: As long as it runs it may go on');
  expect(annotations?.description).toContain('6 MediaConnect flows: It is not running');

  running.region.kms.enable(cmk);
  await running.pass(20 * MINUTE);
  expect(running.app.snapshot.incidents).toEqual([]);
  expect(hit()).toBe(0);
  expect(lossesIn(told).map(({ status }) => status)).toEqual(['firing', 'resolved']);
});

it('two KMS keys at once are two incidents and two pages, and flows that need both name both', async () => {
  const { running, told, keys } = await broadcaster(2);
  const [first = '', second = ''] = keys;
  running.region.kms.disable(first);
  running.region.kms.scheduleDeletion(second, 7);
  await running.until('both incidents', BOUND, () => running.app.snapshot.incidents.length === 2);
  await running.pass(10 * MINUTE);
  const { incidents, consumers } = running.app.snapshot;
  expect(incidents.map(({ root, reason, keys }) => [root, reason, keys.length]).sort()).toEqual(
    [
      [first, 'disabled', SECRETS / 2],
      [second, 'pending_deletion', SECRETS / 2],
    ].sort(),
  );
  const both = [first, second].sort();
  expect(consumers.map(({ rootCauses }) => rootCauses)).toEqual(consumers.map(() => both));
  expect(incidents.map((incident) => incident.consumers.length)).toEqual([FLOWS, FLOWS]);
  expect(
    lossesIn(told)
      .map(({ labels }) => labels.resource)
      .sort(),
  ).toEqual([first, second].sort());
  const doomed = lossesIn(told).find(({ labels }) => labels.resource === second)?.annotations;
  expect(doomed?.recoverable_until).toBeDefined();
  expect(doomed?.description).toContain('The deletion can be cancelled at least until');
});
