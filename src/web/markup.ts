import { html } from 'hono/html';
import type { ConsumerHealth, Health } from '../core/model.ts';
import { relative, utc, visible } from '../core/text.ts';
import { HEALTH_WORDS } from '../core/words.ts';

/** A piece of a page that is safe to put into another. */
export type Html = ReturnType<typeof html>;
type Value = string | number | undefined | Html | readonly (string | Html)[];

/**
 * The one way to write HTML here: escapes what is put in, and spells out what would be invisible or reorder the line, so
 * that no caller can forget either. Attributes are always written in double quotes.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return html(strings, ...values.map(inert));
}

/** Nothing to show. */
export const nothing = markup``;

function inert(value: Value): unknown {
  if (typeof value === 'string') return visible(value);
  return Array.isArray(value) ? value.map(inert) : value;
}

/** Where a page stands: what its links begin with, so that they hold under any path a proxy puts the server at. */
export type Base = '' | '../';

/** Health as colour, shape and word. */
export function badge(health: Health | ConsumerHealth): Html {
  const { icon, word } = HEALTH_WORDS[health];
  return markup`<span class="badge ${health}"><i aria-hidden="true">${icon}</i> ${word}</span>`;
}

/** An instant, absolute and as an age. */
export function when(at: number, now: number): Html {
  return markup`<time>${utc(at)}</time> <span class="age">(${relative(at, now)})</span>`;
}

/** A link to a key's own page. */
export function keyLink(base: Base, resource: string, name: string): Html {
  return markup`<a href="${base}keys/${encodeURIComponent(wellFormed(resource))}"><bdi>${name}</bdi></a>`;
}

/** A link to a consumer's own page. */
export function consumerLink(base: Base, resource: string, name: string): Html {
  return markup`<a href="${base}consumers/${encodeURIComponent(wellFormed(resource))}"><bdi>${name}</bdi></a>`;
}

/** A command to copy, line by line. */
export function command(text: string): Html {
  const lines = text.split(/\r?\n/);
  return markup`<pre tabindex="0"><code>${lines.map(
    (line, at) =>
      markup`${
        at === 0
          ? ''
          : markup`
`
      }${line}`,
  )}</code></pre>`;
}

/** A lone surrogate cannot stand in a URL; no cloud accepts one in an identity either. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}
