/**
 * What a key provider can be wrong in without being lost. Rules about a flow and its provider (the Region of both, the fields
 * that SPEKE needs) are judged on the flow. Pure.
 */
import type { Finding, KeyFacts } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { Judgement } from '../../provider.ts';
import { NOT_PROBED } from './facts.ts';
import type { Refusal } from './guard.ts';
import { endDataTrace, renewCertificate, turnLogsOn } from './remedies.ts';

/** Less time than this until the certificate ends is critical. */
const CRITICAL_MS = 3 * 86_400_000;

const STAGE_READ = 'Let keyvigil call apigateway:GET on /restapis/*/stages/* (see `keyvigil policy aws`)';

/** What the guard found, as the second half of a sentence, and what to do. */
const REFUSAL_WORDS: Readonly<Record<Refusal, readonly [string, string]>> = {
  scheme: ['it is not https', 'Give the flow an https URL: MediaConnect would get its keys in the clear'],
  port: ['it names a port', 'Give the flow the URL of an API Gateway proxy, which listens on 443'],
  userinfo: ['it holds a user', 'Give the flow a URL without a user and password in it'],
  address: ['it names an address instead of a host', 'Give the flow the URL of an API Gateway proxy, which has a name'],
  local_name: [
    'its host is a name of a local network',
    'Give the flow the URL of an API Gateway proxy, which has a public name',
  ],
  private_address: [
    'its name leads to a private address from here',
    'If only this network sees it so (a VPC endpoint for execute-api has such names), tell `nameservers` of the service speke to ' +
      'ask public name servers, or set `probe: false`',
  ],
};

/** Every rule of SPEKE key providers at `now`. */
export function judge(facts: KeyFacts, now: number, policy: Policy): Judgement {
  const certificate = certificateOf(facts, now, policy);
  const others = [refused, notProbed, ownName, dataTrace, loggingOff, stageNotVisible, answersUnsigned];
  const findings = [...certificate.findings, ...others.flatMap((rule) => rule(facts) ?? [])];
  return { ...certificate, findings };
}

/**
 * AWS renews the certificates of its own names long before they end and nobody else can, so theirs are told of only in the last
 * days, when something must have gone wrong.
 */
function certificateOf(facts: KeyFacts, now: number, policy: Policy): Judgement {
  const { expiresAt, attributes } = facts;
  if (expiresAt === undefined) return { findings: [] };
  const criticalAt = expiresAt - CRITICAL_MS;
  const warnAt =
    attributes.host === 'api-gateway' ? criticalAt : Math.min(expiresAt - policy.expiryWarningMs, criticalAt);
  const until = [warnAt, criticalAt, expiresAt].filter((at) => at > now).sort((a, b) => a - b)[0];
  const finding = ending(facts, now, { warnAt, criticalAt, expiresAt });
  return { findings: finding ? [finding] : [], ...(until !== undefined && { until }) };
}

function ending(
  facts: KeyFacts,
  now: number,
  at: { readonly warnAt: number; readonly criticalAt: number; readonly expiresAt: number },
): Finding | undefined {
  const remedy = renewCertificate(facts);
  if (now >= at.expiresAt) {
    const summary = 'The certificate of its endpoint has expired: MediaConnect cannot get keys from it.';
    return { id: 'speke.certificate-expired', severity: 'critical', summary, remedy };
  }
  if (now < at.warnAt) return undefined;
  const severity = now >= at.criticalAt ? 'critical' : 'warning';
  const summary = 'The certificate of its endpoint expires soon; MediaConnect cannot get keys from it from then on.';
  return { id: 'speke.certificate-expiring', severity, summary, remedy };
}

/** What stands in the URL is wrong for MediaConnect too; what a name leads to may only look so from here. */
function refused({ attributes }: KeyFacts): Finding | undefined {
  const { refusal } = attributes;
  const words = REFUSAL_WORDS[refusal as Refusal];
  if (refusal === undefined || words === undefined) return undefined;
  const [because, remedy] = words;
  return {
    id: 'speke.probe-refused',
    severity: refusal === 'private_address' ? 'info' : 'warning',
    summary: `keyvigil does not call this endpoint, because ${because}: whether it works cannot be told.`,
    remedy,
  };
}

function notProbed({ state }: KeyFacts): Finding | undefined {
  if (state !== NOT_PROBED) return undefined;
  return {
    id: 'speke.not-probed',
    severity: 'info',
    summary: 'It is not probed, because the configuration says so: a loss of it would go unseen.',
    remedy: 'Set `probe: true` for the service speke',
  };
}

/** "API Gateway acts as a proxy for the communication between the service and the CA platform key provider." */
function ownName({ attributes }: KeyFacts): Finding | undefined {
  if (attributes.host !== 'own-name') return undefined;
  return {
    id: 'speke.own-name',
    severity: 'info',
    summary:
      'Its URL has a name of its own: whether an API Gateway is behind it, in the Region of the flow and with its logs on, ' +
      'cannot be told.',
    remedy: 'Give the flow the URL of the stage itself, ID.execute-api.REGION.amazonaws.com/STAGE, or check it by hand',
  };
}

/** "API Gateway provides logging capabilities": a capability, no demand, so that nobody is paged for it. */
function loggingOff(facts: KeyFacts): Finding | undefined {
  const { executionLog, accessLog } = facts.attributes;
  if (executionLog !== 'OFF' || accessLog !== false) return undefined;
  const remedy = turnLogsOn(facts);
  return {
    id: 'speke.logging-off',
    severity: 'info',
    summary: 'The stage of its API Gateway logs nothing: why a key was refused cannot be looked up afterwards.',
    ...(remedy !== undefined && { remedy }),
  };
}

/** A SPEKE answer holds content keys in the clear, so a log of whole answers is a list of keys. */
function dataTrace(facts: KeyFacts): Finding | undefined {
  if (facts.attributes.dataTrace !== true) return undefined;
  const remedy = endDataTrace(facts);
  return {
    id: 'speke.data-trace',
    severity: 'warning',
    summary: 'The stage of its API Gateway logs whole requests and answers: content keys stand in the log.',
    ...(remedy !== undefined && { remedy }),
  };
}

const NOT_VISIBLE: Readonly<Record<string, readonly [string, string]>> = {
  denied: ['keyvigil may not read it', STAGE_READ],
  not_found: [
    'this account has no such REST API or stage: it may belong to another account, or be an HTTP API',
    'Watch the account that the API belongs to, or check its logs there',
  ],
  elsewhere: ['the API is in another Region than the flow', 'Move the API to the Region of the flow'],
  unnamed: ['the URL names no stage', 'Give the flow a URL with the stage in it: /STAGE/…'],
};

function stageNotVisible({ attributes }: KeyFacts): Finding | undefined {
  const words = NOT_VISIBLE[String(attributes.stageSeen)];
  if (!words) return undefined;
  const [because, remedy] = words;
  return {
    id: 'speke.stage-not-visible',
    severity: 'info',
    summary: `Whether the stage of its API Gateway logs cannot be told: ${because}.`,
    remedy,
  };
}

/** "API Gateway – Manages customer-trusted roles": a method that anybody may call has no use for them. */
function answersUnsigned({ attributes }: KeyFacts): Finding | undefined {
  const { status } = attributes;
  if (typeof status !== 'number' || status < 200 || status >= 300) return undefined;
  return {
    id: 'speke.answers-unsigned',
    severity: 'info',
    summary: `It answered a GET that nobody had signed with ${status}: check that its POST wants a signature.`,
    remedy: 'Set the authorization of the method to AWS_IAM, so that only the role of the flow may call it',
  };
}
