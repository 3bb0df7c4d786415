// What drop.* and admin.drop.* take and answer.
import { z } from 'zod';
import { dropIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { currencySchema, moneyOutputSchema, moneySchema } from '../money.ts';
import { plainCode } from './codes.ts';
import { dropStates, lanes } from './drop.ts';

const time = z.int().min(0).max(8_640_000_000_000_000);
const units = z.int().min(1).max(limits.dropUnitsCount);
const span = (bound: { min: number; max: number }) => z.int().min(bound.min).max(bound.max);
const title = z.string().trim().min(1).max(200);
export const ratePerSec = z.number().min(0).max(limits.ratePerSecMax);
/** What an operator tells those who wait. */
export const queueMessage = z.string().max(500);
/** At most this many orders enter payment each second, as far as the calling decides it. */
export const paymentsPerSec = z.number().gt(0).max(limits.ratePerSecMax);
/** Units that may be paid for with one card. */
const perCardMax = z.int().min(1).max(limits.perBuyerMaxCount);
export const activeMax = z.int().min(0).max(limits.activeMaxCount);

const stepSpan = span({ min: limits.priceStepMs.min, max: limits.priceStepMs.max });
/** How a price falls, from the announced opening on: equal steps down to a floor, or a list. In the drop's currency. */
const fallingInput = z.union([
  z.strictObject({ step: moneySchema, everyMs: stepSpan, floor: moneySchema }),
  z.strictObject({
    steps: z
      .array(z.strictObject({ afterMs: stepSpan, price: moneySchema }))
      .min(1)
      .max(limits.itemPriceStepsCount),
  }),
]);

export const createDropInput = z
  .strictObject({
    title,
    mode: z.enum(['fifo', 'shuffle', 'draw']),
    lobbyOpensAtMs: time.optional(),
    opensAtMs: time,
    closesAtMs: time.optional(),
    items: z
      .array(
        z.strictObject({
          sku: skuSchema,
          total: units,
          price: moneySchema.optional(),
          /** In the drop's currency; the catalog's where they are left out, none where the list is empty. */
          tiers: z
            .array(z.strictObject({ from: z.int().min(2).max(limits.lineQuantityCount), price: moneySchema }))
            .max(limits.dropTiersCount)
            .optional(),
          falling: fallingInput.optional(),
        }),
      )
      .min(1)
      .max(limits.dropItemsCount),
    /** What it sells in; without it, the currency of its items' prices. */
    currency: currencySchema.optional(),
    perBuyerMax: z.int().min(1).max(limits.perBuyerMaxCount),
    ratePerSec: ratePerSec.gt(0),
    activeMax: activeMax.min(1),
    callWindowMs: span(limits.callWindowMs).optional(),
    passTtlMs: span(limits.passTtlMs).optional(),
    holdTtlMs: span(limits.holdTtlMs).optional(),
    paymentWindowMs: span(limits.paymentWindowMs).optional(),
    paymentsPerSec: paymentsPerSec.optional(),
    botGate: z.enum(['off', 'on', 'auto']).optional(),
    codes: z
      .array(z.strictObject({ code: z.string().trim().min(4).max(64), maxUses: z.int().min(1) }))
      .max(1_000)
      .optional(),
    beacon: z
      .string()
      .max(200)
      .regex(/^[a-z0-9]+(:[A-Za-z0-9._-]+)+$/, 'the name of a public random value, as drand:CHAIN:ROUND')
      .optional(),
    delayedMethods: z.boolean().optional(),
    perCardMax: perCardMax.optional(),
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
    if (new Set(drop.codes?.map(({ code }) => plainCode(code))).size !== (drop.codes?.length ?? 0))
      refuse('codes', 'a code is listed twice');
    if (drop.beacon !== undefined && drop.mode === 'fifo')
      refuse('beacon', 'a drop in order of arrival shuffles nothing, so it needs no beacon');
  });

export const updateDropInput = z.strictObject({
  dropId: dropIdSchema,
  title: title.optional(),
  closesAtMs: time.optional(),
  perBuyerMax: z.int().min(1).max(limits.perBuyerMaxCount).optional(),
  /** For orders that are placed from now on. */
  perCardMax: perCardMax.optional(),
  ratePerSec: ratePerSec.optional(),
  activeMax: activeMax.optional(),
  paymentsPerSec: paymentsPerSec.optional(),
  /** From here to `delayedMethods`: only until the drop is about to open. */
  opensAtMs: time.optional(),
  lobbyOpensAtMs: time.optional(),
  callWindowMs: span(limits.callWindowMs).optional(),
  passTtlMs: span(limits.passTtlMs).optional(),
  holdTtlMs: span(limits.holdTtlMs).optional(),
  paymentWindowMs: span(limits.paymentWindowMs).optional(),
  botGate: z.enum(['off', 'on', 'auto']).optional(),
  delayedMethods: z.boolean().optional(),
  /** Units may be added, or taken back, while the drop runs. */
  items: z
    .array(
      z.strictObject({
        sku: skuSchema,
        addUnits: units.optional(),
        withdrawUnits: units.optional(),
        /**
         * Of an item whose price falls: another schedule, until the drop is about to open; or null, which holds the price where
         * it is, at any time.
         */
        falling: fallingInput.nullable().optional(),
        /** What it falls from, with another schedule. */
        price: moneySchema.optional(),
      }),
    )
    .max(limits.dropItemsCount)
    .optional(),
});

export const stateSchema = z.enum(dropStates);
const availabilitySchema = z.enum(['available', 'all-held', 'sold-out']);
const laneSchema = z.enum(lanes);

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
      /** From so many pieces on, each costs so much. */
      tiers: z.array(z.object({ from: z.int(), price: moneyOutputSchema })).optional(),
      /** How the price falls; `price` is what it has fallen to at `serverTimeMs`. */
      falling: z
        .object({
          startPrice: moneyOutputSchema,
          floor: moneyOutputSchema,
          steps: z.array(z.object({ atMs: z.number(), price: moneyOutputSchema })),
        })
        .optional(),
      /** Where the price is a reduction, of `drop.get` alone: the lowest of the 30 days before it, by catalog and drops. */
      lowest30Days: moneyOutputSchema.optional(),
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

/** What the shop sees of its drop: every setting, and the stock in figures where Redis knows it. */
export const adminDropOutput = dropOutput.omit({ fairness: true }).extend({
  items: z.array(
    dropOutput.shape.items.element.extend({
      withdrawn: z.int(),
      available: z.int().optional(),
      held: z.int().optional(),
      sold: z.int().optional(),
    }),
  ),
  ratePerSec: z.number(),
  activeMax: z.int(),
  paymentsPerSec: z.number().optional(),
  callWindowMs: z.int(),
  passTtlMs: z.int(),
  paymentWindowMs: z.int(),
  botGate: z.enum(['off', 'on', 'auto']),
  perCardMax: z.int().optional(),
  delayedMethods: z.boolean(),
  codesCount: z.int(),
  beacon: z.string().optional(),
  /** What those who wait are told now. */
  message: z.string().optional(),
  createdAtMs: z.number(),
  /** Counts the edits from 1. */
  rev: z.int(),
  /** Nothing can happen to it any more. */
  ended: z.boolean(),
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
  /** Until it opens: the shop may move it, and a countdown goes by it. */
  opensAtMs: z.number().optional(),
  serverTimeMs: z.number(),
});
export type DropWatch = z.infer<typeof dropWatchOutput>;
