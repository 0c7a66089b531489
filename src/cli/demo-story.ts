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

type Account = ReturnType<Sandbox['aws']['account']>;
type Region = ReturnType<Account['region']>;
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
  const turns = [...amazon(account.region(REGION)), ...azure(subscription)];
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

function amazon({ kms, secrets }: Region): Turn[] {
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
  for (const name of ['db', 'api-token', 'webhook-signing']) {
    secrets.create({
      Name: `prod/payments/${name}`,
      SecretString: 'made up',
      KmsKeyId: payments.arn,
      Tags: team('payments'),
    });
  }
  secrets.create({ Name: 'prod/video/origin', SecretString: 'made up', KmsKeyId: video.arn, Tags: team('video') });
  secrets.create({ Name: 'prod/video/srt-passphrase', SecretString: 'made up', Tags: team('video') });
  const token = secrets.create({ Name: 'staging/ci-token', SecretString: 'made up', Tags: team('platform') });
  for (let at = 1; at <= 12; at += 1) secrets.create({ Name: `staging/service-${at}`, SecretString: 'made up' });

  return [
    {
      at: 4,
      say: 'somebody rotates the secret prod/video/origin',
      act: () => void secrets.putValue('prod/video/origin', 'made up, too'),
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
        const undo = snapshot.byResource.get(payments.arn)?.undo;
        return (
          incident &&
          `${incident.keys.length} secrets are unusable, all because of alias/payments\n           undo: ${undo}`
        );
      },
    },
    {
      at: 30,
      say: 'somebody schedules the deletion of staging/ci-token',
      act: () => secrets.delete(token.arn, { RecoveryWindowInDays: 7 }),
      seen: (snapshot) => {
        const view = keyNamed(snapshot, 'staging/ci-token');
        return view?.health === 'inaccessible'
          ? `staging/ci-token is pending deletion\n           undo: ${view.undo}`
          : undefined;
      },
    },
    {
      at: 44,
      say: 'on-call runs both undo commands',
      act: () => {
        kms.enable(payments.keyId);
        secrets.restore(token.arn);
      },
      seen: (snapshot) => {
        const well = [
          'prod/payments/db',
          'prod/payments/api-token',
          'prod/payments/webhook-signing',
          'staging/ci-token',
        ];
        return well.every((name) => keyNamed(snapshot, name)?.health === 'accessible')
          ? 'everything is accessible again (but for alias/archive-2019, dead since before anybody watched)'
          : undefined;
      },
    },
  ];
}
