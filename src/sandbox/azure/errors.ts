/** An error as one of Azure's planes answers it. Thrown by operations, written by the gateway. */
export class AzureError extends Error {
  readonly status: number;
  readonly code: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(code);
    this.name = 'AzureError';
    this.status = status;
    this.code = code;
    this.body = body;
    this.headers = headers;
  }
}

/** An error of Resource Manager or of a provider behind it. */
export function armError(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): AzureError {
  return new AzureError(status, code, { error: { code, message } }, headers);
}

/** An error that ARM itself answers, before the provider is asked: it says so in a header. */
export function gatewayError(status: number, code: string, message: string): AzureError {
  return armError(status, code, message, { 'x-ms-failure-cause': 'gateway' });
}

/** 404 of ARM for one resource, in the recorded words. */
export function resourceNotFound(type: string, name: string, group: string): AzureError {
  return gatewayError(
    404,
    'ResourceNotFound',
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** 400 of ARM for a request that breaks a rule of the provider. */
export function badRequest(message: string): AzureError {
  return armError(400, 'BadRequest', message);
}

/** An error of a vault's data plane. */
export function vaultError(
  status: number,
  code: string,
  message: string,
  inner?: string,
  headers: Readonly<Record<string, string>> = {},
): AzureError {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } };
  return new AzureError(status, inner ?? code, { error: { code, message, ...innererror } }, headers);
}

/** An error of the authority, which numbers its errors; `error` is OAuth's word for it. The gateway adds ids and times. */
export function authorityError(status: number, error: string, number: number, text: string): AzureError {
  return new AzureError(status, `AADSTS${number}`, {
    error,
    error_description: `AADSTS${number}: ${text}`,
    error_codes: [number],
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
  });
}
