import { describe, expect, it } from 'vitest';
import { refusalOfAddress, refusalOfUrl } from '../../../../src/providers/aws/speke/guard.ts';
import { gatewayOf, providerUrl } from '../../../../src/providers/aws/speke/url.ts';
import { PRIVATE_ADDRESSES, REFUSED_URLS } from '../../../fixtures/ssrf.ts';

describe('the guard', () => {
  it.each(REFUSED_URLS)('does not let %s through: %s', (text, refusal) => {
    expect(refusalOfUrl(new URL(text))).toBe(refusal);
  });

  it.each(PRIVATE_ADDRESSES)('lets no connection be made to %s', (address) => {
    expect(refusalOfAddress(address)).toBe('private_address');
  });

  it.each(['3.5.140.1', '52.94.5.1', '99.255.255.255', '172.32.0.1', '2600:1f18::1', '2a05:d018::1'])(
    'lets a connection be made to %s',
    (address) => {
      expect(refusalOfAddress(address)).toBeUndefined();
    },
  );

  it.each([
    'https://abc123.execute-api.eu-west-1.amazonaws.com/prod/copyProtection',
    'https://keys.example.com/',
    'https://keys.example.com:443/speke',
    'https://keys.example.com./speke',
    'https://localhost.example.com/',
  ])('lets %s through', (text) => {
    expect(refusalOfUrl(new URL(text))).toBeUndefined();
  });
});

describe('the identity of a key provider', () => {
  it.each([
    ['https://ABC.Example.com:443', 'https://abc.example.com/'],
    ['https://abc.example.com/prod/copyProtection', 'https://abc.example.com/prod/copyProtection'],
    ['https://user:secret@abc.example.com/a?token=secret#secret', 'https://abc.example.com/a'],
    ['http://abc.example.com/a', 'http://abc.example.com/a'],
  ])('is %s as %s', (text, identity) => {
    expect(providerUrl(text)).toBe(identity);
  });

  it.each(['', 'abc.example.com', '//abc.example.com', 'javascript:alert(1)', 'https://', 'https://[::1', 'data:,x'])(
    'is none where the text is %j',
    (text) => {
      expect(providerUrl(text)).toBeUndefined();
    },
  );

  it.each([
    ['https://abc123.execute-api.eu-west-1.amazonaws.com/prod/copyProtection', 'eu-west-1', 'prod'],
    ['https://abc123.execute-api.cn-north-1.amazonaws.com.cn/v1', 'cn-north-1', 'v1'],
    ['https://abc123.execute-api.us-gov-west-1.amazonaws.com/v1/', 'us-gov-west-1', 'v1'],
    ['https://abc123-vpce-0a1b2c.execute-api.eu-west-1.amazonaws.com/prod', 'eu-west-1', 'prod'],
    ['https://abc123.execute-api-fips.us-east-1.amazonaws.com/prod', 'us-east-1', 'prod'],
    ['https://abc123.execute-api.eu-west-1.amazonaws.com./prod', 'eu-west-1', 'prod'],
    ['https://abc123.execute-api.eu-west-1.amazonaws.com/a%20b', 'eu-west-1', 'a b'],
    ['https://abc123.execute-api.eu-west-1.amazonaws.com/%zz', 'eu-west-1', '%zz'],
  ])('tells the API of %s', (url, region, stage) => {
    expect(gatewayOf(url)).toEqual({ id: 'abc123', region, stage });
  });

  it('tells no stage where the path is empty', () => {
    const url = 'https://abc123.execute-api.eu-west-1.amazonaws.com/';
    expect(gatewayOf(url)).toEqual({ id: 'abc123', region: 'eu-west-1' });
  });

  it.each([
    'https://keys.example.com/prod',
    'https://execute-api.eu-west-1.amazonaws.com/prod',
    'https://abc123.execute-api.eu-west-1.amazonaws.com.example.com/prod',
    'https://abc123.execute-api.eu-west-1.evil-amazonaws.com/prod',
    'https://x.abc123.execute-api.eu-west-1.amazonaws.com/prod',
    'no url',
  ])('tells no API of %s', (url) => {
    expect(gatewayOf(url)).toBeUndefined();
  });
});
