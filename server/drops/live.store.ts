// A drop while it runs, in Redis: its state, its stock, its lanes. Written by scripts alone.
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { skuSchema, type DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import { dropKey } from '../platform/keys.ts';
import { luaScript, type LuaRunner } from '../platform/lua-scripts.ts';
import { dropStates, lanes, type Drop, type DropState } from './drop.ts';
import type { DropView } from './drop-view.ts';

export const dropLoad = luaScript({
  name: 'drop-load',
  keys: ['drop', 'stock', 'queue', 'codes', 'tick'],
  argv: ['settings'],
  rest: false,
});
export const dropOpen = luaScript({
  name: 'drop-open',
  keys: ['drop', 'queue', 'stock', 'tick'],
  argv: ['key', 'leadMs'],
  rest: false,
});
export const dropSteer = luaScript({
  name: 'drop-steer',
  keys: ['drop', 'tick'],
  argv: ['action', 'value'],
  rest: false,
});
export const dropLook = luaScript({
  name: 'drop-look',
  keys: ['drop', 'stock', 'queue', 'passes'],
  argv: [],
  rest: false,
});

export type SteerAction =
  | { action: 'open' | 'pause' | 'resume' | 'close'; message?: string }
  | { action: 'message'; message: string };

export interface LiveStore {
  /**
   * Throws EpochError where the drop must be rebuilt first. `mark` bounds the arrivals of a new drop's lanes, until it is
   * raised; without one there is no bound.
   */
  load(drop: Drop, mark?: number): Promise<void>;
  /** Takes the drop a step along its time; `key` is '' until the lobby's size is known. */
  open(
    dropId: DropId,
    key: string,
  ): Promise<{ state: DropState | 'missing'; lobbySize: number; frozen: boolean }>;
  steer(
    dropId: DropId,
    steer: SteerAction,
  ): Promise<{ kind: 'steered' | 'refused'; state: string } | { kind: 'missing' }>;
  /** Null where Redis does not know the drop. */
  look(dropId: DropId): Promise<DropView | null>;
}

/** The share of calls that end in payment, as a drop begins. */
export const firstPaidShare = (1 / (1 + limits.admitSlack.first)).toFixed(6);

/** A drop's settings as Redis keeps them. Numbers go as text: Lua would write a large one as 1.7e+12. */
export function dropFields(drop: Drop): Record<string, string> {
  const settings = {
    rev: drop.rev,
    mode: drop.mode,
    lobbyOpensAtMs: drop.lobbyOpensAtMs,
    opensAtMs: drop.opensAtMs,
    closesAtMs: drop.closesAtMs ?? '',
    perBuyerMax: drop.perBuyerMax,
    ratePerSec: drop.ratePerSec,
    activeMax: drop.activeMax,
    callWindowMs: drop.callWindowMs,
    passTtlMs: drop.passTtlMs,
    holdTtlMs: drop.holdTtlMs,
    paymentWindowMs: drop.paymentWindowMs,
    paymentsPerSec: drop.paymentsPerSec ?? '',
  };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

const count = z.coerce.number().int();
const seenSchema = z.object({
  drop: z.record(z.string(), z.string()),
  stock: z.record(z.string(), z.string()),
  queue: z.record(z.string(), z.string()),
});
const stateSchema = z.enum(dropStates);

export function createLiveStore(options: { redis: Redis; run: LuaRunner }): LiveStore {
  const { run } = options;
  return {
    async load(drop, mark) {
      const { dropId } = drop;
      const settings = {
        fields: dropFields(drop),
        lanes,
        codes: drop.codes,
        paidShare: firstPaidShare,
        items: drop.items.map(({ sku, total, withdrawn }) => ({ sku, total, withdrawn })),
        // Never again: a drop that ran and is gone is rebuilt, not sold a second time.
        fresh: drop.loadedRev === 0,
        ...(mark === undefined ? {} : { mark }),
      };
      await run(
        dropLoad,
        {
          drop: dropKey(dropId, 'drop'),
          stock: dropKey(dropId, 'stock'),
          queue: dropKey(dropId, 'queue'),
          codes: dropKey(dropId, 'codes'),
          tick: dropKey(dropId, 'tick'),
        },
        { settings: JSON.stringify(settings) },
      );
    },
    async open(dropId, key) {
      const [state, lobbySize, frozen] = await run(
        dropOpen,
        {
          drop: dropKey(dropId, 'drop'),
          queue: dropKey(dropId, 'queue'),
          stock: dropKey(dropId, 'stock'),
          tick: dropKey(dropId, 'tick'),
        },
        { key, leadMs: limits.lobbyFreezeLeadMs },
      );
      return {
        state: state === 'missing' ? state : stateSchema.parse(state),
        lobbySize: Number(lobbySize),
        frozen: frozen === '1',
      };
    },
    async steer(dropId, steer) {
      const [kind, state] = await run(
        dropSteer,
        { drop: dropKey(dropId, 'drop'), tick: dropKey(dropId, 'tick') },
        { action: steer.action, value: steer.message ?? '' },
      );
      if (kind === 'steered' || kind === 'refused') return { kind, state: state ?? '' };
      return { kind: 'missing' };
    },
    async look(dropId) {
      const reply = await run(
        dropLook,
        {
          drop: dropKey(dropId, 'drop'),
          stock: dropKey(dropId, 'stock'),
          queue: dropKey(dropId, 'queue'),
          passes: dropKey(dropId, 'passes'),
        },
        {},
      );
      return reply[0] === 'seen' ? toView(dropId, reply) : null;
    },
  };
}

function toView(dropId: DropId, reply: string[]): DropView {
  const [, nowMs, state, json, activeCount] = reply;
  const { drop, stock, queue } = seenSchema.parse(JSON.parse(json ?? ''));
  const skus = Object.keys(stock)
    .filter(field => field.endsWith('/total') && !field.startsWith('*'))
    .map(field => field.slice(0, -'/total'.length));
  return {
    dropId,
    seq: count.parse(drop['seq']),
    nowMs: Number(nowMs),
    state: stateSchema.parse(state),
    opensAtMs: count.parse(drop['opensAtMs']),
    closesAtMs: drop['closesAtMs'] ? Number(drop['closesAtMs']) : null,
    soldOutAtMs: drop['soldOutAtMs'] ? Number(drop['soldOutAtMs']) : null,
    frozen: drop['frozen'] === '1',
    message: drop['message'] || null,
    key: drop['key'] ?? null,
    ratePerSec: Number(drop['ratePerSec']),
    activeMax: Number(drop['activeMax']),
    activeCount: Number(activeCount),
    unclaimedCount: Number(queue['unclaimed'] ?? 0),
    withHoldCount: Number(queue['withHold'] ?? 0),
    lanes: lanes.map(lane => ({
      lane,
      lobbySize: Number(queue[`${lane}/lobby`] ?? 0),
      arrived: Number(queue[`${lane}/arrived`] ?? 0),
      serving: Number(queue[`${lane}/serving`] ?? 0),
      pace: readPace(queue[`${lane}/pace`]),
    })),
    stock: skus.map(sku => ({
      sku: skuSchema.parse(sku),
      total: Number(stock[`${sku}/total`] ?? 0),
      available: Number(stock[`${sku}/available`] ?? 0),
      held: Number(stock[`${sku}/held`] ?? 0),
      sold: Number(stock[`${sku}/sold`] ?? 0),
      withdrawn: Number(stock[`${sku}/withdrawn`] ?? 0),
    })),
  };
}

/** `atMs=serving` of the last calls, as `queue-call` keeps them. */
function readPace(text = ''): { atMs: number; serving: number }[] {
  return text
    .split(',')
    .filter(Boolean)
    .map(pair => pair.split('='))
    .map(([atMs, serving]) => ({ atMs: Number(atMs), serving: Number(serving) }));
}
