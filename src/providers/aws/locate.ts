/** Where the names of AWS lead, as far as they tell. */
import type { Place } from '../../core/not-watched.ts';
import { type Arn, parseArn } from './arn.ts';
import { gatewayOf } from './speke/url.ts';

/** Secrets Manager adds a hyphen and six random characters to the name in an ARN (aws.md 1.1). */
const SECRET_SUFFIX = /-[A-Za-z0-9]{6}$/;

/** The place that an ARN, or the URL of a key provider, leads to; undefined where it is neither. */
export function locate(name: string): Place | undefined {
  const arn = parseArn(name);
  if (!arn) return ofUrl(name);
  const { partition, region, account } = arn;
  const roleArn = `arn:${partition}:iam::${account}:role/keyvigil`;
  return {
    ...kindOf(arn),
    ...(account !== '' && { account }),
    ...(region !== '' && { location: region }),
    ...(account !== '' && region !== '' && { target: { regions: [region], roleArn } }),
  };
}

function kindOf({ service, resource }: Arn): Place {
  if (service === 'secretsmanager' && resource.startsWith('secret:')) {
    const name = resource.slice('secret:'.length);
    return { what: 'secret', service: 'secrets-manager', names: [name.replace(SECRET_SUFFIX, ''), name] };
  }
  if (service === 'kms') {
    if (resource.startsWith('alias/aws/')) return { what: 'KMS key', cloudManaged: true };
    return { what: 'KMS key', service: 'kms', unseen: 'AWS manages it itself' };
  }
  return { what: service === 'ssm' ? 'SSM parameter' : `resource of the AWS service ${service}` };
}

function ofUrl(text: string): Place | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return undefined;
  const region = gatewayOf(text)?.region;
  return { what: 'SPEKE key provider', service: 'speke', ...(region !== undefined && { location: region }) };
}
