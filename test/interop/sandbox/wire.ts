import { Readable } from 'node:stream';
import * as codeBuildModule from '@aws-sdk/client-codebuild';
import * as kmsModule from '@aws-sdk/client-kms';
import * as secretsModule from '@aws-sdk/client-secrets-manager';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';

/** An answer as it came over the wire. */
export type Answer = { readonly status: number; readonly body: unknown };

/** Asks one operation (`DescribeKey`) with the real SDK and gives the bytes of the last answer, parsed as JSON only. */
export type Ask = (operation: string, input?: object, region?: string) => Promise<Answer>;

type Sendable = { send: (command: unknown) => Promise<unknown>; destroy: () => void };
type Commands = Readonly<Record<string, new (input: object) => unknown>>;

/** Keeps a copy of what the SDK is about to parse. */
class RecordingHandler extends NodeHttpHandler {
  last: Answer | undefined;

  override async handle(...args: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    const output = await super.handle(...args);
    const chunks: Buffer[] = [];
    for await (const chunk of output.response.body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    this.last = { status: output.response.statusCode, body: JSON.parse(text) };
    output.response.body = Readable.from([Buffer.from(text)]);
    return output;
  }
}

/** Asks a sandbox as the user of `account`. */
export function asker(sandbox: Sandbox, account: string, defaultRegion: string): Ask {
  return async (operation, input = {}, region = defaultRegion) => {
    const handler = new RecordingHandler();
    const name = `${operation}Command`;
    const isKms = name in kmsModule && !(name === 'TagResourceCommand' && 'SecretId' in input);
    const isCodeBuild = name in codeBuildModule;
    const commands = (isCodeBuild ? codeBuildModule : isKms ? kmsModule : secretsModule) as unknown as Commands;
    const Other = isKms ? kmsModule.KMSClient : secretsModule.SecretsManagerClient;
    const Client = isCodeBuild ? codeBuildModule.CodeBuildClient : Other;
    const Command = commands[name];
    if (!Command) throw new Error(`the SDK has no ${name}`);
    const client = new Client({
      endpoint: sandbox.url,
      region,
      credentials: sandbox.aws.account(account).credentials,
      // The second attempt is for the clock, which some scenarios move by years.
      maxAttempts: 2,
      requestHandler: handler,
    }) as unknown as Sendable;
    await client.send(new Command(input)).catch(() => {});
    client.destroy();
    if (!handler.last) throw new Error(`${operation} was not answered`);
    return handler.last;
  };
}
