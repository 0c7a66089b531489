import { expect, test } from 'vitest';
import type { Application, RetiredCode } from '../../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { runPython } from '../tools.ts';

/** The sandbox's clock leaves the machine's by a hundred days; tokens must outlive that. */
const TOKEN_MS = 200 * 86_400_000;
/** Fewer would mean that a part of the script was left out unseen. */
const CHECKS = 349;
const OTHER_TENANT = 'aaaaaaaa-0000-4000-8000-000000000001';
const CHINA_TENANT = 'aaaaaaaa-0000-4000-8000-000000000002';

/** Every operation of a vault's keys, and the challenge that comes before them. */
const VAULT_OPERATIONS = [
  ...['Challenge', 'CreateKey', 'ImportKey', 'GetKey', 'GetKeys', 'GetKeyVersions', 'UpdateKey', 'RotateKey'],
  ...['GetKeyRotationPolicy', 'UpdateKeyRotationPolicy', 'BackupKey', 'RestoreKey', 'DeleteKey', 'GetDeletedKey'],
  ...['GetDeletedKeys', 'RecoverDeletedKey', 'PurgeDeletedKey', 'encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign'],
  'verify',
];

type Question = Readonly<Record<string, unknown>>;

test('the Azure SDKs for Python drive keys, vaults and Media Services accounts over verified TLS, errors and paging included', async () => {
  let ahead = 0;
  await using sandbox = await startSandbox({ now: () => Date.now() + ahead });
  const { azure } = sandbox;
  azure.settings.tokenLifetimeMs = TOKEN_MS;
  const world = arranged(sandbox);
  const { subscription, mediaVault } = world;
  const acts: Readonly<Record<string, (question: Question) => void>> = {
    time: ({ ms }) => {
      ahead += Number(ms);
    },
    trust: ({ pem }) => subscription.monitor.trustCertificate(String(pem)),
    expireTokens: () => azure.expireTokens(),
    pages: ({ size, empty }) => Object.assign(azure.settings, { pageSize: size, emptyPages: empty }),
    assign: ({ principal, role, scope }) =>
      void subscription.assignRole(String(principal), String(role), String(scope)),
    grant: ({ principal }) => mediaVault.grant(String(principal)),
    revoke: ({ principal }) => mediaVault.revoke(String(principal)),
    deny: () => subscription.denyMonitor(),
    allow: () => subscription.allowMonitor(),
    retire: ({ code }) => subscription.retireMedia((code ?? undefined) as RetiredCode | undefined),
  };
  const { code, stdout, stderr } = await runPython('drive_azure.py', world.settings, (question) => {
    const act = acts[String(question.what)];
    if (!act) throw new Error(`the script asks for ${String(question.what)}`);
    act(question);
  });
  expect({ code, stderr }, `${stdout}\n${stderr}`).toEqual({ code: 0, stderr: '' });
  const report: { checks: number; failed: string[] } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  const driven = new Set(sandbox.requests.list().map(({ service, operation }) => `${service}:${operation}`));
  console.log(`Azure SDKs for Python: ${report.checks} checks, ${driven.size} operations`);
  expect(report, stdout).toEqual({ checks: CHECKS, failed: [] });
  expect([...driven]).toEqual(expect.arrayContaining(VAULT_OPERATIONS.map((operation) => `key-vault:${operation}`)));
});

/** The world that the script finds, and what it is told about it. */
function arranged(sandbox: Sandbox) {
  const { azure } = sandbox;
  const subscription = azure.subscription();
  const { tenant, monitor, owner } = subscription;
  const user = subscription.application('user');
  const vault = subscription.vault('contoso', { purgeProtection: false, retentionDays: 7 });
  const policyVault = subscription.vault('contoso-policy', { access: 'policy' });
  policyVault.grant(user.principal, ['wrapKey', 'unwrapKey', 'encrypt', 'decrypt', 'sign', 'verify']);
  const mediaVault = subscription.vault('contoso-media');
  const manyVaults = [0, 1, 2].map((number) => subscription.vault(`many-${number}`));
  for (let number = 0; number < 5; number += 1) subscription.mediaAccount(`account${number}`, { group: 'lists' });
  const elsewhere = azure.subscription('22222222-2222-4222-8222-222222222222', { tenant: OTHER_TENANT });
  const china = azure.subscription('33333333-3333-4333-8333-333333333333', { tenant: CHINA_TENANT, cloud: 'china' });
  const chinese = china.vault('contoso', { location: 'chinanorth3' });
  chinese.keys.create('cmk');
  azure.setMachineIdentity(monitor.clientId);
  const settings = {
    proxy: azure.proxyUrl,
    identity: azure.identityUrl,
    ca: azure.ca,
    subscription: subscription.id,
    tenant,
    tokenLifetimeS: TOKEN_MS / 1_000,
    owner: about(owner, tenant),
    monitor: about(monitor, tenant),
    stranger: about(subscription.application('stranger'), tenant),
    user: about(user, tenant),
    elsewhere: { ...about(elsewhere.monitor, OTHER_TENANT), subscription: elsewhere.id },
    china: { tenant: CHINA_TENANT, vault: chinese.url, monitor: about(china.monitor, CHINA_TENANT) },
    vault: vault.url,
    policyVault: policyVault.url,
    mediaVault: mediaVault.url,
    manyVaults: manyVaults.map(({ url }) => url),
    hsm: subscription.hsm('hsm-1').url,
    storage: subscription.storageAccount('contosostorage'),
    /** Those above and none else are there when the script lists them. */
    vaults: 3 + manyVaults.length,
  };
  return { subscription, mediaVault, settings };
}

function about({ clientId, clientSecret, principal }: Application, tenant: string) {
  return { clientId, clientSecret, principal, tenant };
}
