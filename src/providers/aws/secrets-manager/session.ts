/** Secrets Manager at one region: the calls. */
import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { matchesAny } from '../../../core/glob.ts';
import type { KeyFacts, KeyStub } from '../../../core/model.ts';
import {
  type CallContext,
  CallFailed,
  type Described,
  type Foreign,
  type ListContext,
  type Listed,
  type ListOutcome,
} from '../../provider.ts';
import { mustBeOf } from '../arn.ts';
import { classify } from '../classify.ts';
import { DrainingHandler, type DrainingOptions } from '../http.ts';
import { evidenceOf } from '../look.ts';
import { allPages, pages } from '../paging.ts';
import { idsOf, looksComplete, nameArnOf, namedSecret, secretPrefix } from '../secret-names.ts';
import type { AwsSession, ServiceEnv } from '../service.ts';
import { PAGE_SIZE } from './calls.ts';
import { detailKey, digestOf, secretFacts, stubOf, withVersions } from './facts.ts';
import type { Options } from './index.ts';
import { carryReads, couldNotDecrypt, readOutcome, readReason, withRead } from './reading.ts';
import { shapeOfValue, type ValueShape } from './shape.ts';

export function open(env: ServiceEnv): AwsSession {
  const options = env.config as Options;
  const client = new SecretsManagerClient({ ...env.client });
  // A client of its own, so that no other code path can read a value.
  const reader =
    options.access === 'read'
      ? new SecretsManagerClient({ ...env.client, requestHandler: new DrainingHandler(env.client.requestHandler) })
      : undefined;

  const prefix = secretPrefix(env);
  /** What consumers name and the last listing did not show. */
  let unlisted: ReadonlySet<string> = new Set();
  /** All that was ever given out so. */
  const given = new Set<string>();

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
    const named = new Set(context.referenced().filter((name) => name.startsWith(prefix)));
    const listing = pages('ListSecrets', async (NextToken) => {
      const answer = await context.call('ListSecrets', (abortSignal) =>
        client.send(new ListSecretsCommand({ IncludePlannedDeletion: true, MaxResults: PAGE_SIZE, NextToken }), {
          abortSignal,
        }),
      );
      return { items: answer.SecretList ?? [], next: answer.NextToken };
    });
    for await (const page of listing) {
      yield page.map((entry) => {
        const stub = stubOf(entry);
        mustBeOf(env.account, stub);
        if (named.size > 0) {
          named.delete(stub.resource);
          named.delete(nameArnOf(stub.resource, stub.name) ?? '');
        }
        return { stub, digest: digestOf(entry) };
      });
    }
    // What is named but not listed is looked at all the same: a secret that does not exist takes down what names it. One that
    // is known under that name is missing, and looked at as that.
    unlisted = new Set([...named].filter((name) => !context.key(name)));
    for (const name of unlisted) given.add(name);
    yield [...unlisted].map((name) => ({ stub: namedSecret(name, env), digest: '' }));
    return { complete: true, exclusive: false };
  }

  function ask(SecretId: string, context: CallContext): Promise<DescribeSecretCommandOutput> {
    return context.call('DescribeSecret', (abortSignal) =>
      client.send(new DescribeSecretCommand({ SecretId }), { abortSignal }),
    );
  }

  /** One that was never described goes by a name that somebody gave it, which need not be an ARN of its own. */
  async function describe(
    stub: KeyStub,
    known: KeyFacts | undefined,
    context: CallContext,
  ): Promise<Described | Foreign> {
    const ids = known ? [stub.resource] : idsOf(stub.resource);
    for (const [at, id] of ids.entries()) {
      try {
        const answer = await ask(id, context);
        if (id !== stub.resource && answer.ARN !== stub.resource) return { foreign: 'other_name' };
        return await described(answer, stub, known, context);
      } catch (error) {
        const isGone = error instanceof CallFailed && classify(error, error.operation).reason === 'not_found';
        if (!isGone) throw error;
        if (at < ids.length - 1) continue;
        if (!known && isDropped(stub.resource)) return { foreign: 'never_was' };
        throw error;
      }
    }
    throw new TypeError('a secret is asked for by one id at least');
  }

  /** Whether nothing names it any more, and nothing but that ever told of it. */
  function isDropped(resource: string): boolean {
    return !unlisted.has(resource) && (given.has(resource) || !looksComplete(resource));
  }

  async function described(
    answer: DescribeSecretCommandOutput,
    stub: KeyStub,
    known: KeyFacts | undefined,
    context: CallContext,
  ): Promise<Described> {
    const facts = secretFacts(answer, stub, known, Date.now());
    const look = { facts, evidence: evidenceOf('DescribeSecret', answer) };
    return reader ? read(reader, look, known, context) : look;
  }

  async function enrich(facts: KeyFacts, now: number, context: CallContext): Promise<KeyFacts> {
    if (!facts.version) return { ...facts, detailKey: detailKey(facts), detailedAt: now };
    const SecretId = facts.resource;
    const versions = await allPages('ListSecretVersionIds', async (NextToken) => {
      const answer = await context.call('ListSecretVersionIds', (abortSignal) =>
        client.send(
          // Versions without a label too: those that came and went while nobody looked have none.
          new ListSecretVersionIdsCommand({ SecretId, MaxResults: PAGE_SIZE, NextToken, IncludeDeprecated: true }),
          { abortSignal },
        ),
      );
      return { items: answer.Versions ?? [], next: answer.NextToken };
    });
    return withVersions(facts, versions, now);
  }

  return {
    list,
    describe,
    enrich,
    watches: ({ name, account }) =>
      account === env.account && matchesAny(options.include, name) && !matchesAny(options.exclude, name),
    destroy() {
      client.destroy();
      reader?.destroy();
    },
  };
}

/**
 * Reads the value of the current version where that is due, and adds what the read told. A refused decryption is a fact of
 * the secret; a refused permission leaves what its description says, and so does trouble on the way, unless that would
 * take back a refused decryption.
 * @throws CallFailed when the read told nothing and the last one was refused: only a read can say that this is over
 */
async function read(
  reader: SecretsManagerClient,
  described: Described,
  known: KeyFacts | undefined,
  context: CallContext,
): Promise<Described> {
  const now = Date.now();
  const facts = carryReads(described.facts, known, now);
  const VersionId = facts.version?.id;
  if (VersionId === undefined || !readReason(facts, known, now)) return { ...described, facts };
  let shape: ValueShape | undefined;
  const judge = (body: Buffer) => {
    shape = shapeOfValue(body);
  };
  try {
    await context.call('GetSecretValue', (abortSignal) => {
      // The SDK hands its options on to the handler as they are.
      const options: Parameters<SecretsManagerClient['send']>[1] & DrainingOptions = { abortSignal, judge };
      return reader.send(new GetSecretValueCommand({ SecretId: facts.resource, VersionId }), options);
    });
    return { ...described, facts: withRead(facts, 'ok', now, shape) };
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    const failure = classify(error, 'GetSecretValue');
    const outcome = readOutcome(failure);
    if (outcome === 'decrypt_failed') {
      const { evidence, names = [] } = failure;
      return { facts: withRead(facts, outcome, now), evidence, names };
    }
    if (couldNotDecrypt(facts, known)) throw error;
    return { ...described, facts: outcome === 'denied' ? withRead(facts, outcome, now) : facts };
  }
}
