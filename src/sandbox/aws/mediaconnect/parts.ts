import { AwsError } from '../errors.ts';
import { type Input, isRecord, needText, record, records, text } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { checkEncryption } from './encryption.ts';
import { readKeys } from './keys.ts';
import { findGranted, resolveFlow, resolvePart } from './lookup.ts';
import { checkInput } from './shapes.ts';
import {
  badRequest,
  type Flow,
  forbidden,
  mediaArn,
  newId,
  type Part,
  type PartKind,
  partsOf,
  saveFlow,
  withParts,
} from './state.ts';
import { tag } from './tags.ts';
import { entitlementView, outputView, sourceView } from './views.ts';

/** Sources, outputs and entitlements of flows. */
export const partOperations: Operations = {
  AddFlowSources: (call) => added(call, 'source', 'sources'),
  AddFlowOutputs: (call) => added(call, 'output', 'outputs'),
  GrantFlowEntitlements: (call) => added(call, 'entitlement', 'entitlements'),
  UpdateFlowSource: (call) => updated(call, 'source'),
  UpdateFlowOutput: (call) => updated(call, 'output'),
  UpdateFlowEntitlement: (call) => updated(call, 'entitlement'),
  RemoveFlowSource: (call) => removed(call, 'source'),
  RemoveFlowOutput: (call) => removed(call, 'output'),
  RevokeFlowEntitlement: (call) => removed(call, 'entitlement'),
};

const VIEWS = { source: sourceView, output: outputView, entitlement: entitlementView };
/** How many of each a flow may have. */
const MOST: Readonly<Record<PartKind, number>> = { source: 2, output: 50, entitlement: 50 };
const FULL: Readonly<Record<PartKind, { readonly code: string; readonly status: number }>> = {
  source: { code: 'BadRequestException', status: 400 },
  output: { code: 'AddFlowOutputs420Exception', status: 420 },
  entitlement: { code: 'GrantFlowEntitlements420Exception', status: 420 },
};

/**
 * New parts for a flow, checked; `id` is what the ARNs of its first sources share with it. Throws what MediaConnect answers when
 * one of them is wrong, and then makes none.
 */
export function newParts(
  call: Call,
  flow: Flow,
  kind: PartKind,
  given: readonly Input[],
  id?: string,
): readonly Part[] {
  const parts: Part[] = [];
  for (const fields of given) {
    const part = newPart(call, kind, fields, id ?? newId(call));
    if ([...partsOf(flow, kind), ...parts].some((other) => other.name === part.name)) {
      throw badRequest(`The name ${part.name} is already used by another ${kind} of this flow.`);
    }
    parts.push(part);
  }
  const { code, status } = FULL[kind];
  if (partsOf(flow, kind).length + parts.length > MOST[kind]) {
    throw new AwsError(code, `A flow can have at most ${MOST[kind]} ${kind}s.`, 'message', status);
  }
  return parts;
}

function newPart(call: Call, kind: PartKind, given: Input, id: string): Part {
  const entitlement = kind === 'source' ? entitlementOf(call, given) : undefined;
  const name = text(given, 'name') || entitlement?.name || `${kind}-${call.world.random.hex(6)}`;
  const arn = mediaArn(call, kind, id, name);
  const { name: _name, [`${kind}Tags`]: tags, ...own } = given;
  const fee = entitlement?.fields.dataTransferSubscriberFeePercent;
  const fields = fee == null ? own : { ...own, dataTransferSubscriberFeePercent: fee };
  checkPart(kind, fields);
  if (isRecord(tags)) tag(call, arn, tags);
  return { kind, arn, name, fields };
}

/** The entitlement on the originator's flow that a source follows; it must be granted to the caller's account. */
function entitlementOf(call: Call, source: Input): Part | undefined {
  const arn = text(source, 'entitlementArn');
  if (arn === undefined) return undefined;
  const granted = findGranted(call, arn);
  if (granted) return granted;
  throw forbidden(`Account ${call.account} is not a subscriber of entitlement ${arn}.`);
}

function checkPart(kind: PartKind, fields: Input): void {
  const subscribers = fields.subscribers;
  if (kind === 'entitlement' && !(Array.isArray(subscribers) && subscribers.every(isAccount))) {
    throw badRequest('subscribers must be AWS account ids of twelve digits.');
  }
  if (kind === 'source' && fields.entitlementArn != null && fields.protocol != null) {
    throw badRequest('A source that is based on an entitlement takes no protocol.');
  }
  checkEncryption(kind, fields);
}

function isAccount(value: unknown): boolean {
  return typeof value === 'string' && /^\d{12}$/.test(value);
}

function flowOf(call: Call): Flow {
  checkInput(call.operation, call.input);
  return resolveFlow({ ...call, view: 'latest' }, needText(call.input, 'flowArn'));
}

/** Stores changed parts; a flow that runs takes them at once, keys and all. */
function store(call: Call, flow: Flow): void {
  saveFlow(call, flow.activeAt === undefined ? flow : readKeys(call, flow, call.now), call.now);
}

function added(call: Call, kind: PartKind, plural: 'sources' | 'outputs' | 'entitlements') {
  const flow = flowOf(call);
  const given = records(call.input, plural) ?? [];
  if (given.length === 0) throw badRequest(`${plural} must not be empty.`);
  const parts = newParts(call, flow, kind, given);
  store(call, withParts(flow, kind, [...partsOf(flow, kind), ...parts]));
  return { flowArn: flow.arn, [plural]: parts.map(VIEWS[kind]) };
}

function updated(call: Call, kind: PartKind) {
  const flow = flowOf(call);
  const part = resolvePart(flow, kind, needText(call.input, `${kind}Arn`));
  const { flowArn: _flow, [`${kind}Arn`]: _part, ...changes } = call.input;
  if (kind === 'source') entitlementOf(call, changes);
  const field = kind === 'source' ? 'decryption' : 'encryption';
  const encryption = record(changes, field);
  // A change of encryption says only what is different.
  const merged = encryption ? { [field]: { ...record(part.fields, field), ...encryption } } : {};
  const changed: Part = { ...part, fields: { ...part.fields, ...changes, ...merged } };
  checkPart(kind, changed.fields);
  const parts = partsOf(flow, kind).map((other) => (other.arn === part.arn ? changed : other));
  store(call, withParts(flow, kind, parts));
  return { flowArn: flow.arn, [kind]: VIEWS[kind](changed) };
}

function removed(call: Call, kind: PartKind) {
  const flow = flowOf(call);
  const part = resolvePart(flow, kind, needText(call.input, `${kind}Arn`));
  const rest = partsOf(flow, kind).filter((other) => other.arn !== part.arn);
  if (kind === 'source' && rest.length === 0) throw badRequest('The only source of a flow cannot be removed.');
  store(call, withParts(flow, kind, rest));
  call.store.mediaTags.delete(part.arn);
  return { flowArn: flow.arn, [`${kind}Arn`]: part.arn };
}
