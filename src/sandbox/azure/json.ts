/** A record out of JSON that came from outside; empty for anything else. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A text out of JSON that came from outside. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** An array out of JSON that came from outside; empty for anything else. */
export function array(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Tags out of JSON: texts only. Undefined when there are none. */
export function tagsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  return Object.fromEntries(Object.entries(record(value)).map(([name, tag]) => [name, text(tag) ?? '']));
}
