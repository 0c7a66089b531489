/** A strict reader of text format 0.0.4, written from its specification rather than from our writer. */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly series: readonly Series[];
}

const SUFFIXES = ['', '_bucket', '_sum', '_count'];

/** Families in order. Throws on whatever the format does not allow: an unknown line, a family twice, a series twice. */
export function parseExposition(text: string): Family[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  const families: { name: string; help: string; type: string; series: Series[] }[] = [];
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (help?.[1] && help[2]) {
      if (families.some(({ name }) => name === help[1])) throw new Error(`family twice: ${line}`);
      families.push({ name: help[1], help: help[2], type: '', series: [] });
      continue;
    }
    const family = families.at(-1);
    if (!family) throw new Error(`a series before any family: ${line}`);
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (gauge|counter|histogram)$/.exec(line);
    if (type?.[2]) {
      if (type[1] !== family.name || family.type !== '' || family.series.length > 0)
        throw new Error(`misplaced: ${line}`);
      family.type = type[2];
      continue;
    }
    const series = parseSeries(line);
    const suffixes = family.type === 'histogram' ? SUFFIXES : [''];
    if (!suffixes.some((suffix) => series.name === family.name + suffix)) throw new Error(`not of its family: ${line}`);
    const id = JSON.stringify([series.name, Object.entries(series.labels).sort()]);
    if (seen.has(id)) throw new Error(`series twice: ${line}`);
    seen.add(id);
    family.series.push(series);
  }
  for (const family of families) if (family.type === '') throw new Error(`no type: ${family.name}`);
  return families;
}

function parseSeries(line: string): Series {
  const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0];
  if (!name) throw new Error(`no series: ${line}`);
  const labels: Record<string, string> = {};
  let rest = line.slice(name.length);
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const label = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|(?=\}))/.exec(rest);
      if (label?.[1] === undefined || label[2] === undefined) throw new Error(`no label: ${line}`);
      if (Object.hasOwn(labels, label[1])) throw new Error(`label twice: ${line}`);
      labels[label[1]] = label[2].replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
      rest = rest.slice(label[0].length);
    }
    rest = rest.slice(1);
  }
  const value = /^ ([-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/i.exec(rest)?.[1];
  if (value === undefined) throw new Error(`no value: ${line}`);
  return { name, labels, value: Number(value.replace(/inf/i, 'Infinity')) };
}
