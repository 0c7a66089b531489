/** A world with one vault, one key and one Media Services account that uses it. */
import type { MediaAccount, Subscription, Vault, VaultOptions } from '../../src/sandbox/azure/handles.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

export type { MediaAccount, Vault };
export type KeyVaultOptions = VaultOptions;

export interface MediaWorld extends AsyncDisposable {
  readonly world: World;
  readonly vault: Vault;
  readonly account: MediaAccount;
}

export interface MediaWorldOptions extends WorldOptions {
  readonly vault?: VaultOptions;
  readonly account?: { readonly location?: string; readonly pinned?: boolean };
  readonly create?: Parameters<Vault['keys']['create']>[1];
  readonly systemKey?: boolean;
  before?(subscription: Subscription): void;
}

/** The vault `contoso-media` with the key `cmk`, the account `contoso` that follows it, and the daemon that has seen them. */
export async function mediaWorld(options: MediaWorldOptions): Promise<MediaWorld> {
  let made: { vault: Vault; account: MediaAccount } | undefined;
  const { vault: vaultOptions, account: accountOptions, create, systemKey, before, ...rest } = options;
  const world = await startWorld(
    (_region, _sandbox, subscription) => {
      const vault = subscription.vault('contoso-media', vaultOptions ?? {});
      vault.keys.create('cmk', create);
      const storage = [subscription.storageAccount('contosostorage')];
      const key = systemKey ? {} : { key: `${vault.url}/keys/cmk` };
      const account = subscription.mediaAccount('contoso', { ...key, storage, ...accountOptions });
      if (!systemKey) vault.grant(account.principal);
      made = { vault, account };
      before?.(subscription);
    },
    { ...rest, clouds: ['azure'] },
  );
  if (!made) throw new TypeError('the world was not filled');
  return { world, ...made, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}
