#!/usr/bin/env node
/**
 * Stands for your pager: prints what Alertmanager's webhook receiver sends to it, one line an alert. SINK_LISTEN is where
 * (`127.0.0.1:8080`). GET / gives the last of them as JSON; /-/healthy is for healthchecks.
 */
import { createServer } from 'node:http';
import process, { env, stdout } from 'node:process';

/** Bytes of a request that are read at most. */
const MAX_BODY = 4 * 1024 * 1024;
/** Alerts that GET / remembers. */
const KEPT = 500;

const COLORS = { critical: 31, warning: 33, info: 36 };

/** What an alert says is data: it must not move the cursor of whoever reads the log. */
function plain(value, limit) {
  const text = String(value ?? '').replace(/\p{C}+/gu, ' ');
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

function line({ status, labels = {}, annotations = {} }, at) {
  const color = status === 'resolved' ? 32 : COLORS[labels.severity];
  const word = status === 'resolved' ? 'RESOLVED' : `FIRING ${plain(labels.severity, 20)}`;
  const head = color ? `\u001b[${color}m${word}\u001b[0m` : word;
  const about = labels.name ?? labels.resource ?? labels.target ?? '';
  const parts = [at.slice(11, 19), head, plain(labels.alertname, 80), plain(about, 120)];
  const origin = labels.origin ? ` (${plain(labels.origin, 20)})` : '';
  const more = [plain(annotations.summary, 400)];
  if (status !== 'resolved' && annotations.undo) more.push(`undo: ${plain(annotations.undo, 400)}`);
  return `${parts.filter(Boolean).join('  ')}${origin}\n${more.map((text) => (text ? `          ${text}\n` : '')).join('')}`;
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const seen = [];
const server = createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  if (request.method === 'GET') return answer(200, request.url === '/-/healthy' ? { healthy: true } : { alerts: seen });
  if (request.method !== 'POST') return answer(405, { error: 'POST or GET' });
  let payload;
  try {
    payload = JSON.parse(await bodyOf(request));
    const isAlert = (one) => typeof one === 'object' && one !== null;
    if (!Array.isArray(payload.alerts) || !payload.alerts.every(isAlert)) throw new TypeError('no alerts');
  } catch (error) {
    return answer(400, { error: error.message });
  }
  const at = new Date().toISOString();
  for (const alert of payload.alerts) {
    // It always fires, so that its absence is noticed; it need not be noticed here.
    if (alert.labels?.alertname !== 'KeyvigilWatchdog') stdout.write(line(alert, at));
    seen.push({ at, path: request.url, receiver: payload.receiver, ...alert });
  }
  seen.splice(0, Math.max(0, seen.length - KEPT));
  answer(200, { accepted: payload.alerts.length });
});

const [, host, port] = /^(.*):(\d+)$/.exec(env.SINK_LISTEN ?? '127.0.0.1:8080') ?? [];
if (port === undefined) {
  stdout.write('SINK_LISTEN must be an address and a port\n');
  process.exit(2);
}
server.listen(Number(port), host.replace(/^\[|\]$/g, ''), () => {
  stdout.write(`sink: waiting for notifications on ${host}:${server.address().port}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
