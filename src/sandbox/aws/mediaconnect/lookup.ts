import type { Call } from '../world.ts';
import { readKeys } from './keys.ts';
import { type Flow, forbidden, notFound, type Part, type PartKind, partsOf, saveFlow } from './state.ts';

/** The flow of the caller that an ARN names, as `call.view` sees it; undefined when there is none, or it is gone. */
export function findFlow(call: Call, arn: string): Flow | undefined {
  const flow = call.store.flows.get(arn, call.view);
  if (!flow || (flow.change?.to === 'gone' && flow.change.at <= call.now)) return undefined;
  return call.view === 'latest' ? settle(call, flow) : flow;
}

/** What time alone changes: the end of a start or a stop, and the keys that an ACTIVE flow reads again. */
function settle(call: Call, flow: Flow): Flow {
  let settled = flow;
  const { change } = flow;
  if (change && change.to !== 'gone' && change.at <= call.now) {
    const activeAt = change.to === 'ACTIVE' ? change.at : undefined;
    const began: Flow = { ...flow, status: change.to, change: undefined, activeAt };
    settled = saveFlow(call, activeAt === undefined ? began : readKeys(call, began, activeAt), change.at);
  }
  const due = refreshedAt(call, settled);
  if (due === undefined || due <= settled.keysReadAt) return settled;
  const read = readKeys(call, settled, due);
  if (sameTroubles(read, settled)) call.store.flows.amend(read.arn, read);
  else saveFlow(call, read, call.now);
  return read;
}

/** The last moment, up to now, at which a period of the flow's refresh ended. */
function refreshedAt(call: Call, { activeAt }: Flow): number | undefined {
  if (activeAt === undefined) return undefined;
  const period = Math.max(1, call.world.settings.keyRefreshMs);
  return activeAt + Math.floor((call.now - activeAt) / period) * period;
}

function sameTroubles(one: Flow, other: Flow): boolean {
  return JSON.stringify(one.troubles) === JSON.stringify(other.troubles);
}

/** The flow that an ARN names; throws what MediaConnect answers when there is none or it is not the caller's. */
export function resolveFlow(call: Call, arn: string): Flow {
  const [, , , region, account] = arn.split(':');
  if (account !== call.account) throw forbidden(`You do not have permission to access ${arn}.`);
  const flow = region === call.region ? findFlow(call, arn) : undefined;
  if (flow) return flow;
  throw notFound(`Flow ${arn}`);
}

/** The part of a flow that an ARN names; throws NotFoundException. */
export function resolvePart(flow: Flow, kind: PartKind, arn: string): Part {
  const part = partsOf(flow, kind).find((candidate) => candidate.arn === arn);
  if (part) return part;
  throw notFound(`${kind} ${arn}`);
}

/** An entitlement of any account, in the caller's region, when it is granted to the caller's account. */
export function findGranted(call: Call, arn: string): Part | undefined {
  return grantedTo(call).find((entitlement) => entitlement.arn === arn);
}

/** Every entitlement that other accounts (or this one) granted to the caller's account, in the caller's region. */
export function grantedTo(call: Call): readonly Part[] {
  return call.world.storesOf(call.region).flatMap((store) => {
    const theirs: Call = { ...call, store, account: store.account };
    const flows = [...store.flows.ids()].map((arn) => findFlow(theirs, arn)).filter((flow) => flow !== undefined);
    const entitlements = flows.flatMap((flow) => flow.entitlements);
    return entitlements.filter(({ fields }) => (fields.subscribers as readonly unknown[]).includes(call.account));
  });
}
