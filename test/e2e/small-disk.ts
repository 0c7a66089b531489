/** A disk of its own that can be filled to the last byte, without being root: a tmpfs in a namespace of the user's. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this machine lets a user mount one: Linux does, unless its administrator or a container forbids it. */
export function hasSmallDisks(): boolean {
  return (
    spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt'], { stdio: 'ignore' }).status === 0
  );
}

export interface SmallDisk extends AsyncDisposable {
  /** Put before a command, lets that see the disk. */
  readonly through: readonly string[];
  /** Where a file on the disk is for us, who do not see it. */
  path(name: string): string;
  /** Leaves no byte. Throws if it was not the disk that refused. */
  fill(): void;
  free(): void;
}

/** Mounts one of `kilobytes` at `directory`, which exists. */
export async function mountSmallDisk(directory: string, kilobytes: number): Promise<SmallDisk> {
  const mount = `mount -t tmpfs -o size=${kilobytes}k none "$1" && echo ready && exec sleep 3600`;
  const holder = spawn('unshare', ['-rm', 'sh', '-c', mount, 'sh', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(holder, 'exit');
  await once(holder.stdout, 'data');
  const root = `/proc/${holder.pid}/root`;
  const path = (name: string) => `${root}${join(directory, name)}`;
  return {
    through: ['nsenter', '-t', String(holder.pid), '-U', '-m', '--preserve-credentials'],
    path,
    fill() {
      const file = openSync(path('filler'), 'a');
      try {
        for (let size = 65_536; size >= 1; ) {
          try {
            if (writeSync(file, Buffer.alloc(size)) < size) size = Math.floor(size / 2);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
            size = Math.floor(size / 2);
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(path('filler')),
    async [Symbol.asyncDispose]() {
      holder.kill('SIGKILL');
      await exit;
    },
  };
}
