/** Two clouds whose answers are changed at random, and what the daemon makes of that. */
import { expect } from 'vitest';
import { seeded } from '../soak/seeded.ts';
import { ACCOUNT, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
/** Two sweeps and the looks at suspects that they leave. */
const ROUND_MS = 150_000;
const SERVICES = '{ secrets-manager: {}, kms: {}, mediaconnect: {}, codebuild: {} }';
/** Lost by a field that every true answer has. A secret without the field of its KMS key is one under AWS's own key: no test of this. */
const DEAD = ['alias/dead', 'dead'];

type Next = () => number;

/** Nothing that any API says when all is well: no state that exists, no date of a rotation to come. */
const STRANGE: readonly (() => unknown)[] = [
  () => null,
  () => '',
  () => 'Levitating',
  () => 0,
  () => -1,
  () => 1e300,
  () => 9_007_199_254_740_992,
  () => [],
  () => ({}),
  () => [null],
  () => [[[[[]]]]],
  () => ({ a: { b: { c: 1 } } }),
  () => '\u0000\u202e<script>alert(1)</script>\u001b[31m',
  () => '\ud800',
  () => 'x'.repeat(1_000_000),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  () => Array.from({ length: 500 }, (_, at) => ({ Key: `k${at}`, Value: 'v' })),
];

type Holder = Record<string, unknown>;

function places(root: unknown): { readonly holder: Holder; readonly key: string }[] {
  const found: { holder: Holder; key: string }[] = [];
  const walk = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      found.push({ holder: node as Holder, key });
      walk((node as Holder)[key]);
    }
  };
  walk(root);
  return found;
}

/** The true answer with one to four fields taken out, changed or doubled; at times something else as a whole. */
function changed(answer: unknown, next: Next): unknown {
  const strange = () => STRANGE[Math.floor(next() * STRANGE.length)]?.();
  if (next() < 0.03) return strange();
  for (let times = 1 + Math.floor(next() * 4); times > 0; times -= 1) {
    const all = places(answer);
    const place = all[Math.floor(next() * all.length)];
    if (!place) return answer;
    const { holder, key } = place;
    const value = holder[key];
    const way = next();
    if (way < 0.3) delete holder[key];
    else if (way < 0.4 && Array.isArray(value)) holder[key] = [...value, ...value, ...value];
    else if (way < 0.5) holder[key] = [value];
    else if (way < 0.6) holder[key] = String(value);
    else holder[key] = strange();
  }
  return answer;
}

/** Keys, secrets, a flow and a project; two vaults with keys and an account; one of each is dead. */
async function startClouds(): Promise<World> {
  return await startWorld(
    (region, sandbox, subscription) => {
      const { kms, secrets, mediaConnect, codeBuild } = region;
      const role = sandbox.aws.account(ACCOUNT).role('flows', { services: ['mediaconnect.amazonaws.com'] });
      for (const name of ['dead', 'one', 'two', 'three']) {
        const { keyId, arn } = kms.createKey();
        kms.alias(`alias/${name}`, keyId);
        const SecretString = '0123456789abcdef0123456789abcdef';
        const secretArn = secrets.create({ Name: `prod/${name}`, SecretString, KmsKeyId: arn }).arn;
        const encryption = { keyType: 'static-key' as const, algorithm: 'aes128' as const, roleArn: role, secretArn };
        const flow = mediaConnect.createFlow({
          name: `flow-${name}`,
          source: { name: 'Cam', protocol: 'srt-listener' },
          outputs: [{ name: 'Out', protocol: 'zixi-push', encryption }],
        });
        mediaConnect.activate(flow);
        const environmentVariables = [{ name: 'TOKEN', type: 'SECRETS_MANAGER' as const, value: `prod/${name}` }];
        codeBuild.createProject({ name: `build-${name}`, encryptionKey: arn, environment: { environmentVariables } });
      }
      const vault = subscription.vault('alpha');
      for (const name of ['dead', 'four', 'five']) vault.keys.create(name);
      const account = subscription.mediaAccount('contoso', { key: `${vault.url}/keys/four` });
      vault.grant(account.principal);
    },
    { clouds: ['aws', 'azure'], services: SERVICES, yaml: 'policy: { describeEvery: 1m, staleAfter: 30m }' },
  );
}

