import { describe, expect, it } from 'vitest';
import type { TableStyle } from '../../src/cli/lines.ts';
import { renderTable } from '../../src/cli/table.ts';
import type { NotWatched } from '../../src/core/not-watched.ts';
import { azureSnapshot, MEANING } from '../web/azure.ts';
import { consumerView, healthySnapshot, incidentSnapshot, keyView, NOW, snapshotOf, source } from '../web/world.ts';

const PLAIN: TableStyle = { color: false, now: NOW };

function lines(text: string): string[] {
  return text.trimEnd().split('\n');
}

describe('the table of a single look', () => {
  it('puts lost roots first, then what they take down, and sums up', () => {
    const [header, first, second, third, fourth, ...rest] = lines(renderTable(incidentSnapshot(), PLAIN));
    expect(header).toMatch(/^HEALTH +NAME +KIND +WHERE +REASON +FOR +BECAUSE OF$/);
    expect([first, second, third].join()).not.toContain('lost with');
    expect(first).toMatch(/^✖ inaccessible {2}alias\/video-prod +KMS key +111122223333\/eu-west-1 +disabled +12 min$/);
    expect(fourth).toMatch(
      /^✖ inaccessible {2}prod\/speke\/gateway .* lost with its key or vault +12 min +alias\/video-prod$/,
    );
    expect(rest.at(-1)).toBe('41 keys: 9 inaccessible, 1 degraded, 31 accessible; 3 of 4 sources read');
  });

  it('names consumers in trouble and sources that could not be read', () => {
    const text = renderTable(incidentSnapshot(), PLAIN);
    expect(text).toContain('✖ impaired  CodeBuild project release: access revoked');
    expect(text).toContain('✖ impaired  MediaConnect flow ch1-main: a key is unusable (alias/video-prod)');
    expect(text).toContain('?  source video-prod/us-east-1/secrets-manager cannot be read: no valid credentials');
    expect(text).not.toContain('ch2-main');
  });

  it('says of Azure what is lost, what an inaccessible account means, and what still uses an old version', () => {
    const text = renderTable(azureSnapshot(), PLAIN);
    const rows = lines(text);
    expect(text).toMatch(/^✖ inaccessible {2}contoso\/cmk +vault key .*deleted, recoverable/m);
    expect(text).toMatch(/^✖ inaccessible {2}fabrikam\/cmk +vault key .*lost with its key or vault .*fabrikam$/m);
    expect(text).toMatch(/^✖ inaccessible {2}fabrikam +key vault /m);
    const at = rows.indexOf(
      '✖ impaired  Media Services account streaming: a key is unusable (contoso/cmk); its service says "CustomerKeyInaccessible"',
    );
    expect(rows.slice(at + 1)).toEqual([
      '✖ impaired  Media Services account revoked: access revoked',
      '▲ at risk  Media Services account archive: It still uses the version before the current one.',
      `What an impaired Media Services account means: ${MEANING}`,
      `▲ outdated  Media Services account archive still uses version ${'a'.repeat(32)} of contoso/next, behind for 20 min`,
      '–  source media-azure/global/media-services is retired: nothing to watch there',
      '7 keys: 3 inaccessible, 4 accessible; 1 of 2 sources read, 1 retired',
    ]);
  });

  it('says so of a consumer that is pinned to an old version', () => {
    const uses = [{ resource: 'k', pinned: true, versionInUse: 'v1', outdatedSince: NOW, role: 'encrypts' }];
    const text = renderTable(snapshotOf({ consumers: [consumerView({ resource: 'c', uses })] }), PLAIN);
    expect(text).toContain('▲ outdated  MediaConnect flow c is pinned to version v1 of k, behind for 0 s');
  });

  it('names what is used and not watched, the most used first, and what to configure once', () => {
    const yaml = 'kms: {}';
    const notWatched = (_provider: string, name: string): NotWatched =>
      name === 'managed'
        ? { reason: 'cloud_managed', hint: 'Nobody need care.' }
        : { reason: 'service_off', hint: `${name} is off.`, configure: { where: 'under services', yaml } };
    const flow = (resource: string, ...names: readonly string[]) =>
      consumerView({ resource, uses: names.map((name) => ({ resource: name, role: 'r' })) });
    const keys = [keyView({ resource: 's', unwatched: ['cmk'] })];
    const consumers = [flow('a', 'one', 'cmk', 'managed'), flow('b', 'cmk')];
    const text = renderTable(snapshotOf({ keys, consumers, notWatched }), PLAIN);
    expect(lines(text).slice(-4, -1)).toEqual([
      '?  not watched, used by 3: cmk: cmk is off.',
      '?  not watched, used by 1: one: one is off.',
      '   to watch it, under services: kms: {}',
    ]);
  });

  it('names twenty of them at most', () => {
    const uses = Array.from({ length: 25 }, (_, at) => ({ resource: `k${at}`, role: 'r' }));
    const text = renderTable(snapshotOf({ consumers: [consumerView({ resource: 'c', uses })] }), PLAIN);
    expect(text.match(/used by 1/g)).toHaveLength(20);
    expect(text).toContain('?  not watched: 5 more names');
  });

  it('leaves out columns that say nothing', () => {
    const [header] = lines(renderTable(healthySnapshot(), PLAIN));
    expect(header).toMatch(/^HEALTH +NAME +KIND +WHERE$/);
  });

  it('says so when there is nothing', () => {
    expect(renderTable(snapshotOf({ sources: [] }), PLAIN)).toBe('0 keys; 0 of 0 sources read\n');
    const failed = snapshotOf({ sources: [source({ up: false, reason: 'dns' })] });
    expect(lines(renderTable(failed, PLAIN)).at(-1)).toBe('0 keys; 0 of 1 source read');
  });

  it.each([40, 60, 80, 100, 140])('never wraps in a terminal of %i columns', (columns) => {
    for (const snapshot of [incidentSnapshot(), azureSnapshot()]) {
      const wide = lines(renderTable(snapshot, { ...PLAIN, columns }));
      // The last line is a sentence, which may wrap.
      for (const line of wide.slice(0, -1)) expect([...line].length).toBeLessThanOrEqual(columns);
      expect(wide[0]).toMatch(/^HEALTH +NAME/);
    }
  });

  it('cuts long names rather than health, and only where there is a width', () => {
    const keys = [keyView({ resource: 'a', name: 'x'.repeat(300), health: 'inaccessible', reason: 'disabled' })];
    expect(renderTable(snapshotOf({ keys }), PLAIN)).toContain('x'.repeat(300));
    const [, row] = lines(renderTable(snapshotOf({ keys }), { ...PLAIN, columns: 60 }));
    expect(row).toMatch(/^✖ inaccessible {2}x+…/);
  });

  it('lines columns up behind characters that take two cells', () => {
    const names = ['鍵', '🔑🔑', 'plain', 'é'];
    const keys = names.map((name) => keyView({ resource: name, name }));
    const rows = lines(renderTable(snapshotOf({ keys }), PLAIN)).slice(1, 5);
    const cells = { 鍵: 2, '🔑🔑': 4, plain: 5, é: 1 } as Record<string, number>;
    for (const row of rows) {
      const [, name = '', gap = ''] = /^✔ accessible {2}(\S+)( +)secret/.exec(row) ?? [];
      expect((cells[name.normalize('NFC')] ?? 0) + gap.length).toBe(7);
    }
  });

  it('colours only what is not well, and only when asked to', () => {
    const text = renderTable(incidentSnapshot(), { ...PLAIN, color: true });
    expect(text).toContain('\u001b[31m✖ inaccessible');
    expect(text).toContain('\u001b[33m▲ degraded');
    expect(text).toContain('\n✔ accessible');
    expect(renderTable(incidentSnapshot(), PLAIN)).not.toContain('\u001b');
  });

  it('lets no name drive the terminal', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\r\n\u202Egnp\u0000';
    const keys = [
      keyView({ resource: `arn:${evil}`, name: evil, account: evil, health: 'degraded', reason: 'finding' }),
      keyView({ resource: 'b', health: 'inaccessible', reason: 'dependency', rootCauses: [evil] }),
    ];
    const findings = [{ id: 'x', severity: 'warning', summary: evil, since: NOW } as const];
    const uses = [{ resource: evil, versionInUse: evil, outdatedSince: NOW, role: evil }];
    const consumers = [
      consumerView({ resource: 'c', name: evil, health: 'impaired', state: evil, rootCauses: [evil], uses }),
    ];
    const sources = [source({ target: evil, up: false })];
    const text = renderTable(
      snapshotOf({ keys: keys.map((key) => ({ ...key, findings })), consumers, sources }),
      PLAIN,
    );
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202A-\u202E]/u);
    // Heads, two keys, a gap, the consumer, what that means, the version it uses, what is not watched, the source, the sum.
    expect(lines(text)).toHaveLength(10);
  });
});
