import { readFile } from 'node:fs/promises';
import type { SecretSource } from './config.ts';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

abstract class Secret implements SecretSource {
  abstract read(): Promise<string>;

  toString(): '<secret>' {
    return '<secret>';
  }

  toJSON(): '<secret>' {
    return '<secret>';
  }

  [INSPECT](): '<secret>' {
    return '<secret>';
  }
}

class InlineSecret extends Secret {
  readonly #value: string;

  constructor(value: string) {
    super();
    this.#value = value;
  }

  read(): Promise<string> {
    return Promise.resolve(this.#value);
  }
}

class FileSecret extends Secret {
  readonly #path: string;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  async read(): Promise<string> {
    const text = await readFile(this.#path, 'utf8').catch((cause: unknown) => {
      throw new Error(`cannot read the secret file ${this.#path}`, { cause });
    });
    const value = text.replace(/\r?\n$/, '');
    if (value === '') throw new Error(`the secret file ${this.#path} is empty`);
    return value;
  }
}

/** A secret that stands in the configuration itself, or came from the environment. */
export function inlineSecret(value: string): SecretSource {
  return new InlineSecret(value);
}

/** A secret in a file, read anew each time, so that a rotated one is picked up. */
export function fileSecret(path: string): SecretSource {
  return new FileSecret(path);
}
