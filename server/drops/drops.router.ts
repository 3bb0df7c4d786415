// drop.* for everybody.
import { z } from 'zod';
import { dropIdSchema, type Sku } from '../ids.ts';
import { fallenTo, type PriceStep } from '../pricing/falling-price.rules.ts';
import { publicProcedure, router } from '../trpc.ts';
import type { Drop, DropItem } from './drop.ts';
import type { LowestBefore } from './drop-offers.ts';
import { dropOutput } from './drop-schemas.ts';
import type { Drops } from './drops.ts';
import type { DropFeeds } from './feeds.ts';
import { availabilityOf, type DropView } from './drop-view.ts';
import { pageOf, pageInput } from './pages.ts';

const byDrop = z.strictObject({ dropId: dropIdSchema });

export function createDropsRouter(deps: {
  drops: Drops;
  feeds: DropFeeds;
  clock: { now(): number };
  /** The root of the drop's frozen lobby; null before the freeze. */
  lobbyRoot: (drop: Drop) => Promise<string | null>;
  lowestBefore: LowestBefore;
}) {
  const { drops, feeds, clock, lobbyRoot } = deps;
  const show = async (drop: Drop, lowest?: ReadonlyMap<Sku, number>) => {
    const [view, root] = await Promise.all([feeds.look(drop.dropId), lobbyRoot(drop)]);
    return describeDrop({ drop, view, root, lowest, nowMs: clock.now() });
  };
  return router({
    get: publicProcedure
      .input(byDrop)
      .output(dropOutput)
      .query(async ({ input }) => {
        const drop = await drops.get(input.dropId);
        return show(drop, await deps.lowestBefore(drop));
      }),

    list: publicProcedure
      .input(pageInput.optional())
      .output(z.object({ items: z.array(dropOutput), nextCursor: z.string().optional() }))
      .query(async ({ input }) => {
        const page = await pageOf(input ?? {}, options => drops.list(options));
        return { ...page, items: await Promise.all(page.items.map(drop => show(drop))) };
      }),

    watch: publicProcedure
      .input(z.strictObject({ dropId: dropIdSchema, lastEventId: z.string().max(100).optional() }))
      .subscription(async ({ input, signal }) => {
        await drops.get(input.dropId);
        return feeds.broadcast(input.dropId, signal);
      }),
  });
}

/** The drop as everybody may see it; `view` is null while Redis does not know it (yet, or any more). */
export function describeDrop(seen: {
  drop: Drop;
  view: DropView | null;
  root: string | null;
  lowest?: ReadonlyMap<Sku, number> | undefined;
  nowMs: number;
}): z.input<typeof dropOutput> {
  const { drop, view, root, lowest, nowMs } = seen;
  const stockOf = new Map(view?.stock.map(stock => [stock.sku, stock]));
  return {
    dropId: drop.dropId,
    title: drop.title,
    state: view?.state ?? (drop.ended ? 'closed' : 'scheduled'),
    mode: drop.mode,
    lobbyOpensAtMs: drop.lobbyOpensAtMs,
    opensAtMs: view?.opensAtMs ?? drop.opensAtMs,
    ...(drop.closesAtMs === null ? {} : { closesAtMs: drop.closesAtMs }),
    // The view may be some seconds old; a countdown needs the time of the answer.
    serverTimeMs: nowMs,
    perBuyerMax: drop.perBuyerMax,
    holdTtlMs: drop.holdTtlMs,
    items: drop.items.map(item => {
      const stock = stockOf.get(item.sku);
      const lowestAmount = lowest?.get(item.sku);
      return {
        sku: item.sku,
        title: item.title,
        price: {
          amount: fallenTo(item.price.amount, item.steps ?? [], nowMs),
          currency: item.price.currency,
        },
        ...(item.tiers?.length
          ? {
              tiers: item.tiers.map(({ from, amount }) => ({
                from,
                price: { amount, currency: item.price.currency },
              })),
            }
          : {}),
        ...(item.steps?.length ? { falling: fallingOf(item, item.steps) } : {}),
        ...(lowestAmount === undefined
          ? {}
          : { lowest30Days: { amount: lowestAmount, currency: item.price.currency } }),
        total: item.total,
        availability: stock ? availabilityOf(stock) : drop.ended ? 'sold-out' : 'available',
      };
    }),
    fairness: {
      seedHash: drop.seedHash,
      ...(drop.beacon === null ? {} : { beacon: drop.beacon }),
      ...(root === null ? {} : { root }),
      ...(view?.key ? { key: view.key } : {}),
    },
  };
}

function fallingOf({ price }: DropItem, steps: readonly PriceStep[]) {
  const money = (amount: number) => ({ amount, currency: price.currency });
  return {
    startPrice: price,
    floor: money(steps.at(-1)?.amount ?? price.amount),
    steps: steps.map(({ atMs, amount }) => ({ atMs, price: money(amount) })),
  };
}
