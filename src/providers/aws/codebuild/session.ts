/** CodeBuild at one region: the calls. What they answer holds plaintext, and is reduced to facts before it gets any further. */
import {
  BatchGetBuildsCommand,
  BatchGetProjectsCommand,
  CodeBuildClient,
  ListBuildsForProjectCommand,
  ListProjectsCommand,
} from '@aws-sdk/client-codebuild';
import { matchesAny } from '../../../core/glob.ts';
import { type ConsumerFacts, isConsumerStub, type KeyFacts, type Stub } from '../../../core/model.ts';
import {
  type CallContext,
  CallFailed,
  type DescribedConsumer,
  type ListContext,
  type Listed,
  type ListOutcome,
  type LookContext,
  type Undescribed,
} from '../../provider.ts';
import { mustBeOf } from '../arn.ts';
import { classify } from '../classify.ts';
import { withSimulation } from '../iam/uses.ts';
import type { Allowance } from '../iam/words.ts';
import { type Answered, evidenceOf } from '../look.ts';
import { BadAnswer, pages } from '../paging.ts';
import type { AwsSession, ServiceEnv } from '../service.ts';
import { type BuildNews, newsOf, type SeenBuild, seenBuild } from './builds.ts';
import { BUILDS_AT_ONCE, BUILDS_OF_EACH } from './calls.ts';
import { digestOf, nameOf, projectFacts, withBuilds } from './facts.ts';
import type { Options } from './index.ts';

/** Projects whose builds are asked for at once. */
const PROJECTS_AT_ONCE = 4;

/** New questions to policy simulation within one listing: some twenty seconds of the budget of IAM. */
const SIMULATED_AT_ONCE = 40;

/** What is kept of an answer to BatchGetProjects. */
interface Projects extends Answered {
  readonly facts: readonly ConsumerFacts[];
  /** Names that it says there is no project of. */
  readonly missing: readonly string[];
}

