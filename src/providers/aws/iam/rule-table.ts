/** The rules that policy simulation yields, as `docs/rules.md` tells them: the same for every service that uses roles. */
import type { RuleInfo } from '../../provider.ts';
import type { SimulatedService } from './uses.ts';

const SOURCES: Readonly<Record<SimulatedService, string>> = {
  mediaconnect:
    'MediaConnect key management: "give AWS Elemental MediaConnect permission to obtain the encryption keys from your Secrets Manager account"',
  codebuild:
    'CodeBuild key management: "give CodeBuild permission to obtain the encryption keys from your Secrets Manager account"',
};
const SPEKE = 'MediaConnect SPEKE key management: "API Gateway – Manages customer-trusted roles"';

const ONLY = 'Only with the opt-in service iam. Policy simulation is no proof.';

/** Rules of one service about the roles of its consumers. Gateways of keys are MediaConnect's alone. */
export function simulationRules(service: SimulatedService): readonly RuleInfo[] {
  const source = SOURCES[service];
  const severity = 'warning';
  const rules: readonly RuleInfo[] = [
    {
      id: `${service}.role-not-found`,
      severity,
      source,
      meaning: `The role that it is to reach its keys with does not exist (or has another path): the next time that it needs a key, it gets none. Only with the opt-in service iam.`,
      remedy: 'Make the role, and give it its permissions.',
    },
    {
      id: `${service}.role-untrusted`,
      severity,
      source,
      meaning: `The trust policy of the role does not let the service take it on. A trust under conditions is not judged. ${ONLY}`,
      remedy: 'Add the service to the trust policy.',
    },
    {
      id: `${service}.role-denied-secret`,
      severity,
      source,
      meaning: `By the policies of the role and of the secret the role may not read the secret. ${ONLY}`,
      remedy: 'Allow it in a policy of the role, or take out what denies it.',
    },
    {
      id: `${service}.role-denied-key`,
      severity,
      source,
      meaning: `By the policies of the role and of the key the role may not use the customer key. Grants are not seen. ${ONLY}`,
      remedy: 'Allow it in a policy of the role, or in the key policy.',
    },
  ];
  if (service === 'codebuild') return rules;
  return [
    ...rules,
    {
      id: `${service}.role-denied-gateway`,
      severity,
      source: SPEKE,
      meaning: `By its policies the role may not invoke the API Gateway that leads to the key provider. The policy of the gateway is not seen. ${ONLY}`,
      remedy: 'Allow execute-api:Invoke on the gateway in a policy of the role.',
    },
  ];
}
