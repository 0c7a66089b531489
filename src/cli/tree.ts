/** Dependency trees as lines of text. Every name in them is made inert. */
import type { Fate } from '../core/blast.ts';
import type { ConsumerHealth, Health } from '../core/model.ts';
import { grouped, visible } from '../core/text.ts';
import type { Brief, Dependent, Needed, NeededKey, UseBrief } from '../core/tree.ts';
import { HEALTH_WORDS, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { cut, paint, type TableStyle } from './lines.ts';

/** One line of a tree with what hangs below it. */
export interface Branch {
  readonly text: string;
  /** What colour it has; absent: none. */
  readonly health?: Health | ConsumerHealth | undefined;
  readonly below: readonly Branch[];
}

/** The branches drawn with lines, each cut to the terminal where there is one. */
export function drawTree(branches: readonly Branch[], style: TableStyle, indent = '  '): string[] {
  return branches.flatMap(({ text, health, below }, at) => {
    const isLast = at === branches.length - 1;
    const line = cut(`${indent}${isLast ? '└─' : '├─'} ${text}`, style.columns ?? Number.POSITIVE_INFINITY);
    const deeper = drawTree(below, style, `${indent}${isLast ? '   ' : '│  '}`);
    return [health === undefined ? line : paint(line, health, style), ...deeper];
  });
}

/** What needs a key, by how it is now. */
export function dependentBranches(nodes: readonly Dependent[], more: number | undefined): readonly Branch[] {
  return [...nodes.map((node) => dependentBranch(node, healthHead)), ...moreBranch(more)];
}

/** What needs a key, by what becomes of it without that. */
export function fateBranches(nodes: readonly Dependent[], more: number | undefined): readonly Branch[] {
  return [...nodes.map((node) => dependentBranch(node, fateHead)), ...moreBranch(more)];
}

type Head = (node: Dependent) => Pick<Branch, 'text' | 'health'>;

function dependentBranch(node: Dependent, head: Head): Branch {
  const { text, health } = head(node);
  const { uses = [], children = [], more, again } = node;
  const what = [text, ...uses.map(useText), ...(again ? ['shown above'] : [])].join('; ');
  const below = [...children.map((child) => dependentBranch(child, head)), ...moreBranch(more)];
  return { text: visible(`${what}${ownersText(node)}`), health, below };
}

function healthHead(node: Dependent): Pick<Branch, 'text' | 'health'> {
  const { health, fate } = node;
  const note = fate === 'spared' || fate === 'unsure' ? `: ${fateText(node)}` : '';
  return { text: `${HEALTH_WORDS[health].icon} ${called(node)}${note}`, health };
}

const FATE_ICONS: Readonly<Record<Fate, { readonly icon: string; readonly health: Health }>> = {
  breaks: { icon: '✖', health: 'inaccessible' },
  unsure: { icon: '?', health: 'unknown' },
  already: { icon: '✖', health: 'inaccessible' },
  one_remove: { icon: '▲', health: 'degraded' },
  spared: { icon: '✔', health: 'accessible' },
};

function fateHead(node: Dependent): Pick<Branch, 'text' | 'health'> {
  const { icon, health } = FATE_ICONS[node.fate];
  return { text: `${icon} ${called(node)}: ${fateText(node)}`, health };
}

function fateText({ fate, instead = [], health, assumed }: Dependent): string {
  const names = instead.join(', ');
  switch (fate) {
    case 'breaks':
      return assumed ? 'breaks, as far as its settings tell' : 'breaks';
    case 'unsure':
      return names === ''
        ? 'goes on only if what cannot be seen works'
        : `goes on only if ${names} works, which cannot be seen`;
    case 'already':
      return `${HEALTH_WORDS[health].word} already`;
    case 'one_remove':
      return 'keeps its data there';
    case 'spared':
      return names === '' ? 'goes on without it' : `goes on, it has ${names} as well`;
  }
}

function useText({ part, role, versionInUse, pinned }: UseBrief): string {
  const version = versionInUse === undefined ? '' : ` with version ${versionInUse}${pinned ? ' (pinned)' : ''}`;
  return `${part === undefined ? role : `${part} (${role})`}${version}`;
}

/** What something needs, up to the roots. */
export function neededBranches(needs: readonly Needed[], more: number | undefined): readonly Branch[] {
  return [...needs.map(neededBranch), ...moreBranch(more)];
}

function neededBranch({ role, use, anyOf, assumed }: Needed): Branch {
  const words = `${use ? useText(use) : role}${assumed ? ', as far as its settings tell' : ''}`;
  const [only] = anyOf;
  if (only && anyOf.length === 1) {
    const branch = keyBranch(only);
    return { ...branch, text: `${branch.text}; ${visible(words)}` };
  }
  return { text: visible(`any of these; ${words}`), below: anyOf.map(keyBranch) };
}

function keyBranch({ name, key, root, needs = [], again, notWatched }: NeededKey): Branch {
  if (!key) {
    const hint = notWatched ? `: ${notWatched.hint}` : '';
    return { text: visible(`? ${name} is not watched${hint}`), below: [] };
  }
  const reason = key.reason === undefined || key.reason === 'finding' ? '' : `: ${REASON_WORDS[key.reason].brief}`;
  const blind = key.blindSince === undefined ? '' : ', blind';
  const note = `${root ? ', root cause' : ''}${again ? ', shown above' : ''}`;
  return {
    text: visible(`${HEALTH_WORDS[key.health].icon} ${called(key)}${reason}${blind}${note}${ownersText(key)}`),
    health: key.health,
    below: needs.map(neededBranch),
  };
}

/** `secret prod/db`. */
export function called({ kind, name }: Pick<Brief, 'kind' | 'name'>): string {
  return `${KIND_WORDS[kind]} ${name}`;
}

/** ` [team: video]`, or nothing. */
function ownersText({ owners = {} }: Brief): string {
  const tags = Object.entries(owners).map(([tag, value]) => `${tag}: ${value}`);
  return tags.length === 0 ? '' : ` [${tags.join(', ')}]`;
}

function moreBranch(more: number | undefined): readonly Branch[] {
  return more === undefined || more === 0 ? [] : [{ text: `and ${grouped(more)} more`, below: [] }];
}
