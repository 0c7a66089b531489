/** What policy simulation says of each use of a key, for the looks of the services that use keys through a role. */
import type { ConsumerFacts, KeyFacts, KeyUse, Scalar } from '../../../core/model.ts';
import { UNKNOWN_REASONS } from '../../../core/reasons.ts';
import type { KeyLookup, LookContext } from '../../provider.ts';
import { type Arn, parseArn } from '../arn.ts';
import type { Allowance, Answer, Dated, Question, Simulation } from './words.ts';

/** Services whose consumers reach their keys through a role. */
export type SimulatedService = 'mediaconnect' | 'codebuild';

/** What a use is asked about. */
export const ASPECTS = ['Trust', 'Read', 'Decrypt', 'Invoke'] as const;
export type Aspect = (typeof ASPECTS)[number];

/** How uses are simulated. */
interface Simulating {
  readonly service: SimulatedService;
  /** Absent: it is not on. */
  readonly simulation: Simulation | undefined;
  /** ARN of the role that a use goes through; undefined: none is told. */
  roleOf(use: KeyUse): string | undefined;
  /** What was known of the consumer before: kept where an answer is put off or did not come. */
  readonly known: KeyFacts | ConsumerFacts | undefined;
  /** Of several consumers together; one look has its own otherwise. */
  readonly allowance?: Allowance;
}

/**
 * New questions that one look may ask: at most a few seconds of the budget of IAM. A flow with more asks the rest at its next
 * looks.
 */
const PER_LOOK = 8;

/**
 * What a role needs in order to read a secret, by the documents of each service (MediaConnect user guide, "Setting up Secrets
 * Manager": the policy for the role; CodeBuild user guide, "Build specification reference": `secretsmanager:GetSecretValue`).
 */
const READING: Readonly<Record<SimulatedService, readonly string[]>> = {
  mediaconnect: [
    'secretsmanager:GetSecretValue',
    'secretsmanager:DescribeSecret',
    'secretsmanager:GetResourcePolicy',
    'secretsmanager:ListSecretVersionIds',
  ],
  codebuild: ['secretsmanager:GetSecretValue'],
};
/** For what lies under a key itself, written and read. */
const ENCRYPTING: readonly string[] = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** The consumer with what simulation says of the role of each use in the attributes of that; as it is where that is not on. */
export async function withSimulation(
  consumer: ConsumerFacts,
  { service, simulation, roleOf, known, allowance = { left: PER_LOOK } }: Simulating,
  context: LookContext,
): Promise<ConsumerFacts> {
  if (!simulation) return consumer;
  const { uses, resource } = consumer;
  const before = known && 'uses' in known ? known.uses : [];
  const simulated: KeyUse[] = [];
  for (const use of uses) {
    const role = roleOf(use);
    if (role === undefined) {
      simulated.push(use);
      continue;
    }
    const earlier = before.find((one) => isSame(one, use) && one.attributes?.simulatedRole === role);
    const answers = await ask(use, role, { service, consumer: resource }, simulation, context, allowance);
    const said = ASPECTS.flatMap((aspect) => {
      const answer = answers[aspect];
      const old = attributesOf(earlier, aspect);
      if (answer === undefined) return [];
      return [answer === 'put off' || (isOpen(answer) && Object.keys(old).length > 0) ? old : written(aspect, answer)];
    });
    const attributes: Record<string, Scalar> = Object.assign({}, ...said);
    const dates = said.flatMap(({ simulatedAt }) => (typeof simulatedAt === 'number' ? [simulatedAt] : []));
    if (Object.keys(attributes).length === 0) simulated.push(use);
    else {
      const dated = dates.length > 0 && { simulatedAt: Math.min(...dates) };
      simulated.push({ ...use, attributes: { ...use.attributes, ...attributes, simulatedRole: role, ...dated } });
    }
  }
  return { ...consumer, uses: simulated };
}

/** An answer with the resource that it is about. */
type Asked = (Dated & { readonly resource?: string }) | 'put off';
type Answers = Partial<Record<Aspect, Asked>>;

