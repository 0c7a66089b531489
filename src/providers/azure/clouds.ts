/** The three Azure clouds (azure.md 6), and what a target's configuration makes of one. */
import type { AzureCloud } from './service.ts';

const CLOUDS: Readonly<Record<AzureCloud['name'], AzureCloud>> = {
  public: {
    name: 'public',
    arm: 'https://management.azure.com',
    armScope: 'https://management.azure.com/.default',
    authority: 'https://login.microsoftonline.com',
    vaultSuffix: 'vault.azure.net',
    hsmSuffix: 'managedhsm.azure.net',
  },
  china: {
    name: 'china',
    arm: 'https://management.chinacloudapi.cn',
    armScope: 'https://management.chinacloudapi.cn/.default',
    authority: 'https://login.chinacloudapi.cn',
    vaultSuffix: 'vault.azure.cn',
    hsmSuffix: 'managedhsm.azure.cn',
  },
  government: {
    name: 'government',
    arm: 'https://management.usgovcloudapi.net',
    armScope: 'https://management.usgovcloudapi.net/.default',
    authority: 'https://login.microsoftonline.us',
    vaultSuffix: 'vault.usgovcloudapi.net',
    hsmSuffix: 'managedhsm.usgovcloudapi.net',
  },
};

/** Authorities that Microsoft runs: only these are asked who else is one. */
const AUTHORITIES: ReadonlySet<string> = new Set([
  ...Object.values(CLOUDS).map(({ authority }) => new URL(authority).hostname),
  'login.windows.net',
  'login.partner.microsoftonline.cn',
]);

/** Endpoints of a target that stand in for those of its cloud. */
export interface Endpoints {
  readonly arm?: string;
  readonly authority?: string;
  readonly vaultSuffix?: string;
}

/** A cloud with other endpoints. The scope of tokens stays that of the cloud. */
export function cloudOf(name: AzureCloud['name'], endpoints: Endpoints = {}): AzureCloud {
  const cloud = CLOUDS[name];
  return {
    ...cloud,
    arm: bare(endpoints.arm ?? cloud.arm),
    authority: bare(endpoints.authority ?? cloud.authority),
    vaultSuffix: (endpoints.vaultSuffix ?? cloud.vaultSuffix).toLowerCase(),
  };
}

/** Whether Microsoft's list of authorities knows this one; a private one is not asked for there. */
export function isMicrosoftAuthority(authority: string): boolean {
  return AUTHORITIES.has(URL.parse(authority)?.hostname ?? '');
}

function bare(url: string): string {
  return url.replace(/\/+$/, '');
}
