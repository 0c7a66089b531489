/** When a loss hurts, as `explain` and `impact` tell it. Pure. */
import type { Blast, Fate } from './blast.ts';
import { type HarmBegins, harmGroups } from './harm.ts';
import type { ConsumerKind } from './model.ts';
import type { Relations } from './relations.ts';
import { iso } from './text.ts';

/** Times are ISO 8601. */
export interface HarmBrief {
  readonly begins: HarmBegins;
  /** For `later`: not before then. */
  readonly at?: string | undefined;
  readonly text: string;
  /** Of what stands behind a key: how many of which kind it hits at that moment. */
  readonly kind?: ConsumerKind | undefined;
  readonly consumers?: number | undefined;
  /** Of a consumer: the key to blame, and until when that can be undone. */
  readonly cause?: string | undefined;
  readonly undoing?: string | undefined;
}

/** When the loss of the key of a blast hurts the consumers of these fates, worst first. */
export function harmOf(
  { resource, consumers }: Blast,
  { snapshot }: Relations,
  fates: readonly Fate[],
): readonly HarmBrief[] {
  const hit = [...consumers].flatMap(([consumer, fate]) => (fates.includes(fate) ? consumer : []));
  return harmGroups(hit, resource, (one) => snapshot.byResource.get(one)).map((group) => ({
    begins: group.begins,
    at: iso(group.at),
    text: group.text,
    kind: group.kind,
    consumers: group.consumers.length,
  }));
}
