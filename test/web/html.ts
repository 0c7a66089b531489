/** A strict reader of the HTML that we write: every attribute in double quotes, every element closed. Anything else throws. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Document {
  readonly elements: readonly Element[];
  /** All text, entities decoded, in order. */
  readonly text: string;
}

const VOID = new Set(['meta', 'link', 'input', 'br']);
const TAG = /^<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:="[^"<>]*")?)*) ?>/;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

export function readHtml(html: string): Document {
  const elements: Element[] = [];
  const open: string[] = [];
  let text = '';
  let rest = html.replace(/^<!doctype html>/, '');
  while (rest !== '') {
    if (!rest.startsWith('<')) {
      const end = rest.indexOf('<');
      const piece = end === -1 ? rest : rest.slice(0, end);
      text += decode(piece);
      rest = rest.slice(piece.length);
      continue;
    }
    const tag = TAG.exec(rest);
    if (tag === null) throw new Error(`not a tag: ${rest.slice(0, 80)}`);
    const [whole, slash, name = '', attributes = ''] = tag;
    rest = rest.slice(whole.length);
    if (slash === '/') {
      const opened = open.pop();
      if (opened !== name) throw new Error(`</${name}> closes <${opened}>`);
      continue;
    }
    elements.push({ name, attributes: readAttributes(attributes) });
    if (!VOID.has(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  return { elements, text };
}

/** Elements and the names of their attributes: what a page is made of, whatever is written in it. */
export function shapeOf(document: Document): string {
  return document.elements.map(({ name, attributes }) => `${name}[${Object.keys(attributes)}]`).join(' ');
}

function readAttributes(text: string): Record<string, string> {
  const found = [...text.matchAll(/ ([a-z-]+)(?:="([^"]*)")?/g)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, decode(value)]));
}

function decode(text: string): string {
  if (/[<>"]/.test(text)) throw new Error(`not escaped: ${text.slice(0, 80)}`);
  return text.replace(/&([a-z#0-9]*);?/g, (match, name: string) => {
    const character = ENTITIES[name];
    if (character === undefined || !match.endsWith(';')) throw new Error(`unknown entity: ${match}`);
    return character;
  });
}
