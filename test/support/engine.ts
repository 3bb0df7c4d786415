// A drop in a real Redis, with the scripts loaded under the clock that a test moves, for tests of queue and stock
// that need no other service.
import { randomBytes, randomUUID } from 'node:crypto';
import type { Drop } from '../../server/drops/drop.ts';
import { createLiveStore } from '../../server/drops/live.store.ts';
import {
  dropIdSchema,
  holdIdSchema,
  newBuyerId,
  skuSchema,
  type BuyerId,
  type DropId,
} from '../../server/ids.ts';
import { createHoldsStore } from '../../server/inventory/holds.store.ts';
import { dropKey } from '../../server/platform/keys.ts';
import { GatheredRedis } from '../../server/platform/gathered-redis.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { createQueueStore, type Standing } from '../../server/queue/queue.store.ts';

export const newHoldId = () => holdIdSchema.parse(randomUUID());
export const skuOf = (text: string) => skuSchema.parse(text);

/** The general lane of a drop that calls in order of arrival. */
export const inGeneral = (arrival: number): Standing => ({ lane: 'general', arrival, rank: arrival });

export function dropOf(change: Partial<Drop> = {}): Drop {
  const nowMs = Date.now();
  return {
    dropId: dropIdSchema.parse(`drop-${randomBytes(6).toString('hex')}`),
    title: 'A drop',
    mode: 'fifo',
    lobbyOpensAtMs: nowMs - 1_000,
    opensAtMs: nowMs - 1_000,
    closesAtMs: null,
    items: [
      { sku: skuOf('sku-a'), title: 'A', price: { amount: 1_000, currency: 'EUR' }, total: 10, withdrawn: 0 },
    ],
    perBuyerMax: 2,
    ratePerSec: 1_000,
    activeMax: 1_000,
    callWindowMs: 20_000,
    passTtlMs: 60_000,
    holdTtlMs: 30_000,
    paymentWindowMs: 60_000,
    paymentsPerSec: null,
    perCardMax: null,
    delayedMethods: false,
    botGate: 'off',
    codes: [],
    seed: randomBytes(32).toString('base64url'),
    seedHash: 'unused',
    beacon: null,
    createdAtMs: nowMs,
    rev: 1,
    loadedRev: 0,
    ended: false,
    ...change,
  };
}

export function openEngine(
  redisUrl: string,
  options: { luaFolder?: string; raiseMarks?: (dropId: DropId) => Promise<void> } = {},
) {
  const redis = new GatheredRedis(redisUrl);
  // A test that restarts Redis waits for it; a command that cannot be sent says so itself.
  redis.on('error', () => {});
  const run = createLuaRunner(redis, {
    clock: 'test',
    ...(options.luaFolder ? { folder: options.luaFolder } : {}),
  });
  const live = createLiveStore({ redis, run });
  const holds = createHoldsStore({ redis, run });
  const queue = createQueueStore(run, options.raiseMarks);
  return {
    redis,
    run,
    live,
    holds,
    queue,
    async load(change: Partial<Drop> = {}): Promise<Drop> {
      const drop = dropOf(change);
      await live.load(drop);
      await live.open(drop.dropId, '');
      // A second after opening the token bucket is full.
      await redis.set(dropKey(drop.dropId, 'clock'), 1_000);
      return drop;
    },
    /** Sets the drop's clock ahead of Redis' own. */
    async setAheadMs(drop: Drop, aheadMs: number): Promise<void> {
      await redis.set(dropKey(drop.dropId, 'clock'), aheadMs);
    },
    /** Calls whoever may be called; no call log is kept here. */
    async admit(drop: Drop): Promise<number> {
      const proposal = await queue.admit(drop.dropId);
      if (proposal.kind === 'idle') return 0;
      await queue.call(drop.dropId, proposal.call.seq);
      return proposal.call.to - proposal.call.from;
    },
    /** A buyer with a pass: joined, called and claimed, in a drop that calls in order of arrival. */
    async admitted(drop: Drop): Promise<{ buyerId: BuyerId; passExpiresAtMs: number }> {
      const buyerId = newBuyerId();
      const joined = await queue.join(drop.dropId, buyerId);
      if (joined.kind !== 'joined') throw new Error(`the buyer could not join: ${joined.kind}`);
      while (true) {
        const claim = await queue.claim(drop.dropId, buyerId, inGeneral(joined.arrival));
        if (claim.kind === 'called') return { buyerId, passExpiresAtMs: claim.expiresAtMs };
        if (claim.kind !== 'waiting') throw new Error(`the buyer could not claim: ${claim.kind}`);
        await this.admit(drop);
      }
    },
    place(
      drop: Drop,
      buyer: { buyerId: BuyerId; passExpiresAtMs: number },
      change: Partial<PlaceChange> = {},
    ) {
      return holds.place({
        holdId: change.holdId ?? newHoldId(),
        dropId: drop.dropId,
        buyerId: buyer.buyerId,
        passExpiresAtMs: buyer.passExpiresAtMs,
        fingerprint: change.fingerprint ?? 'the same body',
        quoteExpiresAtMs: change.quoteExpiresAtMs ?? Date.now() + 3_600_000,
        frozen: '{}',
        lines: change.lines ?? [{ sku: skuOf('sku-a'), quantity: 1 }],
      });
    },
    async close(): Promise<void> {
      await redis.quit();
    },
  };
}

export type Engine = ReturnType<typeof openEngine>;
type PlaceChange = {
  holdId: ReturnType<typeof newHoldId>;
  fingerprint: string;
  quoteExpiresAtMs: number;
  lines: { sku: ReturnType<typeof skuOf>; quantity: number }[];
};
