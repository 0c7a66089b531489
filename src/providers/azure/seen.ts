/** What can be seen of an error of the Azure SDKs, read without trusting its shape. */
import { type Exchange, exchangeOf } from './ask.ts';

/** The parts of an error that decide. */
export interface Seen {
  readonly name: string;
  readonly message: string;
  /** A code of the machine or of the SDK (`ENOTFOUND`, `PARSE_ERROR`); '' where it has none. */
  readonly code: string;
  /** Codes of the cloud, the outer one first. */
  readonly codes: readonly string[];
  /** Machine codes of the errors behind this one. */
  readonly behind: readonly string[];
  /** Of the answer that the error is about; absent where there was none. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** False: an answer came that is not what the API sends. */
  readonly readable: boolean;
  /** The connection broke while the body was being read. */
  readonly cutOff: boolean;
  /** Thrown by code that read an answer, rather than said by the cloud. */
  readonly ofSdk: boolean;
  readonly attempts?: number;
}

type Fields = Readonly<Record<string, unknown>>;

const MACHINE_CODE = /^[A-Z][A-Z0-9_]+$/;
/** An error chain that goes round, or that somebody made very long. */
const DEPTH = 8;

/** Reads an error of any kind. */
export function see(error: unknown): Seen {
  const fields = fieldsOf(error);
  const exchange = exchangeOf(error);
  const name = text(fields.name);
  const code = text(fields.code);
  const machine = MACHINE_CODE.test(code) ? code : '';
  const status = statusOf(fields, exchange, machine);
  const envelope = fieldsOf(fieldsOf(fields.details).error);
  const told = exchange?.told && status === exchange.told.status ? exchange.told : undefined;
  const wire = told ? fieldsOf(parsed(told.body)) : {};
  const said = Object.keys(fieldsOf(wire.error)).length > 0 ? fieldsOf(wire.error) : wire;
  const codes = [
    ...new Set(
      [...(machine ? [] : [code]), text(said.code), ...innerCodes(said), ...innerCodes(envelope)].filter(Boolean),
    ),
  ];
  const message = text(said.message) || text(envelope.message) || text(fields.message);
  const attempts = exchange?.attempts;
  return {
    name,
    message,
    code: machine,
    codes,
    behind: behind(error, DEPTH),
    ...(status === undefined ? {} : { status }),
    headers: headersOf(fields, told?.headers),
    readable: machine !== 'PARSE_ERROR' && name !== 'SyntaxError',
    cutOff:
      machine === 'PARSE_ERROR' &&
      /^Error reading response as text: (aborted|.*ECONNRESET|socket hang up)/.test(message),
    ofSdk: error instanceof Error && /^(TypeError|RangeError|BadAnswer|RestError|Error)$/.test(name),
    ...(attempts ? { attempts } : {}),
  };
}

function statusOf(fields: Fields, exchange: Exchange | undefined, machine: string): number | undefined {
  for (const status of [fields.statusCode, fieldsOf(fields.response).status]) {
    if (typeof status === 'number' && status > 0) return status;
  }
  // What the last answer was, unless the error says that there was none.
  return machine === '' || machine === 'PARSE_ERROR' ? exchange?.told?.status : undefined;
}

/** Key Vault nests a second code in `innererror` (the SDK: `innerError`). */
function innerCodes(envelope: Fields): string[] {
  const codes: string[] = [];
  let inner = fieldsOf(envelope.innererror ?? envelope.innerError);
  for (let depth = 0; depth < DEPTH && Object.keys(inner).length > 0; depth++) {
    codes.push(text(inner.code));
    inner = fieldsOf(inner.innererror ?? inner.innerError);
  }
  return codes;
}

/** Machine codes in an error's causes and parts, and in the words of libraries that keep nothing but words. */
function behind(error: unknown, depth: number): string[] {
  if (depth === 0) return [];
  const fields = fieldsOf(error);
  const parts = Array.isArray(fields.errors) ? fields.errors : [];
  const code = text(fields.code);
  const words = text(fields.message).match(
    /\b(E[A-Z]{3,}(?:_[A-Z]+)*|CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+|(?:DEPTH_ZERO_)?SELF_SIGNED_[A-Z_]+)\b/g,
  );
  return [
    ...(MACHINE_CODE.test(code) ? [code] : []),
    ...(words ?? []),
    ...[fields.cause, ...parts].flatMap((part) => (part === undefined ? [] : behind(part, depth - 1))),
  ];
}

function headersOf(
  fields: Fields,
  told: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  if (told) return told;
  const headers = fieldsOf(fieldsOf(fields.response).headers);
  const all = typeof headers.toJSON === 'function' ? fieldsOf(headers.toJSON.call(headers)) : {};
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), text(value)]));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
