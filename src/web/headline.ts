/** The one sentence on top of the page: is anything wrong? Pure. */
import { degrades } from '../core/findings.ts';
import type { SourceRecord } from '../core/model.ts';
import { isRetired } from '../core/readers.ts';
import type { Incident, Snapshot } from '../core/snapshot.ts';
import { counted, grouped, relative } from '../core/text.ts';
import { REASON_WORDS } from '../core/words.ts';
import type { Overview } from './overview.ts';

/** A source that told no detection bound yet counts as stale after this long, ms. */
const STALE_AFTER_MS = 5 * 60_000;

export interface Freshness {
  /** `retired`: there is nothing to read any more, which is no trouble. */
  readonly level: 'up' | 'retired' | 'pending' | 'stale' | 'down';
  readonly text: string;
}

/** How far what a source told can be trusted at `now`. Stale is as `KeyvigilCheckStale` has it: 3 detection bounds. */
export function freshness(source: SourceRecord, now: number): Freshness {
  const { lastSuccessAt: last } = source;
  const since = last === undefined ? 'never read yet' : `last read ${relative(last, now)}`;
  if (source.up === undefined) return { level: 'pending', text: 'first look under way' };
  if (!source.up) {
    const why = source.reason === undefined ? 'fails' : REASON_WORDS[source.reason].brief;
    return { level: 'down', text: `${why}; ${since}` };
  }
  if (isRetired(source))
    return { level: 'retired', text: `its cloud has retired it; ${since.replace('read', 'asked')}` };
  const staleAfter = source.detectionBoundMs === undefined ? STALE_AFTER_MS : 3 * source.detectionBoundMs;
  if (last !== undefined && now - last > staleAfter) return { level: 'stale', text: since };
  return { level: 'up', text: since };
}

export interface Headline {
  readonly level: 'bad' | 'unsure' | 'warn' | 'good' | 'empty';
  readonly title: string;
  readonly details: readonly string[];
}

/** Never good while anything cannot be seen; never bad over keys that nobody uses. */
export function headline(overview: Overview, now: number): Headline {
  const { incidents, unexplained, longDead, snapshot } = overview;
  const unseen = blindSpots(overview, now);
  const old =
    longDead.length === 0
      ? []
      : [`${counted(longDead.length, 'key')} already unusable when first seen; nothing depends on ${them(longDead)}.`];
  if (incidents.length + unexplained.length > 0) {
    const unhurt = unexplained.length === 0 && !incidents.some((incident) => hurts(incident, snapshot));
    // A deletion that was announced for an unused key must not paint the page red for a month.
    const level = unhurt ? (unseen.length > 0 ? 'unsure' : 'warn') : 'bad';
    return { level, title: lossTitle(overview), details: [...impact(overview), ...unseen] };
  }
  if (unseen.length > 0) {
    return { level: 'unsure', title: 'No loss is known, but not everything can be seen', details: [...unseen, ...old] };
  }
  if (snapshot.keys.length === 0) return nothingYet(overview);
  const breaking = ruleBreakers(overview);
  if (breaking !== undefined) return { level: 'warn', title: `Everything works; ${breaking}`, details: old };
  if (old.length > 0) return { level: 'good', title: 'Every key in use is accessible', details: old };
  const all = snapshot.keys.length === 1 ? 'The one watched key' : `All ${grouped(snapshot.keys.length)} keys`;
  return { level: 'good', title: `${all} ${snapshot.keys.length === 1 ? 'is' : 'are'} accessible`, details: [] };
}

/** Whether somebody is hurt by it, as far as is known: something depends on it, or policy names it. */
function hurts(incident: Incident, snapshot: Snapshot): boolean {
  const root = snapshot.byResource.get(incident.root);
  return (
    incident.keys.length + incident.consumers.length > 0 || root === undefined || root.critical || root.consumers > 0
  );
}

/** What breaks a rule without being lost; undefined: nothing. */
function ruleBreakers({ keyCounts, snapshot }: Overview): string | undefined {
  const consumers = snapshot.consumers.filter(({ findings }) => findings.some(degrades)).length;
  const total = keyCounts.degraded + consumers;
  if (total === 0) return undefined;
  const parts = [
    keyCounts.degraded > 0 && counted(keyCounts.degraded, 'key'),
    consumers > 0 && counted(consumers, 'consumer'),
  ];
  return `${parts.filter(Boolean).join(' and ')} ${total === 1 ? 'breaks a rule' : 'break a rule'}`;
}

function lossTitle({ incidents, unexplained }: Overview): string {
  const consumers = `${counted(unexplained.length, 'consumer')} ${unexplained.length === 1 ? 'is' : 'are'}`;
  if (incidents.length === 0) return `${consumers} in trouble with a key`;
  const keys = incidents.length === 1 ? '1 key is unusable' : `${grouped(incidents.length)} keys are unusable`;
  return unexplained.length === 0 ? keys : `${keys}, and ${consumers} in trouble for another reason`;
}

function impact({ incidents }: Overview): string[] {
  if (incidents.length === 0) return [];
  const keys = new Set(incidents.flatMap((incident) => incident.keys)).size;
  const consumers = new Set(incidents.flatMap((incident) => incident.consumers)).size;
  if (keys + consumers === 0) return [`Nothing that keyvigil knows of depends on ${them(incidents)}.`];
  const parts = [keys > 0 && counted(keys, 'more key'), consumers > 0 && counted(consumers, 'consumer')];
  return [`Down with ${them(incidents)}: ${parts.filter(Boolean).join(' and ')}.`];
}

function blindSpots({ snapshot, keyCounts, blind, blindThrough }: Overview, now: number): string[] {
  const levels = snapshot.sources.map((source) => freshness(source, now).level);
  const down = levels.filter((level) => level === 'down').length;
  const stale = levels.filter((level) => level === 'stale').length;
  const spots: string[] = [];
  if (down > 0) spots.push(`${grouped(down)} of ${counted(levels.length, 'source')} cannot be read.`);
  if (stale > 0) spots.push(`${grouped(stale)} of ${counted(levels.length, 'source')} told nothing new for too long.`);
  if (blind > 0) {
    const through = blindThrough > 0 ? `, and ${counted(blindThrough, 'key')} through what holds them` : '';
    spots.push(`${counted(blind, 'key')} cannot be seen at the moment${through}: what was last known stands.`);
  }
  if (keyCounts.unknown > 0) spots.push(`Of ${counted(keyCounts.unknown, 'key')} nothing conclusive is known.`);
  return spots;
}

function nothingYet({ snapshot }: Overview): Headline {
  const pending = snapshot.sources.some((source) => source.up === undefined);
  if (pending) return { level: 'empty', title: 'The first look is under way', details: [] };
  const all = snapshot.sources.every(isRetired);
  const details = all
    ? ['The cloud has retired everything that is configured.']
    : ['Every source was read and holds nothing that the configuration lets in.'];
  return { level: 'empty', title: 'No keys are watched yet', details: snapshot.sources.length > 0 ? details : [] };
}

function them(list: readonly unknown[]): string {
  return list.length === 1 ? 'it' : 'them';
}
