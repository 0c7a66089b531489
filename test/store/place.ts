import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/sqlite.ts';
import type { StorePlace } from '../conformance/store.ts';
import { T0 } from './records.ts';

/** A directory for one test with a state file in it; gone afterwards. */
export class StateDir implements StorePlace {
  readonly dir = mkdtempSync(join(tmpdir(), 'keyvigil-store-'));
  readonly file = join(this.dir, 'keyvigil.db');

  async open() {
    return (await openStore(this.file, { now: T0 })).store;
  }

  /** Names of the files with their permissions. */
  files(): Record<string, string> {
    const names = readdirSync(this.dir).sort();
    return Object.fromEntries(names.map((n) => [n, (statSync(join(this.dir, n)).mode & 0o777).toString(8)]));
  }

  async [Symbol.asyncDispose]() {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
