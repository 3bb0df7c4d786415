// admin.drop.* for the shop: every setting of a drop, and what is done to it.
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { dropIdSchema } from '../ids.ts';
import { staffProcedure, router } from '../trpc.ts';
import type { Drop } from './drop.ts';
import {
  activeMax,
  adminDropOutput,
  createDropInput,
  paymentsPerSec,
  queueMessage,
  ratePerSec,
  stateSchema,
  updateDropInput,
} from './drop-schemas.ts';
import type { DropView } from './drop-view.ts';
import type { Drops } from './drops.ts';
import { describeDrop } from './drops.router.ts';
import type { DropFeeds } from './feeds.ts';
import { pageInput, pageOf } from './pages.ts';

const steered = z.object({ state: stateSchema });
const byDrop = z.strictObject({ dropId: dropIdSchema });

export function createAdminDropsRouter(deps: {
  drops: Drops;
  feeds: Pick<DropFeeds, 'look'>;
  clock: { now(): number };
}) {
  const { drops, feeds, clock } = deps;
  const show = async (drop: Drop) =>
    describeForShop({ drop, view: await feeds.look(drop.dropId), nowMs: clock.now() });
  const steer = (action: 'open' | 'pause' | 'resume' | 'close') =>
    staffProcedure('operator')
      .input(byDrop.extend({ message: queueMessage.optional() }))
      .output(steered)
      .mutation(async ({ input: { dropId, message } }) =>
        steered.parse(await drops.steer(dropId, { action, ...(message ? { message } : {}) })),
      );
  return router({
    get: staffProcedure('viewer')
      .input(byDrop)
      .output(adminDropOutput)
      .query(async ({ input }) => show(await drops.get(input.dropId))),

    list: staffProcedure('viewer')
      .input(pageInput.optional())
      .output(z.object({ items: z.array(adminDropOutput), nextCursor: z.string().optional() }))
      .query(async ({ input }) => {
        const page = await pageOf(input ?? {}, options => drops.list(options));
        return { ...page, items: await Promise.all(page.items.map(show)) };
      }),

    create: staffProcedure('admin')
      .input(createDropInput)
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => ({ dropId: (await drops.create(input)).dropId })),

    update: staffProcedure('admin')
      .input(updateDropInput)
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => ({ dropId: (await drops.update(input)).dropId })),

    open: steer('open'),
    pause: steer('pause'),
    resume: steer('resume'),
    close: steer('close'),

    throttle: staffProcedure('operator')
      .input(
        z.strictObject({
          dropId: dropIdSchema,
          ratePerSec: ratePerSec.optional(),
          activeMax: activeMax.optional(),
          paymentsPerSec: paymentsPerSec.optional(),
        }),
      )
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => {
        const { dropId: _dropId, ...changes } = input;
        if (Object.values(changes).every(value => value === undefined)) {
          throw new PublicError(
            'invalid-input',
            'Give ratePerSec, activeMax, paymentsPerSec, or several of them',
          );
        }
        await drops.update(input);
        return { dropId: input.dropId };
      }),

    message: staffProcedure('operator')
      .input(z.strictObject({ dropId: dropIdSchema, text: queueMessage }))
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => {
        await drops.steer(input.dropId, { action: 'message', message: input.text });
        return { dropId: input.dropId };
      }),
  });
}

/** As everybody sees it, and all that the shop decided besides; `view` is null while Redis does not know it. */
function describeForShop(seen: {
  drop: Drop;
  view: DropView | null;
  nowMs: number;
}): z.input<typeof adminDropOutput> {
  const { drop, view, nowMs } = seen;
  const { fairness: _fairness, ...shown } = describeDrop({ drop, view, root: null, nowMs });
  const stockOf = new Map<string, DropView['stock'][number]>(view?.stock.map(stock => [stock.sku, stock]));
  const withdrawnOf = new Map<string, number>(drop.items.map(item => [item.sku, item.withdrawn]));
  return {
    ...shown,
    items: shown.items.map(item => {
      const stock = stockOf.get(item.sku);
      return {
        ...item,
        withdrawn: withdrawnOf.get(item.sku) ?? 0,
        ...(stock ? { available: stock.available, held: stock.held, sold: stock.sold } : {}),
      };
    }),
    ratePerSec: drop.ratePerSec,
    activeMax: drop.activeMax,
    ...(drop.paymentsPerSec === null ? {} : { paymentsPerSec: drop.paymentsPerSec }),
    callWindowMs: drop.callWindowMs,
    passTtlMs: drop.passTtlMs,
    paymentWindowMs: drop.paymentWindowMs,
    botGate: drop.botGate,
    ...(drop.perCardMax === null ? {} : { perCardMax: drop.perCardMax }),
    delayedMethods: drop.delayedMethods,
    codesCount: drop.codes.length,
    ...(drop.beacon === null ? {} : { beacon: drop.beacon }),
    ...(view?.message ? { message: view.message } : {}),
    createdAtMs: drop.createdAtMs,
    rev: drop.rev,
    ended: drop.ended,
  };
}
