// A new price for a whole catalog, or a part of it, page by page. What makes it safe to die anywhere: what was asked for
// stands in a document before the first price changes; each product is marked in the very write that changes its price, so
// a page that is done again changes nothing twice, whatever other repricings have passed over it meanwhile; and a
// repricing that nobody has ended is found by whoever asks for the same, who goes on with it instead of beginning another.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type ProductId, productIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { PublicError } from '../errors.ts';
import { collectionOf, isDuplicateKey, type MongoConnection } from '../platform/mongo.ts';
import { roundingStepOf } from '../pricing/currencies.rules.ts';
import type { PriceChange } from '../pricing/reprice.rules.ts';
import type { RepricedProduct, WriteOutcome } from './catalog.store.ts';
import type { Product, ProductInput } from './product.ts';

/** Which prices, and what becomes of them: 9,000 basis points are ten percent less. */
export interface RepriceTerms {
  readonly basisPoints: number;
  readonly brand?: string | undefined;
  readonly category?: string | undefined;
  /** The price list of one currency; all of them without it. */
  readonly currency?: string | undefined;
}

const documentSchema = z.object({
  _id: z.string(),
  /** What was asked for, as one text; of those that are not ended it is there once. */
  asked: z.string(),
  basisPoints: z.int(),
  brand: z.string().optional(),
  category: z.string().optional(),
  currency: z.string().optional(),
  state: z.enum(['running', 'done', 'ended']),
  /** The last product of the last page. */
  after: z.string(),
  products: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  refused: z.int(),
  prices: z.int(),
  startedAtMs: z.number(),
});
type RepriceDocument = z.infer<typeof documentSchema>;

export interface RepriceProgress {
  readonly repriceId: string;
  readonly state: 'running' | 'done' | 'ended';
  /** True where it was begun before. */
  readonly resumed: boolean;
  /** Looked at so far; each is one of the three. */
  readonly products: number;
  readonly changed: number;
  /** Too cheap for a difference after rounding, or without a price in the currency. */
  readonly unchanged: number;
  /** Others kept changing it, or its prices would pass what can be charged. */
  readonly refused: number;
  /** Single prices that changed; of products that were met a second time, all that were asked for. */
  readonly prices: number;
  /** Why, of those that were refused in this page. */
  readonly problems: readonly { readonly productId: string; readonly reason: string }[];
}

export interface RepricePage {
  readonly after: ProductId | null;
  readonly products: number;
  readonly changed: number;
  readonly prices: number;
  readonly refused: number;
  /** A few, as they are and as they would be. */
  readonly samples: readonly {
    readonly sku: string;
    readonly currency: string;
    readonly from: number;
    readonly to: number;
  }[];
}

export interface Reprice {
  ensureIndexes(): Promise<void>;
  /** What a page of it would change; writes nothing. `after` null in the answer: it was the last. */
  preview(terms: RepriceTerms, after: ProductId | null): Promise<RepricePage>;
  /** Begins one, or finds the one that was begun and not ended. */
  start(terms: RepriceTerms): Promise<RepriceProgress & { total: number }>;
  /** One page further; one that is done stays as it is. */
  step(repriceId: string): Promise<RepriceProgress>;
  /**
   * Its result was read: who asks for the same again means another one. One that still runs goes on unless it is given up;
   * what it has changed by then stays changed.
   */
  end(repriceId: string, options?: { giveUp?: boolean | undefined }): Promise<RepriceProgress>;
}

/** What it needs of the catalog. */
export interface RepriceCatalog {
  page(query: RepriceTerms & { after: ProductId | null; limit: number }): Promise<RepricedProduct[]>;
  count(terms: RepriceTerms): Promise<number>;
  /** Each on its own, if its rev is still this one, and marked by who repriced it. */
  write(
    changes: readonly { readonly input: ProductInput; readonly rev: number }[],
    repricedBy: string,
  ): Promise<WriteOutcome[]>;
  find(productId: ProductId): Promise<RepricedProduct | null>;
}

/** What became of one product. */
type Applied =
  | { readonly kind: 'changed' | 'unchanged'; readonly prices: number }
  | { readonly kind: 'refused'; readonly reason: string };

const samplesMax = 5;
const attemptsMax = 5;

