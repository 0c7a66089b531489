import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { prometheusRule } from '../scripts/prometheus-rule.ts';
import { kubernetesViolations, type Manifest, manifests } from './kubernetes.ts';
import { PROJECT, ROOT, read } from './project.ts';

const DIRECTORIES = ['config/kubernetes/base', 'config/kubernetes/prometheus-operator'];
const FILES = DIRECTORIES.flatMap((directory) =>
  readdirSync(join(ROOT, directory))
    .filter((file) => file !== 'kustomization.yaml')
    .map((file) => `${directory}/${file}`),
);
const TEXT = FILES.map(read).join('\n---\n');

test('the manifests break no rule', () => {
  const all = manifests(TEXT);
  expect(kubernetesViolations(all, PROJECT.version)).toEqual([]);
  expect(all.map(({ kind }) => kind).sort()).toEqual([
    'ConfigMap',
    'Namespace',
    'NetworkPolicy',
    'PrometheusRule',
    'Service',
    'ServiceAccount',
    'ServiceMonitor',
    'StatefulSet',
  ]);
});

test.each<[from: string, to: string, violation: string]>([
  ['replicas: 1', 'replicas: 2', 'StatefulSet: writes the state more than once'],
  ['serviceName: keyvigil', 'serviceName: other', 'StatefulSet: the service other does not exist'],
  [
    'serviceAccountName: keyvigil',
    'serviceAccountName: other',
    'StatefulSet: the service account other does not exist',
  ],
  ['      automountServiceAccountToken: false', '', 'StatefulSet: has a token for Kubernetes'],
  ['runAsUser: 65532', 'runAsUser: 0', 'StatefulSet: may run as root'],
  ['fsGroup: 65532', 'fsGroup: 1', 'StatefulSet: cannot write its volume'],
  ['type: RuntimeDefault', 'type: Unconfined', 'StatefulSet: may make any system call'],
  ['allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true', 'StatefulSet: may gain privileges'],
  ['readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', 'StatefulSet: its root file system is writable'],
  ['drop: [ALL]', 'drop: []', 'StatefulSet: keeps capabilities'],
  ['memory: 512Mi', 'ephemeral-storage: 1Gi', 'StatefulSet: asks for no resources, or has no limit'],
  [
    'image: keyvigil:0.1.0',
    'image: keyvigil:latest',
    `StatefulSet: the image is keyvigil:latest, but this is keyvigil ${PROJECT.version}`,
  ],
  [
    '- name: tmp\n              mountPath',
    '- name: temp\n              mountPath',
    'StatefulSet: mounts temp, which is no volume',
  ],
  ['path: /-/ready', 'path: /', 'StatefulSet: the readinessProbe does not ask for /-/ready'],
  [
    '/etc/keyvigil/keyvigil.yml',
    '/etc/keyvigil/keyvigil.yaml',
    'StatefulSet: its configuration /etc/keyvigil/keyvigil.yaml is in no config map',
  ],
  [
    'configMap:\n            name: keyvigil',
    'configMap:\n            name: other',
    'StatefulSet: the config map other does not exist',
  ],
  ['targetPort: http', 'targetPort: web', 'Service: the port web is on no container'],
  [
    '- port: http\n      path: /metrics',
    '- port: metrics\n      path: /metrics',
    'ServiceMonitor: the port metrics is on no service',
  ],
  ['path: /metrics', 'path: /', 'ServiceMonitor: / are no metrics'],
  ['policyTypes: [Ingress, Egress]', 'policyTypes: [Ingress]', 'NetworkPolicy: leaves a direction open'],
  [
    'podSelector:\n    matchLabels:\n      app.kubernetes.io/name: keyvigil',
    'podSelector:\n    matchLabels:\n      app: other',
    'NetworkPolicy: selects no pod',
  ],
])('%s as %s is found', (from, to, violation) => {
  expect(TEXT).toContain(from);
  expect(kubernetesViolations(manifests(TEXT.replace(from, to)), PROJECT.version)).toContain(violation);
});

test('a policy that lets everybody in, and a namespace that nobody makes, are found', () => {
  const open = (one: Manifest) =>
    one.kind === 'NetworkPolicy' ? { ...one, spec: { ...one.spec, ingress: [{}] } } : one;
  expect(kubernetesViolations(manifests(TEXT).map(open), PROJECT.version)).toEqual([
    'NetworkPolicy: lets everybody in',
  ]);
  const away = manifests(TEXT).filter(({ kind }) => kind !== 'Namespace');
  expect(kubernetesViolations(away, PROJECT.version)).toContain('Service: its namespace keyvigil does not exist');
});

test('what is no YAML is no manifest', () => {
  expect(() => manifests('kind: [')).toThrow();
});

test('kustomize takes every file that is there, and none that is not', () => {
  const [base = '', operator = ''] = DIRECTORIES;
  const { resources, images } = parse(read(`${base}/kustomization.yaml`));
  const files = (directory: string) =>
    FILES.filter((file) => file.startsWith(`${directory}/`)).map((file) => file.slice(directory.length + 1));
  expect(resources.toSorted()).toEqual(files(base).sort());
  expect(images).toMatchObject([{ name: 'keyvigil', newTag: PROJECT.version }]);
  expect(parse(read(`${operator}/kustomization.yaml`)).resources.toSorted()).toEqual(
    ['../base', ...files(operator)].sort(),
  );
});

test('the operator gets the very rules that Prometheus gets', () => {
  const [rule] = manifests(read('config/kubernetes/prometheus-operator/prometheusrule.yaml'));
  expect(rule?.spec).toEqual(parse(read('config/prometheus/rules/keyvigil.yml')));
  const drifted = read('config/prometheus/rules/keyvigil.yml').replace('keyvigil_build_info', 'keyvigil_bulid_info');
  expect(manifests(prometheusRule(drifted))[0]?.spec).not.toEqual(rule?.spec);
});
