// Changes of products: written each on its own, compared and set by `rev`, never losing one under another.
import { type AnyBulkWriteOperation, mongo } from 'mongoose';
import type { ProductId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import { slugChoices } from './catalog.rules.ts';
import type { ProductInput } from './product.ts';
import {
  contentHashOf,
  contentOf,
  type ProductDocument,
  type ProductModel,
  slugMarkOf,
} from './product-document.ts';
import { type PriceChange, priceChangesOf, type PricedProduct } from './price-history.rules.ts';
import { isDuplicateKey } from '../platform/mongo.ts';

export type WriteOutcome =
  | { kind: 'created' | 'updated' | 'unchanged'; rev: number }
  | { kind: 'sku-taken'; sku: Sku; by: ProductId }
  /** Only of a slug that was asked for by name. */
  | { kind: 'slug-taken'; slug: string; by: ProductId }
  | { kind: 'rev-differs'; rev: number }
  /** Others kept changing the same product; nothing was written. */
  | { kind: 'contended' };

type Known = Pick<
  ProductDocument,
  '_id' | 'rev' | 'contentHash' | 'live' | 'status' | 'slug' | 'createdAtMs' | 'variants'
>;

const knownFields = {
  rev: 1,
  contentHash: 1,
  live: 1,
  status: 1,
  slug: 1,
  createdAtMs: 1,
  'variants.sku': 1,
  'variants.price': 1,
  'variants.prices': 1,
} as const;

/** One product on its way in. */
interface Entry {
  readonly input: ProductInput;
  readonly index: number;
  /** Its prices changed, and their history is to be written. */
  hasPriceLog?: boolean;
  /** How many of its slugs were found to be taken. */
  slugsTaken: number;
}

/** The outcome, or that the write is to be tried again: as it is, or under another slug. */
type Tried = WriteOutcome | 'changed-meanwhile' | 'duplicate';

const attemptsMax = 6;

export function createProductWrites(
  model: ProductModel,
  history: { takePriceLogs(productIds: readonly ProductId[]): Promise<void> },
) {
  /** What of the product is another's; null if nothing is that was asked for by name, any more. */
  async function taken({ input }: Entry): Promise<WriteOutcome | null> {
    const skus = input.variants.map(variant => variant.sku);
    const others = { live: true, _id: { $ne: input.productId } };
    const other = await model
      .findOne({ ...others, 'variants.sku': { $in: skus } }, { variants: 1 })
      .lean<Pick<ProductDocument, '_id' | 'variants'>>();
    const sku = other?.variants.find(variant => skus.includes(variant.sku))?.sku;
    if (other && sku) return { kind: 'sku-taken', sku, by: other._id };
    if (input.slug === undefined) return null;
    const named = await model
      .findOne({ ...others, slug: input.slug }, { _id: 1 })
      .lean<Pick<ProductDocument, '_id'>>();
    return named && { kind: 'slug-taken', slug: input.slug, by: named._id };
  }

  async function update(
    entry: Entry,
    known: Known,
    at: { nowMs: number; repricedBy: string | undefined },
  ): Promise<Tried> {
    const { input } = entry;
    const { nowMs, repricedBy } = at;
    const after = { isOffered: (input.status ?? 'active') === 'active', variants: input.variants };
    const changes = changesOf(known, after, nowMs);
    try {
      const result = await model.updateOne(
        { _id: input.productId, rev: known.rev },
        {
          $set: {
            ...contentOf(input),
            slug: slugFor(entry, known),
            indexDue: true,
            dueAtMs: nowMs,
            updatedAtMs: nowMs,
          },
          $inc: { rev: 1, indexRev: 1 },
          ...pushing({ changes, repricedBy }),
        },
      );
      if (result.matchedCount === 0) return 'changed-meanwhile';
      if (changes.length > 0) entry.hasPriceLog = true;
      return { kind: known.live ? 'updated' : 'created', rev: known.rev + 1 };
    } catch (error) {
      if (isDuplicateKey(error)) return 'duplicate';
      throw error;
    }
  }

  /** Inserts what is new in one round. */
  async function insert(entries: readonly Entry[], nowMs: number): Promise<Tried[]> {
    if (entries.length === 0) return [];
    const outcomes: Tried[] = entries.map(() => ({ kind: 'created', rev: 1 }));
    const operations = entries.map(
      (entry): AnyBulkWriteOperation<ProductDocument> => ({
        insertOne: {
          document: {
            _id: entry.input.productId,
            ...contentOf(entry.input),
            slug: slugFor(entry),
            rev: 1,
            indexRev: 1,
            indexedRev: 0,
            indexDue: true,
            dueAtMs: nowMs,
            claimedBy: '',
            claimedUntilMs: 0,
            createdAtMs: nowMs,
            updatedAtMs: nowMs,
          },
        },
      }),
    );
    try {
      await model.bulkWrite(operations, { ordered: false });
    } catch (error) {
      if (!(error instanceof mongo.MongoBulkWriteError)) throw error;
      const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
      for (const failure of failures) {
        if (!isDuplicateKey(failure)) throw error;
        outcomes[failure.index] = 'duplicate';
      }
    }
    return outcomes;
  }

  return {
    /**
     * Writes products, each on its own: what is refused takes nothing else with it. A product's expected rev, where one is
     * given, must be the rev that it has now (0: absent). The ids must differ.
     */
    async write(
      inputs: readonly ProductInput[],
      options: {
        nowMs: number;
        expectedRevs?: ReadonlyMap<ProductId, number>;
        repricedBy?: string | undefined;
      },
    ): Promise<WriteOutcome[]> {
      const { nowMs, expectedRevs, repricedBy } = options;
      const outcomes: WriteOutcome[] = inputs.map(() => ({ kind: 'contended' }));
      const entries = inputs.map((input, index): Entry => ({ input, index, slugsTaken: 0 }));
      let open = entries;
      for (let attempt = 0; attempt < attemptsMax && open.length > 0; attempt += 1) {
        const found = await model
          .find({ _id: { $in: open.map(({ input }) => input.productId) } }, knownFields)
          .lean<Known[]>();
        const knownById = new Map(found.map(known => [known._id, known]));
        const again: Entry[] = [];
        const fresh: Entry[] = [];
        const settle = async (entry: Entry, tried: Tried) => {
          const outcome = tried === 'duplicate' ? await taken(entry) : tried;
          // Nothing that was asked for is another's: so it was a slug that we made, or a race for the id.
          if (outcome === null) entry.slugsTaken += 1;
          if (outcome === null || outcome === 'changed-meanwhile') again.push(entry);
          else outcomes[entry.index] = outcome;
        };
        const updates = open.map(async entry => {
          const known = knownById.get(entry.input.productId);
          const rev = known?.live ? known.rev : 0;
          const expectedRev = expectedRevs?.get(entry.input.productId);
          if (expectedRev !== undefined && expectedRev !== rev)
            await settle(entry, { kind: 'rev-differs', rev });
          else if (!known) fresh.push(entry);
          else if (isSame(entry.input, known)) await settle(entry, { kind: 'unchanged', rev: known.rev });
          else await settle(entry, await update(entry, known, { nowMs, repricedBy }));
        });
        await Promise.all(updates);
        const inserted = await insert(fresh, nowMs);
        for (const [position, entry] of fresh.entries())
          await settle(entry, inserted[position] ?? 'changed-meanwhile');
        open = again;
      }
      const logged = entries.filter(({ hasPriceLog }) => hasPriceLog);
      if (logged.length > 0) await history.takePriceLogs(logged.map(({ input }) => input.productId));
      return outcomes;
    },

    /** Compared and set like every change, since the ends of its prices are written with it. */
    async remove(productId: ProductId, nowMs: number): Promise<'removed' | 'absent' | 'contended'> {
      for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
        const known = await model.findOne({ _id: productId, live: true }, knownFields).lean<Known>();
        if (!known) return 'absent';
        const changes = changesOf(known, { isOffered: false, variants: [] }, nowMs);
        const result = await model.updateOne(
          { _id: productId, rev: known.rev },
          {
            $set: { live: false, contentHash: '', indexDue: true, dueAtMs: nowMs, updatedAtMs: nowMs },
            $inc: { rev: 1, indexRev: 1 },
            ...pushing({ changes }),
          },
        );
        if (result.matchedCount === 0) continue;
        if (changes.length > 0) await history.takePriceLogs([productId]);
        return 'removed';
      }
      return 'contended';
    },

    /** Gives the products of an older version what each product has: a status, a tax class and a slug. */
    async bringForward(): Promise<void> {
      for (;;) {
        const found = await model
          .find({ live: true, status: null }, { title: 1 })
          .limit(200)
          .lean<Pick<ProductDocument, '_id' | 'title'>[]>();
        if (found.length === 0) return;
        for (const { _id, title } of found) {
          let isDone = false;
          for (const slug of slugChoices({ title, productId: _id }, slugMarkOf(_id))) {
            const change = { $set: { status: 'active' as const, taxClass: 'standard' as const, slug } };
            isDone = await model.updateOne({ _id, status: null }, change).then(
              () => true,
              (error: unknown) => {
                if (isDuplicateKey(error)) return false;
                throw error;
              },
            );
            if (isDone) break;
          }
          // Found again and again, it would keep a start from ever ending.
          if (!isDone) throw new Error(`product ${_id} of an older version finds no slug that is free`);
        }
      }
    },
  };
}

