/** `check-config --online`: credentials and every permission, by one look at everything. */
import { lookOnce } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { SourceRecord } from '../core/model.ts';
import { SOURCE_LEVEL_REASONS } from '../core/reasons.ts';
import { visible } from '../core/text.ts';
import { REASON_WORDS } from '../core/words.ts';
import type { CallRecord } from '../engine/call.ts';
import { neededPermissions } from '../providers/features.ts';
import { SERVICES } from '../providers/index.ts';
import type { Permission } from '../providers/provider.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';
import { createProgress } from './progress.ts';

/** Calls of one operation, by what became of them. */
export interface Tried {
  readonly answered: number;
  readonly denied: number;
}

/** `untried`: nothing needed it in this look. `partly`: refused for some objects and not for others. */
export type Standing = 'granted' | 'partly' | 'missing' | 'untried';

/** One permission of one service of one target. */
export interface PermissionCheck {
  readonly target: string;
  readonly service: string;
  readonly actions: readonly string[];
  readonly resource: string;
  readonly standing: Standing;
  /** What stays dark without it. */
  readonly without: string;
}

/** A source that could not be read for another reason than a permission. */
export interface SourceCheck {
  readonly target: string;
  readonly location: string;
  readonly service: string;
  readonly reason: string;
}

export interface OnlineCheck {
  readonly permissions: readonly PermissionCheck[];
  readonly sources: readonly SourceCheck[];
  readonly ok: boolean;
}

/** Pure: what the calls of a look prove of the permissions that `config` needs. */
export function judgeCalls(
  config: Config,
  calls: readonly CallRecord[],
  sources: readonly Pick<SourceRecord, 'target' | 'location' | 'service' | 'up' | 'reason'>[],
): OnlineCheck {
  const tried = new Map<string, Tried>();
  for (const { target, service, operation, code } of calls) {
    const key = `${target} ${service} ${operation}`;
    const { answered, denied } = tried.get(key) ?? { answered: 0, denied: 0 };
    if (code === 'denied') tried.set(key, { answered, denied: denied + 1 });
    // What failed on the way to the cloud was never judged there.
    else if (!SOURCE_LEVEL_REASONS.some((reason) => reason === code))
      tried.set(key, { answered: answered + 1, denied });
  }
  const permissions = config.targets.flatMap((target) =>
    SERVICES.filter(({ provider, name }) => provider === target.provider && target.services[name]).flatMap((service) =>
      neededPermissions([service], target.services).flatMap((permission): readonly PermissionCheck[] => {
        const of = (operation: string) => tried.get(`${target.name} ${service.name} ${operation}`);
        const { actions, resource, without } = permission;
        const operations = operationsOf(permission);
        if (operations.length === 0) return [];
        const standing = standingOf(operations.flatMap((operation) => of(operation) ?? []));
        return [{ target: target.name, service: service.name, actions, resource, standing, without }];
      }),
    ),
  );
  const down = sources
    .filter(({ up, reason }) => up !== true && reason !== 'denied')
    .map(({ target, location, service, reason }) => ({ target, location, service, reason: reason ?? 'never_checked' }));
  const ok = down.length === 0 && permissions.every(({ standing }) => standing === 'granted' || standing === 'untried');
  return { permissions, sources: down, ok };
}

function operationsOf({ operations, actions }: Permission): readonly string[] {
  return operations ?? actions.map((action) => action.slice(action.indexOf(':') + 1));
}

/** A refusal of one operation counts, however well the others do. */
function standingOf(tried: readonly Tried[]): Standing {
  if (tried.length === 0) return 'untried';
  if (tried.every(({ denied }) => denied === 0)) return 'granted';
  return tried.some(({ answered }) => answered > 0) ? 'partly' : 'missing';
}

/**
 * Looks at everything once, reading only what the daemon reads.
 * @throws only the abort reason of `options.stop`
 */
export async function checkOnline(
  options: {
    readonly config: Config;
    readonly version: string;
    readonly stop: AbortSignal;
  },
  io: Io,
): Promise<OnlineCheck> {
  const { config, version } = options;
  const log = createLog({ level: 'error', format: 'text' }, io);
  const calls: CallRecord[] = [];
  using progress = createProgress({ write: io.err, tty: io.tty, columns: io.columns, now: () => Date.now() });
  const app = { config, env: io.env, log, version };
  const { snapshot } = await lookOnce(app, options.stop, progress.update, (call) => calls.push(call));
  const { sources } = snapshot;
  return judgeCalls(config, calls, sources);
}

/** The check for people: what is missing first, then how much was proved. */
export function onlineText({ permissions, sources }: OnlineCheck): string {
  const lines: string[] = [];
  for (const { target, location, service, reason } of sources) {
    const words = REASON_WORDS[reason as keyof typeof REASON_WORDS];
    lines.push(`✖ ${visible(target)}/${location}/${service} cannot be read: ${words.brief} (${reason})`);
  }
  for (const one of permissions.filter(({ standing }) => standing === 'missing' || standing === 'partly')) {
    const scope = one.standing === 'partly' ? 'granted for some objects only' : 'missing';
    lines.push(`✖ ${visible(one.target)}: ${one.actions.join(', ')} on ${one.resource}: ${scope}`);
    lines.push(`    without it: ${one.without}`);
  }
  const count = (standing: Standing) => permissions.filter((one) => one.standing === standing).length;
  lines.push(`${count('granted')} permissions were used and are granted.`);
  const untried = permissions.filter(({ standing }) => standing === 'untried');
  if (untried.length > 0) {
    lines.push(`${untried.length} were not needed in this look, so nothing is proved of them:`);
    for (const { target, actions } of untried) lines.push(`    ${visible(target)}: ${actions.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}
