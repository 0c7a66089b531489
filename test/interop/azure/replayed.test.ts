import { describe, expect, test } from 'vitest';
import { consumerStories, runUnread, UNREAD } from './consumer-stories.ts';
import { errorStories } from './error-stories.ts';
import { keyStories } from './key-stories.ts';
import { recordingNames } from './recordings.ts';
import { type Story, startReplay } from './replay.ts';
import { vaultStories } from './vault-stories.ts';

const STORIES: Readonly<Record<string, Story>> = {
  ...keyStories,
  ...errorStories,
  ...vaultStories,
  ...consumerStories,
};
const TOLD = Object.entries(STORIES).map(([name, story]) => ({ name, ...story }));
const NOT_READ = Object.entries(UNREAD).map(([name, unread]) => ({ name, ...unread }));

describe('what Azure was recorded to answer, through the real clients', () => {
  test('every recording is replayed to what keyvigil makes of it, or has a reason why nothing reads it', () => {
    const told = [...Object.keys(STORIES), ...Object.keys(UNREAD)];
    expect(told.toSorted()).toEqual(recordingNames().toSorted());
    expect(NOT_READ.filter(({ why }) => why === '')).toEqual([]);
  });

  test.each(TOLD)('$name: $says', async ({ name, ...story }) => {
    await using replay = await startReplay(name, story);
    await story.run(replay);
    expect(replay.left()).toEqual([]);
  });

  test.each(NOT_READ)('$name: is no account of Media Services', async ({ name }) => {
    await using replay = await startReplay(name);
    await runUnread(replay, name);
    expect(replay.left()).toEqual([]);
  });
});
