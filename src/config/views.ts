/** What other parts read out of a configuration. */
import type { Policy } from '../core/policy.ts';
import type { Config, TargetConfig } from './config.ts';

/** The part that the pure core obeys. */
export function policyOf({ policy }: Config): Policy {
  const { confirmations, critical, rules } = policy;
  return {
    confirmations,
    describeEveryMs: policy.describeEvery,
    expiryWarningMs: policy.expiryWarning,
    staleAfterMs: policy.staleAfter,
    forgetAfterMs: policy.forgetAfter,
    critical,
    rules,
  };
}

/** When a service of a target is swept: what is set nearest to it counts. */
export function scheduleOf(
  config: Config,
  target: TargetConfig,
  service: string,
): { readonly schedule: string; readonly timezone: string } {
  const own = target.services[service];
  return {
    schedule: own?.schedule ?? target.schedule ?? config.schedule,
    timezone: own?.timezone ?? target.timezone ?? config.timezone,
  };
}

/** A URL without the password in it, and without the path where that is what makes it a secret. */
function maskedUrl(text: string, path: 'keep' | 'mask'): string {
  const url = URL.parse(text);
  if (!url || (path === 'keep' && url.username + url.password + url.search === '')) return text;
  const login = url.username === '' && url.password === '' ? '' : '<secret>@';
  const rest = path === 'keep' ? url.pathname : '/<secret>';
  return `${url.protocol}//${login}${url.host}${rest}${url.search === '' ? '' : '?<secret>'}`;
}

/** The configuration fit for printing: plain values, with `<secret>` in place of every secret and of what a URL may hide. */
export function redacted(config: Config): unknown {
  return JSON.parse(JSON.stringify(config), function mask(this: unknown, key: string, value: unknown) {
    if (typeof value !== 'string' || !/^https?:\/\//i.test(value)) return value;
    // Whoever knows the address of a dead man's switch can keep it quiet.
    const beat = key === 'url' && typeof this === 'object' && this !== null && 'every' in this;
    return maskedUrl(value, beat ? 'mask' : 'keep');
  });
}
