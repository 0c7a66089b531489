import { describe, expect, it } from 'vitest';
import { displayName, generations, isRetired } from '../../src/core/readers.ts';
import { keyView, source } from '../web/world.ts';

describe('generations of a key', () => {
  const seen = [
    { version: 'v1', createdAt: 10, detectedAt: 15 },
    { version: 'v2', detectedAt: 25 },
  ];

  it('are those that were seen, in that order, where the cloud lists none', () => {
    expect(generations({}, seen)).toEqual(seen);
    expect(generations({ versions: [] }, seen)).toEqual(seen);
  });

  it('join what the cloud lists to what was seen, oldest first, each once', () => {
    const versions = [
      { id: 'v3', createdAt: 30, enabled: true, notBeforeAt: 31 },
      { id: 'v2', createdAt: 20, enabled: false, expiresAt: 99 },
      { id: 'v0', createdAt: 5 },
    ];
    expect(generations({ versions }, seen)).toEqual([
      { version: 'v0', createdAt: 5 },
      { version: 'v1', createdAt: 10, detectedAt: 15 },
      { version: 'v2', createdAt: 20, detectedAt: 25, enabled: false, expiresAt: 99 },
      { version: 'v3', createdAt: 30, enabled: true, notBeforeAt: 31 },
    ]);
  });
});

describe('what readers call things', () => {
  it.each([
    ['azure-key', 'https://contoso.vault.azure.net/keys/cmk', 'contoso/cmk'],
    ['azure-key', 'https://localhost:8443/keys/cmk', 'localhost/cmk'],
    ['azure-key', 'nonsense', 'cmk'],
    ['azure-vault', 'https://contoso.vault.azure.net', 'cmk'],
    ['aws-secret', 'arn:aws:secretsmanager:eu-west-1:1:secret:cmk-AbCdEf', 'cmk'],
  ] as const)('a key of kind %s at %s is %s', (kind, resource, name) => {
    expect(displayName(keyView({ resource, kind, name: 'cmk' }))).toBe(name);
  });

  it('retired is a source that was asked with success and that its cloud has retired', () => {
    expect(isRetired(source({ reason: 'provider_retired' }))).toBe(true);
    expect(isRetired(source({ up: false, reason: 'provider_retired' }))).toBe(false);
    expect(isRetired(source())).toBe(false);
  });
});
