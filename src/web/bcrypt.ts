import { Worker } from 'node:worker_threads';
import type { Answer, Question } from './bcrypt-thread.ts';

/** Compares passwords on a thread that starts with the first of them. */
export interface Comparer extends AsyncDisposable {
  /**
   * One at a time.
   * @returns whether the password fits the first of the hashes; the others cost their time
   * @throws what ended the thread
   */
  compare(password: string, hashes: readonly string[]): Promise<boolean>;
}

/** Makes the comparer; starts nothing yet. */
export function createComparer(): Comparer {
  let worker: Worker | undefined;
  let asked: PromiseWithResolvers<boolean> | undefined;
  let closed = false;

  function start(): Worker {
    // Compiled, the thread lies beside this module as JavaScript.
    const name = import.meta.url.endsWith('.ts') ? './bcrypt-thread.ts' : './bcrypt-thread.js';
    const started = new Worker(new URL(name, import.meta.url), { name: 'keyvigil-bcrypt', env: {} });
    started.on('message', (answer: Answer) => asked?.resolve(answer));
    const end = (cause: unknown) => {
      if (worker === started) worker = undefined;
      asked?.reject(cause);
    };
    started.on('error', end);
    started.on('exit', () => end(new Error('the thread that compares passwords has ended')));
    // A daemon that stops must not wait for it.
    started.unref();
    return started;
  }

  return {
    async compare(password, hashes) {
      if (closed) throw new Error('passwords are no longer compared');
      worker ??= start();
      asked = Promise.withResolvers();
      const question: Question = { password, hashes };
      worker.postMessage(question);
      return asked.promise;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await worker?.terminate();
    },
  };
}
