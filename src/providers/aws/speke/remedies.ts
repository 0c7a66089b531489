/** What undoes it. Pure. */
import type { KeyFacts } from '../../../core/model.ts';
import type { KeyReason } from '../../../core/reasons.ts';
import { shellCommand } from '../../shell.ts';
import { awsCommand } from '../arn.ts';
import { hostOf } from './url.ts';

/** The exact command that undoes `reason`, or that shows what is to be undone. */
export function remedy(reason: KeyReason, facts: KeyFacts): string | undefined {
  if (reason !== 'unreachable') return undefined;
  const { stage } = facts.attributes;
  const api = apiOf(facts);
  if (api === undefined) {
    return (
      `Put its name and its certificate back: ${domainName(facts)} shows whether API Gateway still has them, ` +
      `and ${dig(facts)} whether the name is there`
    );
  }
  const look =
    typeof stage === 'string'
      ? awsCommand(facts.location, 'apigateway', 'get-stage', '--rest-api-id', api, '--stage-name', stage)
      : awsCommand(facts.location, 'apigateway', 'get-rest-api', '--rest-api-id', api);
  return (
    `See what is left of the API: ${look}. A deleted API never comes back under its id: deploy it again, and give the ` +
    'new URL to every flow that names this one'
  );
}

/** Renews the certificate of a name of one's own; that of AWS's names only AWS renews. */
export function renewCertificate(facts: KeyFacts): string {
  if (apiOf(facts) !== undefined) return 'It is a certificate of AWS: open a case with AWS Support';
  return `Renew it in ACM, or import a new one: ${domainName(facts)} names the certificate of this host`;
}

/** Turns the execution log of every method of the stage on. */
export function turnLogsOn(facts: KeyFacts): string | undefined {
  return patchStage(facts, '/*/*/logging/loglevel', 'ERROR');
}

/** Ends the logging of whole requests and answers. */
export function endDataTrace(facts: KeyFacts): string | undefined {
  return patchStage(facts, '/*/*/logging/dataTrace', 'false');
}

/** UpdateStage, "Patch operations": `/{resource}/{method}/logging/…`, with stars for all. */
function patchStage(facts: KeyFacts, path: string, value: string): string | undefined {
  const { stage } = facts.attributes;
  const api = apiOf(facts);
  if (api === undefined || typeof stage !== 'string') return undefined;
  const patch = `op=replace,path=${path},value=${value}`;
  const words = ['--rest-api-id', api, '--stage-name', stage, '--patch-operations', patch];
  return awsCommand(facts.location, 'apigateway', 'update-stage', ...words);
}

function apiOf({ attributes: { gatewayId } }: KeyFacts): string | undefined {
  return typeof gatewayId === 'string' ? gatewayId : undefined;
}

function domainName(facts: KeyFacts): string {
  return awsCommand(facts.location, 'apigateway', 'get-domain-name', '--domain-name', hostOf(new URL(facts.resource)));
}

function dig(facts: KeyFacts): string {
  return shellCommand('dig', hostOf(new URL(facts.resource)));
}
