// Looks after running drops: loads what was changed, opens what is due, sweeps what has run out, and calls the next
// in line. Every process has one and none is the leader: each step is a script that does nothing the second time.
import type { Logger } from 'pino';
import type { DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Drop } from './drop.ts';
import type { Drops } from './drops.ts';
import { EpochError } from '../platform/lua-scripts.ts';
import type { LiveStore } from './live.store.ts';

/** What the conductor asks of others: their rooms stay their own. */
export interface ConductorSteps {
  /** Commits the lobby as it fills and freezes; answers the key of its shuffle once there is nothing to wait for. */
  lobbyKey(drop: Drop): Promise<string | null>;
  /** Returns holds and passes that have run out. */
  sweep(dropId: DropId): Promise<{ more: boolean }>;
  /** Calls the next ranks; answers how many calls took effect. */
  admit(drop: Drop): Promise<number>;
  /** Rebuilds a drop that Redis has lost, in whole or in part, or leaves it to whoever is at it. */
  rebuild(drop: Drop): Promise<void>;
  /** Keeps what arrivals may use ahead of those that come. */
  keepMarks(dropId: DropId): Promise<void>;
  /** Holds the stock against MongoDB, now and then, and puts it right where it has drifted. */
  reconcile(drop: Drop): Promise<void>;
  /** Told when this process sees the drop in another state than before. */
  stateChanged(drop: Drop): Promise<void>;
}

export interface Conductor {
  /** Looks at this drop soon: something has just changed there. */
  nudge(dropId: DropId): void;
  stop(): Promise<void>;
}

/** How often the list of running drops is read again, should an announcement be lost. */
const listEveryMs = 2_000;
/** A nudge is acted on after this, so that a burst of changes costs one round. */
const nudgeMs = 25;
/** A drop that is over is looked after this long, for the payments that were under way. */
const afterCloseMs = 24 * 3_600_000;

export function startConductor(options: {
  drops: Pick<Drops, 'listRunning' | 'load' | 'markEnded'>;
  live: Pick<LiveStore, 'open' | 'look'>;
  steps: ConductorSteps;
  log: Logger;
}): Conductor {
  const { drops, live, steps, log } = options;
  const running = new Map<
    DropId,
    { drop: Drop; timer: NodeJS.Timeout | null; atMs: number; busy: Promise<void> | null }
  >();
  let stopped = false;

  const states = new Map<DropId, string>();
  const round = async (drop: Drop) => {
    try {
      await roundOf(drop);
    } catch (error) {
      if (!(error instanceof EpochError)) throw error;
      await steps.rebuild(drop);
    }
  };
  const roundOf = async (drop: Drop) => {
    if (drop.loadedRev < drop.rev) await drops.load(drop);
    let step = await live.open(drop.dropId, '');
    if (step.state === 'missing') {
      await steps.rebuild(drop);
      return;
    }
    if (step.state === 'lobby') {
      const key = await steps.lobbyKey(drop);
      if (key !== null) step = await live.open(drop.dropId, key);
    }
    if (states.get(drop.dropId) !== step.state) {
      await steps.stateChanged(drop);
      states.set(drop.dropId, step.state);
    }
    if (step.state !== 'closed') await steps.keepMarks(drop.dropId);
    if (step.state === 'scheduled' || step.state === 'lobby') return;
    let swept = await steps.sweep(drop.dropId);
    while (swept.more) swept = await steps.sweep(drop.dropId);
    if (step.state === 'open') while ((await steps.admit(drop)) > 0);
    await steps.reconcile(drop);
    if (step.state === 'closed' || step.state === 'sold-out') await endIfAtRest(drop);
  };
  const endIfAtRest = async (drop: Drop) => {
    const view = await live.look(drop.dropId);
    if (!view || view.nowMs < (view.closesAtMs ?? drop.opensAtMs) + afterCloseMs) return;
    if (view.activeCount === 0 && view.stock.every(stock => stock.held === 0))
      await drops.markEnded(drop.dropId);
  };
  const schedule = (dropId: DropId, inMs: number) => {
    const entry = running.get(dropId);
    if (!entry || stopped) return;
    const atMs = performance.now() + inMs;
    if (entry.timer) {
      if (entry.atMs <= atMs) return;
      clearTimeout(entry.timer);
    }
    entry.atMs = atMs;
    entry.timer = setTimeout(() => {
      entry.timer = null;
      if (entry.busy) {
        schedule(dropId, nudgeMs);
        return;
      }
      entry.busy = round(entry.drop)
        .catch((error: unknown) =>
          log.warn({ dropId, err: error }, 'a round of a drop failed; the next one tries again'),
        )
        .finally(() => {
          entry.busy = null;
          schedule(dropId, limits.conductorTickMs);
        });
    }, inMs);
  };
  const list = async () => {
    const found = await drops.listRunning();
    const ids = new Set(found.map(drop => drop.dropId));
    for (const [dropId, entry] of running) {
      if (ids.has(dropId)) continue;
      if (entry.timer) clearTimeout(entry.timer);
      running.delete(dropId);
      states.delete(dropId);
    }
    for (const drop of found) {
      const entry = running.get(drop.dropId);
      if (entry) entry.drop = drop;
      else running.set(drop.dropId, { drop, timer: null, atMs: 0, busy: null });
      schedule(drop.dropId, 0);
    }
  };
  const listed = () =>
    list().catch((error: unknown) => log.warn({ err: error }, 'the running drops could not be listed'));
  void listed();
  const listTimer = setInterval(() => void listed(), listEveryMs);

  return {
    nudge(dropId) {
      if (running.has(dropId)) schedule(dropId, nudgeMs);
      else void listed();
    },
    async stop() {
      stopped = true;
      clearInterval(listTimer);
      for (const entry of running.values()) if (entry.timer) clearTimeout(entry.timer);
      await Promise.all([...running.values()].flatMap(entry => entry.busy ?? []));
    },
  };
}
