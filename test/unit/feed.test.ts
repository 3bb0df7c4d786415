// What the hooks' feeds tell a page, and how often.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createFeed } from '../../client/react/feed.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A burst of so many messages, then silence; answers how often a listener was told, and what it saw last. */
async function burst(updatesCount: number, options?: { apartMs: number }) {
  async function* watch(signal: AbortSignal) {
    for (let update = 1; update <= updatesCount; update += 1) yield update;
    await new Promise(resolve => signal.addEventListener('abort', resolve));
  }
  const feed = createFeed(watch, options);
  const seen: (number | null)[] = [];
  const stop = feed.subscribe(() => seen.push(feed.get().value));
  await vi.advanceTimersByTimeAsync(1_000);
  stop();
  await vi.advanceTimersByTimeAsync(2_000);
  return seen;
}

it('a burst of five hundred updates is told twice: the first at once, and what is true in the end', async () => {
  expect(await burst(500, { apartMs: 200 })).toEqual([1, 500]);
  expect(await burst(1, { apartMs: 200 })).toEqual([1]);
});

it('would be told five hundred times without: the control', async () => {
  expect(await burst(500)).toHaveLength(500);
});
