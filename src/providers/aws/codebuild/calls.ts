/** What sweeps of CodeBuild cost. Pure. */
import type { Calls } from '../../provider.ts';
import { objectsOf, pagesOf } from '../../steady.ts';
import { SIMULATION_ASSUMES, simulationCalls } from '../iam/calls.ts';

/** What ListProjects and BatchGetProjects give at once. */
const PAGE_SIZE = 100;
/** Builds of one project that are looked at: the newest may have gone on for too short to tell anything. */
export const BUILDS_OF_EACH = 5;
/** The most that BatchGetBuilds takes. */
export const BUILDS_AT_ONCE = 100;

export const calls: Calls = {
  steady(holding, pace) {
    const { listing } = holding;
    const projects = objectsOf(holding);
    const pages = pagesOf(projects, PAGE_SIZE);
    const builds = Math.ceil((projects * BUILDS_OF_EACH) / BUILDS_AT_ONCE);
    return {
      ListProjects: listing?.ListProjects ?? pages,
      BatchGetProjects: listing ? (listing.BatchGetProjects ?? 0) : projects === 0 ? 0 : pages,
      ...(pace.services.codebuild?.builds === true
        ? { ListBuildsForProject: projects, BatchGetBuilds: listing ? (listing.BatchGetBuilds ?? 0) : builds }
        : {}),
      ...simulationCalls(projects, pace),
    };
  },
  assumes: [`With \`builds: true\` every CodeBuild project has at least ${BUILDS_OF_EACH} builds.`, SIMULATION_ASSUMES],
};
