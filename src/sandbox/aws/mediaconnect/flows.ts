import { AwsError } from '../errors.ts';
import { isRecord, needText, record, records, text, whole } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { findFlow, resolveFlow } from './lookup.ts';
import { newParts } from './parts.ts';
import { checkInput } from './shapes.ts';
import { badRequest, type Flow, mediaArn, newId, saveFlow, statusOf } from './state.ts';
import { tag } from './tags.ts';
import { flowView, listedFlow } from './views.ts';

/** Flows as a whole. */
export const flowOperations: Operations = { CreateFlow, DescribeFlow, ListFlows, StartFlow, StopFlow, DeleteFlow };

const SETTINGS = [
  ...['mediaStreams', 'sourceFailoverConfig', 'vpcInterfaces', 'maintenance', 'sourceMonitoringConfig', 'flowSize'],
  ...['ndiConfig', 'encodingConfig'],
];
/** Flows that an account may have in a region unless AWS raised it. The owner of the sandbox may have any number. */
const MAX_FLOWS = 20;
const DEFAULT_PAGE = 10;

function CreateFlow(call: Call) {
  checkInput('CreateFlow', call.input);
  const { input, world } = call;
  const single = record(input, 'source');
  const several = records(input, 'sources') ?? [];
  if (single && several.length > 0) throw badRequest('Specify either source or sources, not both.');
  const sources = single ? [single] : several;
  if (sources.length === 0 && input.ndiConfig == null) throw badRequest('A flow needs a source.');
  if (call.caller && liveFlows(call).length >= MAX_FLOWS) {
    const message = `Your account already has ${MAX_FLOWS} flows in this AWS Region.`;
    throw new AwsError('CreateFlow420Exception', message, 'message', 420);
  }
  const id = newId(call);
  const name = needText(input, 'name');
  const empty: Flow = {
    arn: mediaArn(call, 'flow', id, name),
    name,
    account: call.account,
    region: call.region,
    availabilityZone: text(input, 'availabilityZone') ?? `${call.region}a`,
    egressIp: `203.0.113.${1 + Math.floor(world.random.next() * 254)}`,
    status: 'STANDBY',
    change: undefined,
    activeAt: undefined,
    keysReadAt: call.now,
    troubles: [],
    said: [],
    forcedStatus: undefined,
    sources: [],
    outputs: [],
    entitlements: [],
    settings: Object.fromEntries(
      SETTINGS.filter((setting) => input[setting] != null).map((setting) => [setting, input[setting]]),
    ),
  };
  const sourced: Flow = { ...empty, sources: newParts(call, empty, 'source', sources, id) };
  const flow: Flow = {
    ...sourced,
    outputs: newParts(call, sourced, 'output', records(input, 'outputs') ?? []),
    entitlements: newParts(call, sourced, 'entitlement', records(input, 'entitlements') ?? []),
  };
  if (isRecord(input.flowTags)) tag(call, flow.arn, input.flowTags);
  return { flow: flowView(saveFlow(call, flow, call.now)) };
}

function DescribeFlow(call: Call) {
  checkInput('DescribeFlow', call.input);
  const flow = resolveFlow(call, needText(call.input, 'flowArn'));
  const errors = [...flow.troubles.map((trouble) => trouble.message), ...flow.said];
  // AWS leaves the field out when there is nothing to tell.
  return { flow: flowView(shown(call, flow)), ...(errors.length > 0 && { messages: { errors } }) };
}

function shown(call: Call, flow: Flow): Flow {
  if (call.world.settings.takenOff === 'listed') return flow;
  const gone = new Set(flow.troubles.map((trouble) => trouble.part));
  return { ...flow, outputs: flow.outputs.filter((output) => !gone.has(output.arn)) };
}

function liveFlows(call: Call): readonly Flow[] {
  return [...call.store.flows.ids()].map((arn) => findFlow(call, arn)).filter((flow) => flow !== undefined);
}

function ListFlows(call: Call) {
  checkInput('ListFlows', call.input);
  const { input } = call;
  const size = whole(input, 'maxResults', 1, 1_000) ?? DEFAULT_PAGE;
  const owner = `${call.account}/${call.region}/mediaconnect/ListFlows`;
  const all = () => liveFlows(call).map((flow) => flow.arn);
  const page = call.world.pages.page(owner, all, size, text(input, 'nextToken'), call.paging);
  if (!page) throw badRequest('The nextToken is not valid.');
  const flows = page.ids.map((arn) => findFlow(call, arn)).filter((flow) => flow !== undefined);
  return { flows: flows.map(listedFlow), nextToken: page.next };
}

function changed(call: Call, from: string, during: string, to: 'ACTIVE' | 'STANDBY' | 'gone') {
  checkInput(call.operation, call.input);
  const flow = resolveFlow({ ...call, view: 'latest' }, needText(call.input, 'flowArn'));
  if (statusOf(flow) !== from) {
    throw badRequest(`The flow must be in status ${from} for ${call.operation}, it is ${statusOf(flow)}.`);
  }
  const change = { to, at: call.now + call.world.settings.flowChangeMs };
  // What was wrong with its keys ends with the run: a flow that does not run shows nothing.
  const begun: Flow = { ...flow, status: during, change, activeAt: undefined, troubles: [] };
  saveFlow(call, begun, call.now);
  return { flowArn: flow.arn, status: during };
}

function StartFlow(call: Call) {
  return changed(call, 'STANDBY', 'STARTING', 'ACTIVE');
}

function StopFlow(call: Call) {
  return changed(call, 'ACTIVE', 'STOPPING', 'STANDBY');
}

function DeleteFlow(call: Call) {
  return changed(call, 'STANDBY', 'DELETING', 'gone');
}
