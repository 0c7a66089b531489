import { describe, expect, it } from 'vitest';
import { ONCE_EXIT, outcomeOf } from '../../src/cli/once.ts';
import type { KeyView } from '../../src/core/snapshot.ts';
import { keyView, source } from '../web/world.ts';

const RETIRED = source({ target: 'media-azure', service: 'media-services', reason: 'provider_retired' });
const DOWN = source({ up: false, reason: 'network' });

function key(fields: Partial<KeyView> = {}): KeyView {
  return keyView({ resource: 'https://contoso.vault.azure.net/keys/cmk', kind: 'azure-key', ...fields });
}

describe('what a single look comes to', () => {
  it.each([
    ['a retired service beside one that is read', [key()], [source(), RETIRED], 0],
    ['nothing but a retired service', [], [RETIRED], 0],
    ['a retired service beside a lost key', [key({ health: 'inaccessible' })], [source(), RETIRED], 3],
    ['a retired service beside an unknown key', [key({ health: 'unknown' })], [source(), RETIRED], 4],
    ['a retired service beside one that cannot be read', [key()], [DOWN, RETIRED], 4],
    ['nothing that can be read', [], [DOWN], 1],
  ])('%s', (_, keys, sources, exit) => {
    expect(ONCE_EXIT[outcomeOf({ keys, sources })]).toBe(exit);
  });
});
