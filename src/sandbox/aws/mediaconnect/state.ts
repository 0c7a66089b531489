import { AwsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { type Call, partitionOf } from '../world.ts';

/** What a flow is doing. A script may set any other word, as AWS may. */
export type FlowStatus = string;

/** A source, output or entitlement: its fields stay as the API took them. */
export type Part = {
  readonly arn: string;
  readonly name: string;
  readonly fields: Input;
};

/** The kinds of parts, in the words of AWS's messages. */
export type PartKind = 'source' | 'output' | 'entitlement';

/** A flow, immutable: a change makes a new value. */
export type Flow = {
  readonly arn: string;
  /** What the ARN has between `flow:` and the name. */
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly egressIp: string;
  readonly createdAt: number;
  readonly status: FlowStatus;
  readonly sources: readonly Part[];
  readonly outputs: readonly Part[];
  readonly entitlements: readonly Part[];
  /** Settings that nothing here depends on, given back as they came. */
  readonly settings: Input;
};

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
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return `1-${random.pick(16, letters)}-${random.hex(12)}`;
}

/** The flow that an ARN names, as `call.view` sees it; throws what MediaConnect answers when it is not the caller's. */
export function resolveFlow(call: Call, arn: string): Flow {
  const [, , , region, account] = arn.split(':');
  if (account !== call.account) throw forbidden(`You do not have access to ${arn}`);
  const flow = region === call.region ? call.store.flows.get(arn, call.view) : undefined;
  if (flow) return flow;
  throw notFound(`Flow ${arn}`);
}
