/** From what the probe and API Gateway answer to facts. Pure. */
import type { ConsumerFacts, Evidence, KeyFacts, KeyStub } from '../../../core/model.ts';
import { attributes, present } from '../../look.ts';
import type { Refusal } from './guard.ts';
import type { Knocked } from './knock.ts';
import { gatewayOf, providerUrl } from './url.ts';
import type { Way } from './way.ts';

/** Words of `KeyFacts.state`: what the last look came to. */
export const ANSWERING = 'Answering';
export const NOT_PROBED = 'NotProbed';
export const REFUSED = 'Refused';

/** Where a source looks. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** What one look came to. */
export type Seen =
  | { readonly state: typeof ANSWERING; readonly way: Way; readonly knocked: Knocked }
  | { readonly state: typeof NOT_PROBED }
  | { readonly state: typeof REFUSED; readonly refusal: Refusal };

/** The key providers that the flows of one account and Region name, each once, sorted. */
export function providersOf(consumers: Iterable<ConsumerFacts>, place: Place): readonly string[] {
  const urls = new Set<string>();
  for (const { kind, account, location, uses } of consumers) {
    if (kind !== 'mediaconnect-flow' || account !== place.account || location !== place.region) continue;
    for (const { resource, attributes: of } of uses) {
      const url = of?.keyType === 'speke' ? providerUrl(resource) : undefined;
      if (url !== undefined) urls.add(url);
    }
  }
  return [...urls].sort();
}

/**
 * Identity of a key provider. It lies where its API does; where its name does not tell, where the flow is.
 * @param url as `providerUrl` spells it
 */
export function stubOf(url: string, { account, region }: Place): KeyStub {
  return {
    resource: url,
    kind: 'speke-provider',
    name: url.replace(/^https?:\/\//, ''),
    provider: 'aws',
    account,
    location: gatewayOf(url)?.region ?? region,
  };
}

/** Attributes that only details tell. */
const DETAILS = ['stageSeen', 'executionLog', 'accessLog', 'dataTrace'] as const;

/**
 * Facts of one look. What `known` holds of details is carried over, and so is the end of the certificate where this look did not
 * see it. Flows of two accounts may name one provider: it stays in the account in which it was seen first.
 */
export function providerFacts(stub: KeyStub, seen: Seen, known: KeyFacts | undefined): KeyFacts {
  const gateway = gatewayOf(stub.resource);
  const knocked = seen.state === ANSWERING ? seen.knocked : undefined;
  const way = seen.state === ANSWERING ? seen.way : undefined;
  return {
    ...stub,
    account: known?.account ?? stub.account,
    location: known?.location ?? stub.location,
    state: seen.state,
    tags: {},
    ...present({
      expiresAt: knocked ? knocked.expiresAt : known?.expiresAt,
      detailKey: known?.detailKey,
      detailedAt: known?.detailedAt,
    }),
    dependsOn: [],
    attributes: attributes({
      ...Object.fromEntries(DETAILS.map((name) => [name, known?.attributes[name]])),
      host: gateway ? 'api-gateway' : 'own-name',
      gatewayId: gateway?.id,
      gatewayRegion: gateway?.region,
      stage: gateway?.stage,
      via: way?.via,
      // Remembered: a name that was found from here once is not hidden from here on purpose.
      nameFound: (way && way.via !== 'proxy' && way.addresses !== undefined) || known?.attributes.nameFound,
      status: knocked?.status,
      errorType: knocked?.errorType?.slice(0, 100),
      refusal: seen.state === REFUSED ? seen.refusal : undefined,
    }),
  };
}

/** Evidence of a knock that was answered. */
export function evidenceOf({ status, errorType, requestId }: Knocked): Evidence {
  return present({ operation: 'Probe', status, code: errorType?.slice(0, 100), requestId: requestId?.slice(0, 100) });
}

/** What API Gateway told of the stage, or why it did not. `elsewhere`: the API is in another Region than the source. */
export type Stage =
  | { readonly seen: 'denied' | 'not_found' | 'elsewhere' | 'unnamed' }
  | { readonly seen: 'yes'; readonly settings: StageSettings };

export interface StageSettings {
  /** `OFF`, `ERROR` or `INFO`: the most that any method has; absent where API Gateway says a word that nobody knows. */
  readonly executionLog?: string;
  readonly accessLog: boolean;
  /** Whole requests and answers of some method are logged. */
  readonly dataTrace: boolean;
}

/**
 * What GetStage says of logging; nothing else of its answer is kept, since stage variables may hold anything.
 * Source: API Gateway API reference, GetStage: `methodSettings` by `{resource}/{method}` or `*` for all, `accessLogSettings`.
 */
export function stageSettings(body: Readonly<Record<string, unknown>>): StageSettings {
  const methods = Object.values(record(body.methodSettings)).map(record);
  const levels = methods.map(({ loggingLevel }) => loggingLevel ?? 'OFF');
  const executionLog = ['INFO', 'ERROR'].find((level) => levels.includes(level));
  const isKnown = levels.every((level) => level === 'OFF' || level === 'ERROR' || level === 'INFO');
  const { destinationArn } = record(body.accessLogSettings);
  return {
    ...present({ executionLog: executionLog ?? (isKnown ? 'OFF' : undefined) }),
    accessLog: typeof destinationArn === 'string' && destinationArn !== '',
    dataTrace: methods.some(({ dataTraceEnabled }) => dataTraceEnabled === true),
  };
}

/** Details are about the stage, which the URL names once and for all. */
export function detailKey(): string {
  return 'stage';
}

/** The facts with details. */
export function withStage(facts: KeyFacts, stage: Stage | undefined, now: number): KeyFacts {
  const settings = stage?.seen === 'yes' ? stage.settings : undefined;
  return {
    ...facts,
    attributes: attributes({
      ...facts.attributes,
      stageSeen: stage?.seen,
      executionLog: settings?.executionLog,
      accessLog: settings?.accessLog,
      dataTrace: settings?.dataTrace,
    }),
    detailKey: detailKey(),
    detailedAt: now,
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
