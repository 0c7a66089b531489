/** The data plane: what vaults and managed HSMs answer of themselves. */

import { createDefaultHttpClient, createEmptyPipeline, createPipelineRequest } from '@azure/core-rest-pipeline';
import {
  type DeletedKey,
  KeyClient,
  type KeyProperties,
  type KeyRotationPolicy,
  type KeyVaultKey,
} from '@azure/keyvault-keys';
import type { KeyStub } from '../../../core/model.ts';
import type { CallContext } from '../../provider.ts';
import { type Answer, ask, askPages } from '../ask.ts';
import { regionOf, vaultOf } from '../names.ts';
import type { ServiceEnv } from '../service.ts';

/** What somebody without any right learns at the door of a vault. */
export interface Door {
  /** A Key Vault answered, whatever it answered. */
  readonly answers: boolean;
  /** Normalised. */
  readonly region?: string;
}

export interface Plane {
  keys(vault: string, context: CallContext): AsyncGenerator<Answer<readonly KeyProperties[]>, void>;
  deletedKeys(vault: string, context: CallContext): AsyncGenerator<Answer<readonly DeletedKey[]>, void>;
  versions(key: KeyStub, context: CallContext): Promise<readonly KeyProperties[]>;
  key(key: KeyStub, context: CallContext): Promise<Answer<KeyVaultKey>>;
  deletedKey(key: KeyStub, context: CallContext): Promise<Answer<DeletedKey>>;
  policy(key: KeyStub, context: CallContext): Promise<Answer<KeyRotationPolicy>>;
  /** The cheapest question that needs the monitor's rights. */
  probe(vault: string, context: CallContext): Promise<Answer<unknown>>;
  /** One request without a token: it asks nothing but whether there is a vault (azure.md 0.8). */
  knock(vault: string, context: CallContext): Promise<Door>;
  /** Drops the clients of all other vaults. */
  retain(isThere: (vault: string) => boolean): void;
}

/** Any that every Key Vault knows: nobody gets beyond the door anyway. */
const DOOR_VERSION = '7.4';

/** Every call throws `CallFailed`; listings also `BadAnswer`. */
export function dataPlane(env: ServiceEnv): Plane {
  const clients = new Map<string, KeyClient>();
  const http = createDefaultHttpClient();
  const bare = createEmptyPipeline();
  for (const { policy } of env.client.additionalPolicies) bare.addPolicy(policy);

  /** One client for each vault: a new one is challenged anew (azure.md 3.1). */
  function clientOf(vault: string): KeyClient {
    const found = clients.get(vault);
    if (found) return found;
    // The SDK writes into the options that it is given.
    const made = new KeyClient(vault, env.credential, { ...env.client });
    clients.set(vault, made);
    return made;
  }
  const forKey = ({ resource }: KeyStub) => clientOf(vaultOf(resource));

  return {
    keys: (vault, context) =>
      askPages(context, 'ListKeys', (options) => clientOf(vault).listPropertiesOfKeys({ ...options })),
    deletedKeys: (vault, context) =>
      askPages(context, 'ListDeletedKeys', (options) => clientOf(vault).listDeletedKeys({ ...options })),
    async versions(key, context) {
      const versions: KeyProperties[] = [];
      const pages = askPages(context, 'ListKeyVersions', (options) =>
        forKey(key).listPropertiesOfKeyVersions(key.name, { ...options }),
      );
      for await (const { value } of pages) versions.push(...value);
      return versions;
    },
    key: (key, context) => ask(context, 'GetKey', (options) => forKey(key).getKey(key.name, { ...options })),
    deletedKey: (key, context) =>
      ask(context, 'GetDeletedKey', (options) => forKey(key).getDeletedKey(key.name, { ...options })),
    policy: (key, context) =>
      ask(context, 'GetKeyRotationPolicy', (options) => forKey(key).getKeyRotationPolicy(key.name, { ...options })),
    probe: (vault, context) =>
      ask(context, 'ListKeys', (options) =>
        clientOf(vault)
          .listPropertiesOfKeys({ ...options })
          .byPage({ maxPageSize: 1 })
          .next(),
      ),
    async knock(vault, context) {
      const url = `${vault}/keys?api-version=${DOOR_VERSION}&maxresults=1`;
      const { value } = await ask(context, 'Knock', ({ abortSignal }) =>
        bare.sendRequest(http, createPipelineRequest({ url, abortSignal })),
      );
      const location = regionOf(value.headers.get('x-ms-keyvault-region'));
      const answers = location !== undefined || (value.status === 401 && value.headers.has('www-authenticate'));
      return { answers, ...(location === undefined ? {} : { region: location }) };
    },
    retain(isThere) {
      for (const vault of clients.keys()) if (!isThere(vault)) clients.delete(vault);
    },
  };
}
