// What a new drop asks for its items, and in which currency. It is decided once, when the drop is made, and written into its
// document: a change of the catalog or of a rate never changes what a drop that people wait for has announced.
//
// A drop sells in one currency. That is the one it names, else that of its items' prices. An item's price is its own; else
// the catalog's in that currency; else the catalog's base price, converted by the shop's rate.
import type { z } from 'zod';
import { PublicError } from '../errors.ts';
import type { Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import { missedLeastAmount } from '../payments/least-amounts.rules.ts';
import type { ExchangeRate } from '../pricing/conversion.rules.ts';
import type { TaxClass } from '../pricing/tax-rates.rules.ts';
import {
  fallingProblem,
  priceStepsOf,
  stepsCountOf,
  type FallingSchedule,
  type PriceStep,
} from '../pricing/falling-price.rules.ts';
import { roundingStepOf } from '../pricing/currencies.rules.ts';
import { tiersProblem, type PriceTier } from '../pricing/unit-price.rules.ts';
import { variantPriceIn } from '../pricing/variant-price.rules.ts';
import type { DropItem } from './drop.ts';
import type { createDropInput } from './drop-schemas.ts';

export interface CatalogVariant {
  readonly title: string;
  readonly price: Money;
  readonly prices?: readonly Money[];
  readonly tiers?: readonly { readonly from: number; readonly price: Money }[];
  readonly taxClass?: TaxClass;
}

type CreateInput = z.output<typeof createDropInput>;
type ItemInput = CreateInput['items'][number];

export async function priceItems(
  input: Pick<CreateInput, 'items' | 'currency' | 'opensAtMs'>,
  from: {
    variantsBySku: (skus: readonly Sku[]) => Promise<ReadonlyMap<Sku, CatalogVariant>>;
    ratesInto?: ((currency: string) => Promise<ReadonlyMap<string, ExchangeRate>>) | undefined;
  },
): Promise<DropItem[]> {
  const variants = await from.variantsBySku(input.items.map(item => item.sku));
  const currency = input.currency ?? oneCurrency(input.items, variants);
  // A drop in the currency of the catalog asks nobody for rates.
  const needsRate = input.items.some(
    ({ sku, price }) => !price && variants.get(sku)?.price.currency !== currency,
  );
  const rates = needsRate ? await from.ratesInto?.(currency) : undefined;
  const items = input.items.map((item): DropItem => {
    const variant = variants.get(item.sku);
    const { price, tiers, rate } = priceOf(item, { variant, currency, rates: rates ?? new Map() });
    return {
      sku: item.sku,
      title: variant?.title ?? item.sku,
      price,
      ...(tiers.length > 0 ? { tiers } : {}),
      ...(variant?.taxClass && variant.taxClass !== 'standard' ? { taxClass: variant.taxClass } : {}),
      ...(rate ? { rate } : {}),
      ...(item.falling ? { steps: stepsOf(item, item.falling, { price, opensAtMs: input.opensAtMs }) } : {}),
      total: item.total,
      withdrawn: 0,
    };
  });
  assertStepsCount(items);
  return items;
}

export function assertStepsCount(items: readonly Pick<DropItem, 'steps'>[]): void {
  if (items.reduce((sum, item) => sum + (item.steps?.length ?? 0), 0) <= limits.dropPriceStepsCount) return;
  throw new PublicError(
    'invalid-input',
    `The prices of a drop fall in at most ${limits.dropPriceStepsCount} steps together`,
  );
}

/** Throws PublicError `invalid-input` for a schedule that cannot be kept. */
export function stepsOf(
  { sku }: Pick<ItemInput, 'sku'>,
  falling: NonNullable<ItemInput['falling']>,
  at: { price: Money; opensAtMs: number },
): PriceStep[] {
  const { price, opensAtMs } = at;
  const wrong = (message: string) =>
    new PublicError('invalid-input', `SKU ${sku} has a price that cannot fall so: ${message}`);
  const amountOf = ({ amount, currency }: Money) => {
    if (currency !== price.currency)
      throw wrong(`it is in ${currency}, and the drop sells in ${price.currency}`);
    return amount;
  };
  const schedule: FallingSchedule =
    'steps' in falling
      ? { steps: falling.steps.map(step => ({ afterMs: step.afterMs, amount: amountOf(step.price) })) }
      : {
          stepAmount: amountOf(falling.step),
          everyMs: falling.everyMs,
          floorAmount: amountOf(falling.floor),
        };
  if ('stepAmount' in schedule && schedule.stepAmount < 1) throw wrong('a step takes something off');
  if (stepsCountOf(schedule, price.amount) > limits.itemPriceStepsCount)
    throw wrong(`it would take more than ${limits.itemPriceStepsCount} steps`);
  const steps = priceStepsOf(schedule, { startAmount: price.amount, opensAtMs });
  const problem = fallingProblem(steps, {
    startAmount: price.amount,
    // Asked of the least there is; where the currency has none of its own, nothing must at least not be free.
    leastAmount: missedLeastAmount({ amount: 1, currency: price.currency }) ?? 1,
    roundingStep: roundingStepOf(price.currency),
    betweenMs: limits.priceStepMs.min,
    fromMs: opensAtMs,
  });
  if (problem) throw wrong(problem);
  return steps;
}

function priceOf(
  item: ItemInput,
  known: {
    variant: CatalogVariant | undefined;
    currency: string;
    rates: ReadonlyMap<string, ExchangeRate>;
  },
): { price: Money; tiers: PriceTier[]; rate?: ExchangeRate | undefined } {
  const { sku } = item;
  const { variant, currency, rates } = known;
  const wrong = (message: string) => new PublicError('invalid-input', `SKU ${sku} ${message}`);
  // What the shop has priced itself takes nothing that would have to be converted: its tiers would be at a price it never said.
  const listed = variant ? variantPriceIn(variant, currency, item.price ? new Map() : rates) : null;
  const rate = listed?.rate ? { rate: listed.rate } : {};
  const amount = item.price?.amount ?? listed?.amount;
  if (item.price && item.price.currency !== currency)
    throw wrong(
      `has a price in ${item.price.currency}: all SKUs of a drop share one currency, here ${currency}`,
    );
  if (amount === undefined) {
    throw variant
      ? wrong(`has no price in ${currency}: give it one, or set a rate from ${variant.price.currency}`)
      : wrong('is not in the catalog: add its product first, or give it a price');
  }
  const price = { amount, currency };
  if (!item.tiers) {
    // Where the drop asks less than the catalog, a tier that is dearer than that would promise nothing.
    const tiers = (listed?.tiers ?? []).filter(tier => tier.amount < amount);
    return { price, tiers, ...rate };
  }
  if (item.tiers.some(tier => tier.price.currency !== currency))
    throw wrong(`has tiers in another currency than ${currency}`);
  const tiers = item.tiers.map(({ from, price: each }) => ({ from, amount: each.amount }));
  const problem = tiersProblem(tiers, amount);
  if (problem) throw wrong(`has tiers that cannot be kept: ${problem}`);
  return { price, tiers, ...rate };
}

function oneCurrency(items: readonly ItemInput[], variants: ReadonlyMap<Sku, CatalogVariant>): string {
  const found = items.map(({ sku, price }) => {
    const known = price ?? variants.get(sku)?.price;
    if (known) return known.currency;
    throw new PublicError(
      'invalid-input',
      `SKU ${sku} is not in the catalog: add its product first, or give it a price`,
    );
  });
  const [currency, ...others] = new Set(found);
  if (currency === undefined || others.length > 0) {
    throw new PublicError(
      'invalid-input',
      `All SKUs of a drop share one currency; these have ${[...new Set(found)].join(', ')}: name the drop's currency`,
    );
  }
  return currency;
}
