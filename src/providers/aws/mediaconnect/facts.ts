/** From what MediaConnect answers about a flow to facts. Pure. */
import type { ConsumerFacts, ConsumerStub, KeyUse } from '../../../core/model.ts';
import { attributes } from '../../look.ts';
import { arnIn, parseArn } from '../arn.ts';
import { BadAnswer } from '../paging.ts';
import { providerUrl } from '../speke/url.ts';
import { type Encryption, flowIn, type ListedFlow, type Part, type PartKind } from './answer.ts';
import { type Report, reportOf } from './reports.ts';

/** What is known of entitlements beside the flow that is looked at. */
export interface Entitlements {
  /** How the flow that grants an entitlement encrypts it, where that flow is watched. */
  originator(entitlementArn: string): Originator | undefined;
  /** Entitlements that are granted to the account now; undefined: nobody could tell. */
  readonly granted?: ReadonlySet<string>;
}

export type Originator = { readonly keyType: 'none' } | { readonly keyType: string; readonly algorithm?: string };

const ROLES = {
  source: 'source-decryption',
  output: 'output-encryption',
  entitlement: 'entitlement-encryption',
} as const satisfies Record<PartKind, string>;
const TRANSIT_ROLE = 'transit-encryption';

/** Between the ARNs or names of an attribute: neither has a line end. */
const SEPARATOR = '\n';

/** Identity of a listed flow. @throws BadAnswer where it has none */
export function stubOf({ arn, name }: ListedFlow): ConsumerStub {
  const { service, account, region } = arnIn(arn, 'a listed flow');
  if (arn === undefined || service !== 'mediaconnect') throw new BadAnswer('a listed flow is none');
  return { resource: arn, kind: 'mediaconnect-flow', name: name ?? arn, provider: 'aws', account, location: region };
}

/**
 * Facts of one flow.
 * @throws BadAnswer where the answer is about another flow or about none
 */
export function flowFacts(
  body: Readonly<Record<string, unknown>>,
  stub: ConsumerStub,
  entitlements: Entitlements,
): ConsumerFacts {
  const flow = flowIn(body);
  if (flow?.arn !== stub.resource) throw new BadAnswer('DescribeFlow answered about another flow, or about none');
  const reports = flow.errors.flatMap((message) => reportOf(message) ?? []);
  const configured = flow.parts.flatMap((part) => usesOf(part, entitlements));
  const uses = [...configured.map((use) => withReport(use, reports)), ...removed(configured, reports)];
  const untold = reports.filter((report) => !uses.some((use) => isAbout(report, use)));
  const entitled = flow.parts.filter(({ kind, entitlementArn }) => kind === 'source' && entitlementArn !== undefined);
  const plain = entitled.filter(({ encryption }) => !encryption);
  const originatorOf = ({ entitlementArn = '' }: Part) => entitlements.originator(entitlementArn)?.keyType;
  return {
    ...stub,
    name: flow.name ?? stub.name,
    ...(flow.status !== undefined && { state: flow.status }),
    tags: {},
    uses,
    attributes: attributes({
      sourceType: entitled.length > 0 ? 'ENTITLED' : 'OWNED',
      errors: flow.errors.length || undefined,
      keyError: untold[0]?.text,
      withoutSecret: named(flow.parts.flatMap((part) => lacking(part, 'secret'))),
      withoutUrl: named(flow.parts.flatMap((part) => lacking(part, 'url'))),
      // An originator that encrypts nothing is no reason to decrypt.
      undecrypted: named(plain.filter((part) => !['none', undefined].includes(originatorOf(part))).map(partName)),
      undecryptedUnseen: named(plain.filter((part) => originatorOf(part) === undefined).map(partName)),
      revoked: named(
        entitled.filter(({ entitlementArn = '' }) => entitlements.granted?.has(entitlementArn) === false).map(partName),
      ),
      plainEntitlements: named(
        flow.parts.flatMap(({ kind, arn, encryption }) => (kind === 'entitlement' && arn && !encryption ? [arn] : [])),
      ),
    }),
  };
}

/** How each watched flow encrypts the entitlements that it grants, by the ARN of the entitlement. */
export function originatorsOf(flows: Iterable<ConsumerFacts>): ReadonlyMap<string, Originator> {
  const originators = new Map<string, Originator>();
  for (const { kind, uses, attributes: known } of flows) {
    if (kind !== 'mediaconnect-flow') continue;
    for (const arn of names(known.plainEntitlements)) originators.set(arn, { keyType: 'none' });
    for (const { role, attributes: { partArn, keyType, algorithm } = {} } of uses) {
      if (role !== ROLES.entitlement || typeof partArn !== 'string') continue;
      originators.set(partArn, {
        keyType: String(keyType),
        ...(algorithm !== undefined && { algorithm: String(algorithm) }),
      });
    }
  }
  return originators;
}

