import type { FaultEffect } from './faults.ts';
import type { HttpAnswer } from './http.ts';

/** An answer before faults of the transport touch it. */
export type Whole = { readonly status: number; readonly contentType: string; readonly body: string };

/** One kind of effect. */
export type Effect<K extends FaultEffect['kind']> = Extract<FaultEffect, { kind: K }>;

const PAGES = {
  xml: {
    contentType: 'text/xml',
    body: '<?xml version="1.0"?><Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>',
    status: 503,
  },
  html: { contentType: 'text/html', body: '<html><body><h1>502 Bad Gateway</h1></body></html>', status: 502 },
};

/** The answer as faults of the transport leave it. An answer without a body has no content type. */
export function shaped(
  whole: Whole,
  effects: readonly FaultEffect[],
  headers: Readonly<Record<string, string>>,
): HttpAnswer {
  let { status, contentType, body } = whole;
  let manner: HttpAnswer['manner'] = 'whole';
  let delayMs = 0;
  for (const effect of effects) {
    if (effect.kind === 'slow') delayMs += effect.ms;
    if (effect.kind === 'body') ({ status, contentType, body } = replaced(effect, { status, contentType, body }));
    if (effect.kind === 'stall' || effect.kind === 'cut' || effect.kind === 'silence' || effect.kind === 'reset') {
      manner = effect.kind;
    }
  }
  const type = contentType === '' ? {} : { 'content-type': contentType };
  return { status, headers: { ...headers, ...type }, body, manner, delayMs };
}

function replaced(effect: Effect<'body'>, whole: Whole): Whole {
  const status = effect.status ?? whole.status;
  if (effect.body === 'empty') return { ...whole, status, body: '' };
  if (effect.body === 'truncated')
    return { ...whole, status, body: whole.body.slice(0, Math.floor(whole.body.length / 2)) };
  const page = PAGES[effect.body];
  return { ...page, status: effect.status ?? page.status };
}
