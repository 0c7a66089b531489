/** Why a name that something depends on means nothing that is watched, and what to configure so that it does. Pure. */
import { matchesAny } from './glob.ts';
import { type ProviderName, type SourceId, type SourceRecord, sourceKey } from './model.ts';

export const NOT_WATCHED_REASONS = [
  'other_account',
  'other_location',
  'service_off',
  'excluded',
  'not_read',
  'not_seen',
  'cloud_managed',
  'no_collector',
  'unclear',
] as const;
export type NotWatchedReason = (typeof NOT_WATCHED_REASONS)[number];

/** For readers: why nothing that is watched has a name. */
export interface NotWatched {
  readonly reason: NotWatchedReason;
  /** One or two sentences. Names in it are as the cloud gave them: foreign text. */
  readonly hint: string;
  /** The exact lines to put into the configuration, and where they go; absent where none would help. */
  readonly configure?: { readonly where: string; readonly yaml: string };
}

/** Where a name leads, as far as it tells by itself: the grammar of names belongs to the providers. */
export interface Place {
  /** What it is, for people: `KMS key`, `SSM parameter`. */
  readonly what: string;
  /** The service of keyvigil that watches such; absent: there is none. */
  readonly service?: string;
  /** Absent: the name does not tell. */
  readonly account?: string;
  readonly location?: string;
  /** What the service's options that narrow what is watched are matched with; any of them may be the name. */
  readonly names?: readonly string[];
  /** The cloud manages it itself: there is nothing that anybody could lose. */
  readonly cloudManaged?: true;
  /** What it may mean that a source that reads everything there does not show it, if not that it does not exist. */
  readonly unseen?: string;
  /** Fields of a target that would watch it, beside `name`, `provider` and `services`. */
  readonly target?: Readonly<Record<string, unknown>>;
}

/** An option of a service that narrows what it watches: a list of globs, `only` or all `except` what they match. */
export interface Narrowing {
  readonly option: string;
  readonly mode: 'only' | 'except';
  readonly globs: readonly string[];
}

/** What one configured source watches. */
export interface Watch extends SourceId {
  readonly provider: ProviderName;
  readonly narrowings: readonly Narrowing[];
}

/** What a source has told by now. */
type Told = Pick<SourceRecord, 'target' | 'location' | 'service' | 'account' | 'up'>;

export interface Coverage {
  /** Every configured source. */
  readonly watches: readonly Watch[];
  /** Where a name leads, by the grammar of this provider; undefined: it does not tell. */
  locate(provider: ProviderName, name: string): Place | undefined;
}

/** Answers why nothing that is watched has a name; each name is thought about once. */
export type Explain = (provider: ProviderName, name: string) => NotWatched;

/** @param sources what each source has told by now */
export function notWatchedBy(coverage: Coverage, sources: readonly Told[]): Explain {
  const known = new Map<string, NotWatched>();
  let told: ReadonlyMap<string, Told> | undefined;
  return (provider, name) => {
    const id = `${provider} ${name}`;
    const before = known.get(id);
    if (before) return before;
    told ??= new Map(sources.map((source) => [sourceKey(source), source]));
    const found = explain(coverage.locate(provider, name), provider, coverage.watches, told);
    known.set(id, found);
    return found;
  };
}

function explain(
  place: Place | undefined,
  provider: ProviderName,
  watches: readonly Watch[],
  told: ReadonlyMap<string, Told>,
): NotWatched {
  if (!place) return { reason: 'unclear', hint: 'The reference does not tell where it leads.' };
  const { what, account, location, service, cloudManaged } = place;
  if (cloudManaged) {
    return { reason: 'cloud_managed', hint: `The cloud manages this ${what} itself: nobody can disable or delete it.` };
  }
  if (service === undefined) {
    return { reason: 'no_collector', hint: `keyvigil does not watch what this is (${what}): look at it by hand.` };
  }
  const accountOf = (watch: Watch) => told.get(sourceKey(watch))?.account;
  const all = watches.filter((watch) => watch.provider === provider);
  const ofAccount = all.filter((watch) => account === undefined || accountOf(watch) === account);
  const [first] = ofAccount;
  if (!first) {
    // Which account a target is in shows with its first answer.
    const silent = all.find((watch) => accountOf(watch) === undefined);
    return silent ? notRead(silent) : otherAccount(place, provider);
  }
  const [there, ...more] = ofAccount.filter((watch) => location === undefined || watch.location === location);
  if (!there) return otherLocation(place, first, ofAccount);
  const watching = [there, ...more].filter((watch) => watch.service === service);
  const [narrow] = watching;
  if (!narrow) return serviceOff(place, service, there);
  const open = watching.filter((watch) => letsIn(watch, place));
  if (open.length === 0) return excluded(place, narrow);
  const unread = open.find((watch) => told.get(sourceKey(watch))?.up !== true);
  return unread ? notRead(unread) : notSeen(place, provider);
}

