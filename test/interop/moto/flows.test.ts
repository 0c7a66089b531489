/**
 * Flows of MediaConnect on moto, with every kind of encryption on sources, outputs and entitlements. moto has no ListEntitlements,
 * no errors of flows, and no SRT rules: those are tested on the sandbox (test/e2e/aws-flows.test.ts) and on a scripted wire.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCOUNT, type Cloud, CREDENTIALS, REGION, startCloud } from './cloud.ts';
import { eventually, startDaemon, target } from './daemon.ts';

const OTHER = '444455556666';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/MediaConnect-ASM`;
const GATEWAY = `https://1abcdefghi.execute-api.${REGION}.amazonaws.com/prod/speke`;
const SERVICES = ', services: { secrets-manager: {}, kms: {}, mediaconnect: {} }';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

/** Makes a flow by the API itself and gives its ARN. moto asks for no signature, but reads the region and the service from it. */
async function createFlow(body: object, region = REGION): Promise<string> {
  const credential = `${CREDENTIALS.accessKeyId}/20261120/${region}/mediaconnect/aws4_request`;
  const response = await fetch(`${cloud.url}/v1/flows`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    },
    body: JSON.stringify(body),
  });
  expect(response.ok).toBe(true);
  const { flow } = (await response.json()) as { flow: { flowArn: string } };
  return flow.flowArn;
}

test('every use of a key is seen: static keys, SRT passwords and SPEKE on sources, outputs and entitlements', async () => {
  const region = await cloud.region();
  const key = await region.createKey('alias/video');
  const zixi = await region.createSecret('video/zixi', 'alias/video');
  const srt = await region.createSecret('video/srt');
  const entitled = await region.createSecret('video/entitled');
  const staticKey = (secretArn: string) => ({ keyType: 'static-key', algorithm: 'aes128', roleArn: ROLE, secretArn });
  const speke = {
    keyType: 'speke',
    roleArn: ROLE,
    url: GATEWAY,
    region: REGION,
    resourceId: 'movie',
    deviceId: 'device',
  };
  const flow = await createFlow({
    name: 'Awards',
    source: { name: 'Cam', protocol: 'zixi-push', decryption: staticKey(zixi) },
    outputs: [
      { name: 'Zixi', protocol: 'zixi-push', encryption: staticKey(zixi) },
      {
        name: 'Srt',
        protocol: 'srt-listener',
        port: 2088,
        encryption: { keyType: 'srt-password', roleArn: ROLE, secretArn: srt },
      },
    ],
    entitlements: [
      { name: 'Static', subscribers: [OTHER], encryption: staticKey(entitled) },
      { name: 'Speke', subscribers: [OTHER], encryption: speke },
    ],
  });
  const plain = await createFlow({ name: 'Plain', source: { name: 'Cam', protocol: 'rtp' } });

  await using daemon = await startDaemon(cloud, { targets: target('prod', cloud.url, { yaml: SERVICES }) });
  const awards = await daemon.consumer(flow);
  expect(awards).toMatchObject({ kind: 'mediaconnect-flow', name: 'Awards', account: ACCOUNT, location: REGION });
  expect(awards.uses.map(({ role, resource }) => [role, resource])).toEqual([
    ['source-decryption', zixi],
    ['output-encryption', zixi],
    ['output-encryption', srt],
    ['entitlement-encryption', entitled],
    ['entitlement-encryption', GATEWAY],
  ]);
  expect(awards.findings.map(({ id }) => id)).toEqual([
    'mediaconnect.default-key',
    'mediaconnect.plaintext-unverified',
  ]);
  // Flows are looked at one by one, and ready means that most were.
  await eventually(async () =>
    expect(await daemon.consumer(plain)).toMatchObject({ health: 'ok', uses: [], findings: [] }),
  );
  expect(await daemon.key(zixi)).toMatchObject({ consumers: 1 });

  await region.disable(key);
  await eventually(async () =>
    expect(await daemon.consumer(flow)).toMatchObject({
      health: 'impaired',
      reason: 'key_inaccessible',
      rootCauses: [key.arn],
    }),
  );
  expect((await daemon.consumer(plain)).health).toBe('ok');
  await region.enable(key);
  await eventually(async () => expect((await daemon.consumer(flow)).health).toBe('at_risk'));
});

test('secrets of another account and another Region break their rules, and the remedy names the commands', async () => {
  const here = 'us-east-1';
  const there = await cloud.region('eu-central-1');
  const elsewhere = await there.createSecret('video/elsewhere');
  const encryption = (secretArn: string) => ({ keyType: 'static-key', algorithm: 'aes128', roleArn: ROLE, secretArn });
  const flow = await createFlow(
    {
      name: 'Wrong',
      source: { name: 'Cam', protocol: 'zixi-push', decryption: encryption(elsewhere) },
      outputs: [
        {
          name: 'Theirs',
          protocol: 'zixi-push',
          encryption: encryption(`arn:aws:secretsmanager:${here}:${OTHER}:secret:theirs-AbCdEf`),
        },
      ],
    },
    here,
  );
  const regions = [here, 'eu-central-1'];
  await using daemon = await startDaemon(cloud, { targets: target('prod', cloud.url, { regions, yaml: SERVICES }) });
  const { findings } = await daemon.consumer(flow);
  const of = (id: string) => findings.find((finding) => finding.id === id);
  expect(of('mediaconnect.secret-account')?.summary).toContain(`Output Theirs: its secret is in account ${OTHER}`);
  expect(of('mediaconnect.secret-region')?.summary).toContain('Source Cam: its secret is in eu-central-1');
  expect(of('mediaconnect.secret-region')?.remedy).toContain(
    `aws secretsmanager replicate-secret-to-regions --secret-id ${elsewhere} --add-replica-regions Region=${here} --region eu-central-1`,
  );
});
