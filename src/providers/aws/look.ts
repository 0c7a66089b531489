/** The part of an SDK answer that says how it was had. */
import type { Evidence } from '../../core/model.ts';
import { present } from '../look.ts';

/** An answer of any AWS SDK client. */
export interface Answered {
  readonly $metadata: {
    readonly httpStatusCode?: number | undefined;
    readonly requestId?: string | undefined;
    readonly attempts?: number | undefined;
  };
}

/** Evidence of a call that answered. */
export function evidenceOf(operation: string, { $metadata }: Answered): Evidence {
  const { httpStatusCode, requestId, attempts } = $metadata;
  return present({ operation, status: httpStatusCode, requestId, attempts });
}