export function createReprice(deps: {
  connection: MongoConnection;
  catalog: RepriceCatalog;
  amounts: (amounts: Float64Array, change: PriceChange) => Promise<Float64Array>;
  clock: { now(): number };
}): Reprice {
  const { catalog, amounts, clock } = deps;
  const runs = collectionOf<RepriceDocument>(deps.connection, 'reprices');
  const find = async (repriceId: string) => {
    const found = await runs.findOne({ _id: repriceId });
    if (!found) throw new PublicError('not-found', 'There is no such repricing');
    return documentSchema.parse(found);
  };

  /** The products at their new prices; null for one that stays as it is. */
  const repriced = async (
    products: readonly Product[],
    terms: RepriceTerms,
  ): Promise<(NewPrices | null)[]> => {
    const places = products.flatMap((product, index) =>
      pricesIn(product, terms).map(price => ({ index, ...price })),
    );
    const changed = new Map<string, number>();
    // Each currency is rounded in its own steps; one block for each, whatever the number of products.
    for (const currency of new Set(places.map(place => place.currency))) {
      const own = places.filter(place => place.currency === currency);
      const change = { basisPoints: terms.basisPoints, step: roundingStepOf(currency) };
      const after = await amounts(
        Float64Array.from(own, place => place.amount),
        change,
      );
      for (const [at, place] of own.entries())
        changed.set(`${place.index} ${place.path}`, after[at] ?? place.amount);
    }
    return products.map((product, index) =>
      withPrices(product, terms, path => changed.get(`${index} ${path}`)),
    );
  };

  /** A page of products, each compared and set; those that somebody else changed meanwhile are looked at again. */
  const apply = async (page: readonly RepricedProduct[], run: RepriceDocument): Promise<Applied[]> => {
    const applied = new Map<ProductId, Applied>();
    let open = page;
    for (let attempt = 0; attempt < attemptsMax && open.length > 0; attempt += 1) {
      const next = await repriced(
        open.map(({ product }) => product),
        run,
      );
      const due = open.flatMap(({ product, repricings }, index) => {
        const change = next[index];
        // The page was begun before, and its end was not written down: nor was how many of its prices rounding left alone.
        if (repricings.includes(run._id))
          applied.set(product.productId, { kind: 'changed', prices: pricesIn(product, run).length });
        else if (!change) applied.set(product.productId, { kind: 'unchanged', prices: 0 });
        else if (change.problem !== null)
          applied.set(product.productId, { kind: 'refused', reason: change.problem });
        else return [{ product, change }];
        return [];
      });
      const outcomes = await catalog.write(
        due.map(({ product, change }) => ({ input: change.input, rev: product.rev })),
        run._id,
      );
      const changedMeanwhile: ProductId[] = [];
      for (const [index, { product, change }] of due.entries()) {
        const kind = outcomes[index]?.kind;
        if (kind === 'updated')
          applied.set(product.productId, { kind: 'changed', prices: change.changes.length });
        else if (kind === 'unchanged') applied.set(product.productId, { kind: 'unchanged', prices: 0 });
        else changedMeanwhile.push(product.productId);
      }
      const found = await Promise.all(changedMeanwhile.map(productId => catalog.find(productId)));
      // Gone meanwhile.
      for (const [index, productId] of changedMeanwhile.entries())
        if (!found[index]) applied.set(productId, { kind: 'unchanged', prices: 0 });
      open = found.filter(each => each !== null);
    }
    return page.map(
      ({ product }): Applied =>
        applied.get(product.productId) ?? {
          kind: 'refused',
          reason: 'others are changing this product at the same time',
        },
    );
  };

  return {
    async ensureIndexes() {
      await runs.createIndexes([
        { key: { asked: 1 }, unique: true, partialFilterExpression: { state: { $in: ['running', 'done'] } } },
      ]);
    },
    async preview(terms, after) {
      const found = await catalog.page({ ...terms, after, limit: limits.repricePageCount });
      const next = await repriced(
        found.map(({ product }) => product),
        terms,
      );
      const good = next.flatMap(each => (each && each.problem === null ? [each] : []));
      return {
        after: found.length < limits.repricePageCount ? null : (found.at(-1)?.product.productId ?? null),
        products: found.length,
        changed: good.length,
        prices: good.reduce((sum, { changes }) => sum + changes.length, 0),
        refused: next.filter(each => each !== null && each.problem !== null).length,
        samples: good.flatMap(({ changes }) => changes).slice(0, samplesMax),
      };
    },
    async start(terms) {
      const { basisPoints, brand, category, currency } = terms;
      const asked = JSON.stringify([basisPoints, brand ?? null, category ?? null, currency ?? null]);
      const run: RepriceDocument = {
        _id: randomUUID(),
        asked,
        basisPoints,
        ...(brand === undefined ? {} : { brand }),
        ...(category === undefined ? {} : { category }),
        ...(currency === undefined ? {} : { currency }),
        state: 'running',
        after: '',
        products: 0,
        changed: 0,
        unchanged: 0,
        refused: 0,
        prices: 0,
        startedAtMs: clock.now(),
      };
      const total = await catalog.count(terms);
      const others = await runs.countDocuments({ state: 'running', asked: { $ne: asked } });
      if (others >= limits.repricingsCount) {
        throw new PublicError(
          'conflict',
          `${others} other repricings were begun and not ended: go on with them, or give them up`,
        );
      }
      try {
        await runs.insertOne(run);
        return { ...progressOf(run, []), total };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      const known = await runs.findOne({ asked, state: { $in: ['running', 'done'] } });
      if (!known)
        throw new PublicError('conflict', 'The same repricing has just ended: ask again for another');
      return { ...progressOf(documentSchema.parse(known), []), resumed: true, total };
    },
    async step(repriceId) {
      const run = await find(repriceId);
      if (run.state !== 'running') return progressOf(run, []);
      const after = run.after === '' ? null : productIdSchema.parse(run.after);
      const found = await catalog.page({ ...run, after, limit: limits.repricePageCount });
      const applied = await apply(found, run);
      const count = { products: found.length, changed: 0, unchanged: 0, refused: 0, prices: 0 };
      const problems: { productId: string; reason: string }[] = [];
      for (const [index, { product }] of found.entries()) {
        const outcome = applied[index];
        if (!outcome) continue;
        count[outcome.kind] += 1;
        if (outcome.kind === 'refused')
          problems.push({ productId: product.productId, reason: outcome.reason });
        else count.prices += outcome.prices;
      }
      const isLast = found.length < limits.repricePageCount;
      // Compared with where it was: of two who do the same page at once, one counts it.
      const moved = await runs.findOneAndUpdate(
        { _id: repriceId, after: run.after, state: 'running' },
        {
          $set: { after: found.at(-1)?.product.productId ?? run.after, state: isLast ? 'done' : 'running' },
          $inc: count,
        },
        { returnDocument: 'after' },
      );
      return progressOf(moved ? documentSchema.parse(moved) : await find(repriceId), problems);
    },
    async end(repriceId, { giveUp = false } = {}) {
      const states = giveUp ? ['done' as const, 'running' as const] : ['done' as const];
      await runs.updateOne({ _id: repriceId, state: { $in: states } }, { $set: { state: 'ended' } });
      return progressOf(await find(repriceId), []);
    },
  };
}

function progressOf(run: RepriceDocument, problems: RepriceProgress['problems']): RepriceProgress {
  const { _id: repriceId, state, products, changed, unchanged, refused, prices } = run;
  return { repriceId, state, resumed: false, products, changed, unchanged, refused, prices, problems };
}

interface PriceInList {
  /** Which of the product's prices it is. */
  readonly path: string;
  readonly sku: string;
  readonly currency: string;
  readonly amount: number;
}

/** Every price of the product that the terms are about, those of its tiers included. */
function pricesIn(product: Product, { currency }: RepriceTerms): PriceInList[] {
  return product.variants.flatMap(({ sku, price, prices = [], tiers = [] }) =>
    [
      { path: `${sku} price`, sku, ...price },
      ...prices.map((each, index) => ({ path: `${sku} prices ${index}`, sku, ...each })),
      ...tiers.map((tier, index) => ({ path: `${sku} tiers ${index}`, sku, ...tier.price })),
    ].filter(each => currency === undefined || each.currency === currency),
  );
}

interface NewPrices {
  readonly input: ProductInput;
  readonly changes: readonly { sku: string; currency: string; from: number; to: number }[];
  readonly problem: string | null;
}

function withPrices(
  product: Product,
  terms: RepriceTerms,
  changedAt: (path: string) => number | undefined,
): NewPrices | null {
  const changes = pricesIn(product, terms).flatMap(({ path, sku, currency, amount }) => {
    const to = changedAt(path) ?? amount;
    return to === amount ? [] : [{ sku, currency, from: amount, to }];
  });
  if (changes.length === 0) return null;
  const { createdAtMs: _created, updatedAtMs: _updated, rev: _rev, ...content } = product;
  const variants = product.variants.map(variant => {
    const { sku, price, prices, tiers } = variant;
    const at = (path: string, money: { amount: number; currency: string }) => ({
      ...money,
      amount: changedAt(`${sku} ${path}`) ?? money.amount,
    });
    return {
      ...variant,
      price: at('price', price),
      ...(prices ? { prices: prices.map((each, index) => at(`prices ${index}`, each)) } : {}),
      ...(tiers
        ? { tiers: tiers.map((tier, index) => ({ ...tier, price: at(`tiers ${index}`, tier.price) })) }
        : {}),
    };
  });
  const isTooMuch = changes.some(({ to }) => to > limits.amountMinorMax);
  return {
    input: { ...content, variants: variants.map(withoutEqualTiers) },
    changes,
    problem: isTooMuch ? 'a price would be more than can be charged' : null,
  };
}

type Variant = Product['variants'][number];

/** Rounding may bring a tier up to the price, or to the tier before it: it is no offer any more. */
function withoutEqualTiers({ tiers, ...variant }: Variant): Variant {
  if (!tiers) return variant;
  const least = new Map(
    [variant.price, ...(variant.prices ?? [])].map(({ currency, amount }) => [currency, amount]),
  );
  const kept = tiers
    .toSorted((a, b) => a.from - b.from)
    .filter(({ price }) => {
      const before = least.get(price.currency) ?? Number.POSITIVE_INFINITY;
      if (price.amount >= before) return false;
      least.set(price.currency, price.amount);
      return true;
    });
  return kept.length > 0 ? { ...variant, tiers: kept } : variant;
}
