/** Which records each source has seen: asked for in every sweep, where going through all records of all sources is too much. */
import { type SourceId, sourceKey } from '../core/model.ts';
import type { Tracked } from './tracked.ts';

export interface Seen {
  by(source: SourceId): readonly Tracked[];
  /** `before` is absent for a new record, `after` for one that ends. */
  replace(before: Tracked | undefined, after: Tracked | undefined): void;
}

export function createSeen(): Seen {
  const bySource = new Map<string, Map<string, Tracked>>();

  return {
    by: (source) => [...(bySource.get(sourceKey(source))?.values() ?? [])],
    replace(before, after) {
      if (before && after && sameSources(before, after)) {
        for (const witness of after.witnesses) bySource.get(sourceKey(witness))?.set(after.resource, after);
        return;
      }
      const now = new Set(after?.witnesses.map(sourceKey));
      for (const witness of before?.witnesses ?? []) {
        const key = sourceKey(witness);
        if (before && !now.has(key)) bySource.get(key)?.delete(before.resource);
      }
      if (!after) return;
      for (const key of now) {
        const records = bySource.get(key) ?? new Map<string, Tracked>();
        bySource.set(key, records.set(after.resource, after));
      }
    },
  };
}

/** Nearly always: who saw it last time sees it again. */
function sameSources(before: Tracked, after: Tracked): boolean {
  return (
    before.witnesses.length === after.witnesses.length &&
    before.witnesses.every((one, at) => {
      const other = after.witnesses[at];
      return one.target === other?.target && one.service === other.service && one.location === other.location;
    })
  );
}