export function open(env: ServiceEnv): AwsSession {
  const options = env.config as Options;
  const client = new CodeBuildClient({ ...env.client });
  const includes = (name: string) => matchesAny(options.include, name) && !matchesAny(options.exclude, name);

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
    const listing = pages('ListProjects', async (nextToken) => {
      const answer = await context.call('ListProjects', (abortSignal) =>
        client.send(new ListProjectsCommand({ sortBy: 'NAME', nextToken }), { abortSignal }),
      );
      return { items: answer.projects ?? [], next: answer.nextToken };
    });
    const known = env.simulation && new Map([...context.consumers()].map((facts) => [facts.resource, facts]));
    const allowance = { left: SIMULATED_AT_ONCE };
    for await (const page of listing) {
      const names = page.filter(includes);
      // A page holds as many names as one call takes; what went between the two calls is missed like anything that is gone.
      if (names.length === 0) continue;
      const answer = await projects(names, context);
      const facts: ConsumerFacts[] = [];
      for (const one of answer.facts) facts.push(await simulated(one, known?.get(one.resource), context, allowance));
      yield listed({ ...answer, facts });
    }
    return { complete: true, exclusive: false };
  }

  function listed(answer: Projects): readonly Listed[] {
    const evidence = evidenceOf('BatchGetProjects', answer);
    return answer.facts.map((consumer) => {
      mustBeOf(env.account, consumer);
      const { resource, kind, name, provider, account, location } = consumer;
      const stub = { resource, kind, name, provider, account, location };
      return { stub, digest: digestOf(consumer), told: { consumer, evidence } };
    });
  }

  /** What policies say of its role, which every use goes through. */
  function simulated(
    facts: ConsumerFacts,
    known: KeyFacts | ConsumerFacts | undefined,
    context: LookContext,
    allowance?: Allowance,
  ): Promise<ConsumerFacts> {
    const { serviceRole } = facts.attributes;
    const roleOf = () => (typeof serviceRole === 'string' ? serviceRole : undefined);
    const how = { service: 'codebuild', simulation: env.simulation, roleOf, known } as const;
    return withSimulation(facts, allowance ? { ...how, allowance } : how, context);
  }

  async function describe(
    stub: Stub,
    known: KeyFacts | ConsumerFacts | undefined,
    context: LookContext,
  ): Promise<DescribedConsumer | Undescribed> {
    if (!isConsumerStub(stub)) throw new TypeError(`${stub.resource} is no project`);
    const name = nameOf(stub.resource);
    const answer = await projects([name], context);
    const evidence = evidenceOf('BatchGetProjects', answer);
    const [consumer] = answer.facts;
    if (!consumer) {
      if (answer.missing.includes(name)) return { failure: { reason: 'not_found', evidence } };
      throw new BadAnswer('BatchGetProjects answered about no project');
    }
    if (consumer.resource !== stub.resource) throw new BadAnswer('BatchGetProjects answered about another project');
    return { consumer: await simulated(consumer, known, context), evidence };
  }

  /** Facts of these, at most 100, with what their builds told where that is asked for. */
  async function projects(names: readonly string[], context: CallContext): Promise<Projects> {
    const answer = await context.call('BatchGetProjects', async (abortSignal): Promise<Projects> => {
      const { $metadata, projects, projectsNotFound } = await client.send(
        new BatchGetProjectsCommand({ names: [...names] }),
        { abortSignal },
      );
      // Emulators leave out the list of what was not found; an answer without projects at all says nothing.
      const found = new Set(projects?.map(({ name }) => name));
      const missing = projectsNotFound ?? (projects ? names.filter((name) => !found.has(name)) : []);
      return { $metadata, facts: (projects ?? []).map(projectFacts), missing };
    });
    if (!options.builds || answer.facts.length === 0) return answer;
    const news = await newsOfBuilds(answer.facts, context);
    return {
      ...answer,
      facts: answer.facts.map((facts) =>
        withBuilds(facts, news === 'denied' ? news : (news.get(nameOf(facts.resource)) ?? {})),
      ),
    };
  }

  async function newsOfBuilds(
    facts: readonly ConsumerFacts[],
    context: CallContext,
  ): Promise<ReadonlyMap<string, BuildNews> | 'denied'> {
    try {
      const ids = await newestBuilds(
        facts.map(({ resource }) => nameOf(resource)),
        context,
      );
      const seen: SeenBuild[] = [];
      for (let from = 0; from < ids.length; from += BUILDS_AT_ONCE) {
        const some = ids.slice(from, from + BUILDS_AT_ONCE);
        const { builds } = await context.call('BatchGetBuilds', async (abortSignal) => {
          const answer = await client.send(new BatchGetBuildsCommand({ ids: some }), { abortSignal });
          return { $metadata: answer.$metadata, builds: (answer.builds ?? []).map(seenBuild) };
        });
        seen.push(...builds);
      }
      return newsOf(seen);
    } catch (error) {
      // What builds report comes on top: the projects themselves were read.
      if (error instanceof CallFailed && classify(error, error.operation).reason === 'denied') return 'denied';
      throw error;
    }
  }

  async function newestBuilds(names: readonly string[], context: CallContext): Promise<readonly string[]> {
    const ids: string[] = [];
    let next = 0;
    async function worker(): Promise<void> {
      for (let projectName = names[next++]; projectName !== undefined; projectName = names[next++]) {
        ids.push(...(await buildsOf(projectName, context)).slice(0, BUILDS_OF_EACH));
      }
    }
    await Promise.all(Array.from({ length: Math.min(PROJECTS_AT_ONCE, names.length) }, worker));
    return ids;
  }

  /** Ids, newest first, as CodeBuild sorts them unless it is asked for something else. Only the first page. */
  async function buildsOf(projectName: string, context: CallContext): Promise<readonly string[]> {
    try {
      const { ids } = await context.call('ListBuildsForProject', (abortSignal) =>
        client.send(new ListBuildsForProjectCommand({ projectName }), { abortSignal }),
      );
      return ids ?? [];
    } catch (error) {
      // Deleted a moment ago: the next listing shows that.
      if (error instanceof CallFailed && classify(error, error.operation).reason === 'not_found') return [];
      throw error;
    }
  }

  return {
    list,
    describe,
    watches: ({ kind, account, name }) => kind === 'codebuild-project' && account === env.account && includes(name),
    destroy: () => client.destroy(),
  };
}
