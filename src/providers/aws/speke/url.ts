/** URLs of SPEKE key providers as flows name them, and what a URL tells of the API Gateway behind it. Pure. */

/**
 * The identity of a key provider: its URL as a flow names it, in one spelling, without what may be a password (userinfo,
 * query) and without the fragment, which is never sent. Undefined where the text is no http(s) URL.
 */
export function providerUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href;
}

/** What the default host name of an API tells: `https://ID.execute-api.REGION.amazonaws.com/STAGE/…`. */
export interface ApiGateway {
  readonly id: string;
  readonly region: string;
  /** First segment of the path; absent where there is none. */
  readonly stage?: string;
}

/** A private API can be named with the endpoint that leads to it: `ID-vpce-….execute-api…`. */
const EXECUTE_API =
  /^([a-z0-9]+)(?:-vpce-[0-9a-z]+)?\.execute-api(?:-fips)?\.([a-z]{2,4}(?:-[a-z]+)+-\d)\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws)$/;

/** The API that a URL leads to; undefined where its host is a name of somebody's own, which tells nothing. */
export function gatewayOf(url: string): ApiGateway | undefined {
  const parsed = URL.parse(url);
  const match = parsed && EXECUTE_API.exec(hostOf(parsed));
  if (!match) return undefined;
  const [, id = '', region = ''] = match;
  const stage = decoded(parsed.pathname.split('/')[1] ?? '');
  return { id, region, ...(stage !== '' && { stage }) };
}

/** The host without the dot that may end it. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, '');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const DOMAINS: Readonly<Record<string, string>> = { 'aws-cn': 'amazonaws.com.cn', 'aws-eusc': 'amazonaws.eu' };

/**
 * Names that AWS itself keeps in a Region: that of all its APIs, and that of API Gateway's own API. Where the first one resolves,
 * names of APIs can be looked up from here.
 */
export function regionalNames(region: string, partition: string): { readonly apis: string; readonly service: string } {
  const domain = DOMAINS[partition] ?? 'amazonaws.com';
  return { apis: `execute-api.${region}.${domain}`, service: `apigateway.${region}.${domain}` };
}
