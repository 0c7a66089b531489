/** Slack, incoming webhooks (docs.slack.dev: messaging/sending-messages-using-incoming-webhooks, formatting, blocks). */
import type { ReceiverConfig } from '../config/config.ts';
import { type Answer, byStatus, createPoster, misconfigured } from './http.ts';
import { readSecret, reminding, secretOf } from './options.ts';
import type { Notification, Receiver, ReceiverOptions } from './receiver.ts';
import { clipped, endOf, factsOf, linksOf, shown, summaryOf, withoutReplaced, wordOf } from './text.ts';

/** Alerts in one message: what still can be read on a phone; two blocks each of the 50 that a message may have. */
const MAX_BATCH = 10;
/** Characters of the parts of one alert; together they stay below the 3,000 that a block may have. */
const MAX = { summary: 300, description: 700, fact: 350, undo: 700, preview: 1_000 } as const;

const DOTS = { critical: '🔴', warning: '🟠', info: '🔵', resolved: '🟢' } as const;

/** What a webhook answers whose channel or token is gone, or that may not post (changelog of 2016-05-17, and the page above). */
const GONE = [403, 404, 410];
const GONE_WORDS = /^(invalid_token|no_service|no_service_id|no_team|team_disabled|no_active_hooks|user_not_found)$/;

/**
 * One message a request. Names cannot mention anybody: Slack reads `<…>` only, and of ours none is left. An alert that only
 * changed its labels is shown as it is now.
 * @throws Error when a proxy that is to be used has an address that is none
 */
export function createSlack(config: ReceiverConfig, options: ReceiverOptions): Receiver {
  const poster = createPoster(options);
  const source = secretOf(config, 'url');
  return {
    traits: { name: config.name, ...reminding(config) },
    type: 'slack',
    maxBatch: MAX_BATCH,
    async send(batch, signal) {
      signal.throwIfAborted();
      const telling = withoutReplaced(batch);
      if (telling.length === 0) return { outcome: 'accepted' };
      const url = await readSecret(source);
      if (url.value === undefined) return misconfigured(url.problem);
      const body = JSON.stringify(message(telling, options));
      return poster.post({ url: url.value, body, judge, explain: wordIn }, signal);
    },
    [Symbol.asyncDispose]: () => poster[Symbol.asyncDispose](),
  };
}

function judge(answer: Answer) {
  const failure = byStatus(answer);
  // Only these two words are Slack's, or of what speaks like it (Rocket.Chat): a page that says 200 is not.
  if (failure === undefined)
    return /^(ok|\{"success":\s*true\})$/.test(answer.text.trim()) ? undefined : 'bad_response';
  if (failure !== 'refused') return failure;
  return GONE.includes(answer.status) || GONE_WORDS.test(answer.text.trim()) ? 'unauthorized' : failure;
}

/** Slack explains itself in one word: `invalid_blocks`. Anything else stays unread. */
function wordIn({ text }: Answer): string | undefined {
  return /^[a-z_]{3,40}$/.exec(text.trim())?.[0];
}

function message(batch: readonly Notification[], { statusUrl }: ReceiverOptions) {
  return {
    text: batch.map((one) => mrkdwn(headline(one), MAX.preview / batch.length)).join('\n'),
    // The text stands where blocks cannot: in the preview of a phone, and in services that only look like Slack.
    mrkdwn: false,
    parse: 'none',
    unfurl_links: false,
    unfurl_media: false,
    blocks: batch.flatMap((one) => blocks(one, statusUrl)),
  };
}

function headline(notification: Notification): string {
  return `${dotOf(notification)} ${wordOf(notification)}: ${summaryOf(notification)}`;
}

function dotOf({ alert, status }: Notification): string {
  return DOTS[status === 'resolved' ? status : alert.labels.severity];
}

function blocks(notification: Notification, statusUrl: string): object[] {
  const { alert, status, reason } = notification;
  const { description, undo } = alert.annotations;
  const lines = [`${dotOf(notification)} *${wordOf(notification)}: ${mrkdwn(summaryOf(notification), MAX.summary)}*`];
  if (status === 'resolved') lines.push(mrkdwn(endOf(notification), MAX.fact));
  // Who hears of the end first has to be told what it is the end of.
  const known = status === 'resolved' && reason !== 'first';
  if (description && !known) lines.push(mrkdwn(shown(description), MAX.description));
  if (status === 'firing') {
    for (const [word, text] of factsOf(notification)) lines.push(`*${word}:* ${mrkdwn(text, MAX.fact)}`);
    if (undo) lines.push(`*Undo:* ${command(shown(undo))}`);
  }
  const links = linksOf(notification, statusUrl).map(({ href, text }) => `<${inLink(href)}|${text}>`);
  return [section(lines.join('\n')), ...(links.length === 0 ? [] : [context(links.join(' · '))])];
}

/** `verbatim`: nothing that merely looks like a link, a channel or a person becomes one. */
function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function context(text: string) {
  return { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] };
}

/** Whole or not at all: half a command does something else. */
function command(text: string): string {
  const whole = escaped(text);
  if (whole.length > MAX.undo || text.includes('```')) return 'too long for here; the status page has it';
  return `\`\`\`${whole}\`\`\``;
}

/** Escaped, and at most `max` characters after that: no entity is cut. */
function mrkdwn(text: string, max: number): string {
  let kept = clipped(text, Math.floor(max));
  while (escaped(kept).length > max) kept = clipped(kept, Math.floor(kept.length * 0.8));
  return escaped(kept);
}

/** The three characters that mean something (docs.slack.dev: formatting, "Escaping text"). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function inLink(href: string): string {
  return escaped(href.replaceAll('|', '%7C'));
}
