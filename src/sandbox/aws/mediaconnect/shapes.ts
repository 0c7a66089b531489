import type { Input } from '../input.ts';
import { list, oneOf, opaque, problemOf, type Shape, structure, text, texts, whole } from '../schema.ts';
import { badRequest } from './state.ts';

const STATE = oneOf('ENABLED', 'DISABLED');
const PROTOCOL = oneOf(
  ...['zixi-push', 'rtp-fec', 'rtp', 'zixi-pull', 'rist', 'st2110-jpegxs', 'cdi', 'srt-listener', 'srt-caller'],
  ...['fujitsu-qos', 'udp', 'ndi-speed-hq'],
);

const ENCRYPTION_FIELDS = {
  algorithm: oneOf('aes128', 'aes192', 'aes256'),
  constantInitializationVector: text(),
  deviceId: text(),
  keyType: oneOf('speke', 'static-key', 'srt-password'),
  region: text(),
  resourceId: text(),
  roleArn: text(),
  secretArn: text(),
  url: text(),
};

const TRANSIT = structure(
  {
    encryptionKeyType: oneOf('SECRETS_MANAGER', 'AUTOMATIC'),
    encryptionKeyConfiguration: structure({
      secretsManager: structure(
        {
          secretArn: text({ pattern: /^arn:(aws[a-zA-Z-]*):secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\w/+=.@-]+$/ }),
          roleArn: text({ pattern: /^arn:(aws[a-zA-Z-]*):iam::[0-9]{12}:role\/[\w+=,.@-]+$/ }),
        },
        'secretArn',
        'roleArn',
      ),
      automatic: structure({}),
    }),
  },
  'encryptionKeyConfiguration',
);

const ENCRYPTION = structure(ENCRYPTION_FIELDS, 'roleArn');
const UPDATE_ENCRYPTION = structure(ENCRYPTION_FIELDS);
const ENTITLEMENT_ARN = text({ pattern: /^arn:.+:mediaconnect.+:entitlement:.+$/ });

const SOURCE_FIELDS = {
  description: text(),
  entitlementArn: ENTITLEMENT_ARN,
  ingestPort: whole(0, 65_535),
  maxBitrate: whole(),
  maxLatency: whole(),
  maxSyncBuffer: whole(),
  mediaStreamSourceConfigurations: opaque,
  minLatency: whole(),
  protocol: PROTOCOL,
  senderControlPort: whole(),
  senderIpAddress: text(),
  sourceListenerAddress: text(),
  sourceListenerPort: whole(),
  streamId: text(),
  vpcInterfaceName: text(),
  whitelistCidr: text(),
  gatewayBridgeSource: opaque,
  ndiSourceSettings: opaque,
  routerIntegrationState: STATE,
  routerIntegrationTransitDecryption: TRANSIT,
};

const OUTPUT_FIELDS = {
  cidrAllowList: list(text()),
  description: text(),
  destination: text(),
  maxLatency: whole(),
  mediaStreamOutputConfigurations: opaque,
  minLatency: whole(),
  port: whole(0, 65_535),
  protocol: PROTOCOL,
  remoteId: text(),
  senderControlPort: whole(),
  smoothingLatency: whole(),
  streamId: text(),
  vpcInterfaceAttachment: opaque,
  outputStatus: STATE,
  ndiSpeedHqQuality: whole(),
  ndiProgramName: text(),
  routerIntegrationState: STATE,
  routerIntegrationTransitEncryption: TRANSIT,
};

const ENTITLEMENT_FIELDS = { description: text(), entitlementStatus: STATE, subscribers: list(text()) };

const SOURCE = structure({ ...SOURCE_FIELDS, decryption: ENCRYPTION, name: text(), sourceTags: texts });
const OUTPUT = structure({ ...OUTPUT_FIELDS, encryption: ENCRYPTION, name: text(), outputTags: texts });
const ENTITLEMENT = structure(
  {
    ...ENTITLEMENT_FIELDS,
    encryption: ENCRYPTION,
    name: text(),
    dataTransferSubscriberFeePercent: whole(0, 100),
    entitlementTags: texts,
  },
  'subscribers',
);

