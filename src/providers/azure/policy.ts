/** The custom role that a target needs: what its services declare, which is reading of metadata alone. Pure. */
import { neededPermissions } from '../features.ts';
import type { Permission, TargetPolicy } from '../provider.ts';
import type { AzureTarget } from './connection.ts';
import type { AzureService } from './service.ts';

export function policyOf(services: readonly AzureService[], target: AzureTarget): TargetPolicy {
  const needed = neededPermissions(services, target.services);
  const actions = (plane: Permission['plane']) =>
    [...new Set(needed.filter((one) => one.plane === plane).flatMap((one) => one.actions))].sort();
  const scope = `/subscriptions/${target.subscription}`;
  const keys = actions('data').length > 0;
  return {
    // As `az role definition create --role-definition @file` takes it.
    document: {
      Name: `keyvigil ${target.subscription}`,
      IsCustom: true,
      Description: 'Metadata of keys and of what uses them, for keyvigil. Reads no value and changes nothing.',
      Actions: actions(undefined),
      NotActions: [],
      DataActions: actions('data'),
      NotDataActions: [],
      AssignableScopes: [scope],
    },
    notes: [
      `az role definition create --role-definition @role.json; then assign it at ${scope}.`,
      ...(keys
        ? [
            'A vault that goes by access policies does not heed DataActions: az keyvault set-policy --name VAULT --object-id ID --key-permissions get list getrotationpolicy',
            'A managed HSM has roles of its own: az keyvault role assignment create --hsm-name HSM --role "Managed HSM Crypto Auditor" --assignee-object-id ID --scope /keys',
          ]
        : []),
    ],
  };
}
