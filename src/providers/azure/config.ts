import { z } from 'zod';
import { says } from '../../config/messages.ts';

const HttpsUrl = z.url({ protocol: /^https$/, error: says('expected an https URL') });

/** A client of a tenant. Exactly one of the three secrets stands beside `clientId`: `rules.ts` sees to that. */
const Credential = z.strictObject({
  clientId: z.guid({ error: says('expected an id such as 00000000-0000-0000-0000-000000000000') }),
  clientSecret: z.string().min(1).optional(),
  clientSecretFile: z.string().min(1).optional(),
  /** PEM: the certificate and its private key. */
  clientCertificateFile: z.string().min(1).optional(),
});

/** Fields of an Azure target beside `name`, `provider`, `schedule` and `services`, which every target has. */
export const AzureTargetFields = {
  subscription: z.guid({ error: says('expected a subscription id such as 00000000-0000-0000-0000-000000000000') }),
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, { error: 'expected a tenant id, or a domain such as contoso.com' })
    .optional(),
  credential: Credential.optional(),
  cloud: z.enum(['public', 'china', 'government']).default('public'),
  /** Private clouds, and imitations of Azure. Tokens are made for the audiences of `cloud` all the same. */
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
