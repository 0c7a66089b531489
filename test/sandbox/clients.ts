import { CodeBuildClient } from '@aws-sdk/client-codebuild';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';

/** The real SDK's clients on a sandbox, one attempt each so that every error is seen as it came. */
export function clientsOf(
  sandbox: Sandbox,
  options: {
    account?: string;
    region?: string;
    credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
    maxAttempts?: number;
    requestTimeout?: number;
  } = {},
) {
  const { account = ACCOUNT, region = REGION, maxAttempts = 1 } = options;
  const config = {
    endpoint: sandbox.url,
    region,
    credentials: options.credentials ?? sandbox.aws.account(account).credentials,
    maxAttempts,
    requestHandler: new NodeHttpHandler({
      ...(options.requestTimeout === undefined ? {} : { requestTimeout: options.requestTimeout }),
      throwOnRequestTimeout: true,
    }),
  };
  return {
    secrets: new SecretsManagerClient(config),
    kms: new KMSClient(config),
    sts: new STSClient(config),
    codeBuild: new CodeBuildClient(config),
    iam: new IAMClient(config),
  };
}

/** What an SDK error says, as a plain object. */
export async function errorOf(promise: Promise<unknown>): Promise<{ name: string; message: string; status: number }> {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, message, status: $metadata?.httpStatusCode ?? 0 };
  }
  throw new Error('the call was expected to fail');
}
