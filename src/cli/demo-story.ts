/** What happens in the demo's clouds: a made-up company, and an incident in each. */
import type { ConsumerView, KeyView, Snapshot } from '../core/snapshot.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** One turn of the story. */
export interface Turn {
  /** Seconds after the daemon is ready. */
  readonly at: number;
  readonly say: string;
  act(): void;
  /** Whether the daemon has seen it, and what it says then. */
  seen(snapshot: Snapshot): string | undefined;
}

const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
/** The embedded Media Services takes new versions sooner than the five minutes of the real one: nobody waits so long here. */
const PICK_UP_MS = 8_000;
/** How often a running flow of the embedded MediaConnect reads its keys. */
const FLOW_REFRESH_MS = 5_000;

type Account = ReturnType<Sandbox['aws']['account']>;
type Subscription = ReturnType<Sandbox['azure']['subscription']>;

/** Fills the clouds, and says what will happen in them, in the order in which it does. */
export function tellableStory(sandbox: Sandbox): {
  readonly account: Account;
  readonly subscription: Subscription;
  readonly story: readonly Turn[];
} {
  const account = sandbox.aws.account(ACCOUNT);
  const subscription = sandbox.azure.subscription();
  sandbox.azure.settings.pickUpDelayMs = PICK_UP_MS;
  sandbox.aws.settings.keyRefreshMs = FLOW_REFRESH_MS;
  const turns = [...amazon(account), ...azure(subscription)];
  return { account, subscription, story: turns.toSorted((left, right) => left.at - right.at) };
}

function keyNamed(snapshot: Snapshot, name: string): KeyView | undefined {
  return snapshot.keys.find((one) => one.name === name);
}

function consumerNamed(snapshot: Snapshot, name: string): ConsumerView | undefined {
  return snapshot.consumers.find((one) => one.name === name);
}

function azure(subscription: Subscription): Turn[] {
  const vault = subscription.vault('contoso-media', { access: 'policy', tags: { team: 'video' } });
  vault.keys.create('media-cmk', { kty: 'RSA', size: 2048, tags: { team: 'video' } });
  vault.keys.create('signing', { kty: 'EC', curve: 'P-256' });
  const storage = subscription.storageAccount('contosovideo');
  const accounts = ['contosolive', 'contosoarchive'].map((name) => {
    const made = subscription.mediaAccount(name, { key: `${vault.url}/keys/media-cmk`, storage: [storage] });
    vault.grant(made.principal, ['get', 'wrapKey', 'unwrapKey']);
    return made;
  });
  subscription.mediaAccount('contosotest', { storage: [storage] });
  const [live] = accounts;
  if (!live) throw new TypeError('the demo has accounts');

  return [
    {
      at: 7,
      say: 'somebody makes a new version of the vault key media-cmk',
      act: () => void vault.keys.rotate('media-cmk'),
      seen: (snapshot) => {
        const view = keyNamed(snapshot, 'media-cmk');
        const behind = snapshot.consumers.filter(({ uses }) => uses.some((use) => use.outdatedSince !== undefined));
        if (!view?.versionChanges || behind.length === 0) return undefined;
        return `new version ${view.version} of ${view.name}; ${behind.map(({ name }) => name).join(' and ')} still use the old one`;
      },
    },
    {
      at: 20,
      say: 'somebody disables media-cmk in the vault contoso-media',
      act: () => void vault.keys.update('media-cmk', undefined, { enabled: false }),
      seen: (snapshot) => {
        const key = keyNamed(snapshot, 'media-cmk');
        const account = consumerNamed(snapshot, 'contosolive');
        if (key?.health !== 'inaccessible' || account?.health !== 'impaired') return undefined;
        const hit = snapshot.incidents.find(({ root }) => root === key.resource)?.consumers.length ?? 0;
        return `${hit} Media Services accounts stop encoding and streaming, because of media-cmk\n           undo: ${key.undo}`;
      },
    },
    {
      at: 45,
      say: 'and enables media-cmk again',
      act: () => void vault.keys.update('media-cmk', undefined, { enabled: true }),
      seen: (snapshot) =>
        accounts.every(({ name }) => consumerNamed(snapshot, name)?.health === 'ok')
          ? 'both Media Services accounts are well again'
          : undefined,
    },
  ];
}

