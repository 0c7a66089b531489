/** Rules on how a part of a flow is set to encrypt or decrypt, whatever is known of its key. */
import { visible } from '../../../core/text.ts';
import { parseArn } from '../arn.ts';
import { gatewayOf } from '../speke/url.ts';
import { setEncryption } from './commands.ts';
import type { Edge, Rule } from './edge.ts';

const RESERVED_ROLE = 'MediaConnectAccessRole';
const OF_PROTOCOL: Readonly<Record<string, RegExp>> = { 'static-key': /^zixi-/, 'srt-password': /^srt-/ };

export const ENCRYPTION_RULES: readonly Rule[] = [
  algorithm,
  protocol,
  unknownWords,
  roleMissing,
  roleAccount,
  roleReserved,
  initializationVector,
  mismatch,
  spekeOutsideEntitlement,
  spekeFields,
  spekeRegion,
  spekeRegionUnknown,
];

function algorithm(edge: Edge): ReturnType<Rule> {
  const { keyType, algorithm: set, removed } = edge.told;
  // A part that MediaConnect removed is known by its message alone.
  if (removed) return undefined;
  if (keyType === 'static-key' && set === undefined) {
    return {
      rule: 'mediaconnect.algorithm',
      said: 'it has a static key and no algorithm',
      remedy: setEncryption(edge, { Algorithm: 'aes128' }).replace('aes128', 'aes128|aes192|aes256'),
    };
  }
  if (keyType === 'srt-password' && set !== undefined) {
    return {
      rule: 'mediaconnect.algorithm',
      said: `it has an SRT password and the algorithm ${set}, which must be left out`,
      remedy: setEncryption(edge, { Algorithm: undefined }),
    };
  }
  return undefined;
}

function protocol({ use, told }: Edge): ReturnType<Rule> {
  const { keyType, protocol: spoken, entitlementArn } = told;
  const fitting = OF_PROTOCOL[String(keyType)];
  const ofEntitlement = use.role === 'entitlement-encryption' || entitlementArn !== undefined;
  if (!fitting || ofEntitlement || typeof spoken !== 'string' || spoken === 'unknown') return undefined;
  if (use.role === 'transit-encryption' || fitting.test(spoken)) return undefined;
  const needs = keyType === 'static-key' ? 'a static key goes with Zixi' : 'an SRT password goes with SRT';
  return {
    rule: 'mediaconnect.protocol',
    said: `its protocol is ${spoken}, and ${needs}`,
    remedy: 'Change the protocol at both ends, or take the encryption off.',
  };
}

function unknownWords({ told, flow }: Edge): ReturnType<Rule> {
  const words = [
    ...(told.keyType === 'unknown' ? ['type of key'] : []),
    ...(told.algorithm === 'unknown' ? ['algorithm'] : []),
    ...(told.protocol === 'unknown' ? ['protocol'] : []),
  ];
  if (words.length === 0) return undefined;
  return {
    rule: 'mediaconnect.key-type-unknown',
    said: `its ${words.join(' and ')} is none that keyvigil knows`,
    remedy: `Look at the flow: aws mediaconnect describe-flow --flow-arn ${flow.resource} --region ${flow.location}`,
  };
}

function roleMissing(edge: Edge): ReturnType<Rule> {
  const { told } = edge;
  if (told.roleArn !== undefined || told.removed || told.keyType === 'speke') return undefined;
  return {
    rule: 'mediaconnect.role-missing',
    said: 'no role is set with which MediaConnect could get the key',
    remedy: setEncryption(edge, { RoleArn: 'ARN_OF_THE_ROLE' }),
  };
}

function roleAccount(edge: Edge): ReturnType<Rule> {
  const { told, flow } = edge;
  const role = parseArn(String(told.roleArn ?? ''));
  if (!role || role.account === flow.account) return undefined;
  return {
    rule: 'mediaconnect.role-account',
    said: `its role is one of account ${role.account}, and must be one of the account of the flow (${flow.account})`,
    remedy: setEncryption(edge, { RoleArn: `arn:${role.partition}:iam::${flow.account}:${role.resource}` }),
  };
}

function roleReserved(edge: Edge): ReturnType<Rule> {
  if (
    parseArn(String(edge.told.roleArn ?? ''))
      ?.resource.split('/')
      .at(-1) !== RESERVED_ROLE
  )
    return undefined;
  return {
    rule: 'mediaconnect.role-reserved',
    said: `its role is named ${RESERVED_ROLE}, a name that is reserved`,
    remedy: setEncryption(edge, { RoleArn: 'ARN_OF_A_ROLE_OF_ANOTHER_NAME' }),
  };
}

