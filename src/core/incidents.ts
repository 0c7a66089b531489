import { harmGroups, noReturnOf } from './harm.ts';
import type { ConsumerView, Incident, KeyView } from './snapshot.ts';

/**
 * One incident for each key that is lost by itself, sorted by that root, with all keys lost through it and all
 * consumers that it impairs. What two causes hit stands in both.
 * @param lost every key whose health is inaccessible, sorted by resource
 * @param impaired every consumer that a root cause impairs, sorted by resource
 */
export function incidentsOf(lost: readonly KeyView[], impaired: readonly ConsumerView[]): readonly Incident[] {
  // What is not lost is no way from a consumer to its root.
  const lostByResource = new Map(lost.map((key) => [key.resource, key]));
  const incidents = new Map<string, { keys: string[]; consumers: ConsumerView[] }>();
  const roots = lost.filter((key) => key.rootCauses.length === 0);
  for (const root of roots) incidents.set(root.resource, { keys: [], consumers: [] });
  for (const key of lost) {
    for (const root of key.rootCauses) incidents.get(root)?.keys.push(key.resource);
  }
  for (const consumer of impaired) {
    for (const root of consumer.rootCauses) incidents.get(root)?.consumers.push(consumer);
  }
  return roots.map((root) => {
    const { resource, own, reason, since } = root;
    const hit = incidents.get(resource);
    return {
      root: resource,
      reason: own?.reason ?? reason ?? 'dependency',
      since,
      keys: hit?.keys ?? [],
      consumers: hit?.consumers.map((consumer) => consumer.resource) ?? [],
      harm: harmGroups(hit?.consumers ?? [], resource, (key) => lostByResource.get(key)),
      noReturn: noReturnOf(root),
    };
  });
}
