import type { Scalar, StoredEvent } from '../core/model.ts';
import type { KeyView } from '../core/snapshot.ts';
import { counted, grouped } from '../core/text.ts';
import { EVENT_WORDS, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import type { SeenVersion } from './deps.ts';
import { layout, type PageContext } from './layout.ts';
import { badge, command, type Html, keyLink, markup, nothing, when } from './markup.ts';
import type { Overview } from './overview.ts';
import { deadline } from './status.ts';
import { consumerTable, keyTable } from './tables.ts';

/** Dependents that one page lists; the API has them all. */
const DEPENDENTS_SHOWN = 200;

/** The newest first. */
export interface History {
  readonly versions: readonly SeenVersion[];
  readonly events: readonly StoredEvent[];
}

/** Everything about one key: verdict, evidence, what it takes down, what undoes it, and how it came to that. */
export function detailPage(key: KeyView, overview: Overview, history: History, context: PageContext): Html {
  const { now } = context;
  const words = key.reason === undefined ? undefined : REASON_WORDS[key.reason];
  const isLost = key.health === 'inaccessible';
  const body = markup`<nav aria-label="Back"><a href="../">← all keys</a></nav>
<section class="hero ${key.health}" aria-label="Summary">
<h1><bdi>${key.name}</bdi></h1>
<p>${badge(key.health)} <span class="kind">${KIND_WORDS[key.kind]}</span>${key.critical ? ' · critical' : ''}${key.blindSince === undefined ? nothing : markup` <span class="badge blind">blind</span>`}</p>
<p class="why"><b>${words?.text ?? 'It can be used.'}</b></p>
<p>Since ${when(key.since, now)}</p>
${key.baseline ? markup`<p>It was already so when keyvigil first saw it.</p>` : nothing}
${
  key.blindSince === undefined
    ? nothing
    : markup`<p>Nothing conclusive has come in since ${when(key.blindSince, now)}: ${key.blindReason === undefined ? 'the looks prove nothing' : REASON_WORDS[key.blindReason].text} What is shown here is what was last known.</p>`
}
${deadline(key, now)}
${key.undo === undefined ? nothing : markup`<p class="label">Undo</p>${command(key.undo)}`}
</section>
${rootCauses(key, overview)}
${findings(key, now)}
${dependents(key, overview, now)}
${dependencies(key, overview, now)}
<section aria-labelledby="evidence"><h2 id="evidence">${isLost ? 'Evidence' : 'Last look'}</h2>${evidence(key, now)}</section>
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts(key, now)}</section>
<section aria-labelledby="versions"><h2 id="versions">Versions</h2>${versions(key, history.versions, now)}</section>
<section aria-labelledby="events"><h2 id="events">Events</h2>${events(history.events, now)}</section>
<p><a href="../api/v1/keys/${encodeURIComponent(key.resource.toWellFormed())}">This key as JSON</a></p>`;
  return layout(`${key.name} · keyvigil`, body, { ...context, resource: key.resource });
}

/** A key that is not watched (any more), with what the log still tells of it. */
export function unknownKeyPage(resource: string, history: readonly StoredEvent[], context: PageContext): Html {
  const body = markup`<nav aria-label="Back"><a href="../">← all keys</a></nav>
<section class="hero empty"><h1>No such key is watched</h1><p class="resource">${resource}</p></section>
${history.length === 0 ? nothing : markup`<section aria-labelledby="events"><h2 id="events">Events</h2>${events(history, context.now)}</section>`}`;
  return layout('No such key · keyvigil', body, context);
}

function rootCauses(key: KeyView, overview: Overview): Html {
  if (key.rootCauses.length === 0) return nothing;
  const items = key.rootCauses.map((resource) => {
    const root = overview.snapshot.byResource.get(resource);
    if (root === undefined) return markup`<li><bdi>${resource}</bdi></li>`;
    const text = root.reason === undefined ? '' : REASON_WORDS[root.reason].text;
    return markup`<li>${badge(root.health)} ${KIND_WORDS[root.kind]} ${keyLink('../', resource, root.name)}: ${text}${root.undo === undefined ? nothing : command(root.undo)}</li>`;
  });
  return markup`<section aria-labelledby="roots"><h2 id="roots">Root cause</h2><ul class="plain">${items}</ul></section>`;
}

function findings(key: KeyView, now: number): Html {
  if (key.findings.length === 0) return nothing;
  const items = key.findings.map(
    (finding) => markup`<li class="${finding.severity}"><b>${finding.summary}</b>
<small>${finding.severity} · ${finding.id} · open since ${when(finding.since, now)}</small>${finding.remedy === undefined ? nothing : command(finding.remedy)}</li>`,
  );
  return markup`<section aria-labelledby="findings"><h2 id="findings">Findings</h2><ul class="plain">${items}</ul></section>`;
}

function dependents(key: KeyView, overview: Overview, now: number): Html {
  const { keys, consumers } = overview.dependents(key.resource);
  const total = keys.length + consumers.length;
  const title = key.health === 'inaccessible' ? 'What it takes down' : 'What would break without it';
  const cut = keys.length > DEPENDENTS_SHOWN || consumers.length > DEPENDENTS_SHOWN;
  return markup`<section aria-labelledby="dependents"><h2 id="dependents">${title}</h2>
${total === 0 ? markup`<p>Nothing that keyvigil knows of depends on it.</p>` : markup`<p class="count">${counted(consumers.length, 'consumer')}, ${counted(keys.length, 'key')}, directly or through others${cut ? `; the first ${grouped(DEPENDENTS_SHOWN)} of each are shown` : ''}</p>`}
${consumers.length === 0 ? nothing : consumerTable(consumers.slice(0, DEPENDENTS_SHOWN), now)}
${keys.length === 0 ? nothing : keyTable(keys.slice(0, DEPENDENTS_SHOWN), overview, '../', now)}</section>`;
}

function dependencies(key: KeyView, overview: Overview, now: number): Html {
  if (key.dependsOn.length === 0) return nothing;
  const known = key.dependsOn.flatMap((resource) => overview.snapshot.byResource.get(resource) ?? []);
  return markup`<section aria-labelledby="needs"><h2 id="needs">What it depends on</h2>${keyTable(known, overview, '../', now)}</section>`;
}

function evidence(key: KeyView, now: number): Html {
  const { operation, status, code, message, requestId, attempts } = key.evidence;
  return definitions([
    ['Operation', operation],
    ['HTTP status', status],
    ['Code', code],
    ['Message', message],
    ['Request id', requestId],
    ['Attempts', attempts],
    ['Looked at', when(key.checkedAt, now)],
    ['Last conclusive', key.conclusiveAt === undefined ? 'never' : when(key.conclusiveAt, now)],
    ['Own verdict', key.own === undefined ? 'nothing conclusive is known' : ownVerdict(key.own)],
  ]);
}

function ownVerdict(own: NonNullable<KeyView['own']>): string {
  return own.reason === undefined ? own.status : `${own.status}: ${REASON_WORDS[own.reason].brief}`;
}

function facts(key: KeyView, now: number): Html {
  const at = (instant: number | undefined) => (instant === undefined ? undefined : when(instant, now));
  return definitions([
    ['Resource', key.resource],
    ['Account', key.account],
    ['Location', key.location],
    ['Targets', key.targets.join(', ')],
    ['State', key.state],
    ['Spec', key.spec],
    ['Version', key.version],
    ['Version created', at(key.versionCreatedAt)],
    ['Version detected', at(key.versionDetectedAt)],
    ['Last rotated', at(key.lastRotatedAt)],
    ['Next rotation', at(key.nextRotationAt)],
    ['Expires', at(key.expiresAt)],
    ['Deletion', at(key.deletionAt)],
    ['Recoverable until', at(key.recoverableUntil)],
    ...Object.entries(key.attributes).map(([name, value]) => [name, attribute(name, value, now)] as const),
    ...Object.entries(key.tags).map(([name, value]) => [`Tag ${name}`, value] as const),
  ]);
}

/** Services keep instants among their attributes as ms; the name tells. */
function attribute(name: string, value: Scalar, now: number): string | Html {
  return typeof value === 'number' && /(At|Since|Until)$/.test(name) ? when(value, now) : String(value);
}

function definitions(rows: readonly (readonly [string, string | number | Html | undefined])[]): Html {
  const present = rows.filter(([, value]) => value !== undefined && value !== '');
  return markup`<dl>${present.map(([term, value]) => markup`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}

function versions(key: KeyView, seen: readonly SeenVersion[], now: number): Html {
  if (seen.length === 0) return markup`<p class="none">None was seen yet.</p>`;
  const items = seen.map(
    ({
      version,
      createdAt,
      detectedAt,
    }) => markup`<li><code>${version}</code>${version === key.version ? ' (current)' : ''}
<small>${createdAt === undefined ? nothing : markup`created ${when(createdAt, now)}, `}seen ${when(detectedAt, now)}</small></li>`,
  );
  return markup`<ol class="timeline">${items}</ol>`;
}

function events(log: readonly StoredEvent[], now: number): Html {
  if (log.length === 0) return markup`<p class="none">None yet.</p>`;
  const items = log.map(
    (event) => markup`<li><b>${EVENT_WORDS[event.type]}</b> ${change(event)}
<small>${when(event.at, now)}</small></li>`,
  );
  return markup`<ol class="timeline">${items}</ol>`;
}

function change({ from, to, reason, version }: StoredEvent): string {
  const parts = [from !== undefined && to !== undefined ? `${from} → ${to}` : (to ?? from), version];
  const known = parts.filter((part, at) => part !== undefined && parts.indexOf(part) === at).join(' ');
  return reason === undefined ? known : `${known} (${REASON_WORDS[reason].brief})`;
}
