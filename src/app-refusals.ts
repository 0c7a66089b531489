/** What of the configuration was refused while running: one gauge and one alert for all of its files. */

/** The configuration itself, or the file of the web server. */
export type ConfigPart = 'configuration' | 'web.configFile';

export interface Refusals {
  /** Notes that this part was taken up, or refused. */
  told(part: ConfigPart, ok: boolean): void;
  /** Since when what runs is not what is on disk, ms; undefined: it is. */
  readonly failedSince: number | undefined;
}

/** @param onChange told after each, with whether everything on disk is what runs */
export function createRefusals(now: () => number, onChange: (ok: boolean) => void): Refusals {
  const refused = new Map<ConfigPart, number>();
  return {
    told(part, ok) {
      if (ok) refused.delete(part);
      else if (!refused.has(part)) refused.set(part, now());
      onChange(refused.size === 0);
    },
    get failedSince() {
      return refused.size === 0 ? undefined : Math.min(...refused.values());
    },
  };
}