/** The names in an attribute that holds several. */
export function names(attribute: unknown): readonly string[] {
  return typeof attribute === 'string' ? attribute.split(SEPARATOR) : [];
}

function named(all: readonly string[]): string | undefined {
  return all.length > 0 ? all.map((name) => name.replaceAll(SEPARATOR, ' ')).join(SEPARATOR) : undefined;
}

function partName({ kind, name }: Pick<Part, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** The uses of keys by one part: its own encryption, and the one on the way to a router. */
function usesOf(part: Part, entitlements: Entitlements): readonly KeyUse[] {
  const uses: KeyUse[] = [];
  const { encryption, transit } = part;
  const key = encryption && keyOf(encryption);
  if (encryption && key !== undefined) {
    const subscribed = part.kind === 'source' ? part.entitlementArn : undefined;
    const origin = subscribed === undefined ? undefined : entitlements.originator(subscribed);
    uses.push(useOf(part, ROLES[part.kind], key, encryption, origin));
  }
  const transitKey = transit && keyOf(transit);
  if (transit && transitKey !== undefined) uses.push(useOf(part, TRANSIT_ROLE, transitKey, transit, undefined));
  return uses;
}

/** The key that an encryption names, if it names one: the ARN of a secret, or the URL of a SPEKE provider. */
function keyOf({ keyType, secretArn, url }: Encryption): string | undefined {
  if (keyType === 'speke' || (keyType === 'unknown' && secretArn === undefined)) return providerUrl(url ?? '');
  const arn = secretArn === undefined ? undefined : parseArn(secretArn);
  // Whatever else stands there could be the key itself, pasted into the wrong field.
  return arn?.service === 'secretsmanager' && arn.resource.startsWith('secret:') ? secretArn : undefined;
}

function useOf(
  part: Part,
  role: string,
  resource: string,
  encryption: Encryption,
  origin: Originator | undefined,
): KeyUse {
  return {
    resource,
    role,
    part: partName(part),
    attributes: attributes({
      partArn: part.arn,
      keyType: encryption.keyType,
      algorithm: encryption.algorithm,
      protocol: part.protocol,
      roleArn: encryption.roleArn,
      spekeRegion: encryption.region,
      resourceId: encryption.resourceId,
      deviceId: encryption.deviceId,
      hasIv: encryption.iv === undefined ? undefined : true,
      ivMalformed: encryption.iv === 'malformed' ? true : undefined,
      entitlementArn: part.entitlementArn,
      subscribers: part.subscribers?.join(' ') || undefined,
      disabled: part.disabled || undefined,
      originatorKeyType: origin?.keyType,
      originatorAlgorithm: origin && 'algorithm' in origin ? origin.algorithm : undefined,
    }),
  };
}

function lacking(part: Part, what: 'secret' | 'url'): readonly string[] {
  return [part.encryption, part.transit]
    .filter((encryption) => encryption !== undefined && keyOf(encryption) === undefined)
    .filter((encryption) => (what === 'url') === (encryption?.keyType === 'speke'))
    .map(() => partName(part));
}

function withReport(use: KeyUse, reports: readonly Report[]): KeyUse {
  const report = reports.find((candidate) => isAbout(candidate, use));
  if (!report) return use;
  return { ...use, attributes: { ...use.attributes, reported: report.kind, reportedText: report.text } };
}

/** By the part that a message names, where it names one: two parts may share a secret, and one of them be refused. */
function isAbout({ part, secretArn, text }: Report, use: KeyUse): boolean {
  const isSecret = secretArn === use.resource || (secretArn !== undefined && use.resource.startsWith(`${secretArn}-`));
  if (!part) return isSecret;
  // A name with a full stop in it ends too early in what was taken apart.
  const isPart = use.part === partName(part) || text.includes(`for ${use.part}. `);
  return isPart && (secretArn === undefined || isSecret);
}

/** "Removing output until it is fixed": what a message names need not stand in the flow any more, and is needed all the same. */
function removed(uses: readonly KeyUse[], reports: readonly Report[]): readonly KeyUse[] {
  return reports.flatMap((report) => {
    const { part, secretArn, roleArn, kind, text } = report;
    if (!part || parseArn(secretArn ?? '')?.service !== 'secretsmanager' || secretArn === undefined) return [];
    if (uses.some((use) => isAbout(report, use))) return [];
    const told = { roleArn, removed: true, reported: kind, reportedText: text };
    return [{ resource: secretArn, role: ROLES[part.kind], part: partName(part), attributes: attributes(told) }];
  });
}
