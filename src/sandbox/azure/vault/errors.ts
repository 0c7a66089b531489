/** An error as a vault answers it. Thrown by the model and by operations, written by `answerKeys`. */
export class VaultError extends Error {
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;

  constructor(status: number, code: string, message: string, inner?: string) {
    super(message);
    this.name = 'VaultError';
    this.status = status;
    this.code = code;
    this.inner = inner;
  }

  /** The body of the answer. */
  get body(): { readonly error: object } {
    const { code, message, inner } = this;
    return { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } };
  }
}

/** 404 for a key, or for `name/version`. */
export function keyNotFound(id: string): VaultError {
  return new VaultError(
    404,
    'KeyNotFound',
    `A key with (name/id) ${id} was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );
}

/** 404 for a key that is not among the deleted ones. */
export function deletedKeyNotFound(name: string): VaultError {
  return new VaultError(404, 'KeyNotFound', `Deleted Key not found: ${name}`);
}

/** 400; vaults say no more than this about a value that they cannot use. */
export function badParameter(message = 'The parameter is incorrect.\r\n'): VaultError {
  return new VaultError(400, 'BadParameter', message);
}

/** 409 with its inner code. */
export function conflict(inner: string, message: string): VaultError {
  return new VaultError(409, 'Conflict', message, inner);
}

/** 403 that speaks of the key or of the vault's settings, not of the caller's rights. */
export function forbidden(message: string, inner?: string): VaultError {
  return new VaultError(403, 'Forbidden', message, inner);
}
