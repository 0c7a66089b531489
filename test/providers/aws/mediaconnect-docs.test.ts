/**
 * The two AWS documents on keys of MediaConnect that keyvigil was made from, sentence by sentence: each one that states a rule
 * is the name of a test, which shows a flow that keeps it and one that breaks it.
 */
import { describe, expect, it } from 'vitest';
import type { KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { ACCOUNT, NOW, REGION } from '../../fixtures/aws-wire.ts';
import {
  DAY,
  ENTITLEMENT,
  flow,
  GATEWAY,
  judge,
  kmsKey,
  OTHER,
  ROLE,
  said,
  secret,
  secretArn,
  speke,
  underKey,
  use,
} from './mediaconnect-edge.ts';

const keeps = (used: KeyUse, keys: readonly KeyFacts[] = [secret()]) =>
  expect(said(judge(flow([used]), keys))).toEqual([]);
const breaks = (rule: string, used: KeyUse, keys: readonly KeyFacts[] = [secret()]) =>
  expect(said(judge(flow([used]), keys))).toEqual([rule]);
const withShape = (valueShape: string) => [secret({ attributes: { valueShape } })];
const encrypted = (role: KeyUse['role'], part: string, told: Parameters<typeof use>[0] = {}) =>
  use(told, { role, part });

describe('Key Management in AWS Elemental MediaConnect', () => {
  it('Store your encryption keys in AWS Secrets Manager', () => {
    keeps(use());
    expect(said(judge(flow([], { withoutSecret: 'output Test' })))).toEqual(['no-secret critical']);
  });

  it('give AWS Elemental MediaConnect permission to obtain the encryption keys from your Secrets Manager account', () => {
    keeps(use());
    breaks('role-missing critical', use({ roleArn: undefined }));
    breaks('role-account critical', use({ roleArn: ROLE.replace(ACCOUNT, OTHER) }));
    breaks('role-reserved warning', use({ roleArn: `arn:aws:iam::${ACCOUNT}:role/MediaConnectAccessRole` }));
    breaks(
      'reported critical',
      use({ reported: 'denied', reportedText: 'Permission denied accessing encryption key' }),
    );
  });

  it.each([
    ['You want to create a flow that uses an encrypted source', 'source-decryption', 'source Cam'],
    ['You want to create a flow based on an entitlement that uses encryption', 'source-decryption', 'source Show'],
    ['You want to encrypt the output of your flow', 'output-encryption', 'output Test'],
  ])('You must store your encryption keys if: %s', (sentence, role, part) => {
    const told = sentence.includes('entitlement') ? { entitlementArn: ENTITLEMENT, protocol: undefined } : {};
    keeps(encrypted(role, part, told));
    expect(said(judge(flow([], { withoutSecret: part })))).toEqual(['no-secret critical']);
    if (!sentence.includes('entitlement')) return;
    expect(said(judge(flow([], { undecrypted: part })))).toEqual(['entitled-without-decryption critical']);
  });

  it('The Secrets Manager secret that stores your encryption keys must be created using the same AWS account that creates the flow', () => {
    keeps(use({}, { resource: secretArn(REGION, ACCOUNT) }));
    breaks('secret-account critical', use({}, { resource: secretArn(REGION, OTHER) }));
  });

  it('AWS Elemental MediaConnect does not support cross-account sharing of secrets', () => {
    // Watched or not, usable or not: the account alone decides.
    const shared = secret({ resource: secretArn(REGION, OTHER), account: OTHER });
    breaks('secret-account critical', use({}, { resource: shared.resource }), [shared]);
    keeps(use());
  });

  it('You must create the secret in the same AWS Region as your flow', () => {
    keeps(use());
    breaks('secret-region critical', use({}, { resource: secretArn('us-east-1') }));
  });

  it('If you are using two flows to distribute video from one AWS Region to another, you must create two secrets: one secret in each Region', () => {
    const from = flow([use()]);
    const there = secretArn('us-east-1');
    const to = (resource: string) => ({ ...flow([use({}, { resource })]), location: 'us-east-1' });
    const replica = secret({ resource: there, location: 'us-east-1', attributes: { primaryRegion: REGION } });
    expect([said(judge(from)), said(judge(to(there), [secret(), replica]))]).toEqual([[], []]);
    expect([said(judge(from)), said(judge(to(use().resource), [secret()]))]).toEqual([[], ['secret-region critical']]);
  });

  it('In the Specify the key/value pairs to be stored in this secret section, choose Plaintext', () => {
    keeps(use(), withShape('hex16'));
    breaks('plaintext critical', use(), withShape('json'));
    breaks('plaintext critical', use(), withShape('binary'));
    // Nothing is said to be right that nobody has seen.
    breaks('plaintext-unverified info', use(), [{ ...secret(), attributes: {} }]);
  });

  it('Clear any text in the box and replace it with the password value', () => {
    const srt = use({ keyType: 'srt-password', algorithm: undefined, protocol: 'srt-listener' });
    keeps(srt, withShape('text'));
    breaks('plaintext critical', srt, withShape('padded'));
    breaks('plaintext critical', srt, withShape('empty'));
    breaks('key-format warning', srt, withShape('text-short'));
    breaks('key-format critical', use(), withShape('text'));
  });

  it('Keep the Select the encryption key set to DefaultEncryptionKey', () => {
    keeps(use(), [secret({ attributes: { kmsKeyId: 'DefaultEncryptionKey' } })]);
    breaks('default-key warning', use(), [underKey(), kmsKey()]);
  });

  it('In the Configure automatic rotation section, choose Disable automatic rotation', () => {
    keeps(use(), [secret({ rotationEnabled: false })]);
    breaks('rotation-enabled warning', use(), [secret({ rotationEnabled: true })]);
    breaks('new-version warning', use(), [secret({ version: { id: 'v2', createdAt: NOW - DAY / 2 } })]);
  });

  it('You will need this value [the secret ARN] when you create a flow that uses the encryption key that you just stored', () => {
    keeps(use());
    expect(said(judge(flow([], { withoutSecret: 'source Cam' })))).toEqual(['no-secret critical']);
  });
});

describe('Key management for SPEKE', () => {
  it('With a SPEKE implementation, a conditional access (CA) system provides keys to AWS Elemental MediaConnect for content encryption and decryption', () => {
    keeps(speke());
    expect(said(judge(flow([], { withoutUrl: 'entitlement Show' })))).toEqual(['speke-fields critical']);
  });

  it('API Gateway acts as a proxy for the communication between the service and the CA platform key provider', () => {
    keeps(speke());
    breaks('speke-region-unknown info', speke({}, { resource: 'https://keys.example.com/' }));
  });

  it('Each AWS Elemental MediaConnect flow must reside in the same AWS Region as its API Gateway proxy', () => {
    keeps(speke({}, { resource: GATEWAY }));
    breaks('speke-region critical', speke({}, { resource: GATEWAY.replace(REGION, 'us-east-1') }));
  });

  it("In the originator's flow, the service obtains the encryption key and uses it to encrypt the content before sending it through the entitlement", () => {
    keeps(speke());
    breaks(
      'speke-outside-entitlement critical',
      speke({ entitlementArn: undefined }, { role: 'output-encryption', part: 'output Test' }),
    );
  });

  it("In the subscriber's flow, the service obtains the decryption key when the content is received from the entitlement", () => {
    const subscriber = { role: 'source-decryption', part: 'source Show' };
    keeps(speke({ originatorKeyType: 'speke' }, subscriber));
    breaks('entitlement-mismatch critical', speke({ originatorKeyType: 'static-key' }, subscriber));
    breaks('speke-outside-entitlement critical', speke({ entitlementArn: undefined }, subscriber));
  });

  it('API Gateway – Manages customer-trusted roles and proxy communication between the encryptor and the key provider', () => {
    keeps(speke());
    breaks('speke-fields critical', speke({ roleArn: undefined }));
  });

  it('The API Gateway must reside in the same AWS Region as the encryptor', () => {
    keeps(speke({ spekeRegion: REGION }));
    breaks('speke-region critical', speke({ spekeRegion: 'us-east-1' }));
  });

  it('CA platform key provider – Provides encryption and decryption keys to AWS Elemental MediaConnect through a SPEKE-compliant API', () => {
    keeps(speke());
    breaks('speke-fields critical', speke({ resourceId: undefined }));
    breaks('speke-fields critical', speke({ deviceId: undefined }));
  });
});
