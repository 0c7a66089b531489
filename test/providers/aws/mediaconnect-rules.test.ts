import { describe, expect, it } from 'vitest';
import type { KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { ACCOUNT, REGION } from '../../fixtures/aws-wire.ts';
import {
  ENTITLEMENT,
  entitlement,
  flow,
  GATEWAY,
  judge,
  OTHER,
  onlyFinding,
  ROLE,
  SECRET,
  said,
  secret,
  source,
  speke,
  srt,
  transit,
  update,
  use,
} from './mediaconnect-edge.ts';

describe('a flow in order', () => {
  it.each<[string, KeyUse, KeyFacts]>([
    ['an output with a static key', use(), secret()],
    ['a source with a static key', source(), secret()],
    ['an entitlement with a static key', entitlement(), secret()],
    ['a source that subscribes', source({ entitlementArn: ENTITLEMENT, protocol: undefined }), secret()],
    ['an SRT password', srt(), secret({ attributes: { valueShape: 'text' } })],
    ['a hexadecimal SRT password', srt({ protocol: 'srt-caller' }), secret({ attributes: { valueShape: 'hex16' } })],
    ['transit encryption', transit(), secret({ attributes: { valueShape: 'json' } })],
    ['an entitlement with SPEKE', speke(), secret()],
  ])('breaks no rule: %s', (_what, used, key) => {
    expect(judge(flow([used]), [key])).toEqual({ findings: [] });
  });

  it('without any encryption breaks none either', () => {
    expect(judge(flow([]))).toEqual({ findings: [] });
  });
});

describe('mediaconnect.algorithm', () => {
  it('is a static key without one', () => {
    const finding = onlyFinding(flow([use({ algorithm: undefined })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.algorithm', severity: 'warning' });
    expect(finding.remedy).toContain('"Algorithm":"aes128|aes192|aes256"');
  });

  it('is an SRT password with one', () => {
    const finding = onlyFinding(flow([srt({ algorithm: 'aes256' })]));
    expect(finding.summary).toBe(
      'Output Test: it has an SRT password and the algorithm aes256, which must be left out.',
    );
    expect(finding.remedy).toBe(update({ KeyType: 'srt-password', SecretArn: SECRET, RoleArn: ROLE }));
  });
});

describe('mediaconnect.protocol', () => {
  it.each([
    [use({ protocol: 'rtp' }), 'its protocol is rtp, and a static key goes with Zixi'],
    [use({ protocol: 'srt-listener' }), 'its protocol is srt-listener, and a static key goes with Zixi'],
    [source({ protocol: 'rist' }), 'its protocol is rist, and a static key goes with Zixi'],
    [srt({ protocol: 'zixi-pull' }), 'its protocol is zixi-pull, and an SRT password goes with SRT'],
  ])('is an encryption that the protocol does not have', (used, text) => {
    expect(onlyFinding(flow([used]))).toMatchObject({ id: 'mediaconnect.protocol', severity: 'warning' });
    expect(onlyFinding(flow([used])).summary).toContain(text);
  });

  it.each([
    use({ protocol: 'zixi-pull' }),
    srt({ protocol: 'srt-caller' }),
    use({ protocol: undefined }),
    entitlement({ protocol: 'rtp' }),
    source({ protocol: 'rtp', entitlementArn: ENTITLEMENT }),
  ])('is none with Zixi, SRT, an entitlement, or a protocol that is not told', (used) => {
    expect(said(judge(flow([used])))).toEqual([]);
  });
});

describe('mediaconnect.key-type-unknown', () => {
  it.each([
    [use({ keyType: 'unknown' }), 'type of key'],
    [use({ algorithm: 'unknown' }), 'algorithm'],
    [use({ protocol: 'unknown' }), 'protocol'],
  ])('is a word that nobody knows yet, and no other rule guesses', (used, word) => {
    const finding = onlyFinding(flow([used]), [secret({ attributes: { valueShape: 'hex16' } })]);
    expect(finding).toMatchObject({ id: 'mediaconnect.key-type-unknown', severity: 'info' });
    expect(finding.summary).toContain(`its ${word} is none that keyvigil knows`);
  });
});

describe('mediaconnect.no-secret', () => {
  it('is encryption without a secret', () => {
    const finding = onlyFinding(flow([], { withoutSecret: 'output Test\nsource Cam' }));
    expect(finding).toMatchObject({ id: 'mediaconnect.no-secret', severity: 'critical' });
    expect(finding.summary).toBe('Output Test, source Cam: encryption is set, but no secret that could hold its key.');
  });
});

describe('mediaconnect.entitled-without-decryption', () => {
  it('is certain where the originator is seen to encrypt', () => {
    expect(onlyFinding(flow([], { undecrypted: 'source Cam' }))).toMatchObject({
      id: 'mediaconnect.entitled-without-decryption',
      severity: 'critical',
    });
  });

  it('is a remark where that cannot be seen', () => {
    expect(said(judge(flow([], { undecryptedUnseen: 'source Cam' })))).toEqual(['entitled-without-decryption info']);
  });
});

describe('mediaconnect.entitlement-mismatch', () => {
  const subscribed = (told: Parameters<typeof use>[0]) =>
    source({ entitlementArn: ENTITLEMENT, protocol: undefined, ...told });

  it.each([
    [
      { originatorKeyType: 'static-key', originatorAlgorithm: 'aes256' },
      'static-key with aes128, and the flow that grants its entitlement encrypts by static-key with aes256',
    ],
    [{ originatorKeyType: 'speke' }, 'by speke'],
    [{ originatorKeyType: 'none' }, 'the flow that grants its entitlement does not encrypt'],
  ])('is what the two ends do differently', (told, text) => {
    const finding = onlyFinding(flow([subscribed(told)]));
    expect(finding).toMatchObject({ id: 'mediaconnect.entitlement-mismatch', severity: 'critical' });
    expect(finding.summary).toContain(text);
  });

  it.each([{ originatorKeyType: 'static-key', originatorAlgorithm: 'aes128' }, { originatorKeyType: 'unknown' }, {}])(
    'is none where both do the same, or one cannot be seen',
    (told) => {
      expect(said(judge(flow([subscribed(told)])))).toEqual([]);
    },
  );
});

describe('mediaconnect.entitlement-revoked', () => {
  it('is an entitlement that is not granted any more', () => {
    expect(said(judge(flow([], { revoked: 'source Cam' })))).toEqual(['entitlement-revoked warning']);
  });
});

describe('the role', () => {
  it('mediaconnect.role-missing is one that is not set', () => {
    const finding = onlyFinding(flow([use({ roleArn: undefined })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.role-missing', severity: 'critical' });
    expect(finding.remedy).toContain('"RoleArn":"ARN_OF_THE_ROLE"');
  });

  it('mediaconnect.role-account is one of another account', () => {
    const finding = onlyFinding(flow([use({ roleArn: `arn:aws:iam::${OTHER}:role/path/Video` })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.role-account', severity: 'critical' });
    expect(finding.remedy).toContain(`"RoleArn":"arn:aws:iam::${ACCOUNT}:role/path/Video"`);
  });

  it('mediaconnect.role-reserved is the name that MediaConnect keeps', () => {
    for (const name of ['MediaConnectAccessRole', 'path/MediaConnectAccessRole']) {
      const finding = onlyFinding(flow([use({ roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}` })]));
      expect(finding).toMatchObject({ id: 'mediaconnect.role-reserved', severity: 'warning' });
    }
    const near = use({ roleArn: `arn:aws:iam::${ACCOUNT}:role/MyMediaConnectAccessRole` });
    expect(said(judge(flow([near])))).toEqual([]);
  });
});

describe('SPEKE', () => {
  it.each([
    speke({ entitlementArn: undefined }, { role: 'source-decryption', part: 'source Cam' }),
    speke({ entitlementArn: undefined }, { role: 'output-encryption', part: 'output Test' }),
  ])('mediaconnect.speke-outside-entitlement: only entitlements have it', (used) => {
    expect(onlyFinding(flow([used]))).toMatchObject({
      id: 'mediaconnect.speke-outside-entitlement',
      severity: 'critical',
    });
  });

  it('is allowed at the source of a subscriber', () => {
    expect(said(judge(flow([speke({}, { role: 'source-decryption', part: 'source Cam' })])))).toEqual([]);
  });

  it.each([
    ['spekeRegion', 'Region'],
    ['resourceId', 'ResourceId'],
    ['deviceId', 'DeviceId'],
    ['roleArn', 'RoleArn'],
  ])('mediaconnect.speke-fields: %s is required', (attribute, name) => {
    const finding = onlyFinding(flow([speke({ [attribute]: undefined })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.speke-fields', severity: 'critical' });
    expect(finding.summary).toBe(`Entitlement Show: it uses SPEKE without ${name}.`);
    expect(finding.remedy).toContain(`"${name}":"THE_${name.toUpperCase()}"`);
  });

  it('mediaconnect.speke-fields: the URL is required', () => {
    expect(said(judge(flow([], { withoutUrl: 'entitlement Show' })))).toEqual(['speke-fields critical']);
  });

  it('mediaconnect.speke-region: the proxy is in the Region of the flow', () => {
    const byField = onlyFinding(flow([speke({ spekeRegion: 'us-east-1' })]));
    const byUrl = onlyFinding(flow([speke({}, { resource: GATEWAY.replace(REGION, 'us-east-1') })]));
    for (const finding of [byField, byUrl]) {
      expect(finding).toMatchObject({ id: 'mediaconnect.speke-region', severity: 'critical' });
      expect(finding.summary).toBe(
        `Entitlement Show: its API Gateway proxy is in us-east-1, and the flow is in ${REGION}.`,
      );
    }
  });

  it('mediaconnect.speke-region-unknown: a name of somebody’s own does not tell', () => {
    const finding = onlyFinding(flow([speke({}, { resource: 'https://keys.example.com/speke' })]));
    expect(finding).toMatchObject({ id: 'mediaconnect.speke-region-unknown', severity: 'info' });
    expect(finding.remedy).toContain(
      `aws apigateway get-domain-name --domain-name keys.example.com --region ${REGION}`,
    );
    const wrong = speke({ spekeRegion: 'us-east-1' }, { resource: 'https://keys.example.com/speke' });
    expect(said(judge(flow([wrong])))).toEqual(['speke-region critical', 'speke-region-unknown info']);
  });

  it('is set anew with a reminder of the vector that keyvigil never keeps', () => {
    const { remedy } = onlyFinding(flow([speke({ deviceId: undefined, hasIv: true })]));
    expect(remedy).toContain('"ConstantInitializationVector":"THE_INITIALIZATION_VECTOR"');
  });
});

describe('mediaconnect.iv', () => {
  it.each([
    [use({ hasIv: true }), 'a static-key takes none'],
    [srt({ hasIv: true }), 'a srt-password takes none'],
    [speke({ hasIv: true, ivMalformed: true }), 'is not 32 hexadecimal characters'],
  ])('is a vector that is out of place or no vector', (used, text) => {
    expect(onlyFinding(flow([used]))).toMatchObject({ id: 'mediaconnect.iv', severity: 'warning' });
    expect(onlyFinding(flow([used])).summary).toContain(text);
  });

  it('is none with a good one for SPEKE', () => {
    expect(said(judge(flow([speke({ hasIv: true })])))).toEqual([]);
  });
});
