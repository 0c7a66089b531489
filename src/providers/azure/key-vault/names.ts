/** How keys and vaults are called: one form of a name, whatever form it was given in. */
import type { KeyStub } from '../../../core/model.ts';
import { BadAnswer } from '../ask.ts';

/** Identity of a vault by its URL: no case, no slash, no `:443`. @throws BadAnswer where it is no https URL */
export function vaultResource(url: string | undefined): string {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed?.protocol !== 'https:') throw new BadAnswer('a vault has no URL');
  return `https://${parsed.host}`;
}

/** Identity of a key: names are compared without case. */
export function keyResource(vault: string, name: string): string {
  return `${vault}/keys/${name.toLowerCase()}`;
}

/** The vault that a key lies in. */
export function vaultOf(resource: string): string {
  return resource.slice(0, resource.indexOf('/', 'https://'.length));
}

/** A region as every service of Azure can be compared by: `Central US` is `centralus`. */
export function region(location: string | undefined): string | undefined {
  return location?.toLowerCase().replaceAll(/\s/g, '') || undefined;
}

/** Identity of a key in `vault`. @throws BadAnswer where the answer is about the key of another vault */
export function keyStub(vault: KeyStub, name: string, id: string | undefined): KeyStub {
  if (!id?.startsWith(`${vault.resource}/`) && hostOf(id) !== hostOf(vault.resource))
    throw new BadAnswer('a vault told of the key of another one');
  return {
    resource: keyResource(vault.resource, name),
    kind: 'azure-key',
    name,
    provider: 'azure',
    account: vault.account,
    location: vault.location,
  };
}

function hostOf(url: string | undefined): string | undefined {
  return URL.parse(url ?? '')?.hostname;
}
