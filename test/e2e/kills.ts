/** kill -9 of the whole daemon at seeded moments of its looking and writing, and what each start finds. */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { type Child, createPlace, listening, startCli } from '../cli/child.ts';
import { startSink } from './sink.ts';

const SEED = 20_261_122;
const KEYS = 40;
/** A kill comes within this time after the daemon is up, ms: it begins to look at once, and looks every second. */
const WITHIN_MS = 1_800;
/** One of two hundred starts may fall into a bad moment of the machine. */
const PATIENCE_MS = 120_000;

interface Round {
  /** Which keys are switched before the daemon starts, and while it runs. */
  readonly before: readonly number[];
  readonly during: readonly number[];
  readonly killAfterMs: number;
  /** Or as soon as the log tells of something new, whichever comes first. */
  readonly atNews: boolean;
}

const round: fc.Arbitrary<Round> = fc.record({
  before: fc.uniqueArray(fc.nat(KEYS - 1), { maxLength: 6 }),
  during: fc.uniqueArray(fc.nat(KEYS - 1), { minLength: 2, maxLength: 8 }),
  killAfterMs: fc.integer({ min: 0, max: WITHIN_MS }),
  atNews: fc.boolean(),
});

interface Event {
  readonly id: number;
  readonly type: string;
  readonly resource: string;
  readonly to?: string;
}

/** What the file holds, read from a copy: its log is not to be touched before the daemon sees it. */
function inspect(file: string, scratch: string): { readonly integrity: unknown; readonly events: readonly Event[] } {
  for (const end of ['', '-wal']) {
    if (existsSync(`${file}${end}`)) copyFileSync(`${file}${end}`, `${scratch}${end}`);
  }
  using db = new DatabaseSync(scratch);
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  const integrity = db.prepare('PRAGMA integrity_check').get()?.integrity_check;
  const rows = db.prepare('SELECT id, type, resource FROM events ORDER BY id').all();
  return { integrity, events: rows as unknown as readonly Event[] };
}

