// drop.* for everybody and admin.drop.* for the shop.
import { tracked } from '@trpc/server';
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { dropIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { moneyOutputSchema, moneySchema } from '../money.ts';
import { adminProcedure, publicProcedure, router } from '../trpc.ts';
import { dropStates, type Drop } from './drop.ts';
import type { Drops } from './drops.ts';
import type { DropFeeds } from './feeds.ts';
import { availabilityOf, type DropView } from './drop-view.ts';
import { pageOf, pageInput } from './pages.ts';

const time = z.int().min(0).max(8_640_000_000_000_000);
const units = z.int().min(1).max(limits.dropUnitsCount);
const span = (bound: { min: number; max: number }) => z.int().min(bound.min).max(bound.max);
const title = z.string().trim().min(1).max(200);
const ratePerSec = z.number().min(0).max(limits.ratePerSecMax);
const activeMax = z.int().min(0).max(limits.activeMaxCount);

export const createDropInput = z
  .strictObject({
    title,
    mode: z.enum(['fifo', 'shuffle', 'draw']),
    lobbyOpensAtMs: time.optional(),
    opensAtMs: time,
    closesAtMs: time.optional(),
    items: z
      .array(z.strictObject({ sku: skuSchema, total: units, price: moneySchema.optional() }))
      .min(1)
      .max(limits.dropItemsCount),
    perBuyerMax: z.int().min(1).max(limits.perBuyerMaxCount),
    ratePerSec: ratePerSec.gt(0),
    activeMax: activeMax.min(1),
    callWindowMs: span(limits.callWindowMs).optional(),
    passTtlMs: span(limits.passTtlMs).optional(),
    holdTtlMs: span(limits.holdTtlMs).optional(),
    paymentWindowMs: span(limits.paymentWindowMs).optional(),
    botGate: z.enum(['off', 'on', 'auto']).optional(),
    codes: z
      .array(z.strictObject({ code: z.string().min(4).max(64), maxUses: z.int().min(1) }))
      .max(1_000)
      .optional(),
    beacon: z.string().max(200).optional(),
    delayedMethods: z.boolean().optional(),
  })
  .superRefine((drop, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (new Set(drop.items.map(item => item.sku)).size !== drop.items.length)
      refuse('items', 'a SKU is listed twice');
    if (drop.items.reduce((sum, item) => sum + item.total, 0) > limits.dropUnitsCount) {
      refuse('items', `a drop has at most ${limits.dropUnitsCount} units`);
    }
    if (drop.lobbyOpensAtMs !== undefined && drop.lobbyOpensAtMs > drop.opensAtMs) {
      refuse('lobbyOpensAtMs', 'the lobby must open before the drop does');
    }
    if (drop.closesAtMs !== undefined && drop.closesAtMs <= drop.opensAtMs) {
      refuse('closesAtMs', 'the drop must close after it opens');
    }
    // Settings of parts that this version does not have are refused, not ignored: a shop would rely on them.
    if (drop.botGate === 'on') refuse('botGate', 'the bot gate is not available in this version');
    if (drop.codes && drop.codes.length > 0)
      refuse('codes', 'the priority lane is not available in this version');
    if (drop.beacon !== undefined) refuse('beacon', 'a public beacon is not available in this version');
    if (drop.delayedMethods)
      refuse('delayedMethods', 'delayed payment methods are not available in this version');
  });

export const updateDropInput = z.strictObject({
  dropId: dropIdSchema,
  title: title.optional(),
  closesAtMs: time.optional(),
  perBuyerMax: z.int().min(1).max(limits.perBuyerMaxCount).optional(),
  ratePerSec: ratePerSec.optional(),
  activeMax: activeMax.optional(),
  /** Units may be added, or taken back, while the drop runs. */
  items: z
    .array(z.strictObject({ sku: skuSchema, addUnits: units.optional(), withdrawUnits: units.optional() }))
    .max(limits.dropItemsCount)
    .optional(),
});

const stateSchema = z.enum(dropStates);
const availabilitySchema = z.enum(['available', 'all-held', 'sold-out']);
const laneSchema = z.enum(['priority', 'general', 'late']);

export const dropOutput = z.object({
  dropId: dropIdSchema,
  title: z.string(),
  state: stateSchema,
  mode: z.enum(['fifo', 'shuffle', 'draw']),
  lobbyOpensAtMs: z.number(),
  opensAtMs: z.number(),
  closesAtMs: z.number().optional(),
  serverTimeMs: z.number(),
  perBuyerMax: z.number(),
  holdTtlMs: z.number(),
  items: z.array(
    z.object({
      sku: skuSchema,
      title: z.string(),
      price: moneyOutputSchema,
      total: z.number(),
      availability: availabilitySchema,
    }),
  ),
  fairness: z.object({
    seedHash: z.string(),
    beacon: z.string().optional(),
    root: z.string().optional(),
    key: z.string().optional(),
  }),
});

export const dropWatchOutput = z.object({
  state: stateSchema,
  message: z.string().optional(),
  key: z.string().optional(),
  lanes: z.array(
    z.object({
      lane: laneSchema,
      lobbySize: z.number(),
      arrived: z.number(),
      serving: z.number(),
      callsPerMin: z.number(),
    }),
  ),
  items: z.array(z.object({ sku: skuSchema, availability: availabilitySchema, available: z.number() })),
  serverTimeMs: z.number(),
});
export type DropWatch = z.infer<typeof dropWatchOutput>;

const steered = z.object({ state: stateSchema });
const byDrop = z.strictObject({ dropId: dropIdSchema });

export function createDropsRouter(deps: { drops: Drops; feeds: DropFeeds }) {
  const { drops, feeds } = deps;
  const show = async (drop: Drop) => describeDrop(drop, await feeds.look(drop.dropId));
  return router({
    get: publicProcedure
      .input(byDrop)
      .output(dropOutput)
      .query(async ({ input }) => show(await drops.get(input.dropId))),

    list: publicProcedure
      .input(pageInput.optional())
      .output(z.object({ items: z.array(dropOutput), nextCursor: z.string().optional() }))
      .query(async ({ input }) => {
        const page = await pageOf(input ?? {}, options => drops.list(options));
        return { ...page, items: await Promise.all(page.items.map(show)) };
      }),

    watch: publicProcedure
      .input(z.strictObject({ dropId: dropIdSchema, lastEventId: z.string().max(100).optional() }))
      .subscription(async function* ({ input, signal }) {
        await drops.get(input.dropId);
        for await (const event of feeds.watch(input.dropId, signal)) yield tracked(event.id, event.watch);
      }),
  });
}

export function createAdminDropsRouter(deps: { drops: Drops }) {
  const { drops } = deps;
  const steer = (action: 'open' | 'pause' | 'resume' | 'close') =>
    adminProcedure
      .input(byDrop)
      .output(steered)
      .mutation(async ({ input }) => steered.parse(await drops.steer(input.dropId, { action })));
  return router({
    create: adminProcedure
      .input(createDropInput)
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => ({ dropId: (await drops.create(input)).dropId })),

    update: adminProcedure
      .input(updateDropInput)
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => ({ dropId: (await drops.update(input)).dropId })),

    open: steer('open'),
    pause: steer('pause'),
    resume: steer('resume'),
    close: steer('close'),

    throttle: adminProcedure
      .input(
        z.strictObject({
          dropId: dropIdSchema,
          ratePerSec: ratePerSec.optional(),
          activeMax: activeMax.optional(),
        }),
      )
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => {
        if (input.ratePerSec === undefined && input.activeMax === undefined) {
          throw new PublicError('invalid-input', 'Give ratePerSec, activeMax, or both');
        }
        await drops.update(input);
        return { dropId: input.dropId };
      }),

    message: adminProcedure
      .input(z.strictObject({ dropId: dropIdSchema, text: z.string().max(500) }))
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => {
        await drops.steer(input.dropId, { action: 'message', value: input.text });
        return { dropId: input.dropId };
      }),
  });
}

/** The drop as everybody may see it; `view` is null while Redis does not know it (yet, or any more). */
export function describeDrop(drop: Drop, view: DropView | null): z.input<typeof dropOutput> {
  const stockOf = new Map(view?.stock.map(stock => [stock.sku, stock]));
  return {
    dropId: drop.dropId,
    title: drop.title,
    state: view?.state ?? (drop.ended ? 'closed' : 'scheduled'),
    mode: drop.mode,
    lobbyOpensAtMs: drop.lobbyOpensAtMs,
    opensAtMs: view?.opensAtMs ?? drop.opensAtMs,
    ...(drop.closesAtMs === null ? {} : { closesAtMs: drop.closesAtMs }),
    serverTimeMs: view?.nowMs ?? Date.now(),
    perBuyerMax: drop.perBuyerMax,
    holdTtlMs: drop.holdTtlMs,
    items: drop.items.map(item => {
      const stock = stockOf.get(item.sku);
      return {
        sku: item.sku,
        title: item.title,
        price: item.price,
        total: item.total,
        availability: stock ? availabilityOf(stock) : drop.ended ? 'sold-out' : 'available',
      };
    }),
    fairness: { seedHash: drop.seedHash, ...(view?.key ? { key: view.key } : {}) },
  };
}
