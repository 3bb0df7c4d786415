// What a subscription answers with when it says the same to everybody: an async iterable like any other, for whoever
// iterates it (SSE, tRPC's own handler), and a channel for the hub, which then sends each message to a whole crowd.
import { tracked, type TrackedEnvelope } from '@trpc/server';

export interface Told<T> {
  /** The same id is the same truth. */
  readonly id: string;
  readonly data: T;
}

/** Where the messages come from. Only the newest is ever kept: who is slower than the channel skips what it missed. */
export interface Channel<T> {
  readonly latest: Told<T>;
  /** Calls the listener after each change of `latest`; answers with the way to stop. */
  listen(listener: () => void): () => void;
  /** Keeps the channel open until the answered function is called, once. */
  retain(): () => void;
}

const channelKey = Symbol('the channel of a broadcast');

export interface Broadcast<T> extends AsyncIterable<TrackedEnvelope<T>, void, unknown> {
  readonly [channelKey]: Channel<T>;
}

/**
 * The broadcast of a channel. Holds the channel open until `signal` aborts: every adapter aborts it when the
 * subscription ends, and the hub as soon as it has taken the subscription over.
 */
export function createBroadcast<T>(channel: Channel<T>, signal: AbortSignal | undefined): Broadcast<T> {
  const release = channel.retain();
  if (signal?.aborted) release();
  else signal?.addEventListener('abort', release, { once: true });
  return {
    [channelKey]: channel,
    [Symbol.asyncIterator]: () => follow(channel, signal),
  };
}

/** Null where the value is not a broadcast. */
export function channelOf(value: object): Channel<unknown> | null {
  return isBroadcast(value) ? value[channelKey] : null;
}

function isBroadcast(value: object): value is Broadcast<unknown> {
  return channelKey in value;
}

async function* follow<T>(
  channel: Channel<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrackedEnvelope<T>, void, unknown> {
  const release = channel.retain();
  let wake = () => {};
  const stop = channel.listen(() => wake());
  const onAbort = () => wake();
  signal?.addEventListener('abort', onAbort);
  let toldLast: Told<T> | null = null;
  try {
    while (!signal?.aborted) {
      const told = channel.latest;
      if (told === toldLast) {
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      } else {
        toldLast = told;
        yield tracked(told.id, told.data);
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop();
    release();
  }
}
