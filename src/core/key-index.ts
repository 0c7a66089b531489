import type { KeyView } from './snapshot.ts';

/**
 * A read-only map over views that are sorted by resource. It costs nothing to make, where filling a Map for each
 * snapshot would cost more than everything else about it; a look-up is a binary search.
 */
export class KeyIndex implements ReadonlyMap<string, KeyView> {
  readonly #keys: readonly KeyView[];

  /** @param keys sorted by resource (by code units), each resource once; never changed afterwards */
  constructor(keys: readonly KeyView[]) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#keys.length;
  }

  get(resource: string): KeyView | undefined {
    let low = 0;
    let high = this.#keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const key = this.#keys[middle];
      if (!key || key.resource === resource) return key;
      if (key.resource < resource) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  has(resource: string): boolean {
    return this.get(resource) !== undefined;
  }

  forEach(run: (value: KeyView, key: string, map: ReadonlyMap<string, KeyView>) => void): void {
    for (const key of this.#keys) run(key, key.resource, this);
  }

  *entries(): MapIterator<[string, KeyView]> {
    for (const key of this.#keys) yield [key.resource, key];
  }

  *keys(): MapIterator<string> {
    for (const key of this.#keys) yield key.resource;
  }

  values(): MapIterator<KeyView> {
    return this.#keys.values();
  }

  [Symbol.iterator](): MapIterator<[string, KeyView]> {
    return this.entries();
  }
}
