// Where an export reads from: the catalog of an installation on this machine, or the API of one elsewhere.
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { z } from 'zod';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { type Product, productSchema } from '../../server/catalog/product.ts';
import type { ProductId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import type { ProductPages } from './export-products.ts';

export interface ExportSource {
  /** Products of every status, removed ones not among them. */
  count(): Promise<number>;
  pages(): ProductPages;
  close(): Promise<void>;
}

/** As many as are in memory at once, at some 10 KiB each at most. */
const pageCount = 200;

export async function openDirectSource(options: { mongoUri: string }): Promise<ExportSource> {
  const connection = await connectMongo({ uri: options.mongoUri, log: pino({ level: 'silent' }) });
  const store = createCatalogStore(connection);
  await store.ensureIndexes();
  return {
    count: () => store.count(),
    async *pages() {
      let after: ProductId | null = null;
      for (;;) {
        const found: { product: Product }[] = await store.page({ after, limit: pageCount });
        const last = found.at(-1);
        if (!last) return;
        yield found.map(({ product }) => product);
        after = last.product.productId;
      }
    },
    close: () => connection.close(),
  };
}

const triesMax = 6;
const answerOf = <T extends z.ZodType>(data: T) => z.object({ result: z.object({ data }) });
const countsSchema = answerOf(z.object({ products: z.int() }));
const pageSchema = answerOf(z.object({ items: z.array(productSchema), nextCursor: z.string().optional() }));

export function openApiSource(options: { url: string; adminKey: string }): ExportSource {
  const base = options.url.replace(/\/$/, '');
  const headers = { authorization: `Bearer ${options.adminKey}` };

  /** A server that is busy is asked again, a few times. */
  async function ask(path: string, input?: object): Promise<unknown> {
    const query = input ? `?input=${encodeURIComponent(JSON.stringify(input))}` : '';
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(`${base}/trpc/${path}${query}`, { headers });
      if (response.ok) return response.json();
      if (![429, 503].includes(response.status) || attempt === triesMax)
        throw new Error(`${base} answered ${response.status} to ${path}`);
      await pause(Math.min(Number(response.headers.get('retry-after') ?? 2 ** attempt / 4), 30) * 1000);
    }
  }

  return {
    count: async () => countsSchema.parse(await ask('admin.product.counts')).result.data.products,
    async *pages() {
      let cursor: string | undefined;
      do {
        const limit = limits.listPageCount.max;
        const { items, nextCursor } = pageSchema.parse(
          await ask('admin.product.list', cursor === undefined ? { limit } : { cursor, limit }),
        ).result.data;
        yield items;
        cursor = nextCursor;
      } while (cursor !== undefined);
    },
    close: () => Promise.resolve(),
  };
}
