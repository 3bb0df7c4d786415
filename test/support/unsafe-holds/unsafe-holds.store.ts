// `hold-place` as it must not be: it reads the stock and what the buyer has, thinks, and then writes what it concluded. All
// else is the real script, whose text is changed here in the places that make it safe. A SKU whose name begins with
// `SAFE-` is left to the real one.
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  createHoldsStore as createSafeStore,
  holdPlace,
  type HoldsStore,
  type PlaceRequest,
} from '../../../server/inventory/holds.store.ts';
import { limits } from '../../../server/limits.ts';
import { buyerBytes, dropKey, holdDropKey, holdKey } from '../../../server/platform/keys.ts';
import { readLua, type LuaRunner } from '../../../server/platform/lua-scripts.ts';

export * from '../../../server/inventory/holds.store.ts';

const thinkMs = 25;

export function createHoldsStore(options: { redis: Redis; run: LuaRunner }): HoldsStore {
  const { redis } = options;
  const safe = createSafeStore(options);
  return {
    ...safe,
    async place(request) {
      const [line] = request.lines;
      if (!line || line.sku.startsWith('SAFE-') || !(await mayHaveMore(redis, request)))
        return safe.place(request);
      const field = `${line.sku}/available`;
      const [ofSku, ofAll] = await redis.hmget(dropKey(request.dropId, 'stock'), field, '*/available');
      if (Number(ofSku) < line.quantity) return safe.place(request);
      await pause(thinkMs);
      const written = { ofSku: Number(ofSku) - line.quantity, ofAll: Number(ofAll) - line.quantity };
      return write({ redis, safe, request, written });
    },
  };
}

/** Whether the buyer's pass is free and their limit not reached, as of a moment ago. */
async function mayHaveMore(redis: Redis, { dropId, buyerId, lines }: PlaceRequest): Promise<boolean> {
  const buyer = buyerBytes(buyerId);
  const [max, bought, pass] = await Promise.all([
    redis.hget(dropKey(dropId, 'drop'), 'perBuyerMax'),
    redis.hget(dropKey(dropId, 'bought'), buyer),
    redis.hget(dropKey(dropId, 'passes'), buyer),
  ]);
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return Number(bought) + units <= Number(max) && pass?.endsWith('|') === true;
}

async function write(options: {
  redis: Redis;
  safe: HoldsStore;
  request: PlaceRequest;
  written: { ofSku: number; ofAll: number };
}): Promise<Awaited<ReturnType<HoldsStore['place']>>> {
  const { redis, safe, request, written } = options;
  const { dropId, holdId } = request;
  const keys = holdPlace.keys.map(name =>
    name === 'hold' ? holdKey(dropId, holdId) : dropKey(dropId, name),
  );
  await redis.set(holdDropKey(holdId), dropId, 'PX', limits.endedHoldTtlMs);
  await redis.eval(
    unsafeText(written),
    keys.length,
    ...keys,
    holdId,
    buyerBytes(request.buyerId),
    request.passExpiresAtMs,
    request.fingerprint,
    request.quoteExpiresAtMs,
    request.frozen,
    ...request.lines.flatMap(line => [line.sku, line.quantity]),
  );
  // Asked again, the real script finds the hold if there is one, and otherwise says why there is none.
  return safe.place(request);
}

function unsafeText(written: { ofSku: number; ofAll: number }): string {
  const changes: [string, string][] = [
    ['if tonumber(available) < tonumber(ARGV[index + 1]) then', 'if false then'],
    ["if pass.hold ~= '' then return", 'if false then return'],
    ['if bought + units > perBuyerMax then', 'if false then'],
    ['change(1, -units)', `change(1, ${written.ofAll} - tonumber(stock[1]))`],
    ['change(at, -quantity)', `change(at, ${written.ofSku} - tonumber(stock[at]))`],
  ];
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`hold-place.lua has no line "${from}" any more`);
      return text.replace(from, to);
    },
    readLua('hold-place', 'redis'),
  );
}
