/** The clouds that are imitated. */
export type CloudName = 'public' | 'china' | 'government';

/** The host names of one cloud. */
type CloudHosts = {
  readonly arm: string;
  /** The first is the one that challenges name. */
  readonly authorities: readonly [string, ...string[]];
  readonly vault: string;
  readonly hsm: string;
  /** Audiences of tokens for ARM, without the slash at the end. */
  readonly armAudiences: readonly string[];
};

/** Source of the names: Microsoft's table of national clouds, and @azure/identity's AzureAuthorityHosts. */
export const CLOUDS: Readonly<Record<CloudName, CloudHosts>> = {
  public: {
    arm: 'management.azure.com',
    authorities: ['login.microsoftonline.com', 'login.windows.net'],
    vault: 'vault.azure.net',
    hsm: 'managedhsm.azure.net',
    armAudiences: [
      'https://management.core.windows.net',
      'https://management.azure.com',
      'https://management.azure.com:443',
    ],
  },
  china: {
    arm: 'management.chinacloudapi.cn',
    authorities: ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn'],
    vault: 'vault.azure.cn',
    hsm: 'managedhsm.azure.cn',
    armAudiences: ['https://management.core.chinacloudapi.cn', 'https://management.chinacloudapi.cn'],
  },
  government: {
    arm: 'management.usgovcloudapi.net',
    authorities: ['login.microsoftonline.us'],
    vault: 'vault.usgovcloudapi.net',
    hsm: 'managedhsm.usgovcloudapi.net',
    armAudiences: ['https://management.core.usgovcloudapi.net', 'https://management.usgovcloudapi.net'],
  },
};

const NAMES = ['public', 'china', 'government'] as const;

/** Every name a certificate of the imitation must be good for. */
export function certificateNames(): readonly string[] {
  const names = NAMES.flatMap((name) => {
    const { arm, authorities, vault, hsm } = CLOUDS[name];
    return [arm, ...authorities, `*.${vault}`, `*.${hsm}`];
  });
  return ['localhost', ...names];
}

/** What a host name stands for; undefined for hosts that are no part of the imitation. */
export function hostRole(host: string): 'arm' | 'authority' | 'vault' | undefined {
  for (const name of NAMES) {
    const { arm, authorities, vault, hsm } = CLOUDS[name];
    if (host === arm) return 'arm';
    if (authorities.includes(host)) return 'authority';
    if (host.endsWith(`.${vault}`) || host.endsWith(`.${hsm}`)) return 'vault';
  }
  return undefined;
}
