/** Secrets Manager at one region: the calls. */
import {
  DescribeSecretCommand,
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
  type ListContext,
  type Listed,
  type ListOutcome,
} from '../../provider.ts';
import { mustBeOf } from '../arn.ts';
import { classify } from '../classify.ts';
import { DrainingHandler } from '../http.ts';
import { evidenceOf } from '../look.ts';
import { allPages, pages } from '../paging.ts';
import type { AwsSession, ServiceEnv } from '../service.ts';
import { detailKey, digestOf, secretFacts, stubOf, withVersions } from './facts.ts';
import type { Options } from './index.ts';
import { carryReads, couldNotDecrypt, readOutcome, readReason, withRead } from './reading.ts';

const PAGE_SIZE = 100;

export function open(env: ServiceEnv): AwsSession {
  const options = env.config as Options;
  const client = new SecretsManagerClient({ ...env.client });
  // A client of its own, so that no other code path can read a value.
  const reader =
    options.access === 'read'
      ? new SecretsManagerClient({ ...env.client, requestHandler: new DrainingHandler(env.client.requestHandler) })
      : undefined;

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
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
        return { stub, digest: digestOf(entry) };
      });
    }
    return { complete: true, exclusive: false };
  }

  async function describe(stub: KeyStub, known: KeyFacts | undefined, context: CallContext): Promise<Described> {
    const SecretId = stub.resource;
    const answer = await context.call('DescribeSecret', (abortSignal) =>
      client.send(new DescribeSecretCommand({ SecretId }), { abortSignal }),
    );
    const facts = secretFacts(answer, stub, known, Date.now());
    const described = { facts, evidence: evidenceOf('DescribeSecret', answer) };
    return reader ? read(reader, described, known, context) : described;
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
  try {
    await context.call('GetSecretValue', (abortSignal) =>
      reader.send(new GetSecretValueCommand({ SecretId: facts.resource, VersionId }), { abortSignal }),
    );
    return { ...described, facts: withRead(facts, 'ok', now) };
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
