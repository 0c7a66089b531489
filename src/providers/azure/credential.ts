/** How the monitor proves who it is: one credential for everything that a connection asks. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import {
  AzureCliCredential,
  ChainedTokenCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  CredentialUnavailableError,
  ManagedIdentityCredential,
  type ManagedIdentityCredentialClientIdOptions,
  WorkloadIdentityCredential,
} from '@azure/identity';
import type { ConnectOptions } from '../provider.ts';
import { isMicrosoftAuthority } from './clouds.ts';
import type { Transport } from './http.ts';

/** A secret of the configuration; read when it is needed. */
interface Secret {
  read(): Promise<string>;
}

/** `targets[].credential`, resolved. */
export interface TargetCredential {
  readonly clientId: string;
  readonly clientSecret?: Secret;
  readonly clientCertificateFile?: string;
}

/** What a credential is made of. */
export interface Proof {
  readonly tenant?: string;
  readonly credential?: TargetCredential;
  readonly authority: string;
  readonly env: ConnectOptions['env'];
  /** How long a program may take that is asked for a token, ms. */
  readonly timeoutMs: number;
  readonly transport: Transport['credential'];
}

/** A token this near to its end is replaced. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** How the last request of one attempt to get a token went. */
interface Trace {
  status?: number;
  lost?: Lost;
}
/** Not the SDK's error: that one holds the request, and the request the secret. */
interface Lost {
  readonly code: unknown;
  readonly message: string;
}
const TRACE = new AsyncLocalStorage<Trace>();

/** No token was had: with what the libraries below say in words alone, or not at all. */
class NoToken extends Error {
  /** HTTP status of the authority, if it answered with an error. */
  readonly statusCode: number | undefined;
  /** What the way to the authority failed with. */
  readonly errors: readonly Lost[];
  constructor(cause: unknown, { status, lost }: Trace) {
    super(lost?.message ?? (cause instanceof Error ? cause.message : 'no token'), { cause });
    this.name = 'NoToken';
    this.statusCode = lost === undefined && status !== undefined && status >= 400 ? status : undefined;
    this.errors = lost === undefined ? [] : [lost];
  }
}

/**
 * The target's own client, else what the environment names (a client secret, a certificate, a federated token), else the
 * machine's managed identity, else who is logged in with the Azure CLI, unless AZURE_TOKEN_CREDENTIALS is `prod`. Nothing is
 * read or asked before the first token.
 */
export function credentialOf(proof: Proof): TokenCredential {
  return sharing(renewing(() => chosen(proof)));
}

async function chosen({ tenant, credential, authority, env, timeoutMs, transport }: Proof): Promise<TokenCredential> {
  // Each credential writes into its options: they are not shared.
  const options = () => ({
    ...transport,
    httpClient: traced(transport.httpClient),
    authorityHost: authority,
    disableInstanceDiscovery: !isMicrosoftAuthority(authority),
    // A vault names its tenant by id, the configuration perhaps by domain; the secret goes to this authority in any case.
    additionallyAllowedTenants: ['*'],
  });
  const clientId = credential?.clientId ?? env.AZURE_CLIENT_ID;
  const tenantId = tenant ?? env.AZURE_TENANT_ID;
  if (credential) {
    if (!tenantId) throw new CredentialUnavailableError('the credential of the target needs a tenant');
    if (credential.clientCertificateFile !== undefined) {
      const certificatePath = credential.clientCertificateFile;
      return new ClientCertificateCredential(tenantId, credential.clientId, { certificatePath }, options());
    }
    return new ClientSecretCredential(tenantId, credential.clientId, await secretOf(credential), options());
  }
  if (clientId && tenantId) {
    const { AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE } = env;
    if (AZURE_CLIENT_SECRET) return new ClientSecretCredential(tenantId, clientId, AZURE_CLIENT_SECRET, options());
    if (AZURE_CLIENT_CERTIFICATE_PATH) {
      const password = env.AZURE_CLIENT_CERTIFICATE_PASSWORD;
      const certificate = {
        certificatePath: AZURE_CLIENT_CERTIFICATE_PATH,
        ...(password ? { certificatePassword: password } : {}),
      };
      const sendCertificateChain = /^(1|true)$/i.test(env.AZURE_CLIENT_SEND_CERTIFICATE_CHAIN ?? '');
      return new ClientCertificateCredential(tenantId, clientId, certificate, { ...options(), sendCertificateChain });
    }
    if (AZURE_FEDERATED_TOKEN_FILE) {
      const tokenFilePath = AZURE_FEDERATED_TOKEN_FILE;
      return new WorkloadIdentityCredential({ ...options(), tenantId, clientId, tokenFilePath });
    }
  }
  // Elsewhere than on Azure the address of the identity service may swallow requests: the probe, which is what the SDK's
  // own default chain does, finds out within a second. It is no documented option.
  const identity = { ...options(), ...(clientId ? { clientId } : {}), sendProbeRequest: true };
  const managed = new ManagedIdentityCredential(identity as ManagedIdentityCredentialClientIdOptions);
  if (env.AZURE_TOKEN_CREDENTIALS === 'prod') return managed;
  const cli = new AzureCliCredential({
    ...(tenantId ? { tenantId } : {}),
    additionallyAllowedTenants: ['*'],
    // All clients wait for the one process: without an end of its own a hung one would be waited for for ever.
    processTimeoutInMs: timeoutMs,
  });
  return new ChainedTokenCredential(managed, cli);
}

