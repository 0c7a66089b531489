import { type Input, record } from '../input.ts';
import { type Flow, type Part, statusOf } from './state.ts';

const TRANSPORT_FIELDS = [
  ...['protocol', 'cidrAllowList', 'maxBitrate', 'maxLatency', 'maxSyncBuffer', 'minLatency', 'remoteId'],
  ...['senderControlPort', 'senderIpAddress', 'smoothingLatency', 'sourceListenerAddress', 'sourceListenerPort'],
  ...['streamId', 'ndiSpeedHqQuality', 'ndiProgramName', 'ndiSourceSettings'],
] as const;

function picked(fields: Input, names: readonly string[]): Input {
  return Object.fromEntries(names.filter((name) => fields[name] != null).map((name) => [name, fields[name]]));
}

/** The key type is told even where it was not given. */
function encryption(fields: Input, name: 'encryption' | 'decryption'): Input {
  const given = record(fields, name);
  return given ? { [name]: { keyType: 'static-key', ...given } } : {};
}

function transport(fields: Input): Input {
  return fields.protocol == null ? {} : { transport: picked(fields, TRANSPORT_FIELDS) };
}

/** A source as DescribeFlow shows it. */
export function sourceView({ arn, name, fields }: Part): Input {
  const direct = [
    ...['description', 'entitlementArn', 'dataTransferSubscriberFeePercent', 'ingestIp', 'ingestPort'],
    ...['mediaStreamSourceConfigurations', 'senderControlPort', 'senderIpAddress', 'vpcInterfaceName'],
    ...['whitelistCidr', 'gatewayBridgeSource', 'routerIntegrationState', 'routerIntegrationTransitDecryption'],
  ];
  return {
    name,
    sourceArn: arn,
    ...picked(fields, direct),
    ...encryption(fields, 'decryption'),
    ...transport(fields),
  };
}

/** An output as DescribeFlow shows it. */
export function outputView({ arn, name, fields }: Part): Input {
  const direct = [
    ...['description', 'destination', 'entitlementArn', 'mediaStreamOutputConfigurations', 'port'],
    ...['vpcInterfaceAttachment', 'routerIntegrationState', 'routerIntegrationTransitEncryption'],
  ];
  return {
    name,
    outputArn: arn,
    outputStatus: fields.outputStatus ?? 'ENABLED',
    ...picked(fields, direct),
    ...encryption(fields, 'encryption'),
    ...transport(fields),
  };
}

/** An entitlement as the flow of its originator shows it. */
export function entitlementView({ arn, name, fields }: Part): Input {
  return {
    name,
    entitlementArn: arn,
    entitlementStatus: fields.entitlementStatus ?? 'ENABLED',
    ...picked(fields, ['description', 'subscribers', 'dataTransferSubscriberFeePercent']),
    ...encryption(fields, 'encryption'),
  };
}

/** The flow of DescribeFlow and CreateFlow. */
export function flowView(flow: Flow): Input {
  const sources = flow.sources.map(sourceView);
  return {
    availabilityZone: flow.availabilityZone,
    description: '',
    egressIp: flow.egressIp,
    entitlements: flow.entitlements.map(entitlementView),
    flowArn: flow.arn,
    name: flow.name,
    outputs: flow.outputs.map(outputView),
    source: sources[0],
    sources,
    status: statusOf(flow),
    ...flow.settings,
  };
}

/** One line of ListFlows: nothing about encryption. */
export function listedFlow(flow: Flow): Input {
  return {
    availabilityZone: flow.availabilityZone,
    description: '',
    flowArn: flow.arn,
    name: flow.name,
    sourceType: flow.sources.some((source) => source.fields.entitlementArn != null) ? 'ENTITLED' : 'OWNED',
    status: statusOf(flow),
    ...picked(flow.settings, ['maintenance']),
  };
}
