import { describe, expect, it } from 'vitest';
import { interleave } from '../../../src/providers/azure/key-vault/interleave.ts';

async function* counting(name: string, pages: number, log: string[] = []): AsyncGenerator<string, void> {
  log.push(`${name} starts`);
  try {
    for (let page = 0; page < pages; page++) yield `${name}${page}`;
  } finally {
    log.push(`${name} ends`);
  }
}

async function* failing(): AsyncGenerator<string, void> {
  yield 'x0';
  throw new Error('failed');
}

async function taken(source: AsyncIterable<string>): Promise<string[]> {
  const items: string[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('interleaving', () => {
  it('yields everything of every source, each in its own order', async () => {
    const items = await taken(interleave([counting('a', 3), counting('b', 0), counting('c', 2)], 2));
    expect(items.toSorted()).toEqual(['a0', 'a1', 'a2', 'c0', 'c1']);
    expect(items.filter((item) => item.startsWith('a'))).toEqual(['a0', 'a1', 'a2']);
    expect(await taken(interleave([], 4))).toEqual([]);
  });

  it('has no more than that many under way, and waits for no slow one', async () => {
    const log: string[] = [];
    const slow = Promise.withResolvers<void>();
    async function* waiting(): AsyncGenerator<string, void> {
      await slow.promise;
      yield 'slow';
    }
    const all = interleave([waiting(), counting('a', 1, log), counting('b', 1, log), counting('c', 1, log)], 2);
    expect(await all.next()).toEqual({ done: false, value: 'a0' });
    expect(log).not.toContain('b starts');
    expect((await all.next()).value).toBe('b0');
    expect(log).not.toContain('c starts');
    expect((await all.next()).value).toBe('c0');
    slow.resolve();
    expect(await taken(all)).toEqual(['slow']);
  });

  it('throws what a source throws, and closes the others', async () => {
    const log: string[] = [];
    await expect(taken(interleave([failing(), counting('a', 9, log)], 2))).rejects.toThrow('failed');
    expect(log.at(-1)).toBe('a ends');
  });

  it('closes them too when nobody listens any more', async () => {
    const log: string[] = [];
    for await (const _item of interleave([counting('a', 9, log), failing()], 2)) break;
    expect(log.at(-1)).toBe('a ends');
  });
});
