/** The cloud's words, fit to be kept: without who asked, from where, and without the body of an answer. */
import type { Seen } from './seen.ts';

const MESSAGE_LENGTH = 500;

/** One line of at most 500 characters. */
export function tellable({ message, status, readable, cutOff }: Seen): string {
  if (cutOff) return 'the connection broke while the answer was read';
  // Such messages quote the body.
  if (!readable || (status !== undefined && status < 300)) return 'the answer could not be read';
  if (/occurred (in deserializing|while parsing)|Http status message:/.test(message))
    return 'the answer could not be read';
  return (
    message
      .slice(0, 8 * MESSAGE_LENGTH)
      // What the authority says stands behind what the libraries made of it.
      .replace(/^.*?(?=AADSTS\d)/s, '')
      .replace(/\bCaller:.*?(?=\s(?:Action|Resource|Assignment|DecisionReason|Vault|Client address):|$)/gis, '')
      .replace(/\b(?:appid|oid|puid|altsecid|upn|sub|tid|iss|idp|numgroups|groups|client_?id)=[^;,'"\s]*;?/gi, '')
      .replace(
        /\b((?:the )?(?:client|user|principal|object id|application|app|identity)),? (?:with id )?'[^']*'/gi,
        '$1',
      )
      .replace(/[ -]*\b(?:Trace ID|Correlation ID|Timestamp):.*$/is, '')
      .replace(/\b(?:\d{1,3}\.){3}\d{1,3}\b(?!\.)(?::\d+)?/g, (address) =>
        status === undefined ? address : '(address)',
      )
      .replace(/(?:\b[\da-f]{1,4}:|::)(?:[\da-f]{0,4}:){2,6}[\da-f]{0,4}/gi, (address) =>
        status === undefined ? address : '(address)',
      )
      .replace(/\p{Cc}+/gu, ' ')
      .replace(/ {2,}/g, ' ')
      .trim()
      .slice(0, MESSAGE_LENGTH)
  );
}
