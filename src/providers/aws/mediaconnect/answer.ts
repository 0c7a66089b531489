/**
 * The fields of DescribeFlow that are read, whatever else there is. The answer is foreign: a field that is missing or is not
 * what it should be is absent, and what is no value of ours (an initialization vector) never leaves this file.
 */

/** `unknown`: a word that the API did not have when this was written. */
export type KeyType = 'static-key' | 'srt-password' | 'speke' | 'transit' | 'unknown';

/** How one part of a flow encrypts or decrypts. */
export interface Encryption {
  readonly keyType: KeyType;
  /** `aes128`, `aes192`, `aes256`; any other word is `unknown`. */
  readonly algorithm?: string;
  readonly roleArn?: string;
  readonly secretArn?: string;
  readonly url?: string;
  readonly region?: string;
  readonly resourceId?: string;
  readonly deviceId?: string;
  /** Whether there is a constant initialization vector, and if so, whether it has the form of one. Its value is not kept. */
  readonly iv?: 'good' | 'malformed';
}

export type PartKind = 'source' | 'output' | 'entitlement';

/** A source, an output or an entitlement. */
export interface Part {
  readonly kind: PartKind;
  readonly name: string;
  readonly arn?: string;
  readonly encryption?: Encryption;
  /** The encryption on the way from or to a router. */
  readonly transit?: Encryption;
  /** Of a source: what it subscribes to. Of an output: what it feeds. */
  readonly entitlementArn?: string;
  readonly protocol?: string;
  readonly subscribers?: readonly string[];
  readonly disabled: boolean;
}

export interface Flow {
  readonly arn: string;
  readonly name?: string;
  readonly status?: string;
  readonly parts: readonly Part[];
  /** What MediaConnect says is wrong with the flow. */
  readonly errors: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const ALGORITHMS: readonly string[] = ['aes128', 'aes192', 'aes256'];
const PROTOCOLS: readonly string[] = [
  ...['zixi-push', 'zixi-pull', 'srt-listener', 'srt-caller', 'rtp', 'rtp-fec', 'rist', 'udp', 'cdi', 'st2110-jpegxs'],
  ...['fujitsu-qos', 'ndi-speed-hq'],
];

/** A listed flow; `arn` is absent where it has none. */
export interface ListedFlow {
  readonly arn?: string;
  readonly name?: string;
  /** Its source is another account's entitlement. */
  readonly entitled: boolean;
}

export function listedFlow(value: unknown): ListedFlow {
  const fields = fieldsOf(value);
  return {
    ...optional('arn', text(fields.flowArn)),
    ...optional('name', text(fields.name)),
    entitled: fields.sourceType === 'ENTITLED',
  };
}

/** @returns undefined where the answer holds no flow */
export function flowIn(body: Fields): Flow | undefined {
  const flow = fieldsOf(body.flow);
  const arn = text(flow.flowArn);
  if (arn === undefined) return undefined;
  return {
    arn,
    ...optional('name', text(flow.name)),
    ...optional('status', text(flow.status)),
    parts: [
      ...sourcesOf(flow).map(sourceOf),
      ...list(flow.outputs).map(outputOf),
      ...list(flow.entitlements).map(entitlementOf),
    ],
    errors: list(fieldsOf(body.messages).errors).flatMap((error) => text(error) ?? []),
  };
}

/** Items of a list; nothing where it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `source` repeats the first of `sources`; an emulator may tell the encryption in only one of them. */
function sourcesOf(flow: Fields): readonly Fields[] {
  const single = fieldsOf(flow.source);
  const several = list(flow.sources).map(fieldsOf);
  const isSingle = ({ sourceArn, name }: Fields) =>
    sourceArn === undefined || single.sourceArn === undefined ? name === single.name : sourceArn === single.sourceArn;
  if (!several.some(isSingle)) return Object.keys(single).length > 0 ? [single, ...several] : several;
  return several.map((source) => (isSingle(source) ? { ...single, ...source } : source));
}

function sourceOf(fields: Fields): Part {
  return {
    kind: 'source',
    ...partOf(fields, fields.sourceArn),
    ...optional('encryption', encryptionOf(fields.decryption)),
    ...optional('transit', transitOf(fields.routerIntegrationTransitDecryption)),
    ...optional('entitlementArn', text(fields.entitlementArn)),
    disabled: false,
  };
}

function outputOf(value: unknown): Part {
  const fields = fieldsOf(value);
  return {
    kind: 'output',
    ...partOf(fields, fields.outputArn),
    ...optional('encryption', encryptionOf(fields.encryption)),
    ...optional('transit', transitOf(fields.routerIntegrationTransitEncryption)),
    ...optional('entitlementArn', text(fields.entitlementArn)),
    disabled: fields.outputStatus === 'DISABLED',
  };
}

function entitlementOf(value: unknown): Part {
  const fields = fieldsOf(value);
  const arn = text(fields.entitlementArn);
  return {
    kind: 'entitlement',
    ...partOf(fields, arn),
    ...optional('encryption', encryptionOf(fields.encryption)),
    ...optional('entitlementArn', arn),
    subscribers: list(fields.subscribers).flatMap((account) => text(account) ?? []),
    disabled: fields.entitlementStatus === 'DISABLED',
  };
}

function partOf(fields: Fields, arn: unknown) {
  const protocol = text(fieldsOf(fields.transport).protocol);
  return {
    name: text(fields.name) ?? '(unnamed)',
    ...optional('arn', text(arn)),
    ...optional('protocol', protocol && (PROTOCOLS.includes(protocol) ? protocol : 'unknown')),
  };
}

function encryptionOf(value: unknown): Encryption | undefined {
  const fields = fieldsOf(value);
  if (Object.keys(fields).length === 0) return undefined;
  const algorithm = text(fields.algorithm);
  const iv = text(fields.constantInitializationVector);
  return {
    keyType: keyTypeOf(fields.keyType),
    ...optional('algorithm', algorithm && (ALGORITHMS.includes(algorithm) ? algorithm : 'unknown')),
    ...optional('roleArn', text(fields.roleArn)),
    ...optional('secretArn', text(fields.secretArn)),
    ...optional('url', text(fields.url)),
    ...optional('region', text(fields.region)),
    ...optional('resourceId', text(fields.resourceId)),
    ...optional('deviceId', text(fields.deviceId)),
    ...optional('iv', iv && (/^[0-9a-f]{32}$/i.test(iv) ? 'good' : 'malformed')),
  };
}

/** "If no keyType is provided, the service will use the default setting (static-key)." */
function keyTypeOf(value: unknown): KeyType {
  if (value === undefined || value === null || value === '') return 'static-key';
  return value === 'static-key' || value === 'srt-password' || value === 'speke' ? value : 'unknown';
}

/** Keys that MediaConnect makes and rotates by itself are none to watch. */
function transitOf(value: unknown): Encryption | undefined {
  const fields = fieldsOf(value);
  const configured = fieldsOf(fieldsOf(fields.encryptionKeyConfiguration).secretsManager);
  if (fields.encryptionKeyType !== 'SECRETS_MANAGER' && Object.keys(configured).length === 0) return undefined;
  return {
    keyType: 'transit',
    ...optional('roleArn', text(configured.roleArn)),
    ...optional('secretArn', text(configured.secretArn)),
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** An empty text is none. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function optional<K extends string, T>(name: K, value: T | undefined | ''): { [P in K]?: T } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { [P in K]: T });
}
