/** Policy simulation over one connection. Loads the SDK. */
import { GetRoleCommand, IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { GetKeyPolicyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetResourcePolicyCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { isConclusive } from '../../look.ts';
import { type CallContext, CallFailed } from '../../provider.ts';
import { type Arn, parseArn } from '../arn.ts';
import { classify } from '../classify.ts';
import { allPages, BadAnswer } from '../paging.ts';
import type { ClientSettings } from '../service.ts';
import { circumstancesOf, contextEntries } from './circumstances.ts';
import { decide, type ResourcePolicy, type Simulated } from './decide.ts';
import { createMemory } from './memory.ts';
import { simulatedOf } from './results.ts';
import { trustAnswer } from './trust.ts';
import type { Answer, Dated, Question, Simulation, Unseen } from './words.ts';

/** What simulation is opened with. */
export interface SimulationEnv {
  readonly account: string;
  readonly partition: string;
  /** How long an answer stays good, ms. */
  readonly every: number;
  /** Settings of the client of IAM, whose Region is the partition's own. */
  readonly iam: ClientSettings;
  /** Settings of a client of `secrets-manager` or `kms` in a Region. */
  regional(service: string, region: string): ClientSettings;
}

/** A simulation that owns SDK clients. */
export interface OpenSimulation extends Simulation {
  destroy(): void;
}

/** An outcome that failed is asked for again sooner. */
const FAILED_MS = 5 * 60_000;
/** Questions of one connection under way at once: the budget of IAM is small, and looks must not queue up behind it. */
const AT_ONCE = 2;
/** Answers that are kept of each sort: some hundred bytes each, but for policies (of at most 32 kB). */
const MOST_ANSWERS = 20_000;
const MOST_POLICIES = 2_000;
/** The service's reference: by default 100 results on a page. */
const PAGE_SIZE = 100;

const MISSING = { missing: true } as const;
const GONE = { unseen: 'resource_gone' } as const;

type Policy = Exclude<ResourcePolicy, 'none'> | { readonly none: true };
type Role = { readonly document: string | undefined } | { readonly missing: true } | { readonly unseen: Unseen };
type Outcome = { readonly simulated: readonly Simulated[] } | { readonly missing: true } | { readonly unseen: Unseen };

export function openSimulation(env: SimulationEnv): OpenSimulation {
  const iam = new IAMClient({ ...env.iam });
  const secrets = perRegion((region) => new SecretsManagerClient({ ...env.regional('secrets-manager', region) }));
  const keys = perRegion((region) => new KMSClient({ ...env.regional('kms', region) }));
  const options = {
    atOnce: AT_ONCE,
    now: () => Date.now(),
    freshMs: (value: object) => ('unseen' in value ? Math.min(FAILED_MS, env.every) : env.every),
  };
  const roles = createMemory<Role>({ ...options, size: MOST_ANSWERS });
  const outcomes = createMemory<Outcome>({ ...options, size: MOST_ANSWERS });
  const policies = createMemory<Policy>({
    ...options,
    size: MOST_POLICIES,
  });

  function getRole(arn: string, context: CallContext): Promise<Role> {
    return settled(MISSING, async () => {
      // A role is asked for by its name, and there is one of a name, whatever its path.
      const RoleName = arn.slice(arn.lastIndexOf('/') + 1);
      const { Role: role } = await context.call('GetRole', (abortSignal) =>
        iam.send(new GetRoleCommand({ RoleName }), { abortSignal }),
      );
      if (!role?.Arn) throw new BadAnswer('the role has no ARN');
      return role.Arn === arn ? { document: role.AssumeRolePolicyDocument } : MISSING;
    });
  }

  function simulate(question: Question, context: CallContext): Promise<Outcome> {
    return settled(MISSING, async () => {
      const input = {
        PolicySourceArn: question.role,
        ActionNames: [...question.actions],
        ResourceArns: [question.resource],
        ContextEntries: contextEntries(question),
        MaxItems: PAGE_SIZE,
      };
      const results = await allPages('SimulatePrincipalPolicy', async (Marker) => {
        const answer = await context.call('SimulatePrincipalPolicy', (abortSignal) =>
          iam.send(new SimulatePrincipalPolicyCommand({ ...input, Marker }), { abortSignal }),
        );
        return { items: answer.EvaluationResults ?? [], next: answer.IsTruncated ? answer.Marker : undefined };
      });
      return { simulated: simulatedOf(results) };
    });
  }

  function readPolicy(arn: Arn, resource: string, context: CallContext): Promise<Policy> {
    return settled(GONE, async () => {
      if (arn.service === 'kms') {
        const { Policy } = await context.call('GetKeyPolicy', (abortSignal) =>
          keys.of(arn.region).send(new GetKeyPolicyCommand({ KeyId: resource }), { abortSignal }),
        );
        return { text: Policy ?? '' };
      }
      const { ResourcePolicy: text } = await context.call('GetResourcePolicy', (abortSignal) =>
        secrets.of(arn.region).send(new GetResourcePolicyCommand({ SecretId: resource }), { abortSignal }),
      );
      return text ? { text } : { none: true as const };
    });
  }

  return {
    async trust(role, service, context, allowance) {
      const refused = foreignRole(role, env.account);
      if (refused) return { answer: refused };
      const known = await roles.recall(role, allowance, () => getRole(role, context));
      if (!known) return undefined;
      const { value, at } = known;
      if ('document' in value) return { answer: trustAnswer(value.document, service, env.partition), at };
      return { answer: lacking(value), at };
    },

    async may(question, context, allowance): Promise<Dated | undefined> {
      const arn = parseArn(question.resource);
      const refused = arn ? foreignRole(question.role, env.account) : unseen('bad_response');
      if (refused || !arn) return { answer: refused ?? unseen('bad_response') };
      const { role, actions, resource, forSecret = '' } = question;
      const outcome = await outcomes.recall(`${role} ${actions} ${resource} ${forSecret}`, allowance, () =>
        simulate(question, context),
      );
      if (!outcome) return undefined;
      if (!('simulated' in outcome.value)) return { answer: lacking(outcome.value), at: outcome.at };
      const policy = POLICIED.includes(arn.service)
        ? await policies.recall(resource, allowance, () => readPolicy(arn, resource, context))
        : { value: { none: true } as const, at: outcome.at };
      if (!policy) return undefined;
      const home = { account: env.account, sameAccount: arn.account === env.account, known: circumstancesOf(question) };
      const answer = decide(question, outcome.value.simulated, 'none' in policy.value ? 'none' : policy.value, home);
      return { answer, at: Math.min(outcome.at, policy.at) };
    },

    destroy() {
      iam.destroy();
      secrets.destroy();
      keys.destroy();
    },
  };
}

/** Services whose resources have policies of their own that are read. */
const POLICIED: readonly string[] = ['secretsmanager', 'kms'];

function unseen(reason: Unseen): Answer {
  return { word: 'cannot-tell', reason };
}

function lacking(value: { readonly missing: true } | { readonly unseen: Unseen }): Answer {
  return 'missing' in value ? { word: 'role-not-found' } : unseen(value.unseen);
}

/** What can be said of a role without asking: only roles of the monitor's own account can be looked at. */
function foreignRole(role: string, account: string): Answer | undefined {
  const arn = parseArn(role);
  if (arn?.service !== 'iam' || !arn.resource.startsWith('role/')) return unseen('no_role');
  return arn.account === account ? undefined : unseen('other_account');
}

/**
 * A failed call, or an answer that is none, is an outcome that is remembered for a while. Whatever else is thrown (the end of the daemon) is not.
 * @param gone what it is when the cloud says that there is no such thing
 */
async function settled<T, G>(gone: G, run: () => Promise<T>): Promise<T | G | { readonly unseen: Unseen }> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BadAnswer) return { unseen: 'bad_response' };
    if (!(error instanceof CallFailed)) throw error;
    const { reason } = classify(error, error.operation);
    return isConclusive(reason) ? gone : { unseen: reason };
  }
}

/** One client for each Region, made when it is needed. */
function perRegion<T extends { destroy(): void }>(make: (region: string) => T) {
  const made = new Map<string, T>();
  return {
    of(region: string): T {
      const client = made.get(region) ?? make(region);
      made.set(region, client);
      return client;
    },
    destroy() {
      for (const client of made.values()) client.destroy();
    },
  };
}
