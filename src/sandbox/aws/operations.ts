import { stageOperations } from './apigateway/stages.ts';
import { buildOperations } from './codebuild/builds.ts';
import { projectOperations } from './codebuild/projects.ts';
import type { ServiceName } from './errors.ts';
import { roleOperations } from './iam/roles.ts';
import { simulateOperations } from './iam/simulate.ts';
import { aliasOperations } from './kms/aliases.ts';
import { cryptoOperations } from './kms/crypto.ts';
import { keyOperations } from './kms/keys.ts';
import { materialOperations } from './kms/material.ts';
import { rotationOperations } from './kms/rotation.ts';
import { entitlementOperations } from './mediaconnect/entitlements.ts';
import { flowOperations } from './mediaconnect/flows.ts';
import { partOperations } from './mediaconnect/parts.ts';
import { tagOperations } from './mediaconnect/tags.ts';
import { readOperations } from './secrets/read.ts';
import { replicationOperations } from './secrets/replicate.ts';
import { rotateOperations } from './secrets/rotate.ts';
import { writeOperations } from './secrets/write.ts';
import { stsOperations } from './sts.ts';
import type { Operations } from './world.ts';

/** Every operation that the sandbox imitates, by service. */
export function allOperations(): Readonly<Record<ServiceName, Operations>> {
  return {
    secretsmanager: { ...readOperations, ...writeOperations, ...rotateOperations, ...replicationOperations },
    kms: { ...keyOperations, ...aliasOperations, ...rotationOperations, ...materialOperations(), ...cryptoOperations },
    sts: stsOperations,
    mediaconnect: { ...flowOperations, ...partOperations, ...entitlementOperations, ...tagOperations },
    codebuild: { ...projectOperations, ...buildOperations },
    iam: { ...roleOperations, ...simulateOperations },
    apigateway: stageOperations,
  };
}
