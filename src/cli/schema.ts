import { z } from 'zod';
import { configFor } from '../config/schema.ts';
import { SERVICES } from '../providers/index.ts';
import type { Io } from './io.ts';

/**
 * Prints the JSON Schema (draft 2020-12) of the configuration file as it is written, before defaults.
 * @returns 0
 */
export function schemaCommand(io: Io): number {
  const schema = z.toJSONSchema(configFor(SERVICES), { io: 'input', target: 'draft-2020-12' });
  io.out(`${JSON.stringify(schema, null, 2)}\n`);
  return 0;
}
