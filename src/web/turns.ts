/** Who is next, when many wait for the same thing: each address in turn, and at each address each user in turn. */

/** Waiting at one address; more are turned away. */
const MAX_PER_ADDRESS = 64;
const MAX_PER_USER = 8;
/** Waiting in all. */
const MAX_WAITING = 1_024;

/** A queue in which nobody gets ahead by pushing more often. */
export interface Turns<T> {
  /** @returns false when there is no room: nothing is queued then */
  push(address: string, user: string, item: T): boolean;
  /** The next one; undefined when nobody waits. */
  shift(): T | undefined;
}

/** Makes an empty queue. */
export function createTurns<T>(): Turns<T> {
  const addresses = new Map<string, { waiting: number; readonly users: Map<string, T[]> }>();
  let waiting = 0;

  return {
    push(address, user, item) {
      const at = addresses.get(address) ?? { waiting: 0, users: new Map<string, T[]>() };
      const line = at.users.get(user) ?? [];
      if (waiting >= MAX_WAITING || at.waiting >= MAX_PER_ADDRESS || line.length >= MAX_PER_USER) return false;
      line.push(item);
      at.users.set(user, line);
      at.waiting += 1;
      addresses.set(address, at);
      waiting += 1;
      return true;
    },
    shift() {
      const [address] = addresses;
      if (!address) return undefined;
      const [name, at] = address;
      const [user] = at.users;
      if (!user) return undefined;
      const [userName, line] = user;
      const item = line.shift();
      // Whoever had a turn goes to the end of the line.
      at.users.delete(userName);
      if (line.length > 0) at.users.set(userName, line);
      at.waiting -= 1;
      addresses.delete(name);
      if (at.waiting > 0) addresses.set(name, at);
      waiting -= 1;
      return item;
    },
  };
}

/** What counts as one address: of IPv6 the network, since whoever has one address of it has them all. Total. */
export function addressOf(remote: string | undefined): string {
  const [host = ''] = (remote ?? '').split('%', 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1];
  if (mapped !== undefined || !host.includes(':')) return mapped ?? host;
  const [head = '', tail] = host.split('::', 2);
  const groups = head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length;
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return all
    .slice(0, 4)
    .map((group) => group || '0')
    .join(':');
}
