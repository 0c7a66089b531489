import type { Answer } from './wire.ts';

/** One exchange of a recording, as far as it is compared. */
export type Exchange = {
  readonly request: { readonly operation: string; readonly step?: string };
  readonly response: { readonly status: number; readonly body: unknown };
};

type Fields = ReadonlyMap<string, unknown>;

/** Fields whose values say the same for every account, key and secret: these must be equal, not only present. */
const TELLING = new Set([
  'AliasCount',
  'CurrentKeyMaterialId',
  'CustomerMasterKeySpec',
  'Enabled',
  'EncryptionAlgorithm',
  'encryptionKey',
  'ExpirationModel',
  'KeyManager',
  'KeyMaterialState',
  'KeyRotationEnabled',
  'KeySpec',
  'KeyState',
  'KeyUsage',
  'KmsKeyIds',
  'MultiRegion',
  'MultiRegionKeyType',
  'Origin',
  'RotationEnabled',
  'RotationPeriodInDays',
  'RotationType',
  'Status',
  'StatusMessage',
  'Truncated',
  'VersionStages',
]);
/** Of these only part of the values is the same everywhere. */
const WORDS: Readonly<Record<string, (value: unknown) => unknown>> = {
  AliasCount: () => 'a number',
  CurrentKeyMaterialId: (value) => typeof value,
  encryptionKey: (value) => String(value).replace(/:\d{12}:/, ':ACCOUNT:'),
  KmsKeyIds: (value) => (String(value).startsWith('arn:') ? ['a key ARN'] : value),
};
/** Objects whose keys are data. */
const MAPS = new Set(['VersionIdsToStages', 'SecretVersionsToStages']);

/**
 * Every way in which `actual` is not what was recorded, in words that name the field. `wire`: the recording is the bytes of
 * the wire, so that types count too; what an SDK parsed has dates as text.
 */
export function differences(recorded: Exchange['response'], actual: Answer, wire: boolean): readonly string[] {
  const found: string[] = [];
  if (recorded.status !== actual.status) found.push(`status ${actual.status} instead of ${recorded.status}`);
  if (recorded.status >= 400) return [...found, ...errorDifferences(recorded.body, actual.body)];
  const wanted = fieldsOf(recorded.body, wire);
  const got = fieldsOf(actual.body, wire);
  for (const name of wanted.keys()) if (!got.has(name)) found.push(`lacks ${name}`);
  for (const name of got.keys()) if (!wanted.has(name)) found.push(`invents ${name}`);
  for (const [name, value] of wanted) {
    if (!got.has(name) || value === undefined) continue;
    const [one, other] = [JSON.stringify(value), JSON.stringify(got.get(name))];
    if (one !== other) found.push(`${name} is ${other} instead of ${one}`);
  }
  return found;
}

function errorDifferences(recorded: unknown, actual: unknown): readonly string[] {
  const [wanted, got] = [errorOf(recorded), errorOf(actual)];
  const found: string[] = [];
  if (wanted.code !== got.code) found.push(`code ${got.code} instead of ${wanted.code}`);
  if (wanted.message !== got.message) found.push(`message "${got.message}" instead of "${wanted.message}"`);
  return found;
}

type Parsed = { readonly Error?: { readonly Code: string; readonly Message?: string } };
type Wire = { readonly __type: string; readonly Message?: string; readonly message?: string };

function errorOf(body: unknown): { readonly code: string; readonly message: string } {
  const parsed = (body as Parsed).Error;
  if (parsed) return { code: parsed.Code, message: plain(parsed.Message ?? '') };
  const { __type, Message, message } = body as Wire;
  return { code: __type, message: plain(Message ?? message ?? '') };
}

/** A text without what differs between any two accounts. */
function plain(message: string): string {
  return message
    .replaceAll(/arn:[^\s']*[^\s'.]/g, 'X')
    .replaceAll(/<[a-z-]+(:\d+)?>/g, 'X')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'X')
    .replace(/^Invalid arn .*/, 'Invalid arn X');
}

/** Field paths with the values of the telling ones. Lists are one item deep: `Versions[0].VersionId`. */
function fieldsOf(body: unknown, wire: boolean): Fields {
  const fields = new Map<string, unknown>();
  walk(body, '', wire, fields);
  return fields;
}

function walk(value: unknown, at: string, wire: boolean, fields: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    const path = at === '' ? name : `${at}.${name}`;
    const words = WORDS[name] ?? ((same: unknown) => same);
    const rest = wire ? `a ${typeof child}` : undefined;
    fields.set(path, TELLING.has(name) ? words(child) : rest);
    if (MAPS.has(name)) fields.set(path, Object.values(child as object).toSorted());
    else if (Array.isArray(child)) walkList(name, child, path, wire, fields);
    // Policies are JSON in JSON; some recordings were unpacked.
    else if (!name.endsWith('Policy')) walk(child, path, wire, fields);
  }
}

function walkList(
  name: string,
  items: readonly unknown[],
  path: string,
  wire: boolean,
  fields: Map<string, unknown>,
): void {
  for (const [index, item] of items.entries()) {
    // A list of everything that an account has cannot be compared one by one.
    walk(item, name === 'Aliases' ? `${path}[]` : `${path}[${index}]`, wire, fields);
  }
}
