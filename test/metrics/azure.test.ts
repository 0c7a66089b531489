/** The same families, names and labels say of Azure what they say of AWS. */
import { expect, test } from 'vitest';
import { azureKey, azureSnapshot, CMK, NEXT, OLD_VERSION, STREAMING } from '../web/azure.ts';
import { parseExposition } from './exposition.ts';
import { linesOf, metricsOf, pageText, snapshotOf } from './views.ts';

const PLACE = 'provider="azure",account="00000000-1111-2222-3333-444444444444",location="westeurope"';

test('a deleted vault key is lost, with its reason, its deadline and its version', async () => {
  const snapshot = azureSnapshot();
  const identity = `${PLACE},kind="azure-key",resource="${CMK}",name="cmk"`;
  const of = async (family: string) =>
    (await linesOf(`keyvigil_key_${family}`, snapshot)).filter((line) => line.includes(`resource="${CMK}"`));
  expect(await of('accessible')).toEqual([`keyvigil_key_accessible{${identity}} 0`]);
  expect(await of('reason')).toEqual([`keyvigil_key_reason{resource="${CMK}",reason="soft_deleted"} 1`]);
  expect(await of('deletion_timestamp_seconds')).toHaveLength(1);
  expect(await of('info')).toEqual([
    `keyvigil_key_info{${identity},target="media-azure",version="${OLD_VERSION}",spec="RSA_2048",state="SoftDeleted"} 1`,
  ]);
});

test('a key that is lost with its vault names it as the root', async () => {
  expect(await linesOf('keyvigil_key_root_cause', azureSnapshot())).toEqual([
    'keyvigil_key_root_cause{resource="https://fabrikam.vault.azure.net/keys/cmk",root="https://fabrikam.vault.azure.net"} 1',
  ]);
});

test('accounts have their health, reason, findings, keys and lag', async () => {
  const snapshot = azureSnapshot();
  const names = (lines: readonly string[]) =>
    lines.map((line) => /name="(\w+)".* (\d)$/.exec(line)?.slice(1).join(' '));
  expect(names(await linesOf('keyvigil_consumer_ok', snapshot))).toEqual(['streaming 0', 'archive 1', 'revoked 0']);
  expect(await linesOf('keyvigil_consumer_reason', snapshot)).toContain(
    `keyvigil_consumer_reason{resource="${STREAMING}",reason="key_inaccessible"} 1`,
  );
  expect(names(await linesOf('keyvigil_consumer_finding', snapshot))).toEqual(['archive 1', 'revoked 1']);
  expect(await linesOf('keyvigil_consumer_key', snapshot)).toHaveLength(3);
  expect((await linesOf('keyvigil_consumer_key', snapshot)).at(0)).toBe(
    `keyvigil_consumer_key{resource="${STREAMING}",key="${CMK}",role="encrypts"} 1`,
  );
  const [lag, ...rest] = await linesOf('keyvigil_consumer_outdated_since_timestamp_seconds', snapshot);
  expect(lag).toMatch(new RegExp(`archive",key="${NEXT}"} 1795169250$`));
  expect(rest).toEqual([]);
  expect(await linesOf('keyvigil_consumers', snapshot)).toEqual([
    `keyvigil_consumers{${PLACE},kind="media-services-account",health="ok"} 0`,
    `keyvigil_consumers{${PLACE},kind="media-services-account",health="at_risk"} 1`,
    `keyvigil_consumers{${PLACE},kind="media-services-account",health="impaired"} 2`,
    `keyvigil_consumers{${PLACE},kind="media-services-account",health="unknown"} 0`,
  ]);
});

test('hostile names, versions and roles of consumers stay inside their quotes', async () => {
  const evil = 'a"b\n} 1\\';
  const [consumer] = azureSnapshot().consumers;
  if (!consumer) throw new Error('no consumer');
  const uses = [{ resource: evil, key: evil, versionInUse: evil, outdatedSince: 1_700_000_000_000, role: evil }];
  const hostile = {
    ...consumer,
    resource: `/${evil}`,
    name: evil,
    account: evil,
    tags: { team: evil },
    state: evil,
    uses,
  };
  const snapshot = snapshotOf([azureKey({ resource: CMK })], { consumers: [hostile] });
  const families = parseExposition(await pageText(metricsOf({ tagLabels: ['team'] }), snapshot));
  const labels = (name: string) => families.find((family) => family.name === name)?.series.map((one) => one.labels);
  expect(labels('keyvigil_consumer_ok')).toEqual([expect.objectContaining({ name: evil, account: evil, team: evil })]);
  expect(labels('keyvigil_consumer_key')).toEqual([{ resource: `/${evil}`, key: evil, role: evil }]);
  expect(labels('keyvigil_consumer_outdated_since_timestamp_seconds')).toEqual([{ resource: `/${evil}`, key: evil }]);
});