async function secretOf({ clientSecret }: TargetCredential): Promise<string> {
  try {
    return (await clientSecret?.read()) ?? '';
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'cannot read the client secret';
    throw new CredentialUnavailableError(why, { cause });
  }
}

/** Made anew after a failure, so that a secret or certificate that was replaced is read again. */
function renewing(make: () => Promise<TokenCredential>): TokenCredential {
  let made: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      made ??= make();
      const mine = made;
      const trace: Trace = {};
      try {
        const credential = await mine;
        return await TRACE.run(trace, () => credential.getToken(scopes, options));
      } catch (error) {
        if (made === mine) made = undefined;
        throw new NoToken(error, trace);
      }
    },
  };
}

/** Notes how requests to an authority end. The machine's identity service speaks plain HTTP; without it there is no identity. */
function traced(inner: HttpClient): HttpClient {
  return {
    async sendRequest(request) {
      const trace = request.url.startsWith('https:') ? TRACE.getStore() : undefined;
      try {
        const response = await inner.sendRequest(request);
        if (trace) {
          trace.status = response.status;
          delete trace.lost;
        }
        return response;
      } catch (error) {
        const { code, message } = error as Error & { code?: unknown };
        if (trace) trace.lost = { code, message };
        throw error;
      }
    },
  };
}

/**
 * One token for all clients. Each of them would ask for its own at the same time: a vault has a client of its own, some
 * credentials keep no token, and the CLI's starts a process for each. A caller's signal is not passed on: others wait too.
 */
function sharing(inner: TokenCredential): TokenCredential {
  const asked = new Map<string, Promise<AccessToken | null>>();

  function ask(key: string, scopes: string | string[], options: GetTokenOptions): Promise<AccessToken | null> {
    const { abortSignal: _, ...rest } = options;
    const asking = inner.getToken(scopes, rest);
    asked.set(key, asking);
    asking.catch(() => {
      if (asked.get(key) === asking) asked.delete(key);
    });
    return asking;
  }

  return {
    async getToken(scopes, options = {}) {
      const { tenantId = '', claims = '', enableCae = false } = options;
      const key = JSON.stringify([[scopes].flat(), tenantId, claims, enableCae]);
      const asking = asked.get(key) ?? ask(key, scopes, options);
      const token = await asking;
      if (token !== null && isFresh(token, Date.now())) return token;
      // Whoever comes here first asks for all.
      const newer = asked.get(key);
      return newer === undefined || newer === asking ? ask(key, scopes, options) : newer;
    },
  };
}

function isFresh({ expiresOnTimestamp, refreshAfterTimestamp }: AccessToken, now: number): boolean {
  return now < Math.min(expiresOnTimestamp - RENEW_BEFORE_MS, refreshAfterTimestamp ?? Number.POSITIVE_INFINITY);
}
