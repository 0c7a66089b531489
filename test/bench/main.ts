/** `npm run bench`: every figure beside its goal, as ratios in one run. Argv: `scrape`, `sweep`, `azure`, `store`, `graph`, `daemon`; all without. */
import { benchAzure } from './azure.ts';
import { benchDaemon } from './daemon.ts';
import { benchGraph } from './graph.ts';
import type { BenchRow } from './row.ts';
import { benchScrape } from './scrape.ts';
import { benchStore } from './store.ts';
import { benchSweep } from './sweep.ts';

const SUITES: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  scrape: benchScrape,
  sweep: benchSweep,
  azure: benchAzure,
  store: benchStore,
  graph: benchGraph,
  daemon: benchDaemon,
};

function line({ goal, name, value, unit, bound, holds }: BenchRow): string {
  const figure = `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
  const verdict = holds === undefined ? '' : holds ? 'holds' : 'DOES NOT HOLD';
  const limit =
    bound === undefined ? '' : `<= ${bound >= 100 ? bound.toFixed(0) : Number(bound.toPrecision(3))} ${unit}`;
  return [goal.padEnd(4), figure.padStart(14), limit.padStart(16), verdict.padEnd(14), name].join('  ');
}

const wanted = process.argv.slice(2);
for (const [name, suite] of Object.entries(SUITES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name}`);
  for (const row of await suite()) console.log(line(row));
}
