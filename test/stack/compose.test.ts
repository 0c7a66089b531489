import { expect, test } from 'vitest';
import { type Compose, composeViolations, parseCompose, type Service } from './compose.ts';
import { PROJECT, read } from './project.ts';

const STACK = parseCompose(read('docker-compose.yml'));

/** The stack with one service changed. */
function with_(name: string, change: Partial<Service>): Compose {
  return { ...STACK, services: { ...STACK.services, [name]: { ...STACK.services[name], ...change } } };
}

test('the stack breaks no rule', () => {
  expect(composeViolations(STACK, PROJECT)).toEqual([]);
});

test('the stack is what its description says', () => {
  const plain = Object.entries(STACK.services).filter(([, { profiles }]) => !profiles);
  expect(plain.map(([name]) => name).sort()).toEqual(['alertmanager', 'grafana', 'keyvigil', 'prometheus', 'sink']);
  const moto = Object.entries(STACK.services).filter(([, { profiles }]) => profiles?.includes('aws-moto'));
  expect(moto.map(([name]) => name).sort()).toEqual(['keyvigil-moto', 'moto', 'moto-incident', 'moto-seed']);
  const ports = Object.values(STACK.services).flatMap((service) => service.ports ?? []);
  expect(ports.map((port) => port.split(':')[1]).sort()).toEqual(['10539', '10540', '3000', '9090', '9093']);
});

test.each<[what: string, stack: Compose, violation: string]>([
  ['root', with_('prometheus', { user: '0:0' }), 'prometheus: runs as root, or as whatever its image says'],
  ['a named user', with_('prometheus', { user: 'nobody' }), 'prometheus: runs as root, or as whatever its image says'],
  ['a writable root', with_('grafana', { read_only: false }), 'grafana: its root file system is writable'],
  ['capabilities', with_('grafana', { cap_drop: ['NET_RAW'] }), 'grafana: keeps capabilities'],
  ['new privileges', with_('sink', { security_opt: [] }), 'sink: may gain privileges'],
  ['privileges', with_('sink', { privileged: true }), 'sink: is privileged'],
  [
    'latest',
    with_('grafana', { image: 'grafana/grafana:latest' }),
    'grafana: the image grafana/grafana:latest is not pinned to a version',
  ],
  [
    'no tag',
    with_('grafana', { image: 'grafana/grafana' }),
    'grafana: the image grafana/grafana is not pinned to a version',
  ],
  [
    'another version of ours',
    with_('sink', { image: 'keyvigil:9.9.9' }),
    `sink: the image is keyvigil:9.9.9, but this is keyvigil ${PROJECT.version}`,
  ],
  [
    'a port for everybody',
    with_('grafana', { ports: ['3000:3000'] }),
    'grafana: port 3000:3000 is not on the loopback address',
  ],
  [
    'a port twice',
    with_('grafana', { ports: ['127.0.0.1:9090:3000'] }),
    'grafana: port 127.0.0.1:9090 is taken by prometheus',
  ],
  [
    'a file that is not there',
    with_('grafana', { volumes: ['./config/nowhere:/x:ro', 'grafana-data:/y'] }),
    'grafana: mounts ./config/nowhere, which does not exist',
  ],
  [
    'a writable mount',
    with_('grafana', { volumes: ['./config/grafana:/x', 'grafana-data:/y'] }),
    'grafana: mounts ./config/grafana writable',
  ],
  [
    'an undeclared volume',
    with_('grafana', { volumes: ['other:/x', 'grafana-data:/y'] }),
    'grafana: the volume other is not declared',
  ],
  ['an unused volume', with_('grafana', { volumes: [] }), 'grafana-data: a volume that nothing mounts'],
  [
    'an unknown dependency',
    with_('grafana', { depends_on: { nobody: { condition: 'service_started' } } }),
    'grafana: depends on nobody, which does not exist',
  ],
  [
    'a dependency out of reach',
    with_('grafana', { depends_on: { moto: { condition: 'service_healthy' } } }),
    'grafana: depends on moto, which its profile does not start',
  ],
  [
    'no health to wait for',
    with_('moto-seed', { depends_on: { 'moto-incident': { condition: 'service_healthy' } } }),
    'moto-seed: waits for the health of moto-incident, which has none',
  ],
  [
    'no end to wait for',
    with_('grafana', { depends_on: { sink: { condition: 'service_completed_successfully' } } }),
    'grafana: waits for the end of sink, which never ends',
  ],
  [
    'a circle',
    with_('sink', { depends_on: { prometheus: { condition: 'service_healthy' } } }),
    'sink: depends on prometheus, which depends on it',
  ],
  [
    'a variable that is missing',
    with_('keyvigil', { environment: {} }),
    'keyvigil: /app/config/stack/demo.yaml asks for KEYVIGIL_ALERTMANAGER_URL, which is not set',
  ],
  [
    'a program that is missing',
    with_('sink', { entrypoint: ['node', '/app/config/stack/drain.mjs'] }),
    'sink: /app/config/stack/drain.mjs does not exist',
  ],
])('%s is found', (_, stack, violation) => {
  expect(composeViolations(stack, PROJECT)).toContain(violation);
});

test('a variable that nothing asks for is found', () => {
  const environment = { ...STACK.services.keyvigil?.environment, KEYVIGIL_TYPO: 'x' };
  expect(composeViolations(with_('keyvigil', { environment }), PROJECT)).toEqual([
    'keyvigil: KEYVIGIL_TYPO is set, and /app/config/stack/demo.yaml does not ask for it',
  ]);
});

test("a configuration of one's own takes the place of the demo, and nothing else", () => {
  const own = parseCompose(read('config/stack/own.yml'));
  expect(Object.keys(own.services)).toEqual(['keyvigil']);
  const { command, environment, volumes, ...rest } = own.services.keyvigil ?? {};
  expect(rest).toEqual({});
  expect(command).toEqual(['serve']);
  expect(Object.values(environment ?? {}).filter((value) => value !== null)).toEqual([]);
  expect(volumes).toEqual([
    {
      type: 'bind',
      source: `\${KEYVIGIL_FILE:?set KEYVIGIL_FILE to the path of your configuration}`,
      target: '/etc/keyvigil/keyvigil.yml',
      read_only: true,
      bind: { create_host_path: false },
    },
  ]);
  expect(read('Dockerfile')).toContain('KEYVIGIL_CONFIG=/etc/keyvigil/keyvigil.yml');
});

test('Alertmanager tells the sink of the stack, and Prometheus scrapes its keyvigil', () => {
  expect(read('config/alertmanager/alertmanager.yml')).toMatch(/http:\/\/sink:8080\//);
  const prometheus = read('config/prometheus/prometheus.yml');
  expect(prometheus).toContain('keyvigil:10539');
  expect(prometheus).toContain('alertmanager:9093');
});
