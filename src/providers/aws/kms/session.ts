/** KMS at one region: the calls. Keys are asked for by their bare id, which every operation takes. */
import {
  DescribeKeyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
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
import { evidenceOf } from '../look.ts';
import { allPages, BadAnswer, nextMarker, pages } from '../paging.ts';
import type { AwsSession, ServiceEnv } from '../service.ts';
import { ALIASES_PER_PAGE, PAGE_SIZE } from './calls.ts';
import { keyFacts, keyIdOf, stubOf, withDetails } from './facts.ts';
import type { Options } from './index.ts';

/** The most tags that one page may hold. */
const TAGS_PER_PAGE = 50;

/** Names of keys, as the last complete listing of aliases told them. */
interface Aliases {
  /** Sorted alias ARNs by key id. */
  readonly byKey: ReadonlyMap<string, readonly string[]>;
  /** Key id by alias ARN. */
  readonly targets: ReadonlyMap<string, string>;
}

export function open(env: ServiceEnv): AwsSession {
  const { discover } = env.config as Options;
  const client = new KMSClient({ ...env.client });
  const prefix = `arn:${env.partition}:kms:${env.region}:${env.account}:`;
  /** Ids of keys that AWS manages itself; a listing of ids cannot tell, so they are remembered once seen. */
  const foreign = new Set<string>();
  let aliases: Aliases | undefined;

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
    aliases = (await listAliases(context)) ?? aliases;
    const listed = new Set<string>();
    const take = (arns: Iterable<string | undefined>): readonly Listed[] =>
      [...arns].flatMap((arn) => {
        const stub = stubOf(arn, (arn && aliases?.byKey.get(keyIdOf(arn))) || []);
        mustBeOf(env.account, stub);
        if (listed.has(stub.resource) || foreign.has(keyIdOf(stub.resource))) return [];
        listed.add(stub.resource);
        return [{ stub, digest: '' }];
      });
    if (discover === 'all') {
      const keys = pages('ListKeys', async (Marker) => {
        const answer = await context.call('ListKeys', (abortSignal) =>
          client.send(new ListKeysCommand({ Limit: PAGE_SIZE, Marker }), { abortSignal }),
        );
        return { items: answer.Keys ?? [], next: nextMarker('ListKeys', answer) };
      });
      for await (const page of keys) yield take(page.map(({ KeyArn }) => KeyArn));
    }
    // What is named but not listed is looked at all the same: a key that is gone takes down what names it.
    yield take(referencedKeys(context.referenced()));
    return { complete: true, exclusive: discover === 'referenced' };
  }

  function* referencedKeys(names: readonly string[]): Generator<string> {
    for (const name of names) {
      if (name.startsWith(`${prefix}key/`)) yield name;
      const target = aliases?.targets.get(name);
      if (target !== undefined) yield `${prefix}key/${target}`;
    }
  }

  /** Undefined where the monitor may not list them: keys then go by their ids. */
  async function listAliases(context: CallContext): Promise<Aliases | undefined> {
    const entries = await unlessRefused(() =>
      allPages('ListAliases', async (Marker) => {
        const answer = await context.call('ListAliases', (abortSignal) =>
          client.send(new ListAliasesCommand({ Limit: ALIASES_PER_PAGE, Marker }), { abortSignal }),
        );
        return { items: answer.Aliases ?? [], next: nextMarker('ListAliases', answer) };
      }),
    );
    if (!Array.isArray(entries)) return undefined;
    const byKey = new Map<string, string[]>();
    const targets = new Map<string, string>();
    for (const { AliasArn, AliasName, TargetKeyId } of entries) {
      // The alias of a service that was never used points nowhere (aws.md 0.10).
      if (!AliasArn || !TargetKeyId) continue;
      if (AliasName?.startsWith('alias/aws/')) foreign.add(TargetKeyId);
      targets.set(AliasArn, TargetKeyId);
      byKey.set(TargetKeyId, [...(byKey.get(TargetKeyId) ?? []), AliasArn].sort());
    }
    return { byKey, targets };
  }

  async function describe(
    stub: KeyStub,
    known: KeyFacts | undefined,
    context: CallContext,
  ): Promise<Described | Foreign> {
    const KeyId = keyIdOf(stub.resource);
    if (foreign.has(KeyId)) return { foreign: 'cloud_managed' };
    const answer = await context
      .call('DescribeKey', (abortSignal) => client.send(new DescribeKeyCommand({ KeyId }), { abortSignal }))
      .catch((error: unknown) => {
        throw isAboutAnother(stub.resource, error) ? new CallFailed('DescribeKey', new BadAnswer(ELSEWHERE)) : error;
      });
    const facts = keyFacts(answer.KeyMetadata, stub, aliases && (aliases.byKey.get(KeyId) ?? []), known);
    if (facts.attributes.keyManager === 'AWS') {
      foreign.add(KeyId);
      return { foreign: 'cloud_managed' };
    }
    return { facts, evidence: evidenceOf('DescribeKey', answer) };
  }

  async function enrich(facts: KeyFacts, now: number, context: CallContext): Promise<KeyFacts> {
    const KeyId = keyIdOf(facts.resource);
    const { origin } = facts.attributes;
    const symmetric = facts.spec === 'SYMMETRIC_DEFAULT';
    const status =
      symmetric && origin === 'AWS_KMS'
        ? await unlessRefused(() =>
            context.call('GetKeyRotationStatus', (abortSignal) =>
              client.send(new GetKeyRotationStatusCommand({ KeyId }), { abortSignal }),
            ),
          )
        : 'none';
    const rotations =
      symmetric && (origin === 'AWS_KMS' || origin === 'EXTERNAL')
        ? await unlessRefused(() =>
            allPages('ListKeyRotations', async (Marker) => {
              const answer = await context.call('ListKeyRotations', (abortSignal) =>
                client.send(new ListKeyRotationsCommand({ KeyId, Limit: PAGE_SIZE, Marker }), { abortSignal }),
              );
              return { items: answer.Rotations ?? [], next: nextMarker('ListKeyRotations', answer) };
            }),
          )
        : 'none';
    const tags = await unlessRefused(() =>
      allPages('ListResourceTags', async (Marker) => {
        const answer = await context.call('ListResourceTags', (abortSignal) =>
          client.send(new ListResourceTagsCommand({ KeyId, Limit: TAGS_PER_PAGE, Marker }), { abortSignal }),
        );
        return { items: answer.Tags ?? [], next: nextMarker('ListResourceTags', answer) };
      }),
    );
    return withDetails(facts, { status, rotations, tags: tags === 'none' ? [] : tags }, now);
  }

  return {
    list,
    describe,
    enrich,
    watches: ({ resource, account }) => account === env.account && !foreign.has(keyIdOf(resource)),
    destroy: () => client.destroy(),
  };
}

const ELSEWHERE = 'DescribeKey looked for the key in another account';

/** "Key ARN does not exist", and the ARN is not the one that was meant: a bare id is looked for wherever the credentials lead. */
function isAboutAnother(resource: string, error: unknown): boolean {
  if (!(error instanceof CallFailed) || classify(error, error.operation).reason !== 'not_found') return false;
  const message = error.cause instanceof Error ? error.cause.message : '';
  return message.includes('arn:') && !message.includes(resource);
}

/**
 * One refused detail must not take the others with it (aws.md 0.4).
 * @returns undefined where the monitor may not ask, `none` where the key has no such thing
 * @throws everything else
 */
async function unlessRefused<T>(run: () => Promise<T>): Promise<T | 'none' | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    const { reason, evidence } = classify(error, error.operation);
    if (reason === 'denied') return undefined;
    if (evidence.code === 'UnsupportedOperationException') return 'none';
    throw error;
  }
}
