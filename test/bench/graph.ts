/**
 * The graph of 100,000 keys and 300,000 edges: health, root causes and incidents of everything against one pass over the
 * edges in plain numbers, a change of one key in a hundred against all of it, and how long anything holds the event loop.
 */
import { alertsFrom } from '../../src/core/alerts/index.ts';
import { createGraph, type Graph } from '../../src/core/graph.ts';
import { incidentsOf } from '../../src/core/incidents.ts';
import { createLinks } from '../../src/core/links.ts';
import type { KeyRecord } from '../../src/core/model.ts';
import { settleAll } from '../../src/core/propagation.ts';
import type { ConsumerView, KeyView, Snapshot } from '../../src/core/snapshot.ts';
import { context } from '../core/support/alerts.ts';
import { OPTIONS } from '../core/support/graphs.ts';
import { KEYS, onePass, ROOTS, rootRecord, type World, world } from './graph-world.ts';
import { median, row } from './measure.ts';
import type { BenchRow } from './row.ts';

const ROUNDS = 9;
/** A single run is shorter than what the clock of a thread can tell. */
const TIMES = 10;
/** What G15 allows: times one pass, share of the full computation, ms of blocked event loop. */
const PASSES = 10;
const SHARE = 1 / 20;
const BLOCK_MS = 25;
/** As in the engine. */
const SLICE_MS = 8;

export async function benchGraph(): Promise<BenchRow[]> {
  const all = world();
  return [...measureFull(all), ...measureLoad(all), ...measureChanges(all)];
}

/** Everything anew on a graph that is wired already: what is lost, what is unknown, whose fault it is, whom it hits. */
function measureFull(all: World): BenchRow[] {
  const links = createLinks();
  for (const record of all.keys) links.upsert(record);
  for (const record of all.consumers) links.upsertConsumer(record);
  links.takeRewired();
  const { dead, impaired } = hitIn(all);
  const seeds = new Uint8Array(KEYS + all.consumers.length);
  for (const [n, { belief }] of all.keys.entries()) if (belief?.verdict.status === 'inaccessible') seeds[n] = 1;
  const lost = new Uint8Array(seeds.length);
  const passes: number[] = [];
  const fulls: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    passes.push(
      timed(() => {
        for (let time = 0; time < PASSES * TIMES; time += 1) {
          lost.set(seeds);
          onePass(all, lost);
        }
      }) /
        (PASSES * TIMES),
    );
    fulls.push(
      timed(() => {
        for (let time = 0; time < TIMES; time += 1) {
          settleAll(links.stirred);
          incidentsOf(dead, impaired);
        }
      }) / TIMES,
    );
  }
  const [pass, full] = [median(passes), median(fulls)];
  return [
    row(
      'G15',
      'health, root causes and incidents of 100k keys and 300k edges, in passes over the edges',
      full / pass,
      'x',
      PASSES,
    ),
    row('', 'the same', full, 'ms'),
    row('', 'one pass over the edges in typed arrays', pass, 'ms'),
  ];
}

function hitIn(all: World): { readonly dead: readonly KeyView[]; readonly impaired: readonly ConsumerView[] } {
  const { keys, consumers } = snapshotOf(loaded(all).graph);
  return {
    dead: keys.filter(({ health }) => health === 'inaccessible'),
    impaired: consumers.filter(({ health }) => health === 'impaired'),
  };
}

/** From records to the first snapshot, as at the start of the daemon. */
function measureLoad(all: World): BenchRow[] {
  const rounds = Array.from({ length: 3 }, () => loaded(all));
  return [
    row(
      '',
      'the same from records, wired and shown: step that takes longest',
      median(rounds.map(({ longest }) => longest)),
      'ms',
      BLOCK_MS,
    ),
    row('', 'the same from records, wired and shown', median(rounds.map(({ ms }) => ms)), 'ms'),
  ];
}

function measureChanges(all: World): BenchRow[] {
  const { graph, ms } = loaded(all);
  let now = 1;
  const looks: number[] = [];
  const losses: number[] = [];
  const blocks: number[] = [];
  const alerts: number[] = [];
  for (let round = 0; round < 2 * ROUNDS; round += 1) {
    now += 1;
    // One key in a hundred, spread over roots and secrets as keys are: an incident, and its end.
    const looked = one(all, 100, (record) => ({ ...record, checkedAt: record.checkedAt + now }));
    const turned = one(all, 100, (record, n) => (n < ROOTS ? rootRecord(n, round % 2 === 0, now) : record));
    const change = (upserts: readonly KeyRecord[]) => timed(() => graph.update({ upserts, deletes: [] }));
    const show = () => timed(() => snapshotOf(graph).incidents);
    looks.push(change(looked) + show());
    const [update, shown] = [change(turned), show()];
    losses.push(update + shown);
    blocks.push(update, shown);
    const snapshot = snapshotOf(graph);
    alerts.push(timed(() => alertsFrom(snapshot, context())));
  }
  return [
    row('G15', '1 % of the keys looked at, and shown, as a share of all from records', median(looks) / ms, 'x', SHARE),
    row(
      'G15',
      '1 % of the keys lost or back, and shown with incidents, as a share of all from records',
      median(losses) / ms,
      'x',
      SHARE,
    ),
    row('G15', '1 % of the keys lost or back: longest block', median(blocks), 'ms', BLOCK_MS),
    row('', 'alerts that fire among 100k keys, some 400 roots lost: words included', median(alerts), 'ms'),
  ];
}

interface Loaded {
  readonly graph: Graph;
  /** In all, and in the longest slice. */
  readonly ms: number;
  readonly longest: number;
}

/** Every so many-th key, changed. */
function one(all: World, every: number, change: (record: KeyRecord, n: number) => KeyRecord): readonly KeyRecord[] {
  return all.keys.flatMap((record, n) => (n % every === 3 ? change(record, n) : []));
}

function loaded(all: World): Loaded {
  const graph = createGraph(OPTIONS);
  const steps = graph.load({ upserts: all.keys, consumers: { upserts: all.consumers, deletes: [] } });
  const slices: number[] = [];
  for (let done: boolean | undefined = false; !done; ) {
    // As the engine takes them: as many as fit into some milliseconds.
    const until = performance.now() + SLICE_MS;
    slices.push(
      timed(() => {
        while (!done && performance.now() < until) done = steps.next().done;
      }),
    );
  }
  slices.push(timed(() => snapshotOf(graph).incidents));
  return { graph, ms: slices.reduce((sum, ms) => sum + ms, 0), longest: Math.max(...slices) };
}

function snapshotOf(graph: Graph): Snapshot {
  return graph.snapshot({ at: 0, sources: [], storeUp: true });
}

/** CPU time of this thread, ms: what others do on the machine, and to its caches, is another matter. */
function timed(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
