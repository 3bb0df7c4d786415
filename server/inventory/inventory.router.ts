// hold.*: place, look, release.
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { holdIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { moneyOutputSchema } from '../money.ts';
import { groupsOf } from '../pricing/pricing.router.ts';
import type { Quote } from '../pricing/quote.ts';
import { couponRefusals } from '../promotions/coupon.rules.ts';
import { buyerProcedure, limitedBuyerProcedure, router } from '../trpc.ts';
import type { HoldRecord } from './holds.store.ts';
import type { Inventory } from './inventory.ts';

const sealedText = z.string().min(1).max(limits.sealedTextChars);

export const placeInput = z.strictObject({ holdId: holdIdSchema, pass: sealedText, quote: sealedText });

const lineOutput = z.object({
  sku: skuSchema,
  title: z.string(),
  quantity: z.number(),
  unitPrice: moneyOutputSchema,
  total: moneyOutputSchema,
});

const holdFields = {
  holdId: holdIdSchema,
  expiresAtMs: z.number(),
  lines: z.array(lineOutput),
  total: moneyOutputSchema,
};

export const placeOutput = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['held', 'paying', 'settled', 'released']), ...holdFields }),
  z.object({ kind: z.enum(['sold-out', 'all-held']), sku: skuSchema }),
  z.object({ kind: z.literal('limit-reached'), limit: z.enum(['buyer', 'pass']) }),
  z.object({
    kind: z.enum(['pass-expired', 'quote-expired', 'not-open', 'paused', 'conflict']),
  }),
  z.object({ kind: z.literal('bad-coupon'), reason: z.enum(couponRefusals) }),
]);

export const holdOutput = z.object({
  kind: z.enum(['held', 'paying', 'settled', 'released']),
  payDeadlineMs: z.number().optional(),
  ...holdFields,
});

const byHold = z.strictObject({ holdId: holdIdSchema });

export function createHoldsRouter(deps: { inventory: Inventory }) {
  const { inventory } = deps;
  return router({
    place: limitedBuyerProcedure('hold')
      .input(placeInput)
      .output(placeOutput)
      .mutation(async ({ input, ctx }) => {
        const { outcome, quote } = await inventory.place({
          ...input,
          buyerId: ctx.buyerId,
          groups: groupsOf(ctx.caller),
        });
        ctx.metrics.outcomes.inc({ what: 'hold.place', kind: outcome.kind });
        switch (outcome.kind) {
          case 'held':
          case 'paying':
          case 'settled':
          case 'released':
            return {
              kind: outcome.kind,
              holdId: input.holdId,
              expiresAtMs: outcome.expiresAtMs,
              ...showQuote(quote),
            };
          case 'missing':
            throw new PublicError('unavailable', 'The drop is not loaded: try again', {
              retryAfterMs: 1_000,
            });
          case 'not-open':
            return { kind: outcome.kind };
          default:
            return outcome;
        }
      }),

    get: buyerProcedure
      .input(byHold)
      .output(holdOutput)
      .query(async ({ input, ctx }) => showHold(await inventory.get(ctx.buyerId, input.holdId))),

    release: limitedBuyerProcedure('write')
      .input(byHold)
      .output(holdOutput)
      .mutation(async ({ input, ctx }) => showHold(await inventory.release(ctx.buyerId, input.holdId))),
  });
}

function showQuote(quote: Quote) {
  const money = (amount: number) => ({ amount, currency: quote.currency });
  return {
    lines: quote.lines.map(line => ({
      sku: line.sku,
      title: line.title,
      quantity: line.quantity,
      unitPrice: money(line.unitAmount),
      total: money(line.totalAmount),
    })),
    total: money(quote.totalAmount),
  };
}

function showHold({ hold, quote }: { hold: HoldRecord; quote: Quote }) {
  return {
    kind: hold.state,
    holdId: hold.holdId,
    expiresAtMs: hold.expiresAtMs,
    ...(hold.payDeadlineMs === null ? {} : { payDeadlineMs: hold.payDeadlineMs }),
    ...showQuote(quote),
  };
}
