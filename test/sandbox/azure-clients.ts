import { Agent, request } from 'node:https';
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { AzureMediaServices } from '@azure/arm-mediaservices';
import type { TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import type { Application, Subscription } from '../../src/sandbox/azure/handles.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

/** The real SDK's clients on a sandbox, through its proxy, with its CA verified, one attempt each. */
export function azureClients(sandbox: Sandbox, subscription: Subscription, who: Application = subscription.monitor) {
  const options = azureOptions(sandbox);
  const credential: TokenCredential = new ClientSecretCredential(
    subscription.tenant,
    who.clientId,
    who.clientSecret,
    options,
  );
  return {
    options,
    credential,
    vaults: new KeyVaultManagementClient(credential, subscription.id, options),
    media: new AzureMediaServices(credential, subscription.id, options),
    keys: (url: string) => new KeyClient(url, credential, options),
  };
}

/** Options that lead any Azure client through the proxy. */
export function azureOptions(sandbox: Sandbox) {
  const agent = new Agent({ proxyEnv: { HTTPS_PROXY: sandbox.azure.proxyUrl }, ca: sandbox.azure.ca, keepAlive: true });
  const policy: PipelinePolicy = {
    name: 'sandbox-agent',
    sendRequest: (outgoing, next) => {
      outgoing.agent = agent;
      return next(outgoing);
    },
  };
  return {
    additionalPolicies: [{ policy, position: 'perRetry' as const }],
    retryOptions: { maxRetries: 0 },
  };
}

type RawAnswer = { status: number; headers: Record<string, string>; text: string; json: unknown };

/** A request without the SDK, over a fresh connection through the proxy. */
export async function ask(
  sandbox: Sandbox,
  url: string,
  init: { method?: string; token?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<RawAnswer> {
  const agent = new Agent({ proxyEnv: { HTTPS_PROXY: sandbox.azure.proxyUrl }, ca: sandbox.azure.ca });
  const headers = { ...init.headers, ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }) };
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const outgoing = request(url, { agent, method: init.method ?? 'GET', headers }, async (answer) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of answer) chunks.push(chunk);
    } catch (error) {
      reject(error);
      return;
    }
    const text = Buffer.concat(chunks).toString();
    const json = text.startsWith('{') ? JSON.parse(text) : undefined;
    resolve({ status: answer.statusCode ?? 0, headers: answer.headers as Record<string, string>, text, json });
  });
  outgoing.on('error', reject);
  outgoing.end(init.body);
  return promise;
}

/** A token of an application for a resource, straight from the authority. */
export async function tokenOf(
  sandbox: Sandbox,
  subscription: Subscription,
  who: Application = subscription.monitor,
  resource = 'https://management.azure.com',
): Promise<string> {
  const form = {
    grant_type: 'client_credentials',
    client_id: who.clientId,
    client_secret: who.clientSecret,
    scope: `${resource}/.default`,
  };
  const url = `https://login.microsoftonline.com/${subscription.tenant}/oauth2/v2.0/token`;
  const answer = await ask(sandbox, url, { method: 'POST', body: new URLSearchParams(form).toString() });
  return (answer.json as { access_token: string }).access_token;
}

/** What an SDK error says, as a plain object. */
export async function failureOf(promise: Promise<unknown>) {
  try {
    await promise;
  } catch (error) {
    const { name, message, code, statusCode, details } = error as Error & {
      code?: string;
      statusCode?: number;
      details?: { error?: { innerError?: { code?: string } } };
    };
    return { name, message, code, status: statusCode ?? 0, inner: details?.error?.innerError?.code };
  }
  throw new Error('the call was expected to fail');
}

/** Every item of a pager. */
export async function all<T>(pager: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pager) items.push(item);
  return items;
}
