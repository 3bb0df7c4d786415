// What happens in a drop, told to whoever listens in this process. One Redis subscription for each drop and process;
// its messages only say that something changed, and at most every `watchTickMs` the drop is looked at once and the
// view given to all. So a lost message costs a heartbeat, never the truth, and a crowd costs Redis nothing.
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { PublicError } from '../errors.ts';
import type { DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import { dropKey } from '../platform/keys.ts';
import type { DropWatch } from './drop-schemas.ts';
import { availabilityOf, type DropView } from './drop-view.ts';
import type { LiveStore } from './live.store.ts';

export interface FeedEvent {
  /** `epoch:sequence`: the same id is the same truth. */
  readonly id: string;
  readonly view: DropView;
  readonly watch: DropWatch;
}

export interface DropFeed {
  readonly latest: FeedEvent;
  /** Calls the listener with each new event; answers with the way to stop. */
  listen(listener: (event: FeedEvent) => void): () => void;
}

export interface DropFeeds {
  /** The drop as it is now, through the feed where one is open, else by a look of its own. */
  look(dropId: DropId): Promise<DropView | null>;
  /** Opens the drop's feed for as long as somebody uses it. Rejects where Redis does not know the drop. */
  open(dropId: DropId): Promise<{ feed: DropFeed; close: () => void }>;
  /** The current truth first, then each change; a slow reader skips to the newest. Ends with the signal. */
  watch(dropId: DropId, signal: AbortSignal | undefined): AsyncGenerator<FeedEvent>;
  /** Called at once, uncoalesced, when a drop that is followed says that it changed. */
  onChange(listener: (dropId: DropId) => void): void;
  stop(): void;
}

/** A feed that nobody uses lives on for a while: the next watcher of a busy drop finds it open. */
const lingerMs = 5_000;

interface OpenFeed extends DropFeed {
  usersCount: number;
  dirty: () => void;
  end: () => void;
}

export function createDropFeeds(options: { live: LiveStore; events: Redis; log: Logger }): DropFeeds {
  const { live, events, log } = options;
  const feeds = new Map<DropId, Promise<OpenFeed>>();
  const channels = new Map<string, { dropId: DropId; dirty: () => void }>();
  const changes = new EventEmitter();

  events.on('smessage', (channel: string) => {
    const followed = channels.get(channel);
    if (!followed) return;
    followed.dirty();
    changes.emit('change', followed.dropId);
  });

  async function start(dropId: DropId): Promise<OpenFeed> {
    const channel = dropKey(dropId, 'tick');
    const emitter = new EventEmitter().setMaxListeners(0);
    const rate = callingRate();
    let tick: NodeJS.Timeout | null = null;
    let lookedAtMs = 0;
    let looking = false;
    let again = false;

    const look = async () => {
      if (looking) {
        again = true;
        return;
      }
      looking = true;
      try {
        const view = await live.look(dropId);
        lookedAtMs = performance.now();
        if (view) {
          feed.latest = toEvent(view, rate(view));
          emitter.emit('event', feed.latest);
        }
      } catch (error) {
        log.debug({ dropId, err: error }, 'a drop could not be looked at; the heartbeat tries again');
      } finally {
        looking = false;
        if (again) {
          again = false;
          dirty();
        }
      }
    };
    const dirty = () => {
      if (tick) return;
      const waitMs = Math.max(0, limits.watchTickMs - (performance.now() - lookedAtMs));
      tick = setTimeout(() => {
        tick = null;
        void look();
      }, waitMs);
    };
    const heartbeat = setInterval(dirty, limits.watchHeartbeatMs);

    channels.set(channel, { dropId, dirty });
    // Subscribing comes before looking: what happens in between is then announced, not missed.
    await events.ssubscribe(channel);
    const first = await live.look(dropId);
    const end = () => {
      clearInterval(heartbeat);
      if (tick) clearTimeout(tick);
      channels.delete(channel);
      feeds.delete(dropId);
      void events.sunsubscribe(channel).catch(() => undefined);
    };
    if (!first) {
      end();
      throw new PublicError(
        'unavailable',
        'The drop is not running here (yet, or any more): look at drop.get',
        {
          retryAfterMs: 5_000,
        },
      );
    }
    const feed: OpenFeed & { latest: FeedEvent } = {
      latest: toEvent(first, rate(first)),
      usersCount: 0,
      dirty,
      end,
      listen(listener) {
        emitter.on('event', listener);
        return () => emitter.off('event', listener);
      },
    };
    return feed;
  }

  async function use(dropId: DropId) {
    let starting = feeds.get(dropId);
    if (!starting) {
      starting = start(dropId);
      feeds.set(dropId, starting);
      starting.catch(() => feeds.delete(dropId));
    }
    const feed = await starting;
    feed.usersCount += 1;
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      feed.usersCount -= 1;
      if (feed.usersCount > 0) return;
      setTimeout(() => {
        if (feed.usersCount === 0) feed.end();
      }, lingerMs).unref();
    };
    return { feed, close };
  }

  return {
    async look(dropId) {
      const started = feeds.get(dropId);
      if (started) return (await started).latest.view;
      return live.look(dropId);
    },
    open: use,
    async *watch(dropId, signal) {
      const { feed, close } = await use(dropId);
      let pending: FeedEvent | null = feed.latest;
      let wake = () => {};
      const stop = feed.listen(event => {
        // Only the newest is kept: a reader that is slower than the ticks skips what it missed.
        pending = event;
        wake();
      });
      const onAbort = () => wake();
      signal?.addEventListener('abort', onAbort);
      try {
        while (!signal?.aborted) {
          if (pending) {
            const event: FeedEvent = pending;
            pending = null;
            yield event;
          } else {
            await new Promise<void>(resolve => {
              wake = resolve;
            });
          }
        }
      } finally {
        signal?.removeEventListener('abort', onAbort);
        stop();
        close();
      }
    },
    onChange: listener => void changes.on('change', listener),
    stop() {
      for (const feed of feeds.values()) void feed.then(started => started.end()).catch(() => undefined);
    },
  };
}

function toEvent(view: DropView, callsPerMin: ReadonlyMap<string, number>): FeedEvent {
  return {
    id: `0:${view.seq}`,
    view,
    watch: {
      state: view.state,
      ...(view.message ? { message: view.message } : {}),
      ...(view.key ? { key: view.key } : {}),
      lanes: view.lanes.map(({ pace: _pace, ...lane }) => ({
        ...lane,
        callsPerMin: callsPerMin.get(lane.lane) ?? 0,
      })),
      items: view.stock.map(stock => ({
        sku: stock.sku,
        availability: availabilityOf(stock),
        available: stock.available,
      })),
      serverTimeMs: view.nowMs,
    },
  };
}

/** The calling rate of each lane, measured over the last minute of what was seen. */
function callingRate(): (view: DropView) => ReadonlyMap<string, number> {
  const seen: { atMs: number; serving: ReadonlyMap<string, number> }[] = [];
  return view => {
    const serving = new Map<string, number>(view.lanes.map(lane => [lane.lane, lane.serving]));
    seen.push({ atMs: view.nowMs, serving });
    while (seen.length > 2 && (seen[1]?.atMs ?? 0) < view.nowMs - 60_000) seen.shift();
    const first = seen[0];
    const spanMs = first ? view.nowMs - first.atMs : 0;
    if (!first || spanMs < 1_000) return new Map();
    return new Map(
      view.lanes.map(lane => {
        const called = lane.serving - (first.serving.get(lane.lane) ?? 0);
        return [lane.lane, Math.round((called * 60_000) / spanMs)];
      }),
    );
  };
}
