import type { WebDeps } from './deps.ts';
import { type Base, type Html, markup, nothing, when } from './markup.ts';

/** What every page is given. */
export interface PageContext {
  readonly deps: Pick<WebDeps, 'version' | 'startedAt'>;
  readonly base: Base;
  /** When the page is made, and when what it shows was put together; ms. */
  readonly now: number;
  readonly at: number;
  /** The key or consumer that the page is about. */
  readonly resource?: string;
}

/** A whole page around `body`; `renewal` says whether and how it renews itself. */
export function layout(title: string, body: Html, context: PageContext, renewal: Html = nothing): Html {
  const { base, deps, now, at, resource } = context;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}style.css">
</head>
<body>
<header>
<a class="brand" href="${base === '' ? './' : base}">key<b>vigil</b></a>
<p class="asof">As of ${when(at, now)}. ${renewal}</p>
<form method="post" action="${base}api/v1/check">${resource === undefined ? nothing : markup`<input type="hidden" name="resource" value="${resource}">`}<button>Check now</button></form>
</header>
<main>
${body}
</main>
<footer>
<p>keyvigil ${deps.version}, up since ${when(deps.startedAt, now)}</p>
<nav aria-label="Data"><a href="${base}api/v1/keys">keys</a> <a href="${base}api/v1/consumers">consumers</a>
<a href="${base}api/v1/sources">sources</a> <a href="${base}api/v1/events">events</a> <a href="${base}metrics">metrics</a></nav>
</footer>
</body>
</html>
`;
}
