// The face of the catalog: reading products (remembered in each process), changing them, and what other capabilities
// need of them: variants by SKU for drops, due products for the index, and plain lookups while search is away.
import type { Logger } from 'pino';
import { PublicError } from '../errors.ts';
import { type ProductId, productIdSchema, type Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import { cursorAfter, readCursor, variantTitleOf } from './catalog.rules.ts';
import type { BrowseQuery, CatalogStore, DueProduct, WriteOutcome } from './catalog.store.ts';
import type { Product, ProductInput, ProductStatus, TaxClass } from './product.ts';
import { createProductCache } from './product-cache.ts';
import { type DropOffer, reductionOf, type PriceEntry, type Reduction } from './price-history.rules.ts';
import type { RepriceCatalog } from './reprice.ts';
import type { ProductChanges } from './product-changes.ts';
import { alsoFoundBy, type SynonymRule, wordsConcerned } from './synonyms.rules.ts';
import type { SharedProducts } from './shared-products.store.ts';
import { createSlugLookup } from './slug-lookup.ts';

export type { BrowseQuery, DueProduct, WriteOutcome } from './catalog.store.ts';
export type { SynonymRule } from './synonyms.rules.ts';

export interface SoldVariant {
  readonly productId: ProductId;
  /** Of product and variant together, as a receipt names it. */
  readonly title: string;
  readonly price: Money;
  /** In further currencies. */
  readonly prices: readonly Money[];
  /** In any of these currencies. */
  readonly tiers: readonly { readonly from: number; readonly price: Money }[];
  readonly taxClass: TaxClass;
}

/** A product as the index is to have it: with what it is found by besides its own words. */
export interface IndexableProduct extends DueProduct {
  readonly product: (Product & { readonly alsoFoundBy: readonly string[] }) | null;
}

export interface PriceHistory {
  readonly sku: Sku;
  readonly currency: string;
  readonly amount: number;
  /** Oldest first; `null` where it was not offered. A price that never changed has one entry. */
  readonly entries: readonly PriceEntry[];
  readonly reduction: Reduction | null;
  /** What drops asked for it up to now, the newest first. */
  readonly drops: readonly DropOffer[];
}

export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface Catalog {
  /** Null where there is none. Remembered, and forgotten with every change. */
  product(productId: ProductId): Promise<Product | null>;
  productBySlug(slug: string): Promise<Product | null>;
  list(request: PageRequest): Promise<Page<Product>>;
  /** Drafts and archived products, too; from the store itself, since edits are made from it. */
  productForAdmin(productId: ProductId): Promise<(Product & { indexed: boolean }) | null>;
  listForAdmin(
    request: PageRequest & { status?: ProductStatus | undefined },
  ): Promise<Page<Product & { indexed: boolean }>>;
  /** Throws PublicError `conflict` where a SKU or the slug is another product's, or `expectedRev` is not the product's rev. */
  upsert(input: ProductInput, options?: { expectedRev?: number | undefined }): Promise<{ rev: number }>;
  /** Each on its own; the ids must differ. */
  upsertMany(inputs: readonly ProductInput[]): Promise<WriteOutcome[]>;
  /** False where there was none. */
  remove(productId: ProductId): Promise<boolean>;
  /** SKUs that no product has are missing from the answer. */
  variantsBySku(skus: readonly Sku[]): Promise<Map<Sku, SoldVariant>>;
  /** The same, of products that the public is shown. */
  shownVariants(skus: readonly Sku[]): Promise<Map<Sku, SoldVariant>>;

  /** One SKU's price over time in one currency, as far as the public is shown it; null where it is not. */
  priceHistory(sku: Sku, currency?: string): Promise<PriceHistory | null>;
  /** For a repricing: its pages, and its writes, which compare the rev. */
  readonly repriced: RepriceCatalog;

  synonyms(): Promise<SynonymRule[]>;
  /** Has every product indexed again that the rule concerns, or did; also where it stood there already. */
  putSynonyms(rule: SynonymRule): Promise<'put' | 'full'>;
  /** False where there was none. */
  removeSynonyms(id: string): Promise<boolean>;

  /** Has the products of these SKUs indexed again: their availability changed. */
  reindexSkus(skus: readonly Sku[]): Promise<void>;
  /** Has everything indexed again, into an index that is new. */
  reindexAll(): Promise<void>;
  /** Products due for the index, which nobody else gets until `endClaim`, or until the claim has run out. */
  claimDue(claim: { by: string; limit: number }): Promise<IndexableProduct[]>;
  /** `taken` by the index; `refused` by it, to be tried again later; whatever else was claimed is free again. */
  endClaim(claim: {
    by: string;
    taken: readonly DueProduct[];
    refused?: readonly DueProduct[];
  }): Promise<void>;
  /** The ids of a page of products, for who builds an index anew. */
  pageIds(page: { after: ProductId | null; limit: number }): Promise<ProductId[]>;
  /** These products, due or not, as far as nobody is at work on them; nobody else indexes them until `endClaim`. */
  claimIds(claim: {
    by: string;
    ids: readonly ProductId[];
  }): Promise<{ claimed: IndexableProduct[]; busy: ProductId[] }>;
  /** How products stand, and whether the index has taken them so; those that are not there are left out. */
  indexStates(
    productIds: readonly ProductId[],
  ): Promise<(IndexableProduct & { readonly indexed: boolean })[]>;
  /** What search answers with while its service is away: exact words only. */
  browse(query: BrowseQuery): Promise<{ products: Product[]; total: number }>;
  counts(): Promise<{ products: number; due: number }>;

  close(): Promise<void>;
}

export async function createCatalog(deps: {
  store: CatalogStore;
  changes: ProductChanges;
  clock: { now(): number };
  log: Logger;
  /** What all processes remember together; without it, each reads MongoDB for itself. */
  shared?: SharedProducts;
  /** Told who answered each read of a product. */
  onRead?: (by: 'memory' | 'flight' | 'mongodb') => void;
  /** What drops asked or are to ask for a SKU, the newest first; without it, nothing. */
  dropOffers?: (sku: Sku, currency: string) => Promise<readonly DropOffer[]>;
  /** Told after products became due for the index; a hint, since the outbox is what counts. */
  onIndexDue?: () => void;
}): Promise<Catalog> {
  const { store, changes, clock, log, shared, onRead, onIndexDue } = deps;
  const readStore = (productId: ProductId) => {
    onRead?.('mongodb');
    return store.read(productId);
  };
  const cache = createProductCache(
    productId => (shared ? shared.get(productId, () => readStore(productId)) : readStore(productId)),
    onRead,
  );
  const productBySlug = createSlugLookup({
    idOfSlug: slug => store.idOfSlug(slug),
    product: productId => cache.get(productId),
  });
  const stopListening = await changes.listen(heard => {
    if (heard === 'all') cache.forgetAll();
    // Who announces a change may be a command that knows nothing of what is shared.
    else void forget(heard);
  });

  /** From the outside in: what is forgotten here first could be read again from there, old. */
  async function forget(productIds: readonly ProductId[]): Promise<void> {
    await shared?.forget(productIds).catch((error: unknown) => {
      log.warn({ err: error }, 'catalog: what is shared could not be forgotten: it ends by time');
    });
    cache.forget(productIds);
  }

  async function announce(productIds: readonly ProductId[]): Promise<void> {
    await forget(productIds);
    // The write stands whether or not the others hear of it: their memory of it ends by time, too.
    await changes.announce(productIds).catch((error: unknown) => {
      log.warn({ err: error }, 'catalog: a change could not be announced');
    });
  }

  async function changed(productIds: readonly ProductId[]): Promise<void> {
    if (productIds.length === 0) return;
    onIndexDue?.();
    await announce(productIds);
  }

  /** The rules are read after the products: whoever changes a rule makes its products due after that. */
  async function indexable<T extends DueProduct>(products: readonly T[]): Promise<(T & IndexableProduct)[]> {
    if (products.every(({ product }) => product === null))
      return products.map(each => ({ ...each, product: null }));
    const rules = await store.synonyms();
    return products.map(each => ({
      ...each,
      product: each.product && { ...each.product, alsoFoundBy: alsoFoundBy(each.product, rules) },
    }));
  }

  async function concerns(rules: readonly SynonymRule[]): Promise<void> {
    if ((await store.touchWords(wordsConcerned(rules), clock.now())) > 0) onIndexDue?.();
  }

  async function write(
    inputs: readonly ProductInput[],
    options: { expectedRevs?: ReadonlyMap<ProductId, number>; repricedBy?: string } = {},
  ): Promise<WriteOutcome[]> {
    const outcomes = await store.write(inputs, { ...options, nowMs: clock.now() });
    const written = inputs.filter((_input, index) =>
      ['created', 'updated'].includes(outcomes[index]?.kind ?? ''),
    );
    await changed(written.map(input => input.productId));
    return outcomes;
  }

  async function variants(
    skus: readonly Sku[],
    isWanted: (product: Product) => boolean,
  ): Promise<Map<Sku, SoldVariant>> {
    const wanted = new Set(skus);
    const found = new Map<Sku, SoldVariant>();
    for (const product of (await store.withSkus(skus)).filter(isWanted)) {
      for (const variant of product.variants) {
        if (!wanted.has(variant.sku)) continue;
        const title = variantTitleOf(product, variant);
        const { price, prices = [], tiers = [] } = variant;
        const { productId, taxClass } = product;
        found.set(variant.sku, { productId, title, price, prices, tiers, taxClass });
      }
    }
    return found;
  }

  async function page(
    request: PageRequest & { status?: ProductStatus | undefined },
  ): Promise<Page<Product & { indexed: boolean }>> {
    const after = afterOf(request.cursor);
    // One more than asked for tells whether there is a next page without a second query.
    const found = await store.page({
      after,
      limit: request.limit + 1,
      ...(request.status ? { statuses: [request.status] } : {}),
    });
    const items = found.slice(0, request.limit).map(({ product, indexed }) => ({ ...product, indexed }));
    const last = items.at(-1);
    return found.length > request.limit && last
      ? { items, nextCursor: cursorAfter(last.productId) }
      : { items };
  }

  return {
    product: productId => cache.get(productId),

    productBySlug,

    async productForAdmin(productId) {
      const found = await store.readAny(productId);
      return found && { ...found.product, indexed: found.indexed };
    },

    async list(request) {
      const { items, ...rest } = await page({ ...request, status: 'active' });
      return { items: items.map(({ indexed: _indexed, ...product }) => product), ...rest };
    },

    listForAdmin: page,

    async upsert(input, options = {}) {
      const { expectedRev } = options;
      const expectedRevs = expectedRev === undefined ? undefined : new Map([[input.productId, expectedRev]]);
      const [outcome] = await write([input], expectedRevs && { expectedRevs });
      switch (outcome?.kind) {
        case 'created':
        case 'updated':
        case 'unchanged':
          return { rev: outcome.rev };
        case 'sku-taken':
          throw new PublicError('conflict', `SKU ${outcome.sku} belongs to product ${outcome.by}`);
        case 'slug-taken':
          throw new PublicError('conflict', `Slug ${outcome.slug} belongs to product ${outcome.by}`);
        case 'rev-differs':
          throw new PublicError(
            'conflict',
            `The product is at rev ${outcome.rev}: read it again, then change it`,
          );
        case 'contended':
        case undefined:
          throw new PublicError('conflict', 'Others are changing this product at the same moment: try again');
      }
    },

    upsertMany: inputs => write(inputs),

    async remove(productId) {
      const outcome = await store.remove(productId, clock.now());
      if (outcome === 'contended')
        throw new PublicError('conflict', 'Others are changing this product at the same moment: try again');
      if (outcome === 'removed') await changed([productId]);
      return outcome === 'removed';
    },

    async priceHistory(sku, currency) {
      const product = (await store.withSkus([sku])).find(({ status }) => status === 'active');
      const variant = product?.variants.find(each => each.sku === sku);
      if (!product || !variant) return null;
      const { price, prices = [] } = variant;
      const present = [price, ...prices].find(each => currency === undefined || each.currency === currency);
      if (!present) return null;
      const [known, offers] = await Promise.all([
        store.pricesOf(sku, present.currency),
        deps.dropOffers?.(sku, present.currency) ?? [],
      ]);
      const last = known.at(-1);
      // A product that was never changed has no lines; those that there are may be of another that had the SKU before.
      const entries =
        last?.amount === present.amount
          ? known
          : [...known, { atMs: Math.max(product.createdAtMs, last?.atMs ?? 0), amount: present.amount }];
      const nowMs = clock.now();
      const drops = offers
        .map(offer => ({ ...offer, prices: offer.prices.filter(({ fromMs }) => fromMs <= nowMs) }))
        .filter(offer => offer.prices.length > 0);
      const asked = drops.flatMap(offer => offer.prices);
      return { sku, ...present, entries, drops, reduction: reductionOf(entries, nowMs, asked) };
    },
    repriced: {
      page: query => store.repricePage(query),
      count: terms => store.countToReprice(terms),
      find: productId => store.readToReprice(productId),
      async write(pricedAnew, repricedBy) {
        const inputs = pricedAnew.map(({ input }) => input);
        const expectedRevs = new Map(pricedAnew.map(({ input, rev }) => [input.productId, rev]));
        return write(inputs, { expectedRevs, repricedBy });
      },
    },

    variantsBySku: skus => variants(skus, () => true),
    shownVariants: skus => variants(skus, ({ status }) => status === 'active'),

    async reindexSkus(skus) {
      if (skus.length > 0 && (await store.touch(skus, clock.now())) > 0) onIndexDue?.();
    },
    async reindexAll() {
      await store.touchAll(clock.now());
      onIndexDue?.();
    },
    async claimDue({ by, limit }) {
      const nowMs = clock.now();
      const due = await store.claimDue({ by, limit, nowMs, untilMs: nowMs + limits.indexClaimMs });
      // Who changed them may have died before it could say so.
      if (due.length > 0) await announce(due.map(({ productId }) => productId));
      return indexable(due);
    },
    pageIds: asked => store.pageIds(asked),
    async claimIds({ by, ids }) {
      const nowMs = clock.now();
      const { claimed, busy } = await store.claimIds({
        by,
        ids,
        nowMs,
        untilMs: nowMs + limits.indexClaimMs,
      });
      return { claimed: await indexable(claimed), busy };
    },
    indexStates: async productIds => indexable(await store.indexStates(productIds)),

    synonyms: () => store.synonyms(),
    async putSynonyms(rule) {
      const before = await store.putSynonyms(rule);
      if (before === 'full') return 'full';
      await concerns(before ? [before, rule] : [rule]);
      return 'put';
    },
    async removeSynonyms(id) {
      const gone = await store.removeSynonyms(id);
      if (gone) await concerns([gone]);
      return gone !== null;
    },

    endClaim({ by, taken, refused = [] }) {
      return store.endClaim({ by, taken, refused, refusedUntilMs: clock.now() + limits.indexRefusedMs });
    },
    browse: query => store.browse(query),
    async counts() {
      const [products, due] = await Promise.all([store.count(), store.dueCount()]);
      return { products, due };
    },
    close: stopListening,
  };
}

/** Where a page begins. Throws PublicError `invalid-input` for a text that is no cursor of ours. */
export function afterOf(cursor: string | undefined): ProductId | null {
  if (cursor === undefined) return null;
  const after = productIdSchema.safeParse(readCursor(cursor));
  if (!after.success)
    throw new PublicError('invalid-input', 'The cursor is not one of ours: begin without one');
  return after.data;
}
