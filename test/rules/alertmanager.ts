/** What an Alertmanager would do with an alert, from its configuration: routes and inhibitions. Pure. */
import { parse } from 'yaml';

export type Labels = Readonly<Record<string, string>>;

interface Route {
  readonly receiver?: string;
  readonly matchers?: readonly string[];
  readonly routes?: readonly Route[];
  readonly group_wait?: string;
  readonly repeat_interval?: string;
}

interface Inhibition {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

export interface Config {
  readonly route: Route;
  readonly inhibit_rules: readonly Inhibition[];
  readonly receivers: ReadonlyArray<{
    readonly name: string;
    readonly webhook_configs: readonly { readonly url: string }[];
  }>;
}

export function configOf(text: string): Config {
  return parse(text) as Config;
}

/** The receiver that an alert goes to: the first route that matches, as deep as it goes. */
export function receiverOf(route: Route, labels: Labels, inherited = ''): string {
  const here = route.receiver ?? inherited;
  const next = route.routes?.find(({ matchers = [] }) => matches(matchers, labels));
  return next ? receiverOf(next, labels, here) : here;
}

/** Whether one alert, while it fires, silences another. A label that both lack is equal. */
export function inhibits({ inhibit_rules: rules }: Config, source: Labels, target: Labels): boolean {
  return rules.some(
    (rule) =>
      matches(rule.source_matchers, source) &&
      matches(rule.target_matchers, target) &&
      rule.equal.every((label) => (source[label] ?? '') === (target[label] ?? '')),
  );
}

function matches(matchers: readonly string[], labels: Labels): boolean {
  return matchers.every((text) => {
    const [, label = '', how = '', value = ''] = /^\s*(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*$/.exec(text) ?? [];
    if (label === '') throw new Error(`no matcher: ${text}`);
    const has = labels[label] ?? '';
    const equal = how.endsWith('~') ? new RegExp(`^(?:${value})$`).test(has) : has === value;
    return how.startsWith('!') ? !equal : equal;
  });
}
