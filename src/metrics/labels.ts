/**
 * Label names and values. A name or tag of the cloud is data: whatever it holds, it stays inside its quotes and makes
 * neither a line nor a series.
 */
import { createHash } from 'node:crypto';
import type { IDENTITY_LABELS, TagLabel } from '../core/labels.ts';
import type { KeyView } from '../core/snapshot.ts';

/** Code points of a label value before it is cut. */
const MAX_VALUE = 256;
/** Code points of a resource before it is cut: an ARN has at most 2,048 characters. */
const MAX_RESOURCE = 2048;

/** Whatever is not printable ASCII, and the two printable characters that must be escaped. */
const NEEDS_WORK = /[^ !#-[\]-~]/;
const CONTROL = /\p{Cc}/gu;
const SPECIAL = /[\\"\n]/g;

/** What makes an identity: a key or a consumer. */
export type Identified = Readonly<Record<(typeof IDENTITY_LABELS)[number], string>> & Partial<Pick<KeyView, 'tags'>>;

/** A label value, escaped: control characters gone, lone surrogates replaced, at most 256 code points. */
export function labelValue(value: string): string {
  if (value.length <= MAX_VALUE && !NEEDS_WORK.test(value)) return value;
  return escaped(cut(clean(value), MAX_VALUE));
}

/**
 * A resource as a label value, escaped. Two resources never give the same value: one that had to be cleaned or cut (at
 * 2,048 code points) ends in `~` and a digest of the whole.
 */
export function resourceValue(resource: string): string {
  if (resource.length <= MAX_RESOURCE && !NEEDS_WORK.test(resource)) return resource;
  const kept = cut(clean(resource), MAX_RESOURCE);
  if (kept === resource) return escaped(kept);
  const digest = createHash('sha256').update(resource, 'utf16le').digest('hex').slice(0, 16);
  return `${escaped(cut(kept, MAX_RESOURCE - 17))}~${digest}`;
}

/** The identity up to the quote before the resource, as label text. */
export function placeText(object: Identified): string {
  return (
    `provider="${labelValue(object.provider)}",account="${labelValue(object.account)}"` +
    `,location="${labelValue(object.location)}",kind="${labelValue(object.kind)}",resource="`
  );
}

/** The identity from the quote behind the resource on, tag labels included. A tag that an object lacks is no label. */
export function tailText(object: Identified, tags: readonly TagLabel[]): string {
  const parts = ['",name="', labelValue(object.name), '"'];
  for (const { tag, label } of tags) {
    const value = object.tags && Object.hasOwn(object.tags, tag) ? object.tags[tag] : undefined;
    if (value) parts.push(',', label, '="', labelValue(value), '"');
  }
  // Joined, not concatenated: it is written many times, and V8 would keep it in pieces.
  return parts.join('');
}

/** Whether two views of one object give the same identity text. */
export function sameIdentity(a: Identified, b: Identified, tags: readonly TagLabel[]): boolean {
  if (a.name !== b.name || a.location !== b.location || a.account !== b.account) return false;
  if (a.provider !== b.provider || a.kind !== b.kind || a.resource !== b.resource) return false;
  return a.tags === b.tags || tags.every(({ tag }) => a.tags?.[tag] === b.tags?.[tag]);
}

function clean(value: string): string {
  return value.toWellFormed().replace(CONTROL, (character) => (character === '\n' ? character : ''));
}

function cut(value: string, max: number): string {
  if (value.length <= max) return value;
  const points = Array.from(value.slice(0, 2 * max));
  return points.length <= max ? points.join('') : points.slice(0, max).join('');
}

function escaped(value: string): string {
  return value.replace(SPECIAL, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
