// The Redis side of a rebuild: what is left of a drop, and the scripts that put it right.
import type { Redis } from 'ioredis';
import type { Lane } from '../drops/drop.ts';
import { holdIdSchema, type DropId, type HoldId } from '../ids.ts';
import { limits } from '../limits.ts';
import { dropKey, holdDropKey, holdKeyPrefix, ticketPrefix } from '../platform/keys.ts';
import { luaScript, type LuaRunner } from '../platform/lua-scripts.ts';
import type { HoldFate, ItemStock, Line } from './rebuild.rules.ts';
import type { Marks } from './epochs.store.ts';

export const epochBegin = luaScript({
  name: 'epoch-begin',
  keys: ['drop', 'bought', 'holds-due', 'returns'],
  argv: ['epoch', 'leaseMs'],
  rest: false,
});
export const epochLook = luaScript({ name: 'epoch-look', keys: ['drop'], argv: [], rest: false });
export const epochRestore = luaScript({
  name: 'epoch-restore',
  keys: ['drop', 'hold-prefix', 'holds-due', 'bought', 'passes', 'passes-due', 'ticket-prefix'],
  argv: ['rebuilding', 'server', 'endedTtlMs'],
  rest: true,
});
export const epochEnd = luaScript({
  name: 'epoch-end',
  keys: ['drop', 'stock', 'queue', 'calls', 'claims', 'codes', 'tick'],
  argv: ['rebuilding', 'server', 'rebuilt'],
  rest: false,
});
export const queueMark = luaScript({ name: 'queue-mark', keys: ['drop', 'queue'], argv: [], rest: true });

/** Another rebuild has begun, or Redis is not the one that this one began on: whoever runs next begins anew. */
export class RebuildOvertaken extends Error {
  override name = 'RebuildOvertaken';
}

export interface Rebuilding {
  readonly dropId: DropId;
  readonly epoch: number;
  readonly server: string;
}

/** A hold as Redis is to have it. */
export interface RestoredHold {
  readonly holdId: HoldId;
  readonly state: HoldFate;
  readonly buyer: Buffer;
  readonly lines: readonly Line[];
  /** By SKU, how many serials had been proposed before these. */
  readonly serials: string;
  readonly frozen: string;
  readonly expiresAtMs: number;
  readonly payDeadlineMs: number;
  readonly endedAtMs: number;
  /** What counts against the buyer's limit: all of it, less what came back to the shelf. */
  readonly unitsCount: number;
}

/** A hold that is left in Redis and was not released. */
export interface LeftHold extends Omit<RestoredHold, 'endedAtMs' | 'unitsCount'> {
  readonly state: 'held' | 'paying' | 'settled';
}

export interface Rebuilt {
  readonly fields: Readonly<Record<string, string>>;
  readonly stock: readonly ItemStock[];
  readonly lanes: readonly { lane: Lane; mark: number; serving: number; lobby?: number }[];
  readonly codes: readonly { hash: string; maxUses: number }[];
  /** The newest calls of the log, whose window may be open; lanes by number. */
  readonly calls: readonly { seq: number; lane: number; from: number; to: number }[];
  readonly seq: number;
  readonly withHold: number;
  readonly callWindowMs: number;
  readonly paidShare: string;
  readonly paused: boolean;
  readonly closed: boolean;
  readonly frozen: boolean;
}

export interface RebuildStore {
  look(dropId: DropId): Promise<'well' | 'lost' | 'busy'>;
  /** Begins, or says that the rebuild goes on; throws RebuildOvertaken. */
  begin(dropId: DropId, epoch: number): Promise<Rebuilding>;
  /** The ids of all holds of the drop that Redis has, ended ones too. */
  holdIds(dropId: DropId): Promise<Set<HoldId>>;
  /** Those of these holds that are live, or ended as sold. */
  leftHolds(dropId: DropId, holdIds: readonly HoldId[]): Promise<LeftHold[]>;
  /** Answers how many passes now serve one of these holds. */
  restore(rebuilding: Rebuilding, holds: readonly RestoredHold[]): Promise<number>;
  end(rebuilding: Rebuilding, rebuilt: Rebuilt): Promise<void>;
  /** Raises marks and answers how things stand; null where Redis does not know the drop. */
  mark(dropId: DropId, marks: Partial<Marks>): Promise<{ arrived: Marks; marks: Marks } | null>;
}

