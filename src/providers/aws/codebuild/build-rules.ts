/** What the last build said of keys; only where `builds` is on. */
import type { Ruling } from '../../rulings.ts';
import type { Rule, Scene } from './edge.ts';
import { allowRead } from './remedies.ts';

export const BUILD_RULES: readonly Rule[] = [accessDenied, reported, buildsDenied];

/** Of a project that builds at all, the next build has shown by then whether it still is so. */
const TELLS_FOR_MS = 7 * 86_400_000;

/** The role of the project may not read a secret: "the build project's service role must allow secretsmanager:GetSecretValue". */
function accessDenied(scene: Scene): Ruling {
  const { buildError, buildErrorKey } = scene.project.attributes;
  if (buildError !== 'AccessDeniedException') return {};
  const secret = typeof buildErrorKey === 'string' ? buildErrorKey : undefined;
  const role = String(scene.project.attributes.serviceRole ?? 'of the project');
  const allow = secret === undefined ? undefined : allowRead(scene.project, secret);
  return lastly(scene, {
    id: 'codebuild.access-denied',
    severity: 'critical',
    summary: `Its last build was refused ${secret === undefined ? 'a secret' : `the secret ${secret}`}.`,
    remedy:
      allow ?? `Let the role ${role} do secretsmanager:GetSecretValue on its secrets, and kms:Decrypt on their keys.`,
    impairs: 'access_revoked',
  });
}

function reported(scene: Scene): Ruling {
  const { buildError, buildErrorKey } = scene.project.attributes;
  if (typeof buildError !== 'string' || buildError === 'AccessDeniedException') return {};
  const what = buildError.startsWith('KMS.')
    ? 'the key of what it stores'
    : `the secret ${buildErrorKey ?? 'that it needs'}`;
  return lastly(scene, {
    id: 'codebuild.reported',
    severity: 'critical',
    summary: `Its last build failed over ${what}: ${buildError}.`,
    remedy: 'Look at what the project refers to, undo what is wrong with it, then start a build.',
    impairs: 'reported_by_service',
  });
}

/** A build that was long ago, or before the project was changed, proves nothing of today. */
function lastly({ project, now }: Scene, finding: NonNullable<Ruling['finding']>): Ruling {
  const { buildErrorAt: at, modifiedAt } = project.attributes;
  const { impairs: _proves, ...remark } = finding;
  const outdated = typeof at !== 'number' || (typeof modifiedAt === 'number' && modifiedAt > at);
  if (outdated || now >= at + TELLS_FOR_MS) return { finding: { ...remark, severity: 'info' } };
  return { finding, until: at + TELLS_FOR_MS };
}

function buildsDenied({ project }: Scene): Ruling {
  if (project.attributes.builds !== 'denied') return {};
  return {
    finding: {
      id: 'codebuild.builds-denied',
      severity: 'info',
      summary: 'keyvigil may not look at its builds, so that what they report is not known.',
      remedy: 'Allow codebuild:ListBuildsForProject and codebuild:BatchGetBuilds on it, or switch builds off.',
    },
  };
}
