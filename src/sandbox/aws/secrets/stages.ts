import type { Secret, Version } from './state.ts';

type Versions = Secret['versions'];

const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
const PENDING = 'AWSPENDING';

/**
 * Puts labels on a version and takes them from the others. The version that loses AWSCURRENT becomes AWSPREVIOUS and loses
 * an AWSPENDING that a rotation left on it.
 */
export function moveStages(versions: Versions, id: string, stages: readonly string[]): Versions {
  const losesCurrent = (version: Version) =>
    version.id !== id && version.stages.includes(CURRENT) && stages.includes(CURRENT);
  const previous = versions.find(losesCurrent);
  return versions.map((version) => {
    if (version.id === id) {
      const own = version.stages.filter((stage) => !stages.includes(stage) && !(previous && stage === PREVIOUS));
      return { ...version, stages: inOrder([...own, ...stages]) };
    }
    let kept = version.stages.filter((stage) => !stages.includes(stage));
    if (previous) kept = kept.filter((stage) => stage !== PREVIOUS);
    if (version === previous) kept = [...kept.filter((stage) => stage !== PENDING), PREVIOUS];
    return kept.length === version.stages.length && version !== previous ? version : { ...version, stages: kept };
  });
}

/** Takes one label away from every version. */
export function dropStage(versions: Versions, stage: string): Versions {
  return versions.map((version) =>
    version.stages.includes(stage)
      ? { ...version, stages: version.stages.filter((other) => other !== stage) }
      : version,
  );
}

/** AWSCURRENT stands before AWSPENDING in every recorded answer. */
function inOrder(stages: readonly string[]): readonly string[] {
  return [...new Set(stages)].toSorted((one, other) => (one < other ? -1 : 1));
}
