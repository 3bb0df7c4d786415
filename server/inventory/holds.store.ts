// Holds, in Redis: the fast gate against overselling. Every change is one Lua script; this file only names keys,
// passes arguments and gives the outcomes their types.
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { BuyerId, DropId, HoldId, Sku } from '../ids.ts';
import { buyerIdSchema, dropIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { buyerBytes, dropKey, holdDropKey, holdKey, holdKeyPrefix, ticketPrefix } from '../platform/keys.ts';
import { luaScript, type LuaRunner } from '../platform/lua-scripts.ts';
import { EncodedCommand } from '../platform/script-command.ts';

const endTtl = String(limits.endedHoldTtlMs);

export const holdPlace = luaScript({
  name: 'hold-place',
  keys: ['drop', 'stock', 'queue', 'passes', 'bought', 'hold', 'holds-due', 'tick'],
  argv: ['holdId', 'buyer', 'passExpiresAtMs', 'fingerprint', 'quoteExpiresAtMs', 'frozen'],
  rest: true,
});
export const holdPay = luaScript({
  name: 'hold-pay',
  keys: ['drop', 'hold', 'holds-due'],
  argv: ['holdId'],
  rest: false,
});
export const holdSettle = luaScript({
  name: 'hold-settle',
  keys: ['drop', 'stock', 'queue', 'ticket-prefix', 'passes', 'passes-due', 'hold', 'holds-due', 'tick'],
  argv: ['holdId', 'endedTtlMs'],
  rest: false,
});
export const holdRelease = luaScript({
  name: 'hold-release',
  keys: [
    'drop',
    'stock',
    'queue',
    'ticket-prefix',
    'passes',
    'passes-due',
    'bought',
    'hold',
    'holds-due',
    'tick',
  ],
  argv: ['holdId', 'by', 'endedTtlMs'],
  rest: false,
});
export const holdSweep = luaScript({
  name: 'hold-sweep',
  keys: [
    'drop',
    'stock',
    'queue',
    'ticket-prefix',
    'passes',
    'passes-due',
    'bought',
    'holds-due',
    'tick',
    'hold-prefix',
  ],
  argv: ['batchCount', 'endedTtlMs'],
  rest: false,
});

export const holdForget = luaScript({ name: 'hold-forget', keys: ['hold'], argv: ['frozen'], rest: false });
export const unitsReturn = luaScript({
  name: 'units-return',
  keys: ['drop', 'stock', 'bought', 'returns', 'tick'],
  argv: ['returnId', 'buyer'],
  rest: true,
});

export type HoldState = 'held' | 'paying' | 'settled' | 'released';

export interface HoldLine {
  readonly sku: Sku;
  readonly quantity: number;
}

/** A hold as it stands. `frozen` is what its placing froze into it (the priced cart), as the JSON that was given. */
export interface HoldRecord {
  readonly holdId: HoldId;
  readonly dropId: DropId;
  readonly buyerId: BuyerId;
  readonly state: HoldState;
  readonly lines: readonly HoldLine[];
  /** The first serial that Redis proposes for each SKU; the ledger decides. */
  readonly proposed: ReadonlyMap<Sku, number>;
  readonly expiresAtMs: number;
  readonly payDeadlineMs: number | null;
  readonly frozen: string;
}

export type PlaceOutcome =
  | { kind: HoldState; expiresAtMs: number; replay: boolean }
  | { kind: 'conflict' | 'paused' | 'pass-expired' | 'quote-expired' }
  /** Redis does not know the drop: nothing was placed, and nothing can be until it does. */
  | { kind: 'missing' }
  | { kind: 'not-open'; state: string }
  | { kind: 'limit-reached'; limit: 'pass' | 'buyer' }
  | { kind: 'sold-out' | 'all-held'; sku: Sku };

export type PayOutcome =
  | { kind: 'paying'; payDeadlineMs: number }
  | { kind: 'settled' | 'released' | 'missing' };

export interface PlaceRequest {
  readonly holdId: HoldId;
  readonly dropId: DropId;
  readonly buyerId: BuyerId;
  readonly passExpiresAtMs: number;
  /** Of the whole request: the same id with another fingerprint is a conflict. */
  readonly fingerprint: string;
  readonly quoteExpiresAtMs: number;
  readonly frozen: string;
  readonly lines: readonly HoldLine[];
}

export interface ReturnRequest {
  readonly dropId: DropId;
  readonly buyerId: BuyerId;
  /** Again under the same id changes nothing. */
  readonly returnId: string;
  readonly lines: readonly HoldLine[];
}

export type ReturnOutcome =
  | { kind: 'returned'; to: 'available' | 'withdrawn' }
  /** Redis does not count so many as sold: nothing was changed, and its counts are wrong. */
  | { kind: 'drifted'; sku: Sku }
  /** Redis does not know the drop. */
  | { kind: 'missing' };

export interface HoldsStore {
  place(request: PlaceRequest): Promise<PlaceOutcome>;
  /** Extends a hold, once, into its payment window. */
  pay(dropId: DropId, holdId: HoldId): Promise<PayOutcome>;
  /** Ends a paid hold. `released` means that Redis gave the units back before: a drift for reconciliation. */
  settle(dropId: DropId, holdId: HoldId): Promise<{ kind: 'settled' | 'released' | 'missing' }>;
  /** Ends a hold unpaid. A hold that is being paid is released by its order alone. */
  release(
    dropId: DropId,
    holdId: HoldId,
    by: 'buyer' | 'order',
  ): Promise<{ kind: 'released' | 'paying' | 'settled' | 'missing' }>;
  /** Sold units of a refunded order come back, once their ledger has let them go. */
  returnUnits(request: ReturnRequest): Promise<ReturnOutcome>;
  sweep(dropId: DropId): Promise<{ holdsCount: number; passesCount: number; more: boolean }>;
  /** Puts another cart into an ended hold, without what is personal; one that lives keeps its own. */
  forget(request: { dropId: DropId; holdId: HoldId; frozen: string }): Promise<void>;
  /** The hold of that id, or null. */
  find(holdId: HoldId): Promise<HoldRecord | null>;
}

const holdStateSchema = z.enum(['held', 'paying', 'settled', 'released']);

export function createHoldsStore(options: { redis: Redis; run: LuaRunner }): HoldsStore {
  const { redis, run } = options;
  const makeDropKeys = (dropId: DropId) => ({
    drop: dropKey(dropId, 'drop'),
    stock: dropKey(dropId, 'stock'),
    queue: dropKey(dropId, 'queue'),
    'ticket-prefix': ticketPrefix(dropId),
    passes: dropKey(dropId, 'passes'),
    'passes-due': dropKey(dropId, 'passes-due'),
    bought: dropKey(dropId, 'bought'),
    'holds-due': dropKey(dropId, 'holds-due'),
    tick: dropKey(dropId, 'tick'),
  });
  // The same few drops for every call: joining their names anew for each would be garbage.
  const knownKeys = new LRUCache<DropId, ReturnType<typeof makeDropKeys>>({ max: limits.dropKeysCount });
  const dropKeysOf = (dropId: DropId) => {
    let keys = knownKeys.get(dropId);
    if (!keys) knownKeys.set(dropId, (keys = makeDropKeys(dropId)));
    return keys;
  };
  const keysOf = (dropId: DropId, holdId: HoldId) => ({
    ...dropKeysOf(dropId),
    hold: holdKey(dropId, holdId),
  });

  return {
    async place(request) {
      const { holdId, dropId } = request;
      // The index is written first: a hold that exists can always be found, an index without a hold does no harm.
      const index = new EncodedCommand('set', [holdDropKey(holdId), dropId, 'PX', endTtl, 'NX']);
      const indexed = redis.sendCommand(index);
      const placed = run(
        holdPlace,
        keysOf(dropId, holdId),
        {
          holdId,
          buyer: buyerBytes(request.buyerId),
          passExpiresAtMs: request.passExpiresAtMs,
          fingerprint: request.fingerprint,
          quoteExpiresAtMs: request.quoteExpiresAtMs,
          frozen: request.frozen,
        },
        request.lines.flatMap(line => [line.sku, line.quantity]),
      );
      const [, reply] = await Promise.all([indexed, placed]);
      return toPlaceOutcome(reply);
    },
    async pay(dropId, holdId) {
      const [kind, atMs] = await run(holdPay, keysOf(dropId, holdId), { holdId });
      if (kind === 'paying') return { kind, payDeadlineMs: Number(atMs) };
      if (kind === 'settled' || kind === 'released' || kind === 'missing') return { kind };
      throw unexpected('hold-pay', kind);
    },
    async settle(dropId, holdId) {
      const [kind] = await run(holdSettle, keysOf(dropId, holdId), { holdId, endedTtlMs: endTtl });
      if (kind === 'settled' || kind === 'released' || kind === 'missing') return { kind };
      throw unexpected('hold-settle', kind);
    },
    async release(dropId, holdId, by) {
      const [kind] = await run(holdRelease, keysOf(dropId, holdId), { holdId, by, endedTtlMs: endTtl });
      if (kind === 'released' || kind === 'paying' || kind === 'settled' || kind === 'missing')
        return { kind };
      throw unexpected('hold-release', kind);
    },
    async returnUnits({ dropId, buyerId, returnId, lines }) {
      const { drop, stock, bought, tick } = dropKeysOf(dropId);
      const [kind, detail] = await run(
        unitsReturn,
        { drop, stock, bought, tick, returns: dropKey(dropId, 'returns') },
        { returnId, buyer: buyerBytes(buyerId) },
        lines.flatMap(line => [line.sku, line.quantity]),
      );
      if (kind === 'returned') return { kind, to: detail === 'withdrawn' ? 'withdrawn' : 'available' };
      if (kind === 'drifted') return { kind, sku: skuSchema.parse(detail) };
      if (kind === 'missing') return { kind };
      throw unexpected('units-return', kind);
    },
    async sweep(dropId) {
      const [, holds, passes, more] = await run(
        holdSweep,
        { ...dropKeysOf(dropId), 'hold-prefix': holdKeyPrefix(dropId) },
        { batchCount: limits.sweepBatchCount, endedTtlMs: endTtl },
      );
      return { holdsCount: Number(holds), passesCount: Number(passes), more: more === '1' };
    },
    async forget({ dropId, holdId, frozen }) {
      await run(holdForget, { hold: holdKey(dropId, holdId) }, { frozen });
    },
    async find(holdId) {
      const dropId = dropIdSchema.safeParse(await redis.get(holdDropKey(holdId)));
      if (!dropId.success) return null;
      const fields = await redis.hgetallBuffer(holdKey(dropId.data, holdId));
      return toHoldRecord(dropId.data, holdId, fields);
    },
  };
}

function toHoldRecord(dropId: DropId, holdId: HoldId, fields: Record<string, Buffer>): HoldRecord | null {
  const text = (name: string) => fields[name]?.toString('utf8') ?? '';
  const state = holdStateSchema.safeParse(text('state'));
  const buyer = fields['buyer'];
  if (!state.success || !buyer) return null;
  return {
    holdId,
    dropId,
    buyerId: buyerIdSchema.parse(buyer.toString('base64url')),
    state: state.data,
    lines: readPairs(text('lines')).map(([sku, quantity]) => ({ sku, quantity })),
    proposed: new Map(readPairs(text('serials')).map(([sku, before]) => [sku, before + 1])),
    expiresAtMs: Number(text('expiresAtMs')),
    payDeadlineMs: fields['payDeadlineMs'] ? Number(text('payDeadlineMs')) : null,
    frozen: text('frozen'),
  };
}

/** `sku=3,other=1`, as the scripts keep lines. */
function readPairs(text: string): [Sku, number][] {
  return text
    .split(',')
    .filter(Boolean)
    .map(pair => {
      const [sku, count] = pair.split('=');
      return [skuSchema.parse(sku), Number(count)];
    });
}

function toPlaceOutcome(reply: string[]): PlaceOutcome {
  const [kind, first, second] = reply;
  switch (kind) {
    case 'held':
    case 'paying':
    case 'settled':
    case 'released':
      return { kind, expiresAtMs: Number(first), replay: second === '1' };
    case 'conflict':
    case 'paused':
    case 'pass-expired':
    case 'quote-expired':
    case 'missing':
      return { kind };
    case 'not-open':
      return { kind, state: first ?? '' };
    case 'limit-reached':
      return { kind, limit: first === 'pass' ? 'pass' : 'buyer' };
    case 'sold-out':
    case 'all-held':
      return { kind, sku: skuSchema.parse(first) };
    default:
      throw unexpected('hold-place', kind);
  }
}

function unexpected(script: string, kind: string | undefined): Error {
  return new Error(`lua/${script}.lua answered ${String(kind)}, which its caller does not know`);
}
