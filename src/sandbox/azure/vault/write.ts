import { exported, importedMaterial, restored } from './backup.ts';
import { keyOf, viewerOf } from './read.ts';
import { type PolicyTrigger, policyView, type RotationPolicyInput } from './rotation.ts';
import { isKeyType, type KeyChange, type NewKey, newestOf } from './versions.ts';
import { bundle, deletedBundle } from './views.ts';
import {
  bodyOf,
  bytesIn,
  flagIn,
  invalid,
  objectIn,
  objectOf,
  textIn,
  textsIn,
  type VaultCall,
  wholeIn,
} from './wire.ts';

type Input = Readonly<Record<string, unknown>>;

/** Making, changing, removing and bringing back keys. */
export const writeHandlers = {
  CreateKey,
  ImportKey,
  UpdateKey,
  RotateKey: (call: VaultCall) => {
    const version = call.keys.rotate(call.name);
    return bundle(keyOf(call), version, viewerOf(call));
  },
  DeleteKey,
  RecoverDeletedKey,
  PurgeDeletedKey: (call: VaultCall) => {
    call.keys.purge(call.name);
    return undefined;
  },
  UpdateKeyRotationPolicy,
  BackupKey: (call: VaultCall) => ({ value: exported(keyOf(call)) }),
  RestoreKey,
};

function CreateKey(call: VaultCall) {
  const body = bodyOf(call.request);
  const kty = textIn(body, 'kty');
  if (!isKeyType(kty)) throw invalid('kty');
  return created(call, {
    ...common(body),
    ...given('operations', textsIn(body, 'key_ops')),
    ...given('size', wholeIn(body, 'key_size')),
    ...given('curve', textIn(body, 'crv')),
    kty,
  });
}

function ImportKey(call: VaultCall) {
  const body = bodyOf(call.request);
  const jwk = objectOf(body.key, 'key');
  const hsm = flagIn(body, 'Hsm') === true || call.keys.settings.hsm;
  return created(call, {
    ...common(body),
    ...given('operations', textsIn(jwk, 'key_ops')),
    ...importedMaterial(jwk, hsm),
  });
}

function created(call: VaultCall, options: NewKey) {
  const version = call.keys.create(call.name, options);
  return bundle(keyOf(call), version, viewerOf(call));
}

function UpdateKey(call: VaultCall) {
  const body = bodyOf(call.request);
  const change: KeyChange = { ...common(body), ...given('operations', textsIn(body, 'key_ops')) };
  const version = call.keys.update(call.name, call.version, change);
  return bundle(keyOf(call), version, viewerOf(call));
}

/** Attributes and tags, which creating, importing and updating share. */
function common(body: Input) {
  const attributes = objectIn(body, 'attributes');
  return {
    ...given('enabled', flagIn(attributes, 'enabled')),
    ...given('notBefore', instant(attributes, 'nbf')),
    ...given('expires', instant(attributes, 'exp')),
    ...given('tags', tagsIn(body)),
  };
}

function instant(attributes: Input, name: string): number | undefined {
  const seconds = wholeIn(attributes, name);
  return seconds === undefined ? undefined : seconds * 1000;
}

function tagsIn(body: Input): Record<string, string> | undefined {
  if (body.tags === undefined || body.tags === null) return undefined;
  const tags = Object.entries(objectOf(body.tags, 'tags')).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw invalid('tags');
    return [name, value];
  });
  // A tag may be called __proto__.
  return Object.fromEntries(tags);
}

function given<Name extends string, T>(name: Name, value: T | undefined): { readonly [Key in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]: T });
}

function DeleteKey(call: VaultCall) {
  const { softDelete, hsm } = call.keys.settings;
  const deleted = call.keys.delete(call.name);
  if (softDelete || hsm) return deletedBundle(deleted, viewerOf(call));
  return bundle(deleted.key, newestOf(deleted.key), viewerOf(call));
}

function RecoverDeletedKey(call: VaultCall) {
  const key = call.keys.recover(call.name);
  return bundle(key, newestOf(key), viewerOf(call));
}

function UpdateKeyRotationPolicy(call: VaultCall) {
  const body = bodyOf(call.request);
  const expiryTime = textIn(objectIn(body, 'attributes'), 'expiryTime');
  const input: RotationPolicyInput = {
    actions: listIn(body, 'lifetimeActions').map(actionOf),
    ...given('expiryTime', expiryTime),
  };
  const policy = call.keys.setRotationPolicy(call.name, input);
  return policyView(policy, `${call.request.base}/keys/${keyOf(call).name}/rotationpolicy`, call.keys.settings.hsm);
}

function listIn(body: Input, name: string): readonly unknown[] {
  const list = body[name] ?? [];
  if (!Array.isArray(list)) throw invalid(name);
  return list;
}

function actionOf(value: unknown): RotationPolicyInput['actions'][number] {
  const action = objectOf(value, 'lifetimeActions');
  const type = textIn(objectIn(action, 'action'), 'type')?.toLowerCase();
  if (type !== 'rotate' && type !== 'notify') throw invalid('type');
  return { type: type === 'rotate' ? 'Rotate' : 'Notify', trigger: triggerOf(objectIn(action, 'trigger')) };
}

function triggerOf(trigger: Input): PolicyTrigger {
  const timeAfterCreate = textIn(trigger, 'timeAfterCreate');
  const timeBeforeExpiry = textIn(trigger, 'timeBeforeExpiry');
  if (timeAfterCreate !== undefined && timeBeforeExpiry === undefined) return { timeAfterCreate };
  if (timeBeforeExpiry !== undefined && timeAfterCreate === undefined) return { timeBeforeExpiry };
  throw invalid('trigger');
}

function RestoreKey(call: VaultCall) {
  const key = call.keys.restore(restored(bytesIn(bodyOf(call.request), 'value')));
  return bundle(key, newestOf(key), viewerOf(call));
}