function initializationVector(edge: Edge): ReturnType<Rule> {
  const { hasIv, ivMalformed, keyType } = edge.told;
  if (hasIv !== true) return undefined;
  const rule = 'mediaconnect.iv';
  if (keyType === 'static-key' || keyType === 'srt-password') {
    return {
      rule,
      said: `it has a constant initialization vector, and a ${keyType} takes none`,
      remedy: setEncryption(edge, {}),
    };
  }
  if (ivMalformed !== true) return undefined;
  return {
    rule,
    said: 'its constant initialization vector is not 32 hexadecimal characters',
    remedy: setEncryption(edge, { ConstantInitializationVector: '32_HEXADECIMAL_CHARACTERS' }),
  };
}

/** Both ends are seen only where both accounts are watched. */
function mismatch(edge: Edge): ReturnType<Rule> {
  const { keyType, algorithm: own, originatorKeyType, originatorAlgorithm } = edge.told;
  if (originatorKeyType === undefined || originatorKeyType === 'unknown' || keyType === 'unknown') return undefined;
  const rule = 'mediaconnect.entitlement-mismatch';
  if (originatorKeyType === 'none') {
    return {
      rule,
      said: 'it decrypts, and the flow that grants its entitlement does not encrypt',
      remedy: 'Set the encryption of the entitlement, or take the decryption off the source.',
    };
  }
  const sameAlgorithm = own === originatorAlgorithm || keyType === 'speke';
  if (keyType === originatorKeyType && sameAlgorithm) return undefined;
  const spelled = (type: unknown, used: unknown) => (used === undefined ? `${type}` : `${type} with ${used}`);
  return {
    rule,
    said: `it decrypts by ${spelled(keyType, own)}, and the flow that grants its entitlement encrypts by ${spelled(originatorKeyType, originatorAlgorithm)}`,
    remedy: setEncryption(edge, {
      KeyType: String(originatorKeyType),
      Algorithm: originatorAlgorithm === undefined ? undefined : String(originatorAlgorithm),
    }),
  };
}

function spekeOutsideEntitlement({ use, told }: Edge): ReturnType<Rule> {
  if (told.keyType !== 'speke' || use.role === 'entitlement-encryption' || told.entitlementArn !== undefined)
    return undefined;
  return {
    rule: 'mediaconnect.speke-outside-entitlement',
    said: 'it uses SPEKE without an entitlement, and MediaConnect supports SPEKE for entitlements only',
    remedy: 'Use a static key with Zixi or an SRT password with SRT, or share the content through an entitlement.',
  };
}

function spekeFields(edge: Edge): ReturnType<Rule> {
  const { told } = edge;
  if (told.keyType !== 'speke') return undefined;
  const needed = {
    Region: told.spekeRegion,
    ResourceId: told.resourceId,
    DeviceId: told.deviceId,
    RoleArn: told.roleArn,
  };
  const missing = Object.entries(needed).flatMap(([name, value]) => (value === undefined ? [name] : []));
  if (missing.length === 0) return undefined;
  return {
    rule: 'mediaconnect.speke-fields',
    said: `it uses SPEKE without ${missing.join(', ')}`,
    remedy: setEncryption(edge, Object.fromEntries(missing.map((name) => [name, `THE_${name.toUpperCase()}`]))),
  };
}

function spekeRegion(edge: Edge): ReturnType<Rule> {
  const { use, told, flow } = edge;
  if (told.keyType !== 'speke') return undefined;
  const named = gatewayOf(use.resource)?.region;
  const other = [named, told.spekeRegion].find((region) => region !== undefined && region !== flow.location);
  if (other === undefined) return undefined;
  return {
    rule: 'mediaconnect.speke-region',
    said: `its API Gateway proxy is in ${visible(String(other))}, and the flow is in ${flow.location}`,
    remedy: setEncryption(edge, { Region: flow.location, Url: 'URL_OF_A_PROXY_IN_THE_REGION_OF_THE_FLOW' }),
  };
}

function spekeRegionUnknown({ use, told, flow }: Edge): ReturnType<Rule> {
  if (told.keyType !== 'speke' || gatewayOf(use.resource)) return undefined;
  return {
    rule: 'mediaconnect.speke-region-unknown',
    said: `its key provider has a name of its own, which does not tell whether the API Gateway behind it is in ${flow.location}`,
    remedy: `Check it: aws apigateway get-domain-name --domain-name ${hostOf(use.resource)} --region ${flow.location}`,
  };
}

function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? 'NAME';
}
