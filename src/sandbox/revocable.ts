/** Something that scripts can take back. */
export type Revocable = { readonly remove: () => void; readonly [Symbol.dispose]: () => void };

/** Makes a revocable thing of what takes it back. */
export function revocable(remove: () => void): Revocable {
  return { remove, [Symbol.dispose]: remove };
}
