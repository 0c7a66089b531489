/** Every rule of SPEKE key providers, for people. */
import type { RuleInfo } from '../../provider.ts';

const DOCUMENT = 'AWS Elemental MediaConnect, "Key management for SPEKE"';

export const RULES: readonly RuleInfo[] = [
  {
    id: 'speke.certificate-expiring',
    severity: 'warning, critical under 3 days; of a name of AWS critical under 3 days only',
    source: 'the certificate that the endpoint shows',
    meaning: 'The certificate of the endpoint ends soon. From then on MediaConnect cannot get keys from it.',
    remedy: 'Renew it in ACM, or import a new one. Certificates of AWS’s own names only AWS renews.',
  },
  {
    id: 'speke.certificate-expired',
    severity: 'critical',
    source: 'the certificate that the endpoint shows',
    meaning: 'The certificate of the endpoint has ended: MediaConnect cannot get keys from it.',
    remedy: 'Renew it in ACM, or import a new one.',
  },
  {
    id: 'speke.probe-refused',
    severity: 'warning; info where only what its name leads to from here is private',
    source: 'the guard against requests that others forge',
    meaning:
      'keyvigil does not call the endpoint: its URL is not https, names a port, a user, an address or a local host, or its name ' +
      'leads to a private address. Whether it works cannot be told.',
    remedy: 'Give the flow the URL of an API Gateway proxy; in a VPC with private names, set `nameservers`.',
  },
  {
    id: 'speke.not-probed',
    severity: 'info',
    source: 'the configuration',
    meaning: '`probe: false`: only what AWS says of the API is known, and a loss of the endpoint would go unseen.',
    remedy: 'Set `probe: true`.',
  },
  {
    id: 'speke.own-name',
    severity: 'info',
    source: `${DOCUMENT}: "API Gateway acts as a proxy for the communication between the service and the CA platform key provider."`,
    meaning:
      'The URL has a name of its own: whether an API Gateway is behind it, in the Region of the flow and with its logs on, cannot ' +
      'be told.',
    remedy: 'Give the flow the URL of the stage itself, or check it by hand.',
  },
  {
    id: 'speke.logging-off',
    severity: 'info',
    source: `${DOCUMENT}: "API Gateway provides logging capabilities and lets customers control their relationships with the encryptor and with the CA platform."`,
    meaning:
      'The stage has neither an access log nor an execution log: why a key was refused cannot be looked up afterwards. The ' +
      'document names a capability and demands nothing, so this pages nobody.',
    remedy: 'Turn the execution log of the stage on, with level ERROR or INFO.',
  },
  {
    id: 'speke.data-trace',
    severity: 'warning',
    source: 'API Gateway, GetStage: methodSettings.dataTraceEnabled; a SPEKE answer holds content keys in the clear',
    meaning: 'The stage logs whole requests and answers, so that content keys stand in CloudWatch Logs.',
    remedy: 'Turn data tracing of the stage off, delete the log streams, and renew the keys that stand in them.',
  },
  {
    id: 'speke.stage-not-visible',
    severity: 'info',
    source: `${DOCUMENT}: "API Gateway provides logging capabilities …"`,
    meaning:
      'Whether the stage logs cannot be told: keyvigil may not read it, the API belongs to another account or Region, or the URL ' +
      'names no stage.',
    remedy: 'Let keyvigil read the stage (apigateway:GET), or watch the account of the API.',
  },
  {
    id: 'speke.answers-unsigned',
    severity: 'info',
    source: `${DOCUMENT}: "API Gateway – Manages customer-trusted roles and proxy communication between the encryptor and the key provider."`,
    meaning: 'A request that nobody had signed was answered with success: perhaps anybody may ask for keys.',
    remedy: 'Set the authorization of the method to AWS_IAM.',
  },
];
