/**
 * The schema of the configuration file. It says what each field may hold by itself; what fields demand of each other is
 * in `rules.ts`, because zod would keep quiet about it as long as anything else is wrong.
 */
import { z } from 'zod';
import type { ProviderName } from '../core/model.ts';
import { AwsTargetFields } from '../providers/aws/config.ts';
import { AzureTargetFields } from '../providers/azure/config.ts';
import { isSource, type Service } from '../providers/provider.ts';
import { Duration, Hold, Interval, PositiveDuration, Reminder } from './duration.ts';
import { Listen } from './listen.ts';
import { says } from './messages.ts';
import { Schedule, Timezone, Timing } from './schedule.ts';

/** What the configuration needs to know of a service. */
export type ServiceDeclaration = Pick<Service, 'name' | 'provider' | 'config' | 'rules' | 'optIn'> &
  Partial<Pick<Service, 'kinds'>>;

/** A name that becomes a metric label and part of a path: no slash, no space. */
const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: 'expected a name of letters, digits, dots, dashes and underscores, at most 63 characters',
});

const Text = z.string().min(1);
const WebUrl = z.url({ protocol: /^https?$/, error: says('expected a URL such as https://example.com') });
const Confirmations = z.int().min(1).max(100);

const Policy = z.strictObject({
  confirmations: z
    .strictObject({
      inaccessible: Confirmations.default(2),
      accessible: Confirmations.default(2),
      blind: Confirmations.default(3),
    })
    .prefault({})
    .meta({ description: 'Looks that must agree before a new state is believed' }),
  describeEvery: PositiveDuration.prefault('15m').meta({
    description: 'How old the look at a key may get where listings lag',
  }),
  expiryWarning: Duration.prefault('30d'),
  staleAfter: PositiveDuration.prefault('5m'),
  forgetAfter: PositiveDuration.prefault('7d'),
  alertHold: Hold.prefault('1h').meta({
    description: 'How long an alert outlives a daemon that stopped re-sending it',
  }),
  critical: z.array(Text).default([]).meta({ description: 'Globs over names and resources' }),
  rules: z
    .record(
      z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$/, {
        error: 'expected the id of a rule, such as secrets-manager.rotation-overdue',
      }),
      z.enum(['off', 'info', 'warning', 'critical']),
    )
    .default({})
    .meta({ description: 'Severity of a rule, or off' }),
});

/** Where a notification can go. A receiver has exactly one of them. */
export const RECEIVER_TYPES = ['alertmanager', 'slack', 'pagerduty', 'webhook'] as const;

/** Says in the JSON Schema what `rules.ts` enforces: exactly one of these. */
function exactlyOne(...names: readonly string[]) {
  return { oneOf: names.map((name) => ({ required: [name] })) };
}

/** Not for an Alertmanager: that reminds by its own `repeat_interval`. */
const Reminding = {
  remindEvery: Reminder.optional().meta({
    description: 'Tells what still fires again after so long; never if left out',
  }),
};

const Receiver = z
  .strictObject({
    name: Name,
    alertmanager: z.strictObject({ urls: z.array(WebUrl).min(1) }).optional(),
    slack: z
      .strictObject({ url: WebUrl.optional(), urlFile: Text.optional(), ...Reminding })
      .meta(exactlyOne('url', 'urlFile'))
      .optional(),
    pagerduty: z
      .strictObject({
        routingKey: Text.optional(),
        routingKeyFile: Text.optional(),
        url: WebUrl.optional().meta({
          description: 'Where events go; the EU service region has an address of its own',
        }),
        ...Reminding,
      })
      .meta(exactlyOne('routingKey', 'routingKeyFile'))
      .optional(),
    webhook: z
      .strictObject({
        url: WebUrl.optional(),
        urlFile: Text.optional(),
        secret: Text.optional(),
        secretFile: Text.optional(),
        ...Reminding,
      })
      .meta(exactlyOne('url', 'urlFile'))
      .optional(),
  } satisfies Record<(typeof RECEIVER_TYPES)[number] | 'name', z.ZodType>)
  .meta(exactlyOne(...RECEIVER_TYPES));

function servicesOf(provider: ProviderName, services: readonly ServiceDeclaration[]) {
  const shape: Record<string, z.ZodOptional<z.ZodType>> = {};
  for (const { name, config, kinds } of services.filter((service) => service.provider === provider)) {
    // When a service is swept is the same question for all that are, so it is asked here and not in each.
    const timed = config instanceof z.ZodObject && isSource({ kinds }) ? config.safeExtend(Timing) : config;
    shape[name] = timed.optional();
  }
  return z
    .strictObject(shape)
    .optional()
    .meta({ description: 'Services that are watched; all but the opt-in ones if left out' });
}

/**
 * The schema of the whole file, for these services.
 * @param services what the registry of providers declares
 */
export function configFor(services: readonly ServiceDeclaration[]) {
  const Target = z.discriminatedUnion('provider', [
    z.strictObject({
      name: Name,
      provider: z.literal('aws'),
      ...Timing,
      ...AwsTargetFields,
      services: servicesOf('aws', services),
    }),
    z.strictObject({
      name: Name,
      provider: z.literal('azure'),
      ...Timing,
      ...AzureTargetFields,
      services: servicesOf('azure', services),
    }),
  ]);
  return z
    .strictObject({
      listen: Listen.prefault('127.0.0.1:10539').meta({
        description: 'Status page, JSON API and metrics; IPv6 as "[::1]:10539"',
      }),
      state: Text.default('./keyvigil.db').meta({ description: 'SQLite file, relative to this file' }),
      schedule: Schedule.default('0 * * * * *').meta({ description: 'When to look, node-cron syntax, seconds first' }),
      timezone: Timezone.default('UTC').meta({ description: 'IANA time zone of the schedules' }),
      targets: z.array(Target).min(1).meta({ description: 'Accounts and subscriptions that are watched' }),
      policy: Policy.prefault({}),
      labels: z.array(Text.max(128)).max(3).default([]).meta({ description: 'Tags copied to alerting series' }),
      receivers: z.array(Receiver).default([]).meta({ description: 'Where notifications go' }),
      heartbeat: z
        .strictObject({ url: WebUrl, every: Interval.prefault('1m') })
        .optional()
        .meta({ description: 'Outbound dead man’s switch' }),
      budget: z.number().gt(0).max(1).default(0.2).meta({ description: 'Share of each published API quota' }),
      outbound: z
        .strictObject({ proxy: z.literal('env').optional(), caFile: Text.optional() })
        .prefault({})
        .meta({ description: 'Proxy and private certificate authority of every client' }),
      retention: z.strictObject({ events: PositiveDuration.prefault('90d') }).prefault({}),
      log: z
        .strictObject({
          level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
          format: z.enum(['json', 'text']).default('json'),
        })
        .prefault({}),
      web: z
        .strictObject({
          configFile: Text.optional().meta({ description: 'TLS and users, in exporter-toolkit format' }),
          allowUnauthenticated: z.boolean().default(false),
          externalUrl: WebUrl.optional(),
        })
        .prefault({}),
    })
    .meta({ title: 'keyvigil configuration' });
}

/** What the schema makes of a file, before paths and secrets are resolved. */
export type ParsedConfig = z.output<ReturnType<typeof configFor>>;