function otherAccount({ what, account, service, target }: Place, provider: ProviderName): NotWatched {
  const where = account === undefined ? 'an account' : `account ${account}`;
  return {
    reason: 'other_account',
    hint: `This ${what} is in ${where} that no target watches.`,
    ...(target && service !== undefined && { configure: newTarget(provider, service, target, account) }),
  };
}

function newTarget(
  provider: ProviderName,
  service: string,
  target: Readonly<Record<string, unknown>>,
  account: string | undefined,
): NonNullable<NotWatched['configure']> {
  const fields = { name: account ?? `${provider}-2`, provider, ...target, services: { [service]: {} } };
  const where = account === undefined ? 'under targets, with the account that it is in' : 'under targets';
  return { where, yaml: `- ${flow(fields)}` };
}

function otherLocation({ what, location = '' }: Place, { target }: Watch, watches: readonly Watch[]): NotWatched {
  const regions = [...new Set(watches.filter((one) => one.target === target).map((one) => one.location))];
  return {
    reason: 'other_location',
    hint: `This ${what} is in ${location}, which target ${target} does not watch.`,
    configure: {
      where: `in target ${target}, instead of its line regions`,
      yaml: line('regions', [...regions, location]),
    },
  };
}

function serviceOff({ what }: Place, service: string, { target }: Watch): NotWatched {
  return {
    reason: 'service_off',
    hint: `This ${what} is watched by the service ${service}, which target ${target} does not have.`,
    configure: { where: `in target ${target}, under services`, yaml: line(service, {}) },
  };
}

function letsIn({ narrowings }: Watch, { names = [] }: Place): boolean {
  return names.length === 0 || names.some((name) => narrowings.every((narrowing) => passes(narrowing, [name])));
}

function passes({ mode, globs }: Narrowing, names: readonly string[]): boolean {
  return matchesAny(globs, ...names) === (mode === 'only');
}

/** What lets it in: its name added to what is watched, the globs that match it taken from what is not. */
function excluded({ what, names = [] }: Place, { target, service, narrowings }: Watch): NotWatched {
  const closed = narrowings.filter((narrowing) => !passes(narrowing, names));
  const lines = closed.map(({ option, mode, globs }) =>
    line(option, mode === 'only' ? [...globs, names[0]] : globs.filter((glob) => !matchesAny([glob], ...names))),
  );
  const options = closed.map(({ option }) => option).join(' and ');
  return {
    reason: 'excluded',
    hint: `This ${what} is left out by ${options} of ${service} in target ${target}.`,
    configure: {
      where: `in target ${target}, under services, ${service}, instead of ${options}`,
      yaml: lines.join('\n'),
    },
  };
}

function notRead(watch: Watch): NotWatched {
  return {
    reason: 'not_read',
    hint: `The source that would show it, ${sourceKey(watch)}, has not been read yet or cannot be read.`,
  };
}

function notSeen({ what, account, service, target, unseen }: Place, provider: ProviderName): NotWatched {
  const otherwise = unseen === undefined ? '' : `, or ${unseen}`;
  if (account !== undefined) {
    return {
      reason: 'not_seen',
      hint: `keyvigil reads everything there, and sees no such ${what}: it does not exist${otherwise}.`,
    };
  }
  return {
    reason: 'not_seen',
    hint: `No target shows this ${what}: it is in an account that none of them watches, or does not exist${otherwise}.`,
    ...(target && service !== undefined && { configure: newTarget(provider, service, target, account) }),
  };
}

/** One line of YAML in flow style. What JSON can write, YAML can read; plain words go without quotes. */
function line(name: string, value: unknown): string {
  return `${scalar(name)}: ${flow(value)}`;
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${scalar(name)}: ${flow(field)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  return typeof value === 'string' ? scalar(value) : JSON.stringify(value);
}

/** A word that could be taken for a number, a truth or null is quoted. */
function scalar(text: string): string {
  const plain = /^[a-zA-Z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}