async function ask(
  use: KeyUse,
  role: string,
  { service, consumer }: { readonly service: SimulatedService; readonly consumer: string },
  simulation: Simulation,
  context: LookContext,
  allowance: Allowance,
): Promise<Answers> {
  const trust = (await simulation.trust(role, service, context, allowance)) ?? 'put off';
  if (trust !== 'put off' && trust.answer.word === 'role-not-found') return { Trust: trust };

  const may = async (question: Omit<Question, 'role'>): Promise<Asked> => {
    const dated = await simulation.may({ role, ...question }, context, allowance);
    return dated ? { ...dated, resource: question.resource } : 'put off';
  };
  const arn = parseArn(use.resource);
  if (!arn) {
    const gateway = gatewayArn(use.resource, parseArn(consumer));
    if (gateway === undefined) return { Trust: trust };
    if (gateway === 'custom domain') return { Trust: trust, Invoke: unseen('custom_domain') };
    return { Trust: trust, Invoke: await may({ actions: ['execute-api:Invoke'], resource: gateway }) };
  }
  if (arn.service === 'kms') {
    const key = keyArnOf(use.resource, context.key);
    if (key === undefined) return { Trust: trust, Decrypt: unseen('not_watched') };
    return { Trust: trust, Decrypt: await may({ actions: ENCRYPTING, resource: key }) };
  }
  if (arn.service !== 'secretsmanager') return { Trust: trust };
  const secret = context.key(use.resource);
  // Without its six random characters no policy can be held against it.
  const resource = secret?.resource ?? (/-[A-Za-z0-9]{6}$/.test(use.resource) ? use.resource : undefined);
  if (resource === undefined) return { Trust: trust, Read: unseen('not_watched') };
  const Read = await may({ actions: READING[service], resource });
  const groups = secret?.dependsOn.filter((one) => one.role === 'decrypts').map((one) => one.anyOf) ?? [];
  const decryptions = await inTurn(groups, async (keys) => {
    const answers = await inTurn(keys, async (name): Promise<Asked> => {
      const key = keyArnOf(name, context.key);
      if (key === undefined) return unseen('not_watched');
      return may({ actions: ['kms:Decrypt'], resource: key, forSecret: resource });
    });
    return bestOf(answers);
  });
  const Decrypt = worstOf(decryptions);
  return { Trust: trust, Read, ...(Decrypt && { Decrypt }) };
}

async function inTurn<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}

function unseen(reason: NonNullable<Answer['reason']>): Asked {
  return { answer: { word: 'cannot-tell', reason } };
}

/** Any of several keys will do. */
function bestOf(answers: readonly Asked[]): Asked {
  return (
    answers.find((one) => one !== 'put off' && one.answer.word === 'allowed') ??
    answers.find((one) => one === 'put off') ??
    answers.find((one) => one !== 'put off' && one.answer.word === 'cannot-tell') ??
    answers[0] ??
    'put off'
  );
}

/** All of several groups are needed. Undefined: there are none. */
function worstOf(answers: readonly Asked[]): Asked | undefined {
  return (
    answers.find((one) => one !== 'put off' && one.answer.word.endsWith('-denied')) ??
    answers.find((one) => one === 'put off') ??
    answers.find((one) => one !== 'put off' && one.answer.word === 'cannot-tell') ??
    answers[0]
  );
}

/** The key that a name means: policies speak of keys, never of aliases. */
function keyArnOf(name: string, lookup: KeyLookup): string | undefined {
  const facts = lookup(name);
  if (facts?.kind === 'aws-kms-key') return facts.resource;
  return parseArn(name)?.resource.startsWith('key/') ? name : undefined;
}

/**
 * What an invocation of a gateway is called in policies (SPEKE posts to it). That the gateway lies in the account of its
 * consumer is assumed: its URL does not tell.
 */
function gatewayArn(url: string, consumer: Arn | undefined): string | 'custom domain' | undefined {
  const { hostname, pathname, protocol } = URL.parse(url) ?? {};
  if (hostname === undefined || protocol !== 'https:' || !consumer) return undefined;
  const host = /^([a-z0-9]+)(?:-vpce-[a-z0-9]+)?\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(hostname);
  if (!host) return 'custom domain';
  const [, id, region] = host;
  const [stage = '', ...path] = (pathname ?? '/').slice(1).split('/');
  return `arn:${consumer.partition}:execute-api:${region}:${consumer.account}:${id}/${stage}/POST/${path.join('/')}`;
}

function isSame(one: KeyUse, other: KeyUse): boolean {
  return one.resource === other.resource && one.role === other.role && one.part === other.part;
}

/** Whether the answer did not come: it changes nothing of what was known, and closes no finding. */
function isOpen(asked: Exclude<Asked, 'put off'>): boolean {
  const { word, reason } = asked.answer;
  return word === 'cannot-tell' && UNKNOWN_REASONS.some((known) => known === reason);
}

function written(aspect: Aspect, { answer, at, resource }: Exclude<Asked, 'put off'>): Record<string, Scalar> {
  const name = `simulated${aspect}`;
  return {
    [name]: answer.word,
    ...(answer.by && { [`${name}By`]: answer.by }),
    ...(answer.actions && { [`${name}Actions`]: answer.actions.join(' ') }),
    ...(answer.reason && { [`${name}Reason`]: answer.reason }),
    ...(resource !== undefined && { [`${name}Resource`]: resource }),
    ...(at !== undefined && { simulatedAt: at }),
  };
}

function attributesOf(use: KeyUse | undefined, aspect: Aspect): Record<string, Scalar> {
  const name = `simulated${aspect}`;
  const all = Object.entries(use?.attributes ?? {});
  if (!all.some(([key]) => key === name)) return {};
  return Object.fromEntries(all.filter(([key]) => key.startsWith(name) || key === 'simulatedAt'));
}
