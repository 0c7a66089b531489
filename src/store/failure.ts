import { StoreError, type StoreFailure } from './store.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); what is not here is `io`. */
const BY_RESULT_CODE: Readonly<Record<number, StoreFailure>> = {
  1: 'rejected', // SQLITE_ERROR: our SQL does not fit the schema
  5: 'locked', // SQLITE_BUSY
  6: 'locked', // SQLITE_LOCKED
  8: 'read_only', // SQLITE_READONLY
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  15: 'locked', // SQLITE_PROTOCOL
  18: 'rejected', // SQLITE_TOOBIG
  19: 'rejected', // SQLITE_CONSTRAINT
  20: 'rejected', // SQLITE_MISMATCH
  25: 'rejected', // SQLITE_RANGE
  26: 'corrupt', // SQLITE_NOTADB
};

/** What the file system says before SQLite sees the file, and what node:sqlite says of values that it cannot bind. */
const BY_CODE: Readonly<Record<string, StoreFailure>> = {
  EACCES: 'read_only',
  EPERM: 'read_only',
  EROFS: 'read_only',
  ENOSPC: 'full',
  EDQUOT: 'full',
  ERR_INVALID_ARG_TYPE: 'rejected',
  ERR_INVALID_ARG_VALUE: 'rejected',
};

/** Names an error of SQLite or of the file system, with the file that it is about. Total. */
export function toStoreError(error: unknown, file: string): StoreError {
  if (error instanceof StoreError) return error;
  const { errcode, code, message } = error as { errcode?: unknown; code?: unknown; message?: unknown };
  // The low byte is the primary code, the rest its extension.
  const reason =
    typeof errcode === 'number' ? BY_RESULT_CODE[errcode & 0xff] : BY_CODE[typeof code === 'string' ? code : ''];
  return new StoreError(reason ?? 'io', `state file ${file}: ${String(message)}`, { cause: error });
}
