/** The embedded cloud in a process of its own, so that its work is not counted as ours. Argv: secrets, keys. */
import { startSandbox } from '../../src/sandbox/sandbox.ts';

const [secrets = 0, keys = 0] = process.argv.slice(2).map(Number);
const sandbox = await startSandbox({ seed: 3 });
const account = sandbox.aws.account('111122223333');
const region = account.region('eu-west-1');
for (let at = 0; at < secrets; at += 1) region.secrets.create({ Name: `bench/secret-${at}`, SecretString: 'x' });
for (let at = 0; at < keys; at += 1) region.kms.createKey();

process.on('message', (changed: number) => {
  for (let at = 0; at < changed; at += 1) region.secrets.putValue(`bench/secret-${at}`, `y${Math.random()}`);
  process.send?.('changed');
});
process.on('disconnect', () => process.exit());
process.send?.({ url: sandbox.url, credentials: account.credentials });