export interface AnswerFigures {
  readonly rounds: number;
  readonly answers: number;
}

/**
 * Changes a share of all answers of both clouds for `rounds` of two and a half minutes each, every round another way, and
 * holds: what is dead never becomes accessible, what is well is never lost but by what its own answer says, nothing throws,
 * and all is well as soon as the answers are.
 */
export async function changeAnswers(rounds: number, seed = 25): Promise<AnswerFigures> {
  await using world = await startClouds();
  world.region.kms.disable('alias/dead');
  world.subscription.vault('alpha').keys.update('dead', undefined, { enabled: false });
  // By what they are: the answer that tells an alias may be changed as well.
  const resources = DEAD.map((name) => world.key(name)?.resource ?? '');
  const dead = () => resources.map((resource) => world.key(resource)?.health);
  await world.until('the dead ones', 5 * MINUTE, () => dead().every((health) => health === 'inaccessible'));
  await world.pass(2 * MINUTE);
  const known = new Map(world.app.snapshot.keys.map(({ resource, health }) => [resource, health]));
  const next = seeded(seed);
  let answers = 0;
  for (let round = 0; round < rounds; round += 1) {
    const probability = [0.1, 0.4, 1][round % 3] ?? 1;
    const before = (await world.events()).length;
    const fault = world.sandbox.faults.add(
      { kind: 'rewrite', change: (answer) => changed(answer, next) },
      // A listing that is wrong hides what a look at one thing would tell: every other round leaves listings alone.
      {
        probability,
        // Who hands out tokens is not who is watched.
        when: ({ service, operation }) =>
          service !== 'authority' && service !== 'sts' && (round % 2 === 0 || !/list/i.test(operation)),
      },
    );
    await world.pass(ROUND_MS);
    expect([round, dead()]).toEqual([round, Array(DEAD.length).fill('inaccessible')]);
    fault.remove();
    answers += fault.hits();
    // Only what an answer may leave out when it means it: a secret that has no current version, a thing that is gone.
    const transitions = (await world.events()).slice(before).filter(({ type }) => type === 'transition');
    const wrong = transitions.filter(
      ({ to, reason, resource }) =>
        (to === 'inaccessible' && !['no_current_version', 'not_found'].includes(reason ?? '')) ||
        (to === 'accessible' && resources.includes(resource)),
    );
    expect([round, wrong]).toEqual([round, []]);
    const said = world.logged.filter((line) => /"level":(50|60)/.test(line));
    expect([round, said]).toEqual([round, []]);
    const page = await world.metrics();
    expect(page).not.toContain('NaN');
    expect((await world.get('/')).status).toBe(200);
    const wrongYet = () => [
      ...[...known].flatMap(([resource, health]) => {
        const now = world.key(resource);
        const { health: is, blindReason } = now ?? {};
        return is === health && blindReason === undefined ? [] : `${resource} is ${is} ${now?.reason} ${blindReason}`;
      }),
      ...world.app.snapshot.sources.flatMap(({ service, up, reason }) => (up ? [] : `${service}: ${reason}`)),
    ];
    await world
      .until('the truth', 20 * MINUTE, () => wrongYet().length === 0)
      .catch((error) => {
        throw new Error(`round ${round}: ${wrongYet().join('; ')}`, { cause: error });
      });
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  console.info(
    `${answers} answers of two clouds changed in ${rounds} rounds: 0 errors, ${DEAD.length} dead keys never accessible, ` +
      'everything as it was after each round',
  );
  return { rounds, answers };
}
