import { AwsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { type Call, partitionOf } from '../world.ts';

/** What a flow is doing. A script may set any other word, as AWS may. */
export type FlowStatus = string;

/** The kinds of parts, in the words of AWS's messages. */
export type PartKind = 'source' | 'output' | 'entitlement';

/** A source, output or entitlement: its fields stay as the API took them. */
export type Part = {
  readonly kind: PartKind;
  readonly arn: string;
  readonly name: string;
  readonly fields: Input;
};

/** A part that was taken off because its key cannot be read, and what the flow says about it. */
export type Trouble = { readonly part: string; readonly message: string };

/** A flow, immutable: a change makes a new value. */
export type Flow = {
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly egressIp: string;
  readonly status: FlowStatus;
  /** What it becomes, and when (ms); `gone` is the end of a deletion. */
  readonly change: { readonly to: 'ACTIVE' | 'STANDBY' | 'gone'; readonly at: number } | undefined;
  /** ms; since when it is ACTIVE. */
  readonly activeAt: number | undefined;
  /** ms; the moment for which its keys were read last. */
  readonly keysReadAt: number;
  readonly troubles: readonly Trouble[];
  /** Errors that a script lets it tell. */
  readonly said: readonly string[];
  /** A status that a script forced. */
  readonly forcedStatus: FlowStatus | undefined;
  readonly sources: readonly Part[];
  readonly outputs: readonly Part[];
  readonly entitlements: readonly Part[];
  /** Settings that nothing here depends on, given back as they came. */
  readonly settings: Input;
};

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** BadRequestException, 400: the request itself is wrong, or does not fit the state of the flow. */
export function badRequest(message: string): AwsError {
  return new AwsError('BadRequestException', message, 'message');
}

/** NotFoundException, 404. */
export function notFound(what: string): AwsError {
  return new AwsError('NotFoundException', `${what} not found.`, 'message', 404);
}

/** ForbiddenException, 403: what MediaConnect itself refuses, not IAM. */
export function forbidden(message: string): AwsError {
  return new AwsError('ForbiddenException', message, 'message', 403);
}

/** The ARN of a flow or of a part of one: `arn:aws:mediaconnect:R:A:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:name`. */
export function mediaArn(call: Call, kind: PartKind | 'flow', id: string, name: string): string {
  return `arn:${partitionOf(call.region)}:mediaconnect:${call.region}:${call.account}:${kind}:${id}:${name}`;
}

/** A fresh id as the ARNs of MediaConnect have it. */
export function newId(call: Call): string {
  const { random } = call.world;
  return `1-${random.pick(16, ID_LETTERS)}-${random.hex(12)}`;
}

/** The lists of parts by their kind. */
export function partsOf(flow: Flow, kind: PartKind): readonly Part[] {
  if (kind === 'source') return flow.sources;
  return kind === 'output' ? flow.outputs : flow.entitlements;
}

/** The flow with other parts of one kind. */
export function withParts(flow: Flow, kind: PartKind, parts: readonly Part[]): Flow {
  if (kind === 'source') return { ...flow, sources: parts };
  return kind === 'output' ? { ...flow, outputs: parts } : { ...flow, entitlements: parts };
}

/** Its status as the API says it. */
export function statusOf(flow: Flow): FlowStatus {
  return flow.forcedStatus ?? flow.status;
}

/** Stores a changed flow and gives it back. */
export function saveFlow(call: Pick<Call, 'world'>, flow: Flow, at: number): Flow {
  call.world.store(flow.account, flow.region).flows.put(flow.arn, flow, at);
  return flow;
}
