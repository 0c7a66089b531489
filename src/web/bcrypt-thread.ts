/**
 * Compares passwords, which takes a tenth of a second of pure computing each: on a thread of its own, so that no scrape and
 * no sweep waits for somebody who tries passwords. Started by `bcrypt.ts`.
 */
import { platform, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

/** A password, and the hashes that it is compared with. */
export interface Question {
  readonly password: string;
  readonly hashes: readonly string[];
}

/** Whether it fits the first of them. */
export type Answer = boolean;

const port = parentPort;
if (port === null) throw new Error('not a thread');
// On Linux this is the priority of the thread alone (setpriority(2), NOTES): on a single core scrapes and sweeps come first.
if (platform() === 'linux') setPriority(10);
port.on('message', ({ password, hashes }: Question) => {
  // All of them, whatever the first one says: how long this takes must tell nothing.
  const fits = hashes.map((hash) => compareSync(password, hash));
  const answer: Answer = fits[0] ?? false;
  port.postMessage(answer);
});
