/** Sections that the page of a key and that of a consumer have in common. */
import type { Harm, HarmGroup } from '../core/harm.ts';
import type { Evidence, OpenFinding, Scalar, StoredEvent } from '../core/model.ts';
import type { NotWatched } from '../core/not-watched.ts';
import { displayName, meaningOf } from '../core/readers.ts';
import type { ConsumerView, KeyView } from '../core/snapshot.ts';
import { counted, relative, span, utc } from '../core/text.ts';
import { eventWord, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { badge, command, type Html, keyLink, markup, nothing, when } from './markup.ts';
import type { Overview } from './overview.ts';

/** A term and what stands beside it; without a value it is left out. */
type Row = readonly [string, string | number | Html | undefined];

export function definitions(rows: readonly Row[]): Html {
  const present = rows.filter(([, value]) => value !== undefined && value !== '');
  return markup`<dl>${present.map(([term, value]) => markup`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}

/** The keys that are to blame, with what undoes their loss and how long there is for it. */
export function rootCauses(roots: readonly string[], overview: Overview, now: number): Html {
  if (roots.length === 0) return nothing;
  const items = roots.map((resource) => {
    const root = overview.snapshot.byResource.get(resource);
    if (root === undefined) return markup`<li><bdi>${resource}</bdi></li>`;
    const text = root.reason === undefined ? '' : REASON_WORDS[root.reason].text;
    return markup`<li>${badge(root.health)} ${KIND_WORDS[root.kind]} ${keyLink('../', resource, displayName(root))}: ${text}${deadline(root, now)}${root.undo === undefined ? nothing : command(root.undo)}</li>`;
  });
  return markup`<section aria-labelledby="roots"><h2 id="roots">Root cause</h2><ul class="plain">${items}</ul></section>`;
}

/** Why a name means nothing that is watched, and the lines that change that. */
export function notWatched(why: NotWatched | undefined): Html {
  if (why === undefined) return markup`<small>not watched</small>`;
  const { hint, configure } = why;
  return markup`<small>not watched: ${hint}</small>${
    configure === undefined
      ? nothing
      : markup`<small>To watch it, ${configure.where}:</small>${command(configure.yaml)}`
  }`;
}

export function findings(open: readonly OpenFinding[], now: number): Html {
  if (open.length === 0) return nothing;
  const items = open.map(
    (finding) => markup`<li class="${finding.severity}"><b>${finding.summary}</b>
<small>${finding.severity} · ${finding.id} · open since ${when(finding.since, now)}</small>${finding.remedy === undefined ? nothing : command(finding.remedy)}</li>`,
  );
  return markup`<section aria-labelledby="findings"><h2 id="findings">Findings</h2><ul class="plain">${items}</ul></section>`;
}

/** What was asked last, what came back, and when. */
export function evidence(
  view: { readonly evidence: Evidence; readonly checkedAt: number; readonly conclusiveAt?: number },
  now: number,
  more: readonly Row[] = [],
): Html {
  const { operation, status, code, message, requestId, attempts } = view.evidence;
  return definitions([
    ['Operation', operation],
    ['HTTP status', status],
    ['Code', code],
    ['Message', message],
    ['Request id', requestId],
    ['Attempts', attempts],
    ['Looked at', when(view.checkedAt, now)],
    ['Last conclusive', view.conclusiveAt === undefined ? 'never' : when(view.conclusiveAt, now)],
    ...more,
  ]);
}

/** What a service tells beyond the common facts, and the tags. */
export function extras(view: Pick<KeyView, 'attributes' | 'tags'>, now: number): readonly Row[] {
  return [
    ...Object.entries(view.attributes).map(([name, value]) => [name, attribute(name, value, now)] as const),
    ...Object.entries(view.tags).map(([name, value]) => [`Tag ${name}`, value] as const),
  ];
}

/** Services keep instants among their attributes as ms; the name tells. */
function attribute(name: string, value: Scalar, now: number): string | Html {
  return typeof value === 'number' && /(At|Since|Until|Before)$/.test(name) ? when(value, now) : String(value);
}

/** @param log newest first */
export function events(log: readonly StoredEvent[], now: number): Html {
  if (log.length === 0) return markup`<p class="none">None yet.</p>`;
  const items = log.map(
    (event) => markup`<li><b>${eventWord(event)}</b> ${change(event)}
<small>${when(event.at, now)}</small></li>`,
  );
  return markup`<ol class="timeline">${items}</ol>`;
}

function change({ from, to, reason, version }: StoredEvent): string {
  const moved = from !== undefined && to !== undefined ? `${from} → ${to}` : (to ?? from);
  const known = [moved, version === to ? undefined : version].filter((part) => part !== undefined).join(' ');
  return reason === undefined ? known : `${known} (${REASON_WORDS[reason].brief})`;
}

/** When a loss begins to hurt, and when it is past undoing, for each cause. */
export function harm(harms: readonly Harm[], overview: Overview): Html {
  if (harms.length === 0) return nothing;
  const items = harms.map(({ cause, text, noReturn }) => {
    const key = cause === undefined ? undefined : overview.snapshot.byResource.get(cause);
    const what =
      key === undefined ? nothing : markup`${KIND_WORDS[key.kind]} ${keyLink('../', key.resource, displayName(key))}: `;
    return markup`<li>${what}${text}${noReturn === undefined ? nothing : markup` <small>${noReturn.text}</small>`}</li>`;
  });
  return markup`<section aria-labelledby="harm"><h2 id="harm">When it hurts</h2><ul class="plain">${items}</ul></section>`;
}

/** When a loss begins to hurt those that it hits, in groups. */
export function harmGroupsList(groups: readonly HarmGroup[]): Html {
  return markup`${groups.map(
    ({ kind, consumers, text }) =>
      markup`<p class="meaning"><b>When it hurts ${counted(consumers.length, KIND_WORDS[kind])}:</b> ${text}</p>`,
  )}`;
}

/** How long there is to act. What AWS tells is only the earliest end. */
export function deadline(key: KeyView, now: number): Html {
  const until = key.recoverableUntil ?? key.deletionAt;
  if (until === undefined) return nothing;
  const isEarliest = key.provider === 'aws';
  if (until <= now) {
    const text = isEarliest ? 'It may be gone for good at any moment since' : 'The time to undo it ran out';
    return markup`<p class="deadline"><b>${text} ${relative(until, now)}</b> (${utc(until)}).</p>`;
  }
  // What was announced does not hold any more: it is gone before its time.
  if (key.own?.reason === 'purged' || key.own?.reason === 'not_found') return nothing;
  const least = isEarliest ? 'at least ' : '';
  return markup`<p class="deadline"><b>Time left to undo it: ${least}${span(until - now)}</b>, until ${utc(until)}</p>`;
}

/** What it means that the impaired ones among these consumers do not work, once for each kind. */
export function meanings(consumers: readonly ConsumerView[]): Html {
  const kinds = new Map(consumers.filter(({ health }) => health === 'impaired').map((one) => [one.kind, one]));
  return markup`${[...kinds.values()].map(
    (one) =>
      markup`<p class="meaning"><b>What an impaired ${KIND_WORDS[one.kind]} means:</b> ${meaningOf(one)?.text}</p>`,
  )}`;
}
