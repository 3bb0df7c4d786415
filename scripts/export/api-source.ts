// The catalog of an installation elsewhere, through its API.
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { productSchema } from '../../server/catalog/product.ts';
import { limits } from '../../server/limits.ts';
import type { ExportSource } from './export-source.ts';

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
