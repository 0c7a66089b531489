/** Names as Azure spells them in one place, made comparable with its other places. */

export interface KeyUrl {
  /** Identity of the key: `https://contoso.vault.azure.net/keys/cmk`. */
  readonly resource: string;
  readonly version?: string;
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
  const resource = `https://${host}/keys/${name.toLowerCase()}`;
  return version === undefined ? { resource } : { resource, version };
}

/** The vault that holds a key, as a resource. */
export function vaultOf(key: string): string {
  return URL.canParse(key) ? new URL(key).origin : key;
}

/** `South Central US` and `southcentralus` are one region: lower case without blanks (azure.md 1.2). '' where none is told. */
export function regionOf(location: string | undefined): string {
  return (location ?? '').toLowerCase().replaceAll(/\s/g, '');
}