export function createRebuildStore(options: { redis: Redis; run: LuaRunner }): RebuildStore {
  const { redis, run } = options;
  const keysOf = (dropId: DropId) => ({
    drop: dropKey(dropId, 'drop'),
    stock: dropKey(dropId, 'stock'),
    queue: dropKey(dropId, 'queue'),
    calls: dropKey(dropId, 'calls'),
    claims: dropKey(dropId, 'claims'),
    codes: dropKey(dropId, 'codes'),
    passes: dropKey(dropId, 'passes'),
    'passes-due': dropKey(dropId, 'passes-due'),
    bought: dropKey(dropId, 'bought'),
    returns: dropKey(dropId, 'returns'),
    'holds-due': dropKey(dropId, 'holds-due'),
    tick: dropKey(dropId, 'tick'),
    'hold-prefix': holdKeyPrefix(dropId),
    'ticket-prefix': ticketPrefix(dropId),
  });

  return {
    async look(dropId) {
      const [kind] = await run(epochLook, keysOf(dropId), {});
      if (kind === 'well' || kind === 'lost' || kind === 'busy') return kind;
      throw new Error(`lua/epoch-look.lua answered ${String(kind)}`);
    },
    async begin(dropId, epoch) {
      const [kind, server = ''] = await run(epochBegin, keysOf(dropId), {
        epoch,
        leaseMs: limits.rebuildLeaseMs,
      });
      if (kind !== 'begun') throw new RebuildOvertaken(`the rebuild ${epoch} of ${dropId} is not the newest`);
      return { dropId, epoch, server };
    },
    async holdIds(dropId) {
      const prefix = holdKeyPrefix(dropId);
      const found = new Set<HoldId>();
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', scanCount);
        for (const key of keys) {
          const holdId = holdIdSchema.safeParse(key.slice(prefix.length));
          if (holdId.success) found.add(holdId.data);
        }
        cursor = next;
      } while (cursor !== '0');
      return found;
    },
    async leftHolds(dropId, holdIds) {
      const prefix = holdKeyPrefix(dropId);
      const live: LeftHold[] = [];
      for (let from = 0; from < holdIds.length; from += limits.rebuildBatchCount) {
        const batch = holdIds.slice(from, from + limits.rebuildBatchCount);
        const found = await Promise.all(batch.map(holdId => redis.hgetallBuffer(prefix + holdId)));
        batch.forEach((holdId, index) => {
          const hold = readLeft(holdId, found[index] ?? {});
          if (hold) live.push(hold);
        });
      }
      return live;
    },
    async restore({ dropId, epoch, server }, holds) {
      // As in placing: a hold that exists can always be found. On one connection, what is sent first is done first.
      const index = redis.pipeline();
      for (const { holdId } of holds) index.set(holdDropKey(holdId), dropId, 'PX', limits.endedHoldTtlMs);
      const indexed = index.exec();
      const restored = run(
        epochRestore,
        keysOf(dropId),
        { rebuilding: epoch, server, endedTtlMs: limits.endedHoldTtlMs },
        holds.flatMap(hold => [
          hold.holdId,
          hold.state,
          hold.buyer,
          hold.lines.map(({ sku, quantity }) => `${sku}=${quantity}`).join(','),
          hold.serials,
          hold.frozen,
          hold.expiresAtMs,
          hold.payDeadlineMs,
          hold.endedAtMs,
          hold.unitsCount,
        ]),
      );
      const [[kind, withHold], answers] = await Promise.all([restored, indexed]);
      for (const [error] of answers ?? []) if (error) throw error;
      if (kind !== 'restored')
        throw new RebuildOvertaken(`the rebuild ${epoch} of ${dropId} is not the newest`);
      return Number(withHold);
    },
    async end({ dropId, epoch, server }, rebuilt) {
      const [kind] = await run(epochEnd, keysOf(dropId), {
        rebuilding: epoch,
        server,
        rebuilt: JSON.stringify(rebuilt),
      });
      if (kind !== 'rebuilt')
        throw new RebuildOvertaken(`the rebuild ${epoch} of ${dropId} is not the newest`);
    },
    async mark(dropId, marks) {
      const [kind, ...counts] = await run(
        queueMark,
        keysOf(dropId),
        {},
        Object.entries(marks).flatMap(([lane, mark]) => [lane, mark]),
      );
      if (kind !== 'marked') return null;
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = counts.map(Number);
      return {
        arrived: { general: a, priority: b, late: c },
        marks: { general: d, priority: e, late: f },
      };
    },
  };
}

const scanCount = 2_000;

function readLeft(holdId: HoldId, fields: Record<string, Buffer>): LeftHold | null {
  const text = (name: string) => fields[name]?.toString('utf8') ?? '';
  const state = text('state');
  const buyer = fields['buyer'];
  if (!buyer || (state !== 'held' && state !== 'paying' && state !== 'settled')) return null;
  const lines = text('lines')
    .split(',')
    .filter(Boolean)
    .map(pair => pair.split('='))
    .map(([sku = '', quantity]) => ({ sku, quantity: Number(quantity) }));
  return {
    holdId,
    state,
    buyer,
    lines,
    serials: text('serials'),
    frozen: text('frozen'),
    expiresAtMs: Number(text('expiresAtMs')),
    payDeadlineMs: Number(text('payDeadlineMs') || 0),
  };
}
