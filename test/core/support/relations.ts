/** Relations as the daemon makes them: of a graph, its snapshot and its records. */
import type { Graph } from '../../../src/core/graph.ts';
import { type Relations, relationsOf } from '../../../src/core/relations.ts';
import { snap } from './graphs.ts';

export function relationsIn(graph: Graph): Relations {
  return relationsOf(snap(graph), { key: (resource) => graph.records.get(resource), resolve: graph.resolve });
}
