// The queue in Redis: tickets, calls and passes, each change one script.
import type { BuyerId, DropId } from '../ids.ts';
import { PublicError } from '../errors.ts';
import { limits } from '../limits.ts';
import { buyerBytes, dropKey, leafPrefix, ticketPrefix } from '../platform/keys.ts';
import { luaScript, type LuaRunner } from '../platform/lua-scripts.ts';
import { lanes, type Lane } from '../drops/drop.ts';

export const queueJoin = luaScript({
  name: 'queue-join',
  keys: ['drop', 'queue', 'ticket-prefix', 'codes', 'tick', 'leaf-prefix'],
  argv: ['buyer', 'codes', 'leaf', 'gate'],
  rest: false,
});
export const queueAdmit = luaScript({
  name: 'queue-admit',
  keys: ['drop', 'stock', 'queue', 'calls', 'claims', 'passes', 'returned'],
  argv: ['batchCount', 'burstSec', 'slackMax', 'weights'],
  rest: false,
});
export const queueCall = luaScript({
  name: 'queue-call',
  keys: ['drop', 'queue', 'calls', 'claims', 'returned', 'tick'],
  argv: ['seq', 'paceEveryMs', 'paceCount'],
  rest: false,
});
export const queueClaim = luaScript({
  name: 'queue-claim',
  keys: [
    'drop',
    'queue',
    'ticket-prefix',
    'calls',
    'claims',
    'passes',
    'passes-due',
    'bought',
    'returned',
    'tick',
  ],
  argv: ['buyer', 'lane', 'arrival', 'rank'],
  rest: false,
});
export const queueLeave = luaScript({
  name: 'queue-leave',
  keys: ['drop', 'queue', 'ticket-prefix', 'calls', 'claims', 'passes', 'passes-due', 'bought', 'returned'],
  argv: ['buyer', 'lane', 'arrival', 'rank'],
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
  /** `again`: the buyer had this ticket already. */
  | { kind: 'joined'; lane: Lane; arrival: number; again: boolean }
  | { kind: 'not-yet' | 'closed' | 'sold-out' | 'bad-code' | 'proof-required' | 'missing' };

/** Where a ticket stands: its lane, its arrival there, and the rank that follows; null while nobody has a rank. */
export interface Standing {
  readonly lane: Lane;
  readonly arrival: number;
  readonly rank: number | null;
}

/** The buyer's ticket is another one by now: whoever asks computes its rank and asks again. */
export interface Moved {
  readonly kind: 'moved';
  readonly lane: Lane;
  readonly arrival: number;
}

export type ClaimOutcome =
  | { kind: 'called'; expiresAtMs: number }
  | Moved
  | { kind: 'waiting' | 'missed' | 'done' | 'left' | 'unknown' };

/** What a buyer joins with. */
export interface Entry {
  /** The hashes that the buyer's code may be kept as; none without a code. */
  readonly codes?: readonly string[];
  /** 32 bytes: the ticket's in the proof of fairness. Without one its place there stays empty. */
  readonly leaf?: Uint8Array;
  /** False: a place that the buyer has is found, but none is given. */
  readonly mayEnter?: boolean;
}

export interface QueueStore {
  join(dropId: DropId, buyerId: BuyerId, entry?: Entry): Promise<JoinOutcome>;
  /** Proposes the next calls, or finds the proposal that stands. */
  admit(dropId: DropId): Promise<{ kind: 'proposed'; call: Call } | { kind: 'idle'; why: string }>;
  /** Puts a proposal that stands in the call log into effect; `stale` where another process has done so. */
  call(dropId: DropId, seq: number): Promise<{ kind: 'called' | 'stale' }>;
  /** Claims the ticket's call, if it has one; else tells how the ticket stands. A missed call makes it a late one. */
  claim(dropId: DropId, buyerId: BuyerId, standing: Standing): Promise<ClaimOutcome>;
  leave(
    dropId: DropId,
    buyerId: BuyerId,
    standing: Standing,
  ): Promise<Moved | { kind: 'left' | 'done' | 'unknown' }>;
}

/** Where there are no ranks yet, everybody stands behind every call. */
const rankBehindAll = 2 ** 40;
/** Marks grow while they are passed: a few raises are enough for any crowd that a process can take. */
const markTriesCount = 10;

/**
 * `raiseMarks` lets a lane's arrivals go on past its mark, which stands in MongoDB before a ticket below it is given. It
 * is asked where a crowd is quicker than the conductor.
 */
export function createQueueStore(
  run: LuaRunner,
  raiseMarks: (dropId: DropId) => Promise<void> = () => Promise.resolve(),
): QueueStore {
  const belowMark = async (dropId: DropId, give: () => Promise<string[]>): Promise<string[]> => {
    for (let tries = 0; tries < markTriesCount; tries += 1) {
      const reply = await give();
      if (reply[0] !== 'mark') return reply;
      await raiseMarks(dropId);
    }
    throw new PublicError('unavailable', 'Too many are arriving at once: try again', { retryAfterMs: 500 });
  };
  const keysOf = (dropId: DropId) => ({
    drop: dropKey(dropId, 'drop'),
    stock: dropKey(dropId, 'stock'),
    queue: dropKey(dropId, 'queue'),
    'ticket-prefix': ticketPrefix(dropId),
    codes: dropKey(dropId, 'codes'),
    calls: dropKey(dropId, 'calls'),
    claims: dropKey(dropId, 'claims'),
    passes: dropKey(dropId, 'passes'),
    'passes-due': dropKey(dropId, 'passes-due'),
    bought: dropKey(dropId, 'bought'),
    returned: dropKey(dropId, 'returned'),
    tick: dropKey(dropId, 'tick'),
    'leaf-prefix': leafPrefix(dropId),
  });
  const laneNumbered = (number: string | undefined): Lane => {
    const lane = lanes[Number(number)];
    if (!lane) throw new Error(`there is no lane ${String(number)}`);
    return lane;
  };
  const standingOf = (buyerId: BuyerId, { lane, arrival, rank }: Standing) => ({
    buyer: buyerBytes(buyerId),
    lane: lanes.indexOf(lane),
    arrival,
    rank: rank ?? rankBehindAll,
  });
  const weights = lanes.map(lane => `${lane}=${limits.laneWeights[lane]}`).join(',');
  const unexpected = (script: string, kind: string | undefined) =>
    new Error(`lua/${script}.lua answered ${String(kind)}, which its caller does not know`);

  return {
    async join(dropId, buyerId, { codes = [], leaf, mayEnter = true } = {}) {
      const entry = {
        buyer: buyerBytes(buyerId),
        codes: codes.join(' '),
        leaf: leaf ? Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength) : '',
        gate: mayEnter ? 'open' : 'shut',
      };
      const [kind, arrival, lane, again] = await belowMark(dropId, () =>
        run(queueJoin, keysOf(dropId), entry),
      );
      switch (kind) {
        case 'joined':
          return { kind, lane: laneNumbered(lane), arrival: Number(arrival), again: again === '1' };
        case 'not-yet':
        case 'closed':
        case 'proof-required':
        case 'sold-out':
        case 'bad-code':
        case 'missing':
          return { kind };
        default:
          throw unexpected('queue-join', kind);
      }
    },
    async admit(dropId) {
      const [kind, seq, atMs, lane, from, to] = await run(queueAdmit, keysOf(dropId), {
        batchCount: limits.admitBatchCount,
        burstSec: limits.admitBurstSec,
        slackMax: limits.admitSlack.max,
        weights,
      });
      if (kind === 'idle') return { kind, why: seq ?? '' };
      const named = lanes.find(candidate => candidate === lane);
      if (kind !== 'proposed' || !named) throw unexpected('queue-admit', kind);
      return {
        kind,
        call: { seq: Number(seq), atMs: Number(atMs), lane: named, from: Number(from), to: Number(to) },
      };
    },
    async call(dropId, seq) {
      const [kind] = await run(queueCall, keysOf(dropId), {
        seq,
        paceEveryMs: limits.paceEveryMs,
        paceCount: limits.paceCount,
      });
      if (kind === 'called' || kind === 'stale') return { kind };
      throw unexpected('queue-call', kind);
    },
    async claim(dropId, buyerId, standing) {
      const [kind, first, arrival] = await belowMark(dropId, () =>
        run(queueClaim, keysOf(dropId), standingOf(buyerId, standing)),
      );
      switch (kind) {
        case 'called':
          return { kind, expiresAtMs: Number(first) };
        case 'moved':
          return { kind, lane: laneNumbered(first), arrival: Number(arrival) };
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
    async leave(dropId, buyerId, standing) {
      const [kind, lane, arrival] = await run(queueLeave, keysOf(dropId), standingOf(buyerId, standing));
      if (kind === 'moved') return { kind, lane: laneNumbered(lane), arrival: Number(arrival) };
      if (kind === 'left' || kind === 'done' || kind === 'unknown') return { kind };
      throw unexpected('queue-leave', kind);
    },
  };
}