/** Seconds of processor that a process has used (proc(5): fields 14 and 15, in hundredths of a second). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Everything that the API tells of the log is committed: to whoever asked it is a promise. */
async function told(url: string): Promise<readonly Event[]> {
  const response = await fetch(`${url}/api/v1/events?limit=10000`);
  return ((await response.json()) as { events: readonly Event[] }).events;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

export interface KillFigures {
  readonly kills: number;
  readonly intact: number;
  readonly lost: number;
  /** From the start of the process to the first 200 of `/-/ready`. */
  readonly readyMs: number;
  /** Processor that a start needs until then; of the tenth that was disturbed least, which is what it takes by itself. */
  readonly readyCpuSeconds: number;
}

/**
 * Kills `times` on one state file and prints what came of it.
 * @param seed of what changes and when it is killed: another one for each that runs beside others
 */
export async function killDaemons(times: number, seed = SEED): Promise<KillFigures> {
  await using stack = new AsyncDisposableStack();
  const sandbox = stack.use(await startSandbox({ seed }));
  const sink = stack.use(await startSink());
  const account = sandbox.aws.account('111122223333');
  const { kms, secrets } = account.region('eu-west-1');
  const down = new Set<number>();
  for (let at = 0; at < KEYS; at += 1) {
    const { arn, keyId } = kms.createKey();
    kms.alias(`alias/key-${at}`, keyId);
    secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
  }
  function flip(keys: readonly number[]): void {
    for (const key of keys) {
      if (down.delete(key)) kms.enable(`alias/key-${key}`);
      else {
        down.add(key);
        kms.disable(`alias/key-${key}`);
      }
    }
  }
  const place = stack.use(createPlace(account.credentials));
  const state = join(place.directory, 'keyvigil.db');
  place.file(
    'keyvigil.yml',
    `listen: 127.0.0.1:0
schedule: "*/1 * * * * *"
policy: { confirmations: { inaccessible: 1, accessible: 1 } }
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { kms: {}, secrets-manager: {} } }]
receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]
`,
  );

  const readyMs: number[] = [];
  const cpu: number[] = [];
  let promised: readonly Event[] = [];
  let [intact, lost, duringWork] = [0, 0, 0];

  async function start(): Promise<{ child: Child; url: string }> {
    const from = performance.now();
    const child = startCli(['serve'], place);
    const url = await listening(child, PATIENCE_MS);
    const ready = async () => ((await fetch(`${url}/-/ready`)).status === 200 ? true : undefined);
    await child.until('it to be ready', ready, PATIENCE_MS);
    readyMs.push(performance.now() - from);
    cpu.push(cpuSeconds(child.pid));
    expect(child.err).not.toContain('moved aside');
    return { child, url };
  }

  /** Asks for the log over and over until the process is dead. */
  async function listen(url: string, onNews: () => void): Promise<void> {
    for (let known: number | undefined; ; ) {
      const answer = await told(url).catch(() => undefined);
      if (!answer) return;
      promised = answer;
      known ??= answer.length;
      if (answer.length > known) onNews();
    }
  }

  for (const { before, during, killAfterMs, atNews } of fc.sample(round, { numRuns: times, seed })) {
    flip(before);
    const { child, url } = await start();
    await using _ = child;
    const asked = sandbox.requests.count();
    const listened = listen(url, () => atNews && child.signal('SIGKILL'));
    flip(during);
    const timer = setTimeout(() => child.signal('SIGKILL'), atNews ? 2 * WITHIN_MS : killAfterMs);
    expect(await child.ended).toBe('SIGKILL');
    clearTimeout(timer);
    await listened;
    if (sandbox.requests.count() > asked) duringWork += 1;
    const { integrity, events } = inspect(state, join(place.directory, 'copy.db'));
    if (integrity === 'ok') intact += 1;
    const held = new Map(events.map((event) => [event.id, `${event.type} ${event.resource}`]));
    lost += promised.filter(({ id, type, resource }) => held.get(id) !== `${type} ${resource}`).length;
  }

  // The last life ends in order, after everything was seen: the file then says what is so, and each change was told.
  const { child, url } = await start();
  await using _ = child;
  await child.until('the truth', async () => {
    const { keys } = (await (await fetch(`${url}/api/v1/keys?kind=aws-kms-key&limit=1000`)).json()) as {
      keys: { name: string; health: string }[];
    };
    const wrong = keys.filter(({ name, health }) => (health === 'inaccessible') !== down.has(Number(name.slice(10))));
    return keys.length === KEYS && wrong.length === 0 ? true : undefined;
  });
  const { events } = inspectEnd(await told(url));
  const firing = new Map<string, string>();
  await child.until('every alert', () => {
    for (const { labels, status } of sink.told) firing.set(labels.name ?? '', status);
    const now = [...firing].filter(([, status]) => status === 'firing').map(([name]) => name);
    return now.length === down.size && [...down].every((key) => now.includes(`alias/key-${key}`)) ? true : undefined;
  });
  child.signal('SIGTERM');
  expect(await child.ended).toBe(0);

  const figures = {
    kills: times,
    intact,
    lost,
    readyMs: Math.round(median(readyMs)),
    readyCpuSeconds: cpu.toSorted((a, b) => a - b)[Math.floor(cpu.length / 10)] ?? Number.NaN,
  };
  console.info(
    `${times} kills (${duringWork} with calls to the cloud since it was ready): ${intact} files intact, ${lost} of ${promised.length} acknowledged events lost, ` +
      `${events} events in the end; restart to ready: median ${figures.readyMs} ms, at best ${Math.round(Math.min(...readyMs))} ms; ${median(cpu)} s of processor, undisturbed ${figures.readyCpuSeconds} s`,
  );
  return figures;
}

/** Transitions of each key must follow on one another, or one was lost or told twice. */
function inspectEnd(events: readonly Event[]): { readonly events: number } {
  const last = new Map<string, string>();
  for (const { type, resource, to } of events) {
    if (type !== 'transition' || to === undefined) continue;
    expect([resource, last.get(resource) === to]).toEqual([resource, false]);
    last.set(resource, to);
  }
  return { events: events.length };
}
