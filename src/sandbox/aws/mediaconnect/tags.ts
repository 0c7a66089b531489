import { type Input, needText, record, texts } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { findFlow } from './lookup.ts';
import { checkInput } from './shapes.ts';
import { badRequest, notFound } from './state.ts';

/** Tags of flows, sources, outputs and entitlements. */
export const tagOperations: Operations = { ListTagsForResource, TagResource, UntagResource };

const MAX_TAGS = 50;

/** Adds tags to what an ARN names. */
export function tag(call: Call, arn: string, tags: Input): void {
  const all = { ...call.store.mediaTags.get(arn), ...tags };
  if (Object.keys(all).length > MAX_TAGS) throw badRequest(`A resource can have at most ${MAX_TAGS} tags.`);
  call.store.mediaTags.set(arn, all);
}

function resourceOf(call: Call): string {
  checkInput(call.operation, call.input);
  const arn = needText(call.input, 'resourceArn');
  for (const id of call.store.flows.ids()) {
    const flow = findFlow({ ...call, view: 'latest' }, id);
    if (!flow) continue;
    const parts = [...flow.sources, ...flow.outputs, ...flow.entitlements];
    if (flow.arn === arn || parts.some((part) => part.arn === arn)) return arn;
  }
  throw notFound(`Resource ${arn}`);
}

function ListTagsForResource(call: Call) {
  return { tags: call.store.mediaTags.get(resourceOf(call)) ?? {} };
}

function TagResource(call: Call) {
  tag(call, resourceOf(call), record(call.input, 'tags') ?? {});
  return {};
}

function UntagResource(call: Call) {
  const arn = resourceOf(call);
  const gone = new Set(texts(call.input, 'tagKeys'));
  const left = Object.entries(call.store.mediaTags.get(arn) ?? {}).filter(([key]) => !gone.has(key));
  call.store.mediaTags.set(arn, Object.fromEntries(left));
  return {};
}
