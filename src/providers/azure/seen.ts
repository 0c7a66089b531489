/** What can be seen of an error of the Azure SDKs, read without trusting its shape. */
import { type Exchange, exchangeOf, type Told } from './ask.ts';

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
const CUT_OFF = /^Error reading response as text: (aborted|.*ECONNRESET|socket hang up)/;

/** Reads an error of any kind. */
export function see(error: unknown): Seen {
  const fields = fieldsOf(error);
  const exchange = exchangeOf(error);
  const name = text(fields.name);
  const own = text(fields.message);
  const code = text(fields.code);
  const machine = MACHINE_CODE.test(code) ? code : '';
  const told = toldTo(fields, machine, exchange);
  const status = statusOf(fields) ?? told?.status;
  const envelope = fieldsOf(fieldsOf(fields.details).error);
  const wire = told ? fieldsOf(parsed(told.body)) : {};
  const said = Object.keys(fieldsOf(wire.error)).length > 0 ? fieldsOf(wire.error) : wire;
  const codes = [machine ? '' : code, text(said.code), ...innerCodes(said), ...innerCodes(envelope)];
  const attempts = exchange?.attempts;
  return {
    name,
    message: text(said.message) || text(envelope.message) || own,
    code: machine,
    codes: [...new Set(codes.filter(Boolean))],
    behind: behind(error, DEPTH),
    ...(status === undefined ? {} : { status }),
    headers: headersOf(fields, told),
    readable: machine !== 'PARSE_ERROR' && name !== 'SyntaxError',
    cutOff: machine === 'PARSE_ERROR' && CUT_OFF.test(own),
    ofSdk: error instanceof Error && /^(TypeError|RangeError|BadAnswer|RestError|Error)$/.test(name),
    ...(attempts ? { attempts } : {}),
  };
}

/** The answer that the error is about: a refusal if the SDK made its own error of it, a good one if it could not be read. */
function toldTo(fields: Fields, machine: string, exchange: Exchange | undefined): Told | undefined {
  const told = exchange?.told;
  if (!told) return undefined;
  if (told.status < 300) return machine === '' || machine === 'PARSE_ERROR' ? told : undefined;
  const status = statusOf(fields);
  return fields.name === 'RestError' && (status === undefined || status === told.status) ? told : undefined;
}

function statusOf(fields: Fields): number | undefined {
  for (const status of [fields.statusCode, fieldsOf(fields.response).status]) {
    if (typeof status === 'number' && status > 0) return status;
  }
  return undefined;
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

/** Machine codes in an error's parts, and in its causes unless it names its parts. */
function behind(error: unknown, depth: number): string[] {
  if (depth === 0) return [];
  const fields = fieldsOf(error);
  const code = text(fields.code);
  const inner = Array.isArray(fields.errors) ? fields.errors : [fields.cause];
  return [
    ...(MACHINE_CODE.test(code) ? [code] : []),
    ...inner.flatMap((part) => (part === undefined ? [] : behind(part, depth - 1))),
  ];
}

function headersOf(fields: Fields, told: Told | undefined): Readonly<Record<string, string>> {
  if (told) return told.headers;
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
