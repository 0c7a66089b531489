/** What our manifests must hold of each other; that each is what Kubernetes takes, its own schema says in the interop suite. */
import { parseAllDocuments } from 'yaml';

type Labels = Readonly<Record<string, string>>;
type Named = { readonly name: string };

interface Container extends Named {
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: ReadonlyArray<Named & { readonly containerPort: number }>;
  readonly volumeMounts?: ReadonlyArray<Named & { readonly mountPath: string }>;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources?: {
    readonly limits?: { readonly memory?: string };
    readonly requests?: { readonly cpu?: string };
  };
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Pod {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly automountServiceAccountToken?: boolean;
    readonly securityContext?: {
      readonly runAsNonRoot?: boolean;
      readonly runAsUser?: number;
      readonly fsGroup?: number;
      readonly seccompProfile?: { readonly type: string };
    };
    readonly containers: readonly Container[];
    readonly volumes?: ReadonlyArray<Named & { readonly configMap?: Named }>;
  };
}
type Port = Named & { readonly port: number; readonly targetPort: string };

/** A resource, with what we look at in one of its kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector?: Labels & { readonly matchLabels?: Labels };
    readonly template?: Pod;
    readonly volumeClaimTemplates?: ReadonlyArray<{ readonly metadata: Named }>;
    readonly ports?: readonly Port[];
    readonly podSelector?: { readonly matchLabels: Labels };
    readonly policyTypes?: readonly string[];
    readonly ingress?: ReadonlyArray<{ readonly from?: readonly unknown[] }>;
    readonly endpoints?: ReadonlyArray<{ readonly port: string; readonly path: string }>;
  };
}

/** All resources in a file. Throws what the parser says of a file that is no YAML. */
export function manifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

function matches(selector: Labels | undefined, labels: Labels | undefined): boolean {
  return selector !== undefined && Object.entries(selector).every(([key, value]) => labels?.[key] === value);
}

/** Everything that is wrong with them, together. */
export function kubernetesViolations(all: readonly Manifest[], version: string): string[] {
  const found: string[] = [];
  const of = (kind: string) => all.filter((one) => one.kind === kind);
  for (const { kind, metadata } of all) {
    if (
      kind !== 'Namespace' &&
      kind !== 'PrometheusRule' &&
      !of('Namespace').some((one) => one.metadata.name === metadata.namespace)
    ) {
      found.push(`${kind}: its namespace ${metadata.namespace} does not exist`);
    }
    if (metadata.labels?.['app.kubernetes.io/name'] !== 'keyvigil') found.push(`${kind}: is not labelled`);
  }
  for (const set of of('StatefulSet')) statefulSet(set, of, version, found);
  const pods = of('StatefulSet').flatMap(({ spec }) => (spec?.template ? [spec.template] : []));
  const portNames = pods.flatMap(({ spec }) =>
    spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name)),
  );
  for (const { spec } of of('Service')) {
    if (!pods.some((pod) => matches(spec?.selector, pod.metadata.labels))) found.push('Service: selects no pod');
    for (const { targetPort } of spec?.ports ?? []) {
      if (!portNames.includes(targetPort)) found.push(`Service: the port ${targetPort} is on no container`);
    }
  }
  for (const { spec } of of('NetworkPolicy')) {
    if (!pods.some((pod) => matches(spec?.podSelector?.matchLabels, pod.metadata.labels)))
      found.push('NetworkPolicy: selects no pod');
    if (!spec?.policyTypes?.includes('Ingress') || !spec.policyTypes.includes('Egress'))
      found.push('NetworkPolicy: leaves a direction open');
    if (spec?.ingress?.some(({ from }) => !from?.length)) found.push('NetworkPolicy: lets everybody in');
  }
  for (const { spec } of of('ServiceMonitor')) {
    const service = of('Service').find(({ metadata }) => matches(spec?.selector?.matchLabels, metadata.labels));
    if (!service) found.push('ServiceMonitor: selects no service');
    for (const { port, path } of spec?.endpoints ?? []) {
      if (!service?.spec?.ports?.some(({ name }) => name === port))
        found.push(`ServiceMonitor: the port ${port} is on no service`);
      if (path !== '/metrics') found.push(`ServiceMonitor: ${path} are no metrics`);
    }
  }
  return found;
}

function statefulSet(
  { spec }: Manifest,
  of: (kind: string) => readonly Manifest[],
  version: string,
  found: string[],
): void {
  const say = (what: string) => void found.push(`StatefulSet: ${what}`);
  const pod = spec?.template;
  if (!pod) {
    say('has no pod');
    return;
  }
  const exists = (kind: string, name?: string) => of(kind).some(({ metadata }) => metadata.name === name);
  if (spec.replicas !== 1) say('writes the state more than once');
  if (!exists('Service', spec.serviceName)) say(`the service ${spec.serviceName} does not exist`);
  if (!matches(spec.selector?.matchLabels, pod.metadata.labels)) say('does not select its own pod');
  const { securityContext, containers, volumes = [], ...rest } = pod.spec;
  if (!exists('ServiceAccount', rest.serviceAccountName))
    say(`the service account ${rest.serviceAccountName} does not exist`);
  if (rest.automountServiceAccountToken !== false) say('has a token for Kubernetes');
  if (securityContext?.runAsNonRoot !== true || !securityContext.runAsUser) say('may run as root');
  if (securityContext?.fsGroup !== securityContext?.runAsUser) say('cannot write its volume');
  if (securityContext?.seccompProfile?.type !== 'RuntimeDefault') say('may make any system call');
  const offered = [
    ...volumes.map(({ name }) => name),
    ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
  ];
  for (const { configMap } of volumes) {
    if (configMap && !exists('ConfigMap', configMap.name)) say(`the config map ${configMap.name} does not exist`);
  }
  for (const container of containers) {
    const { securityContext: own, volumeMounts = [], image, resources } = container;
    if (image !== `keyvigil:${version}`) say(`the image is ${image}, but this is keyvigil ${version}`);
    if (own?.allowPrivilegeEscalation !== false) say('may gain privileges');
    if (own?.readOnlyRootFilesystem !== true) say('its root file system is writable');
    if (!own?.capabilities?.drop?.includes('ALL')) say('keeps capabilities');
    if (!resources?.limits?.memory || !resources.requests?.cpu) say('asks for no resources, or has no limit');
    for (const { name } of volumeMounts) if (!offered.includes(name)) say(`mounts ${name}, which is no volume`);
    const ports = (container.ports ?? []).map(({ name }) => name);
    for (const [probe, path] of [
      ['livenessProbe', '/-/healthy'],
      ['readinessProbe', '/-/ready'],
    ] as const) {
      const get = container[probe]?.httpGet;
      if (get?.path !== path || !ports.includes(get.port)) say(`the ${probe} does not ask for ${path}`);
    }
    const file = container.args?.[container.args.indexOf('--config.file') + 1];
    const mounts = volumeMounts.filter(({ mountPath }) => file?.startsWith(`${mountPath}/`)).map(({ name }) => name);
    const maps = volumes.filter(({ name }) => mounts.includes(name)).map(({ configMap }) => configMap?.name);
    const map = of('ConfigMap').find(({ metadata }) => maps.includes(metadata.name));
    if (map?.data?.[file?.split('/').at(-1) ?? ''] === undefined) say(`its configuration ${file} is in no config map`);
  }
}
