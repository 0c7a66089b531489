/** How keys, vaults and regions are called: one form of a name, whatever form Azure gave it in. */
import type { KeyStub } from '../../core/model.ts';
import { BadAnswer } from './ask.ts';

export interface KeyUrl {
  /** Identity of the key: `https://contoso.vault.azure.net/keys/cmk`. */
  readonly resource: string;
  readonly version?: string;
}

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

/**
 * The key and version that an identifier names; undefined where it names none. Host and name are lower-cased and `:443`,
 * which Resource Manager likes to write, is dropped (azure.md 0a.4): other spellings are the same key.
 */
export function parseKeyUrl(text: string | undefined): KeyUrl | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const { protocol, host, pathname } = new URL(text);
  const match = /^\/keys\/([^/]+)(?:\/([^/]+))?\/?$/i.exec(pathname);
  const [, name, version] = match ?? [];
  if (protocol !== 'https:' || name === undefined) return undefined;
  const resource = keyResource(`https://${host}`, name);
  return version === undefined ? { resource } : { resource, version };
}

/** The vault that a key lies in, by the key's identity; a vault is its own. */
export function vaultOf(resource: string): string {
  const end = resource.indexOf('/', 'https://'.length);
  return end < 0 ? resource : resource.slice(0, end);
}

/** `South Central US` and `southcentralus` are one region: lower case without blanks (azure.md 1.2). Undefined where none is told. */
export function regionOf(location: string | undefined): string | undefined {
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
