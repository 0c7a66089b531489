import { type Input, needText, record, records, text, whole } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { badRequest, checkInput } from './shapes.ts';
import { type Flow, mediaArn, newId, type Part, type PartKind, resolveFlow } from './state.ts';
import { flowView, listedFlow } from './views.ts';

/** Flows as a whole. */
export const flowOperations: Operations = { CreateFlow, DescribeFlow, ListFlows };

const SETTINGS = [
  ...['mediaStreams', 'sourceFailoverConfig', 'vpcInterfaces', 'maintenance', 'sourceMonitoringConfig', 'flowSize'],
  ...['ndiConfig', 'encodingConfig'],
];

/** A part of a flow as it is stored. A part without a name gets one, as outputs and entitlements may. */
export function newPart(call: Call, kind: PartKind, fields: Input, id: string): Part {
  const name = text(fields, 'name') || `${kind}-${call.world.random.hex(6)}`;
  return { arn: mediaArn(call, kind, id, name), name, fields };
}

function CreateFlow(call: Call) {
  checkInput('CreateFlow', call.input);
  const { input, world } = call;
  const single = record(input, 'source');
  const several = records(input, 'sources') ?? [];
  if (single && several.length > 0) throw badRequest('Specify either source or sources, not both');
  const sources = single ? [single] : several;
  if (sources.length === 0) throw badRequest('A flow needs a source');
  const id = newId(call);
  const name = needText(input, 'name');
  const flow: Flow = {
    arn: mediaArn(call, 'flow', id, name),
    id,
    name,
    account: call.account,
    region: call.region,
    availabilityZone: text(input, 'availabilityZone') ?? `${call.region}a`,
    egressIp: `203.0.113.${1 + Math.floor(world.random.next() * 254)}`,
    createdAt: call.now,
    status: 'STANDBY',
    sources: sources.map((fields) => newPart(call, 'source', fields, id)),
    outputs: (records(input, 'outputs') ?? []).map((fields) => newPart(call, 'output', fields, newId(call))),
    entitlements: (records(input, 'entitlements') ?? []).map((fields) =>
      newPart(call, 'entitlement', fields, newId(call)),
    ),
    settings: Object.fromEntries(
      SETTINGS.filter((setting) => input[setting] != null).map((setting) => [setting, input[setting]]),
    ),
  };
  call.store.flows.put(flow.arn, flow, call.now);
  return { flow: flowView(flow) };
}

function DescribeFlow(call: Call) {
  checkInput('DescribeFlow', call.input);
  return { flow: flowView(resolveFlow(call, needText(call.input, 'flowArn'))) };
}

function ListFlows(call: Call) {
  checkInput('ListFlows', call.input);
  const { input, store } = call;
  const size = whole(input, 'maxResults', 1, 1_000) ?? 10;
  const owner = `${call.account}/${call.region}/mediaconnect/ListFlows`;
  const all = () => [...store.flows.ids()].filter((arn) => store.flows.get(arn, call.view));
  const page = call.world.pages.page(owner, all, size, text(input, 'nextToken'), call.paging);
  if (!page) throw badRequest('Invalid nextToken');
  const flows = page.ids.map((arn) => store.flows.get(arn, call.view)).filter((flow) => flow !== undefined);
  return { flows: flows.map(listedFlow), nextToken: page.next };
}
