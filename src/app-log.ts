/** What happens, as lines of the log. */
import type { Logger } from 'pino';
import type { Evidence, KeyEvent, SourceRecord } from './core/model.ts';
import { eventWord } from './core/words.ts';
import type { Delivered } from './notify/dispatcher.ts';

export function logEvent(log: Logger, event: KeyEvent, name: string | undefined): void {
  const { type, at: _at, ...rest } = event;
  const fields = { ...(name === undefined ? {} : { name }), ...rest };
  if (type === 'transition' && event.to === 'inaccessible')
    log.warn({ event: type, ...fields }, 'key became inaccessible');
  else if (type === 'transition' && event.to === 'impaired')
    log.warn({ event: type, ...fields }, 'consumer is impaired');
  else if (type === 'transition') log.info({ event: type, ...fields }, eventWord(event));
  else if (type === 'first_seen') log.debug({ event: type, ...fields }, 'seen for the first time');
  else log.info({ event: type, ...fields }, eventWord(event));
}

export function logSource(
  log: Logger,
  record: SourceRecord,
  before: SourceRecord | undefined,
  evidence: Evidence | undefined,
): void {
  const { target, location, service, reason, objects, account } = record;
  if (before?.account !== undefined && account !== before.account) {
    const fields = { target, location, service, account, before: before.account };
    log.warn(fields, 'the credentials lead to another account; keys of the one before are no longer watched');
  }
  if (record.up === false) {
    // Not its message: that is the cloud's text, and it stands in the evidence of keys where somebody asks for it.
    const { operation, status, code, requestId } = evidence ?? {};
    const fields = { target, location, service, reason, operation, status, code, requestId };
    if (before?.up === false) log.debug(fields, 'source is still down');
    else log.warn(fields, 'source is down');
  } else if (reason === 'provider_retired') {
    const fields = { target, location, service };
    if (before?.reason === reason) log.debug(fields, 'the service is still retired');
    else log.info(fields, 'the cloud has retired this service, or the subscription never had it: nothing to watch');
  } else if (before?.up === false) log.info({ target, location, service, objects }, 'source is up again');
  else if (before?.up === undefined) log.info({ target, location, service, objects }, 'source is up');
  else log.debug({ target, location, service, objects }, 'sweep ended');
}

export function logDelivery(log: Logger, { receiver, count, outcome, reason }: Delivered): void {
  if (outcome === 'dead') log.error({ receiver, count, reason }, 'a receiver refused alerts for good');
  else if (outcome === 'retry') log.warn({ receiver, count, reason }, 'a receiver did not take alerts; they are kept');
  else log.debug({ receiver, count }, 'alerts delivered');
}
