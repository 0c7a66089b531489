/** ISO 8601 periods as rotation policies spell them: `P90D`, `P1Y6M`. */

/** `at` moved by a period, by the calendar; undefined where the text is none, or has a time of day. */
export function shifted(at: number, period: string, direction: 1 | -1): number | undefined {
  const match = /^P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?$/i.exec(period);
  if (!match) return undefined;
  const [years, months, weeks, days] = match.slice(1).map((digits) => direction * Number(digits ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  const date = new Date(at);
  date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate());
  date.setUTCDate(date.getUTCDate() + 7 * weeks + days);
  const moved = date.getTime();
  return Number.isNaN(moved) ? undefined : moved;
}
