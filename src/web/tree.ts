/** The dependency tree and the alerts of one key or consumer, as lists that fold. Complete without JavaScript. */
import type { AlertBrief } from '../core/alerting.ts';
import type { Explanation } from '../core/explain.ts';
import { isConsumerKind } from '../core/model.ts';
import { counted, grouped, utc } from '../core/text.ts';
import type { Brief, Dependent, Needed, NeededKey, UseBrief } from '../core/tree.ts';
import { KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { badge, command, consumerLink, type Html, keyLink, markup, nothing, when } from './markup.ts';
import { notWatched } from './parts.ts';

/** Objects that the trees of one page list; the API lists more. */
export const TREE_SHOWN = 200;
/** Below this many children a branch is open. */
const OPEN_UP_TO = 12;

/** What needs a key: consumers with what they do with it, keys with what needs those. */
export function dependentsList({ tree, more, dependents, resource }: Explanation): Html {
  if (tree.length === 0) return nothing;
  const listed = count(tree);
  const total = dependents.keys + dependents.consumers;
  const cut =
    listed < total
      ? markup`<p class="count">The tree shows ${grouped(Math.min(listed, TREE_SHOWN))} of them, worst first: <a href="../api/v1/explain?resource=${encodeURIComponent(resource.toWellFormed())}&amp;limit=10000">the API</a> has more.</p>`
      : nothing;
  return markup`${cut}<ul class="tree">${tree.map(branch)}${rest(more)}</ul>`;
}

function branch(node: Dependent): Html {
  const { children = [], more, again } = node;
  const head = markup`${badge(node.health)} ${subject(node)}${owners(node)}${uses(node.uses)}${otherwise(node)}`;
  if (again) return markup`<li>${head} <small>shown above</small></li>`;
  if (children.length === 0)
    return markup`<li>${head}${more === undefined ? nothing : markup`<ul>${rest(more)}</ul>`}</li>`;
  const open = children.length <= OPEN_UP_TO ? markup` open` : nothing;
  const behind = `needed by ${grouped(children.length + (more ?? 0))}`;
  return markup`<li>${head}<details${open}><summary>${behind}</summary><ul>${children.map(branch)}${rest(more)}</ul></details></li>`;
}

/** What keeps it from breaking with the one above, or may. */
function otherwise({ fate, instead = [], assumed }: Dependent): Html {
  const names = instead.join(', ');
  if (fate === 'spared')
    return markup`<small>goes on without it${names === '' ? '' : `: it has ${names} as well`}</small>`;
  if (fate === 'unsure')
    return markup`<small>goes on only if ${names === '' ? 'what cannot be seen works' : `${names} works, which cannot be seen`}</small>`;
  if (fate === 'one_remove') return markup`<small>keeps its data there</small>`;
  return assumed ? markup`<small>as far as its settings tell</small>` : nothing;
}

function uses(all: readonly UseBrief[] = []): Html {
  if (all.length === 0) return nothing;
  return markup`<small>${all.map((use) => useText(use)).join('; ')}</small>`;
}

function useText({ part, role, versionInUse, pinned }: UseBrief): string {
  const version = versionInUse === undefined ? '' : `, version ${versionInUse}${pinned ? ' (pinned)' : ''}`;
  return `${part === undefined ? role : `${part}: ${role}`}${version}`;
}

function subject(view: Brief): Html {
  const link = isConsumerKind(view.kind) ? consumerLink : keyLink;
  return markup`<span class="kind">${KIND_WORDS[view.kind]}</span> ${link('../', view.resource, view.name)}${view.blindSince === undefined ? nothing : markup` <span class="badge blind">blind</span>`}`;
}

function owners({ owners: tags = {} }: Brief): Html {
  const text = Object.entries(tags).map(([name, value]) => `${name}: ${value}`);
  return text.length === 0 ? nothing : markup` <span class="kind">${text.join(', ')}</span>`;
}

function rest(more: number | undefined): Html {
  return more === undefined || more === 0 ? nothing : markup`<li class="none">and ${grouped(more)} more</li>`;
}

function count(nodes: readonly Dependent[]): number {
  return nodes.reduce((sum, { children = [], again }) => sum + (again ? 0 : 1) + count(children), 0);
}

/** What it needs, up to the roots: what is broken first. */
export function needsList({ needs, moreNeeds }: Explanation): Html {
  if (needs.length === 0) return nothing;
  return markup`<ul class="tree">${needs.map(need)}${rest(moreNeeds)}</ul>`;
}

function need({ role, use, anyOf, assumed }: Needed): Html {
  const words = use ? useText(use) : role;
  const note = assumed ? ', as far as its settings tell' : '';
  const [only] = anyOf;
  if (only && anyOf.length === 1) return markup`<li>${neededKey(only)} <small>${words}${note}</small></li>`;
  return markup`<li>any of these <small>${words}${note}</small><ul>${anyOf.map((one) => markup`<li>${neededKey(one)}</li>`)}</ul></li>`;
}

function neededKey({ name, key, root, undo, needs = [], again, notWatched: why }: NeededKey): Html {
  if (!key) return markup`<span class="badge">?</span> <bdi>${name}</bdi>${notWatched(why)}`;
  const reason = key.reason === undefined || key.reason === 'finding' ? '' : `: ${REASON_WORDS[key.reason].brief}`;
  return markup`${badge(key.health)} ${subject(key)}${reason}${root ? markup` <b>root cause</b>` : nothing}${
    root && undo !== undefined ? command(undo) : nothing
  }${again ? markup` <small>shown above</small>` : nothing}${needs.length === 0 ? nothing : markup`<ul>${needs.map(need)}</ul>`}`;
}

/** When the loss of a key hurts those that it hits. */
export function harmLines({ harm }: Explanation): Html {
  return markup`${harm.map(({ kind, consumers = 0, text }) => {
    const whom = kind === undefined ? '' : ` ${counted(consumers, KIND_WORDS[kind])}`;
    return markup`<p class="meaning"><b>When it hurts${whom}:</b> ${text}</p>`;
  })}`;
}

/** Which alert fires and who was told; if none does, why not. */
export function alertsSection({ alerts, silence, rulesOff }: Explanation, now: number): Html {
  const off =
    rulesOff.length === 0 ? nothing : markup`<p class="none">The policy has switched off ${rulesOff.join(', ')}.</p>`;
  const body =
    alerts.length === 0
      ? markup`<p>No alert fires. ${silence?.text ?? ''}</p>`
      : markup`<ul class="plain">${alerts.map((alert) => alertItem(alert, now))}</ul>`;
  return markup`<section aria-labelledby="alerts"><h2 id="alerts">Alerts</h2>${body}${off}</section>`;
}

function alertItem({ name, severity, since, summary, about, told }: AlertBrief, now: number): Html {
  const at = Date.parse(since);
  return markup`<li class="${severity}"><b>${name}</b> ${severity}${about === undefined ? nothing : markup`, on <bdi>${about}</bdi>`}
<small>${summary}</small><small>since ${when(at, now)} · ${told.length === 0 ? 'no receiver was told' : toldText(told)} · <a href="../runbooks/${name}.md">runbook</a></small></li>`;
}

function toldText(told: AlertBrief['told']): string {
  return told
    .map(({ receiver, state, at }) => {
      const time = at === undefined ? '' : ` at ${utc(Date.parse(at))}`;
      if (state === 'told') return `${receiver} was told${time}`;
      return state === 'waiting' ? `${receiver} is to be told` : `${receiver} refused it${time}`;
    })
    .join(', ');
}
