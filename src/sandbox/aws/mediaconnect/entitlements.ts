import { text, whole } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { grantedTo } from './lookup.ts';
import { checkInput } from './shapes.ts';
import { badRequest } from './state.ts';

/** Entitlements as their subscriber sees them. */
export const entitlementOperations: Operations = { ListEntitlements };

const DEFAULT_PAGE = 20;

function ListEntitlements(call: Call) {
  checkInput('ListEntitlements', call.input);
  const { input } = call;
  const size = whole(input, 'maxResults', 1, 1_000) ?? DEFAULT_PAGE;
  const owner = `${call.account}/${call.region}/mediaconnect/ListEntitlements`;
  const granted = grantedTo(call);
  const all = () => granted.map((entitlement) => entitlement.arn);
  const page = call.world.pages.page(owner, all, size, text(input, 'nextToken'), call.paging);
  if (!page) throw badRequest('The nextToken is not valid.');
  const entitlements = page.ids.map((arn) => granted.find((entitlement) => entitlement.arn === arn));
  return {
    entitlements: entitlements
      .filter((entitlement) => entitlement !== undefined)
      .map(({ arn, name, fields }) => ({
        entitlementArn: arn,
        entitlementName: name,
        dataTransferSubscriberFeePercent: fields.dataTransferSubscriberFeePercent ?? 0,
      })),
    nextToken: page.next,
  };
}
