// What happens in a drop, told to whoever listens in this process. One Redis subscription for each drop and process;
// its messages only say that something changed, and at most every `watchTickMs` the drop is looked at once and the
// view given to all; a change of state (it opens, it is sold out) is looked at at once. So a lost message costs a
// heartbeat, never the truth, and a crowd costs Redis nothing.
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { PublicError } from '../errors.ts';
import type { DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import { dropKey } from '../platform/keys.ts';
import { createBroadcast, type Broadcast, type Channel, type Told } from '../realtime/broadcast.ts';
import type { DropWatch } from './drop-schemas.ts';
import { availabilityOf, type DropView } from './drop-view.ts';
import type { LiveStore } from './live.store.ts';

/** The drop at one instant: `view` for the engine, `data` for everybody; its id is `epoch:sequence`. */
export interface FeedEvent extends Told<DropWatch> {
  readonly view: DropView;
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
  /** What everybody may know: the current truth first, then each change. Rejects as `open` does. */
  broadcast(dropId: DropId, signal: AbortSignal | undefined): Promise<Broadcast<DropWatch>>;
  /** Called at once, uncoalesced, when a drop that is followed says that it changed. */
  onChange(listener: (dropId: DropId) => void): void;
  stop(): void;
}

/** A feed that nobody uses lives on for a while: the next watcher of a busy drop finds it open. */
const lingerMs = 5_000;

interface OpenFeed extends DropFeed {
  /** How many keep it open. */
  usersCount: number;
  readonly channel: Channel<DropWatch>;
  /** Counts one more user; the answered function counts them out, once. */
  retain(): () => void;
  dirty: () => void;
  end: () => void;
}

export function createDropFeeds(options: { live: LiveStore; events: Redis; log: Logger }): DropFeeds {
  const { live, events, log } = options;
  const feeds = new Map<DropId, Promise<OpenFeed>>();
  const channels = new Map<string, { dropId: DropId; dirty: () => void; lookNow: () => void }>();
  const changes = new EventEmitter();

  events.on('smessage', (channel: string, message: string) => {
    const followed = channels.get(channel);
    if (!followed) return;
    if (message.startsWith('!')) followed.lookNow();
    else followed.dirty();
    changes.emit('change', followed.dropId);
  });

  async function start(dropId: DropId): Promise<OpenFeed> {
    const channel = dropKey(dropId, 'tick');
    const emitter = new EventEmitter().setMaxListeners(0);
    const rate = callingRate();
    let tick: NodeJS.Timeout | null = null;
    let lookedAtMs = 0;
    let looking = false;
    let again: 'no' | 'soon' | 'now' = 'no';

    const look = async (when: 'soon' | 'now' = 'soon') => {
      if (looking) {
        if (again !== 'now') again = when;
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
        const missed = again;
        again = 'no';
        if (missed === 'soon') dirty();
        else if (missed === 'now') void look();
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
    const lookNow = () => {
      if (tick) clearTimeout(tick);
      tick = null;
      void look('now');
    };
    const heartbeat = setInterval(dirty, limits.watchHeartbeatMs);

    channels.set(channel, { dropId, dirty, lookNow });
    const end = () => {
      clearInterval(heartbeat);
      if (tick) clearTimeout(tick);
      channels.delete(channel);
      feeds.delete(dropId);
      void events.sunsubscribe(channel).catch(() => undefined);
    };
    // Subscribing comes before looking: what happens in between is then announced, not missed.
    const first = await events
      .ssubscribe(channel)
      .then(() => live.look(dropId))
      .catch((error: unknown) => {
        // Redis is away: nothing of this drop goes on here, or each try would leave a heartbeat behind.
        end();
        throw error;
      });
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
      retain() {
        feed.usersCount += 1;
        let released = false;
        return () => {
          if (released) return;
          released = true;
          feed.usersCount -= 1;
          if (feed.usersCount > 0) return;
          setTimeout(() => {
            if (feed.usersCount === 0) feed.end();
          }, lingerMs).unref();
        };
      },
      channel: {
        get latest() {
          return feed.latest;
        },
        listen: listener => feed.listen(listener),
        retain: () => feed.retain(),
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
    return { feed, close: feed.retain() };
  }

  return {
    async look(dropId) {
      const started = feeds.get(dropId);
      if (started) return (await started).latest.view;
      return live.look(dropId);
    },
    open: use,
    async broadcast(dropId, signal) {
      const { feed, close } = await use(dropId);
      const broadcast = createBroadcast(feed.channel, signal);
      // The broadcast holds the feed by itself from here on.
      close();
      return broadcast;
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
    data: {
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
      ...(view.state === 'scheduled' || view.state === 'lobby' ? { opensAtMs: view.opensAtMs } : {}),
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
