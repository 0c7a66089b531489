/**
 * Parts of the configuration that are validated but not active in this version: a file written for what is coming is
 * checked in full today, and `inactiveParts` says which of it does nothing yet. A service that the registry declares
 * takes the place of its plan here.
 */
import { z } from 'zod';
import { AwsServiceFields } from '../providers/aws/config.ts';
import type { Service } from '../providers/provider.ts';
import { says } from './messages.ts';

/** What the configuration needs to know of a service. */
export type ServiceDeclaration = Pick<Service, 'name' | 'provider' | 'config'>;

const HttpsUrl = z.url({ protocol: /^https$/, error: says('expected an https URL') });

const VaultUrl = z
  .string()
  .regex(/^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/?$/, {
    error: 'expected the URL of a vault, such as https://contoso.vault.azure.net',
  })
  .transform((url) => url.replace(/\/$/, '').toLowerCase());

/** Services whose code comes with a later version. */
export const PLANNED_SERVICES: readonly ServiceDeclaration[] = [
  { name: 'mediaconnect', provider: 'aws', config: z.strictObject({ ...AwsServiceFields }) },
  { name: 'codebuild', provider: 'aws', config: z.strictObject({ ...AwsServiceFields }) },
  { name: 'iam', provider: 'aws', config: z.strictObject({ ...AwsServiceFields }) },
  { name: 'key-vault', provider: 'azure', config: z.strictObject({ vaults: z.array(VaultUrl).min(1).optional() }) },
  { name: 'media-services', provider: 'azure', config: z.strictObject({}) },
];

/** A client of a tenant. Exactly one of the three secrets stands beside `clientId`: `rules.ts` sees to that. */
const Credential = z.strictObject({
  clientId: z.guid({ error: says('expected an id such as 00000000-0000-0000-0000-000000000000') }),
  clientSecret: z.string().min(1).optional(),
  clientSecretFile: z.string().min(1).optional(),
  clientCertificateFile: z.string().min(1).optional(),
});

/** Fields of an Azure target beside those that every target has. */
export const AzureTargetFields = {
  subscription: z.guid({ error: says('expected a subscription id such as 00000000-0000-0000-0000-000000000000') }),
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, { error: 'expected a tenant id, or a domain such as contoso.com' })
    .optional(),
  credential: Credential.optional(),
  cloud: z.enum(['public', 'china', 'government']).default('public'),
  endpoints: z
    .strictObject({
      arm: HttpsUrl.optional(),
      authority: HttpsUrl.optional(),
      vaultSuffix: z
        .string()
        .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/, { error: 'expected a DNS suffix such as vault.azure.net' })
        .optional(),
    })
    .optional(),
};