function changesOf(known: Known, after: PricedProduct, nowMs: number): PriceChange[] {
  const { _id: productId, live, status, variants, rev, createdAtMs: sinceMs } = known;
  const before = { isOffered: live && status === 'active', variants };
  return priceChangesOf({ productId, before, after, rev: rev + 1, sinceMs, nowMs });
}

/** The lines of the history, and the mark of a repricing, travel with the change itself. */
function pushing(change: { changes: readonly PriceChange[]; repricedBy?: string | undefined }) {
  const { changes, repricedBy } = change;
  const pushed = {
    ...(changes.length > 0 ? { priceLog: { $each: [...changes] } } : {}),
    ...(repricedBy === undefined
      ? {}
      : { repricings: { $each: [repricedBy], $slice: -limits.repricingMarksCount } }),
  };
  return Object.keys(pushed).length > 0 ? { $push: pushed } : {};
}

function isSame(input: ProductInput, known: Known): boolean {
  return (
    known.live &&
    known.contentHash === contentHashOf(input) &&
    (input.slug === undefined || input.slug === known.slug)
  );
}

/** The slug asked for; else the one that it has; else one that is made. */
function slugFor({ input, slugsTaken }: Entry, known?: Known): string {
  if (input.slug !== undefined) return input.slug;
  const made = slugChoices(input, slugMarkOf(input.productId));
  const choices = known?.slug ? [known.slug, ...made] : made;
  return choices[Math.min(slugsTaken, choices.length - 1)] ?? input.productId;
}
