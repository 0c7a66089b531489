/**
 * From what Azure answers about an account to facts. Pure. The account is read by the shape of its fields rather than by
 * its type, so that a successor of Media Services with the same encryption block is understood too (azure.md 1.6).
 */
import { type ConsumerFacts, type ConsumerStub, type KeyUse, STORES } from '../../../core/model.ts';
import { attributes, instant, present } from '../../look.ts';
import { BadAnswer } from '../ask.ts';
import { parseKeyUrl, regionOf } from '../names.ts';
import { matchesStatus } from './pattern.ts';

/** The fields that are read, whatever else there is; the SDK's `MediaService` has them. */
export interface Account {
  readonly id?: string | undefined;
  readonly location?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly systemData?: { readonly createdAt?: Date | undefined } | undefined;
  readonly identity?:
    | {
        readonly type?: string | undefined;
        readonly principalId?: string | undefined;
        readonly userAssignedIdentities?:
          | Readonly<Record<string, { readonly principalId?: string | undefined } | null>>
          | undefined;
      }
    | undefined;
  readonly mediaServiceId?: string | undefined;
  readonly storageAccounts?: readonly { readonly id?: string | undefined }[] | null | undefined;
  readonly encryption?: Encryption | undefined;
  readonly publicNetworkAccess?: string | null | undefined;
  readonly provisioningState?: string | undefined;
}

interface Encryption {
  readonly type?: string | undefined;
  readonly keyVaultProperties?:
    | { readonly keyIdentifier?: string | undefined; readonly currentKeyIdentifier?: string | undefined }
    | undefined;
  readonly identity?:
    | { readonly userAssignedIdentity?: string | undefined; readonly useSystemAssignedIdentity?: boolean | undefined }
    | undefined;
  readonly status?: string | undefined;
}

/** Where an account is: what calls about it need. */
export interface Place {
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
}

/** The parts of an ARM id; undefined where it is none of a resource in a resource group. */
export function placeOf(id: string): Place | undefined {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/[^/]+\/[^/]+\/([^/]+)$/i.exec(id);
  const [, subscription, resourceGroup, name] = match ?? [];
  if (subscription === undefined || resourceGroup === undefined || name === undefined) return undefined;
  return { subscription: subscription.toLowerCase(), resourceGroup, name };
}

/** Identity of a listed account. @throws BadAnswer where it has none */
export function stubOf(account: Account): ConsumerStub {
  const { id = '', location } = account;
  const place = placeOf(id);
  if (!place) throw new BadAnswer('an account has no resource id');
  return {
    resource: id,
    kind: 'media-services-account',
    // The name beside the id may be another one (recorded); commands take the id's.
    name: place.name,
    provider: 'azure',
    account: place.subscription,
    location: regionOf(location) ?? '',
  };
}

/**
 * Facts of one account.
 * @param stub the account that was asked for
 * @param inaccessible matches a status that says that the key cannot be used
 * @throws BadAnswer where the answer is about another account or about none
 */
export function accountFacts(account: Account, stub: ConsumerStub, inaccessible: RegExp): ConsumerFacts {
  const told = stubOf(account);
  if (told.resource.toLowerCase() !== stub.resource.toLowerCase())
    throw new BadAnswer('the answer is about another account');
  const { encryption } = account;
  const type = encryptionOf(encryption);
  const status = encryption?.status || undefined;
  const createdAt = instant(account.systemData?.createdAt);
  return {
    ...told,
    resource: stub.resource,
    tags: account.tags ?? {},
    uses: [...(type === 'CustomerKey' ? keyUses(encryption) : []), ...storageUses(account)],
    ...present({ state: status, createdAt }),
    attributes: attributes({
      encryption: type,
      keyIdentifier: encryption?.keyVaultProperties?.keyIdentifier || undefined,
      currentKeyIdentifier: encryption?.keyVaultProperties?.currentKeyIdentifier || undefined,
      ...identityOf(account),
      provisioningState: account.provisioningState,
      publicNetworkAccess: account.publicNetworkAccess ?? undefined,
      mediaServiceId: account.mediaServiceId,
      // Rules know no configuration: the pattern has to be applied here.
      statusInaccessible: status === undefined ? undefined : matchesStatus(inaccessible, status),
    }),
  };
}

/** Absent where Azure says nothing, or a word that nobody knows yet: that is unknown, never a key of Microsoft. */
function encryptionOf(encryption: Encryption | undefined): 'SystemKey' | 'CustomerKey' | undefined {
  const type = encryption?.type?.toLowerCase();
  if (type === 'systemkey') return 'SystemKey';
  return type === 'customerkey' ? 'CustomerKey' : undefined;
}

/**
 * The key that wraps the account key now, and the one that is configured: the same key but for the moment between a
 * change of the key and its adoption, when both are needed.
 */
function keyUses(encryption: Encryption | undefined): readonly KeyUse[] {
  const { keyIdentifier, currentKeyIdentifier } = encryption?.keyVaultProperties ?? {};
  const configured = parseKeyUrl(keyIdentifier);
  const current = parseKeyUrl(currentKeyIdentifier);
  const role = 'encrypts';
  const uses: KeyUse[] = [];
  if (current && current.resource !== configured?.resource)
    uses.push({ resource: current.resource, ...present({ versionInUse: current.version }), role });
  if (configured) {
    const same = current?.resource === configured.resource ? current.version : undefined;
    const adopted = same ?? (current ? undefined : configured.version);
    const pinned = configured.version !== undefined;
    uses.push({ resource: configured.resource, ...present({ versionInUse: adopted }), pinned, role });
  }
  return uses;
}

function storageUses({ storageAccounts }: Account): readonly KeyUse[] {
  const ids = new Set((storageAccounts ?? []).flatMap(({ id }) => id || []));
  return [...ids].sort().map((resource) => ({ resource, role: STORES }));
}

/**
 * The identity that reaches for the key, and its object id where the answer holds that. An account from before user
 * assigned identities does not say which: it has only the one of its own.
 */
function identityOf({ identity, encryption }: Account): { identity?: string; principal?: string } {
  if (encryptionOf(encryption) !== 'CustomerKey') return {};
  const named = encryption?.identity?.userAssignedIdentity;
  if (named) {
    const entry = Object.entries(identity?.userAssignedIdentities ?? {}).find(
      ([id]) => id.toLowerCase() === named.toLowerCase(),
    );
    return present({ identity: named, principal: entry?.[1]?.principalId });
  }
  const system = encryption?.identity?.useSystemAssignedIdentity ?? /systemassigned/i.test(identity?.type ?? '');
  return system ? present({ identity: 'system', principal: identity?.principalId }) : {};
}