const FLOW_ARN = text({ pattern: /^arn:.+:mediaconnect.+:flow:.+$/ });
const SOURCE_ARN = text({ pattern: /^arn:.+:mediaconnect.+:source:.+$/ });
const OUTPUT_ARN = text({ pattern: /^arn:.+:mediaconnect.+:output:.+$/ });
const OF_FLOW = structure({ flowArn: FLOW_ARN }, 'flowArn');
const PAGED = structure({ maxResults: whole(1, 1_000), nextToken: text() });

/** What each operation takes, as the API model (2018-11-14) has it. */
const INPUTS: Readonly<Record<string, Shape>> = {
  CreateFlow: structure(
    {
      availabilityZone: text(),
      entitlements: list(ENTITLEMENT),
      mediaStreams: opaque,
      name: text({ min: 1 }),
      outputs: list(OUTPUT),
      source: SOURCE,
      sourceFailoverConfig: opaque,
      sources: list(SOURCE),
      vpcInterfaces: list(opaque),
      maintenance: opaque,
      sourceMonitoringConfig: opaque,
      flowSize: oneOf('MEDIUM', 'LARGE', 'LARGE_4X'),
      ndiConfig: opaque,
      encodingConfig: opaque,
      flowTags: texts,
    },
    'name',
  ),
  DescribeFlow: OF_FLOW,
  StartFlow: OF_FLOW,
  StopFlow: OF_FLOW,
  DeleteFlow: OF_FLOW,
  ListFlows: PAGED,
  ListEntitlements: PAGED,
  AddFlowSources: structure({ flowArn: FLOW_ARN, sources: list(SOURCE) }, 'flowArn', 'sources'),
  AddFlowOutputs: structure({ flowArn: FLOW_ARN, outputs: list(OUTPUT) }, 'flowArn', 'outputs'),
  GrantFlowEntitlements: structure(
    { flowArn: FLOW_ARN, entitlements: list(ENTITLEMENT) },
    ...['flowArn', 'entitlements'],
  ),
  UpdateFlowSource: structure(
    { ...SOURCE_FIELDS, flowArn: FLOW_ARN, sourceArn: SOURCE_ARN, decryption: UPDATE_ENCRYPTION },
    ...['flowArn', 'sourceArn'],
  ),
  UpdateFlowOutput: structure(
    {
      ...OUTPUT_FIELDS,
      flowArn: FLOW_ARN,
      outputArn: OUTPUT_ARN,
      senderIpAddress: text(),
      encryption: UPDATE_ENCRYPTION,
    },
    ...['flowArn', 'outputArn'],
  ),
  UpdateFlowEntitlement: structure(
    { ...ENTITLEMENT_FIELDS, flowArn: FLOW_ARN, entitlementArn: ENTITLEMENT_ARN, encryption: UPDATE_ENCRYPTION },
    ...['flowArn', 'entitlementArn'],
  ),
  RemoveFlowSource: structure({ flowArn: FLOW_ARN, sourceArn: SOURCE_ARN }, 'flowArn', 'sourceArn'),
  RemoveFlowOutput: structure({ flowArn: FLOW_ARN, outputArn: OUTPUT_ARN }, 'flowArn', 'outputArn'),
  RevokeFlowEntitlement: structure(
    { flowArn: FLOW_ARN, entitlementArn: ENTITLEMENT_ARN },
    ...['flowArn', 'entitlementArn'],
  ),
  ListTagsForResource: structure({ resourceArn: text() }, 'resourceArn'),
  TagResource: structure({ resourceArn: text(), tags: texts }, 'resourceArn', 'tags'),
  UntagResource: structure({ resourceArn: text(), tagKeys: list(text()) }, 'resourceArn', 'tagKeys'),
};

/** Throws BadRequestException when the input of `operation` is not what the API takes: a field it does not know, too. */
export function checkInput(operation: string, input: Input): void {
  const shape = INPUTS[operation];
  const problem = shape && problemOf(shape, input);
  if (!problem) return;
  const { because, path, rule } = problem;
  if (because === 'unknown-field') throw badRequest(`Unrecognized field: ${path}`);
  throw badRequest(`Invalid value for ${path === '' ? 'the request' : path}: must ${rule}`);
}
