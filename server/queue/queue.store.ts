// The queue in Redis: tickets, calls and passes, each change one script.
import type { BuyerId, DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import { buyerBytes, dropKey, leafPrefix } from '../platform/keys.ts';
import { luaScript, type LuaRunner } from '../platform/lua-scripts.ts';
import { lanes, type Lane } from '../drops/drop.ts';

export const queueJoin = luaScript({
  name: 'queue-join',
  keys: ['drop', 'queue', 'tickets', 'tick', 'leaf-prefix'],
  argv: ['buyer', 'lane', 'laneNumber', 'leaf'],
  rest: false,
});
export const queueAdmit = luaScript({
  name: 'queue-admit',
  keys: ['drop', 'stock', 'queue', 'calls', 'claims', 'passes'],
  argv: ['lane', 'batchCount', 'slack', 'burstSec'],
  rest: false,
});
export const queueCall = luaScript({
  name: 'queue-call',
  keys: ['drop', 'queue', 'calls', 'tick'],
  argv: ['seq'],
  rest: false,
});
export const queueClaim = luaScript({
  name: 'queue-claim',
  keys: ['drop', 'queue', 'tickets', 'calls', 'claims', 'passes', 'passes-due'],
  argv: ['buyer', 'rank'],
  rest: false,
});
export const queueLeave = luaScript({
  name: 'queue-leave',
  keys: ['queue', 'tickets', 'calls', 'claims', 'passes', 'passes-due'],
  argv: ['buyer', 'rank'],
  rest: false,
});

/** One entry of the call log: the ranks `from … to − 1` of a lane, called at `atMs`. */
export interface Call {
  readonly seq: number;
  readonly atMs: number;
  readonly lane: Lane;
  readonly from: number;
  readonly to: number;
}

export type JoinOutcome =
  | { kind: 'joined'; lane: Lane; arrival: number }
  | { kind: 'not-yet' | 'closed' | 'sold-out' | 'missing' };

export type ClaimOutcome =
  | { kind: 'called'; expiresAtMs: number }
  | { kind: 'waiting' | 'missed' | 'done' | 'left' | 'unknown' };

export interface QueueStore {
  /** The leaf, 32 bytes, is the ticket's in the proof of fairness; without one its place there stays empty. */
  join(dropId: DropId, buyerId: BuyerId, leaf?: Uint8Array): Promise<JoinOutcome>;
  /** Proposes the next calls, or finds the proposal that stands. */
  admit(dropId: DropId): Promise<{ kind: 'proposed'; call: Call } | { kind: 'idle'; why: string }>;
  /** Puts a proposal that stands in the call log into effect; `stale` where another process has done so. */
  call(dropId: DropId, seq: number): Promise<{ kind: 'called' | 'stale' }>;
  /** Claims the ticket's call, if it has one; else tells how the ticket stands. `rank` null: nobody has a rank yet. */
  claim(dropId: DropId, buyerId: BuyerId, rank: number | null): Promise<ClaimOutcome>;
  leave(
    dropId: DropId,
    buyerId: BuyerId,
    rank: number | null,
  ): Promise<{ kind: 'left' | 'done' | 'unknown' }>;
}

/** Where there are no ranks yet, everybody stands behind every call. */
const rankBehindAll = 2 ** 40;

export function createQueueStore(run: LuaRunner): QueueStore {
  const keysOf = (dropId: DropId) => ({
    drop: dropKey(dropId, 'drop'),
    stock: dropKey(dropId, 'stock'),
    queue: dropKey(dropId, 'queue'),
    tickets: dropKey(dropId, 'tickets'),
    calls: dropKey(dropId, 'calls'),
    claims: dropKey(dropId, 'claims'),
    passes: dropKey(dropId, 'passes'),
    'passes-due': dropKey(dropId, 'passes-due'),
    tick: dropKey(dropId, 'tick'),
    'leaf-prefix': leafPrefix(dropId),
  });
  const laneNumbered = (number: string | undefined): Lane => {
    const lane = lanes[Number(number)];
    if (!lane) throw new Error(`there is no lane ${String(number)}`);
    return lane;
  };
  const unexpected = (script: string, kind: string | undefined) =>
    new Error(`lua/${script}.lua answered ${String(kind)}, which its caller does not know`);

  return {
    async join(dropId, buyerId, leaf) {
      const [kind, arrival, lane] = await run(queueJoin, keysOf(dropId), {
        buyer: buyerBytes(buyerId),
        lane: 'general',
        laneNumber: lanes.indexOf('general'),
        leaf: leaf ? Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength) : '',
      });
      switch (kind) {
        case 'joined':
          return { kind, lane: laneNumbered(lane), arrival: Number(arrival) };
        case 'not-yet':
        case 'closed':
        case 'sold-out':
        case 'missing':
          return { kind };
        default:
          throw unexpected('queue-join', kind);
      }
    },
    async admit(dropId) {
      const [kind, seq, atMs, lane, from, to] = await run(queueAdmit, keysOf(dropId), {
        lane: 'general',
        batchCount: limits.admitBatchCount,
        slack: limits.admitSlack,
        burstSec: limits.admitBurstSec,
      });
      if (kind === 'idle') return { kind, why: seq ?? '' };
      if (kind !== 'proposed' || lane !== 'general') throw unexpected('queue-admit', kind);
      return {
        kind,
        call: { seq: Number(seq), atMs: Number(atMs), lane, from: Number(from), to: Number(to) },
      };
    },
    async call(dropId, seq) {
      const [kind] = await run(queueCall, keysOf(dropId), { seq });
      if (kind === 'called' || kind === 'stale') return { kind };
      throw unexpected('queue-call', kind);
    },
    async claim(dropId, buyerId, rank) {
      const [kind, expiresAtMs] = await run(queueClaim, keysOf(dropId), {
        buyer: buyerBytes(buyerId),
        rank: rank ?? rankBehindAll,
      });
      switch (kind) {
        case 'called':
          return { kind, expiresAtMs: Number(expiresAtMs) };
        case 'waiting':
        case 'missed':
        case 'done':
        case 'left':
        case 'unknown':
          return { kind };
        default:
          throw unexpected('queue-claim', kind);
      }
    },
    async leave(dropId, buyerId, rank) {
      const [kind] = await run(queueLeave, keysOf(dropId), {
        buyer: buyerBytes(buyerId),
        rank: rank ?? rankBehindAll,
      });
      if (kind === 'left' || kind === 'done' || kind === 'unknown') return { kind };
      throw unexpected('queue-leave', kind);
    },
  };
}
