import { cryptoHandlers } from './crypto.ts';
import { VaultError } from './errors.ts';
import { readHandlers } from './read.ts';
import type { VaultKeys } from './state.ts';
import { checkName } from './versions.ts';
import type { VaultHandler, VaultRequest } from './wire.ts';
import { writeHandlers } from './write.ts';

/** What a request asks of a vault's keys. */
export type VaultRoute = {
  /** As the REST specification calls it. */
  readonly operation: VaultOperation;
  /** In the words of access policies, lower case. */
  readonly permission: string;
  /** As the path spells it. */
  readonly name?: string;
  readonly version?: string;
};

const PERMISSIONS = {
  GetKey: 'get',
  GetKeys: 'list',
  GetKeyVersions: 'list',
  CreateKey: 'create',
  ImportKey: 'import',
  UpdateKey: 'update',
  DeleteKey: 'delete',
  RotateKey: 'rotate',
  GetKeyRotationPolicy: 'getrotationpolicy',
  UpdateKeyRotationPolicy: 'setrotationpolicy',
  BackupKey: 'backup',
  RestoreKey: 'restore',
  GetDeletedKeys: 'list',
  GetDeletedKey: 'get',
  RecoverDeletedKey: 'recover',
  PurgeDeletedKey: 'purge',
  wrapKey: 'wrapkey',
  unwrapKey: 'unwrapkey',
  encrypt: 'encrypt',
  decrypt: 'decrypt',
  sign: 'sign',
  verify: 'verify',
} as const;

/** The operations that the sandbox imitates, by their names in the REST specification. */
export type VaultOperation = keyof typeof PERMISSIONS;

/** Operations with a key itself, by the last part of their path, in lower case. */
const USES: Readonly<Record<string, VaultOperation>> = {
  wrapkey: 'wrapKey',
  unwrapkey: 'unwrapKey',
  encrypt: 'encrypt',
  decrypt: 'decrypt',
  sign: 'sign',
  verify: 'verify',
};

/** By method and the part after the key's name. */
const OF_KEY: Readonly<Record<string, VaultOperation>> = {
  'GET ': 'GetKey',
  'PUT ': 'ImportKey',
  'PATCH ': 'UpdateKey',
  'DELETE ': 'DeleteKey',
  'GET versions': 'GetKeyVersions',
  'POST create': 'CreateKey',
  'POST rotate': 'RotateKey',
  'POST backup': 'BackupKey',
  'GET rotationpolicy': 'GetKeyRotationPolicy',
  'PUT rotationpolicy': 'UpdateKeyRotationPolicy',
};

const OF_DELETED_KEY: Readonly<Record<string, VaultOperation>> = {
  'GET ': 'GetDeletedKey',
  'DELETE ': 'PurgeDeletedKey',
  'POST recover': 'RecoverDeletedKey',
};

/**
 * The operation that a method and a path (without its query) name, or undefined when there is none. Takes the path as
 * clients send it: with a slash at the end, with an empty version, `wrapkey` and `wrapKey`.
 */
export function routeOf(method: string, pathname: string): VaultRoute | undefined {
  const [collection, name, ...rest] = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  const verb = method.toUpperCase();
  if (collection?.toLowerCase() === 'deletedkeys') return deletedRoute(verb, name, rest);
  if (collection?.toLowerCase() !== 'keys') return undefined;
  if (name === undefined) return verb === 'GET' ? route('GetKeys') : undefined;
  if (verb === 'POST' && rest.length === 0) return name.toLowerCase() === 'restore' ? route('RestoreKey') : undefined;
  const last = rest.at(-1)?.toLowerCase() ?? '';
  const use = verb === 'POST' && rest.length <= 2 ? own(USES, last) : undefined;
  if (use) return route(use, name, rest.length === 2 ? rest[0] : undefined);
  if (rest.length > 1) return undefined;
  const operation = own(OF_KEY, `${verb} ${last}`);
  if (operation) return route(operation, name);
  if (verb === 'GET') return route('GetKey', name, rest[0]);
  return verb === 'PATCH' ? route('UpdateKey', name, rest[0]) : undefined;
}

function deletedRoute(verb: string, name: string | undefined, rest: readonly string[]): VaultRoute | undefined {
  if (name === undefined) return verb === 'GET' ? route('GetDeletedKeys') : undefined;
  if (rest.length > 1) return undefined;
  const operation = own(OF_DELETED_KEY, `${verb} ${rest[0]?.toLowerCase() ?? ''}`);
  return operation && route(operation, name);
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function route(operation: VaultOperation, name?: string, version?: string): VaultRoute {
  return {
    operation,
    permission: PERMISSIONS[operation],
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

type Handlers = Readonly<Record<VaultOperation, VaultHandler>>;

const HANDLERS: Handlers = { ...readHandlers, ...writeHandlers, ...cryptoHandlers };

/** Answers one request to the keys of a vault, errors included. Rights were judged before. */
export function answerKeys(
  keys: VaultKeys,
  route: VaultRoute,
  request: VaultRequest,
): { readonly status: number; readonly body: unknown } {
  try {
    if (route.name !== undefined) checkName(route.name);
    const body = HANDLERS[route.operation]({ keys, name: route.name ?? '', version: route.version, request });
    return { status: body === undefined ? 204 : 200, body };
  } catch (error) {
    if (error instanceof VaultError) return { status: error.status, body: error.body };
    throw error;
  }
}
