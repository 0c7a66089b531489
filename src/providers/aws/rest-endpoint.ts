/** Where a service of AWS answers. */
import type { ServiceEnv } from './service.ts';

/** A base URL in the parts that a request needs. */
export interface Endpoint {
  /** `https:` */
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  /** Host header. */
  readonly host: string;
  /** Path before that of any request, without a slash at its end; '' mostly. */
  readonly prefix: string;
}

/** Domains of the partitions as the SDK has them: plain, and of the endpoints that answer over IPv6 too. */
const DOMAINS: Readonly<Record<string, { readonly plain: string; readonly dual: string }>> = {
  aws: { plain: 'amazonaws.com', dual: 'api.aws' },
  'aws-cn': { plain: 'amazonaws.com.cn', dual: 'api.amazonwebservices.com.cn' },
  'aws-us-gov': { plain: 'amazonaws.com', dual: 'api.aws' },
  'aws-iso': { plain: 'c2s.ic.gov', dual: 'api.aws.ic.gov' },
  'aws-iso-b': { plain: 'sc2s.sgov.gov', dual: 'api.aws.scloud' },
  'aws-iso-e': { plain: 'cloud.adc-e.uk', dual: 'api.cloud-aws.adc-e.uk' },
  'aws-iso-f': { plain: 'csp.hci.ic.gov', dual: 'api.aws.hci.ic.gov' },
  'aws-eusc': { plain: 'amazonaws.eu', dual: 'api.amazonwebservices.eu' },
};

/** A service that is called without the SDK. */
export interface RestService {
  /** Name that requests are signed for, and the first label of the default endpoint: `apigateway`. */
  readonly name: string;
  /** Service id as the SDK spells it (`API Gateway`): its setting is `AWS_ENDPOINT_URL_API_GATEWAY`. */
  readonly id: string;
}

/**
 * The endpoint by the SDK's own order: what is configured, the environment's for this service, the environment's for every
 * service, and else the name that AWS gives it, with FIPS and IPv6 as the environment and the profile want it.
 * @throws TypeError where the environment has no URL
 */
export async function endpointOf(
  service: RestService,
  { client, env, partition, region }: Pick<ServiceEnv, 'client' | 'env' | 'partition' | 'region'>,
): Promise<Endpoint> {
  const given = client.endpoint ?? fromEnvironment(service, env);
  if (given !== undefined) return fromUrl(given);
  const [fips, dual] = await Promise.all([client.useFipsEndpoint(), client.useDualstackEndpoint()]);
  const domain = (DOMAINS[partition] ?? DOMAINS.aws)?.[dual ? 'dual' : 'plain'];
  return fromUrl(`https://${service.name}${fips ? '-fips' : ''}.${region}.${domain}`);
}

function fromEnvironment({ id }: RestService, env: ServiceEnv['env']): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  return env[`AWS_ENDPOINT_URL_${id.replaceAll(' ', '_').toUpperCase()}`] || env.AWS_ENDPOINT_URL || undefined;
}

function fromUrl(text: string): Endpoint {
  const { protocol, hostname, port, host, pathname } = new URL(text);
  return { protocol, hostname, host, ...(port && { port: Number(port) }), prefix: pathname.replace(/\/+$/, '') };
}
