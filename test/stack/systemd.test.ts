import { expect, test } from 'vitest';
import { read } from './project.ts';

type Unit = ReadonlyMap<string, readonly string[]>;

/** `Section.Key` to its values, in order. Throws on a line that is none of a unit file. */
function parseUnit(text: string): Unit {
  const unit = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    if (line === '' || /^[#;]/.test(line)) continue;
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name) section = name;
    else if (key && section) unit.set(`${section}.${key}`, [...(unit.get(`${section}.${key}`) ?? []), value]);
    else throw new SyntaxError(line);
  }
  return unit;
}

/** What the service must be held by. */
const REQUIRED: Readonly<Record<string, string>> = {
  Type: 'exec',
  Restart: 'on-failure',
  DynamicUser: 'yes',
  StateDirectory: 'keyvigil',
  StateDirectoryMode: '0700',
  UMask: '0077',
  LimitCORE: '0',
  NoNewPrivileges: 'yes',
  CapabilityBoundingSet: '',
  AmbientCapabilities: '',
  ProtectSystem: 'strict',
  ProtectHome: 'yes',
  PrivateTmp: 'yes',
  PrivateDevices: 'yes',
  PrivateUsers: 'yes',
  ProtectClock: 'yes',
  ProtectControlGroups: 'yes',
  ProtectHostname: 'yes',
  ProtectKernelLogs: 'yes',
  ProtectKernelModules: 'yes',
  ProtectKernelTunables: 'yes',
  LockPersonality: 'yes',
  RestrictNamespaces: 'yes',
  RestrictRealtime: 'yes',
  RestrictSUIDSGID: 'yes',
  SystemCallArchitectures: 'native',
};

function unitViolations(unit: Unit): string[] {
  const found = Object.entries(REQUIRED)
    .filter(([key, value]) => unit.get(`Service.${key}`)?.at(-1) !== value)
    .map(([key]) => key);
  // V8 writes machine code: this would end the process at its start.
  if (unit.has('Service.MemoryDenyWriteExecute')) found.push('MemoryDenyWriteExecute');
  if (!unit.get('Service.ExecStart')?.[0]?.includes(' serve ')) found.push('ExecStart');
  const calls = unit.get('Service.SystemCallFilter') ?? [];
  if (calls[0] !== '@system-service' || !calls[1]?.startsWith('~@privileged')) found.push('SystemCallFilter');
  if (Number.parseInt(unit.get('Service.TimeoutStopSec')?.[0] ?? '', 10) <= 10) found.push('TimeoutStopSec');
  if (!unit.has('Install.WantedBy')) found.push('WantedBy');
  return found;
}

const TEXT = read('config/systemd/keyvigil.service');

test('the unit breaks no rule', () => {
  expect(unitViolations(parseUnit(TEXT))).toEqual([]);
});

test.each([
  ['ProtectSystem=strict', 'ProtectSystem=full', 'ProtectSystem'],
  ['DynamicUser=yes\n', '', 'DynamicUser'],
  ['CapabilityBoundingSet=\n', 'CapabilityBoundingSet=CAP_NET_ADMIN\n', 'CapabilityBoundingSet'],
  ['LimitCORE=0', 'LimitCORE=infinity', 'LimitCORE'],
  ['UMask=0077', 'UMask=0022', 'UMask'],
  ['LockPersonality=yes', 'LockPersonality=yes\nMemoryDenyWriteExecute=yes', 'MemoryDenyWriteExecute'],
  ['SystemCallFilter=@system-service\n', '', 'SystemCallFilter'],
  ['TimeoutStopSec=15s', 'TimeoutStopSec=5s', 'TimeoutStopSec'],
  ['keyvigil serve', 'keyvigil once', 'ExecStart'],
  ['WantedBy', 'AwaitedBy', 'WantedBy'],
])('%s as %s is found', (from, to, violation) => {
  expect(TEXT).toContain(from);
  expect(unitViolations(parseUnit(TEXT.replace(from, to)))).toEqual([violation]);
});

test('a line that belongs to no unit file is refused', () => {
  expect(() => parseUnit('[Service]\nExecStart /bin/true')).toThrow('ExecStart /bin/true');
});
