import { seconds } from '../world.ts';
import { isImported, type Key, keyArn, keyState, type Material } from './state.ts';

type Wire = Readonly<Record<string, unknown>>;

/** KeyMetadata as DescribeKey, CreateKey and ReplicateKey answer it. Fields without a value are undefined and not sent. */
export function keyMetadata(key: Key, now: number): Wire {
  const state = keyState(key, now);
  const current = key.materials.find((material) => material.state === 'CURRENT');
  const imported = key.origin === 'EXTERNAL' && state !== 'PendingImport' ? current : undefined;
  const expiries = key.materials.map((material) => material.validTo).filter((at) => at !== undefined);
  return {
    AWSAccountId: key.account,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: seconds(key.createdAt),
    Enabled: state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: state,
    DeletionDate: state === 'PendingDeletion' && key.deletionAt !== undefined ? seconds(key.deletionAt) : undefined,
    PendingDeletionWindowInDays: key.deletionWaits,
    ValidTo: imported && expiries.length > 0 ? seconds(Math.min(...expiries)) : undefined,
    ExpirationModel: imported ? expirationModel(imported) : undefined,
    Origin: key.origin,
    CustomKeyStoreId: key.customKeyStoreId,
    CloudHsmClusterId: key.origin === 'AWS_CLOUDHSM' ? 'cluster-1a23b4cdefg' : undefined,
    XksKeyConfiguration: key.origin === 'EXTERNAL_KEY_STORE' ? { Id: `xks-${key.id.slice(0, 8)}` } : undefined,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...algorithms(key),
    MultiRegion: key.multiRegion !== undefined,
    MultiRegionConfiguration: multiRegionConfiguration(key),
    CurrentKeyMaterialId: key.creatingUntil > now ? undefined : current?.id,
  };
}

function expirationModel(material: Material): string {
  return material.validTo === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES';
}

function algorithms(key: Key): Wire {
  if (key.spec === 'SYMMETRIC_DEFAULT') return { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] };
  if (key.usage === 'GENERATE_VERIFY_MAC') return { MacAlgorithms: [key.spec.replace('HMAC_', 'HMAC_SHA_')] };
  if (key.usage === 'ENCRYPT_DECRYPT') return { EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] };
  if (key.usage === 'KEY_AGREEMENT') return { KeyAgreementAlgorithms: ['ECDH'] };
  if (key.spec.startsWith('RSA_')) return { SigningAlgorithms: ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256'] };
  return { SigningAlgorithms: ['ECDSA_SHA_256'] };
}

function multiRegionConfiguration(key: Key): Wire | undefined {
  if (!key.multiRegion) return undefined;
  const { primaryRegion, replicaRegions } = key.multiRegion;
  const place = (region: string) => ({ Arn: keyArn(key.account, region, key.id), Region: region });
  return {
    MultiRegionKeyType: key.region === primaryRegion ? 'PRIMARY' : 'REPLICA',
    PrimaryKey: place(primaryRegion),
    ReplicaKeys: replicaRegions.map(place),
  };
}

/** One entry of ListKeyRotations; what is only true of imported material is only in entries of EXTERNAL keys. */
export function rotationEntry(key: Key, material: Material, now: number): Wire {
  const external = key.origin === 'EXTERNAL';
  return {
    KeyId: key.arn,
    KeyMaterialId: material.id,
    KeyMaterialDescription: material.description,
    ImportState: external ? (isImported(material, now) ? 'IMPORTED' : 'PENDING_IMPORT') : undefined,
    KeyMaterialState: material.state,
    ExpirationModel: external && isImported(material, now) ? expirationModel(material) : undefined,
    ValidTo: material.validTo === undefined ? undefined : seconds(material.validTo),
    RotationDate: material.rotatedAt === undefined ? undefined : seconds(material.rotatedAt),
    RotationType: material.rotation,
  };
}