/** What the first account holds: secrets under keys, and the builds and flows that read them. */
function company(account: Account) {
  const { kms, secrets, codeBuild, mediaConnect } = account.region(REGION);
  const team = (name: string) => [{ Key: 'team', Value: name }];
  const key = (alias: string, name: string) => {
    const made = kms.createKey({ Description: alias, Tags: [{ TagKey: 'team', TagValue: name }] });
    kms.alias(`alias/${alias}`, made.keyId);
    return made;
  };
  const payments = key('payments', 'payments');
  const video = key('video-origin', 'video');
  const archive = key('archive-2019', 'platform');
  // Dead long before anybody watched, and nothing uses it: shown, and nobody is woken.
  kms.disable(archive.keyId);
  const [database, token, webhook] = ['db', 'api-token', 'webhook-signing'].map((name) =>
    secrets.create({
      Name: `prod/payments/${name}`,
      SecretString: 'made up',
      KmsKeyId: payments.arn,
      Tags: team('payments'),
    }),
  );
  const origin = secrets.create({
    Name: 'prod/video/origin',
    SecretString: '00112233445566778899aabbccddeeff',
    KmsKeyId: video.arn,
    Tags: team('video'),
  });
  const passphrase = secrets.create({
    Name: 'prod/video/srt-passphrase',
    SecretString: 'made up',
    Tags: team('video'),
  });
  const ci = secrets.create({ Name: 'staging/ci-token', SecretString: 'made up', Tags: team('platform') });
  for (let at = 1; at <= 12; at += 1) secrets.create({ Name: `staging/service-${at}`, SecretString: 'made up' });

  const secret = (name: string, value: string) => ({ name, value, type: 'SECRETS_MANAGER' as const });
  codeBuild.createProject({
    name: 'payments-deploy',
    environment: {
      environmentVariables: [secret('DB', 'prod/payments/db:password'), secret('TOKEN', token?.arn ?? '')],
    },
    tags: [{ key: 'team', value: 'payments' }],
  });
  codeBuild.createProject({
    name: 'payments-nightly',
    environment: { environmentVariables: [secret('DB', database?.arn ?? ''), secret('HOOK', webhook?.arn ?? '')] },
    tags: [{ key: 'team', value: 'payments' }],
  });
  const roleArn = account.role('MediaConnect-keys', { services: ['mediaconnect.amazonaws.com'] });
  const live = mediaConnect.createFlow({
    name: 'live-contribution',
    source: {
      name: 'stadium',
      protocol: 'zixi-push',
      decryption: { keyType: 'static-key', algorithm: 'aes128', roleArn, secretArn: origin.arn },
    },
    outputs: [
      {
        name: 'studio',
        protocol: 'srt-listener',
        port: 5000,
        encryption: { keyType: 'srt-password', roleArn, secretArn: passphrase.arn },
      },
    ],
  });
  mediaConnect.activate(live);
  return { payments, video, ci };
}

function amazon(account: Account): Turn[] {
  const { kms, secrets } = account.region(REGION);
  const { payments, video, ci } = company(account);
  const undo = (snapshot: Snapshot, arn: string) => `undo: ${snapshot.byResource.get(arn)?.undo}`;
  return [
    {
      at: 4,
      say: 'somebody rotates the secret prod/video/origin',
      act: () => void secrets.putValue('prod/video/origin', 'ffeeddccbbaa99887766554433221100'),
      seen: (snapshot) => {
        const view = keyNamed(snapshot, 'prod/video/origin');
        return view?.versionChanges ? `new version ${view.version} of ${view.name}` : undefined;
      },
    },
    {
      at: 12,
      say: 'somebody disables the KMS key alias/payments, which nobody seemed to use',
      act: () => kms.disable(payments.keyId),
      seen: (snapshot) => {
        const incident = snapshot.incidents.find((one) => one.root === payments.arn);
        if (!incident || incident.consumers.length < 2) return undefined;
        return `${incident.keys.length} secrets are unusable and ${incident.consumers.length} CodeBuild projects fail, all because of alias/payments\n           ${undo(snapshot, payments.arn)}`;
      },
    },
    {
      at: 26,
      say: 'somebody schedules the deletion of the KMS key alias/video-origin',
      act: () => kms.scheduleDeletion(video.keyId, 7),
      seen: (snapshot) => {
        const flow = consumerNamed(snapshot, 'live-contribution');
        // The flow says so itself before the loss of its key is confirmed.
        if (!flow?.rootCauses.includes(video.arn)) return undefined;
        return `the flow live-contribution cannot decrypt its source, because of alias/video-origin\n           ${undo(snapshot, video.arn)}`;
      },
    },
    {
      at: 32,
      say: 'somebody schedules the deletion of staging/ci-token',
      act: () => secrets.delete(ci.arn, { RecoveryWindowInDays: 7 }),
      seen: (snapshot) => {
        const view = keyNamed(snapshot, 'staging/ci-token');
        return view?.health === 'inaccessible'
          ? `staging/ci-token is pending deletion\n           undo: ${view.undo}`
          : undefined;
      },
    },
    {
      at: 46,
      say: 'on-call runs the undo commands',
      act: () => {
        kms.enable(payments.keyId);
        kms.cancelDeletion(video.keyId);
        kms.enable(video.keyId);
        secrets.restore(ci.arn);
      },
      seen: (snapshot) => {
        const isWell = (name: string) => keyNamed(snapshot, name)?.health === 'accessible';
        const works = (name: string) => consumerNamed(snapshot, name)?.health !== 'impaired';
        const keys = ['prod/payments/db', 'prod/payments/webhook-signing', 'prod/video/origin', 'staging/ci-token'];
        const users = ['payments-deploy', 'payments-nightly', 'live-contribution'];
        return keys.every(isWell) && users.every(works)
          ? 'everything works again (but for alias/archive-2019, dead since before anybody watched)'
          : undefined;
      },
    },
  ];
}
