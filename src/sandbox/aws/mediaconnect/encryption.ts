import { type Input, record, text } from '../input.ts';
import { badRequest, type PartKind } from './state.ts';

const SPEKE_FIELDS = ['url', 'region', 'resourceId', 'deviceId'] as const;

/**
 * Throws BadRequestException when the encryption of a part breaks what the API model says about it: fields that a key type
 * needs or does not take, and where encryption is possible at all (Zixi, SRT and entitlements; SPEKE with entitlements only).
 */
export function checkEncryption(kind: PartKind, fields: Input): void {
  const encryption = record(fields, kind === 'source' ? 'decryption' : 'encryption');
  if (!encryption) return;
  const entitled = kind === 'entitlement' || fields.entitlementArn != null;
  const keyType = text(encryption, 'keyType') ?? 'static-key';
  if (text(encryption, 'roleArn') === undefined) throw badRequest('encryption: roleArn is required');
  if (!entitled) checkProtocol(kind, keyType, text(fields, 'protocol'));
  if (keyType === 'speke') checkSpeke(encryption, entitled);
  else checkSecret(encryption, keyType);
}

function checkProtocol(kind: PartKind, keyType: string, protocol: string | undefined): void {
  if (protocol?.startsWith('zixi-') && keyType === 'static-key') return;
  if (protocol?.startsWith('srt-') && keyType === 'srt-password') return;
  if (keyType === 'speke') return;
  throw badRequest(`encryption: ${keyType} is not valid for ${kind}s with protocol ${protocol ?? 'none'}`);
}

function checkSpeke(encryption: Input, entitled: boolean): void {
  if (!entitled) throw badRequest('encryption: speke is only valid for entitlements');
  for (const field of SPEKE_FIELDS) {
    if (!text(encryption, field)) throw badRequest(`encryption: ${field} is required for speke`);
  }
  const vector = text(encryption, 'constantInitializationVector');
  if (vector !== undefined && !/^[0-9a-fA-F]{32}$/.test(vector)) {
    throw badRequest('encryption: constantInitializationVector must be 32 hexadecimal characters');
  }
}

function checkSecret(encryption: Input, keyType: string): void {
  if (!text(encryption, 'secretArn')) throw badRequest(`encryption: secretArn is required for ${keyType}`);
  if (keyType === 'static-key' && !text(encryption, 'algorithm')) {
    throw badRequest('encryption: algorithm is required for static-key');
  }
  for (const field of [...SPEKE_FIELDS, 'constantInitializationVector']) {
    if (encryption[field] != null) throw badRequest(`encryption: ${field} is not valid for ${keyType}`);
  }
}
