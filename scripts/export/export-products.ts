// One export, from a source to a file: a page of products is asked for when the one before it has been written, so that
// memory does not grow with the catalog. The file appears under its name when it is whole, and not before.
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Product, ProductInput } from '../../server/catalog/product.ts';
import type { ImportFormat } from '../import/read-records.ts';
import { csvHeader, csvRowsOf } from './product-csv.ts';

/** Products in the order of their ids, a page at a time. */
export type ProductPages = AsyncIterable<readonly Product[]>;

export interface ExportReport {
  readonly file: string;
  readonly products: number;
  readonly bytes: number;
  readonly wallMs: number;
  readonly productsPerSec: number;
  readonly peakMemoryBytes: number;
}

export async function exportProducts(options: {
  file: string;
  format: ImportFormat;
  pages: ProductPages;
  onProgress?: (products: number) => void;
}): Promise<ExportReport> {
  const { file, format, pages, onProgress } = options;
  const startedAtMs = performance.now();
  const unfinished = `${file}.part`;
  try {
    const counts = await writeProducts({ pages, format, onProgress, to: createWriteStream(unfinished) });
    await rename(unfinished, file);
    const wallMs = Math.round(performance.now() - startedAtMs);
    return {
      file,
      ...counts,
      wallMs,
      productsPerSec: Math.round(counts.products / Math.max(wallMs / 1000, 0.001)),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

export async function writeProducts(options: {
  pages: ProductPages;
  format: ImportFormat;
  to: Writable;
  onProgress?: ((products: number) => void) | undefined;
}): Promise<{ products: number; bytes: number }> {
  const { pages, format, to, onProgress } = options;
  let products = 0;
  let bytes = 0;
  async function* text(): AsyncGenerator<string> {
    if (format === 'csv') yield csvHeader;
    if (format === 'json') yield '[';
    for await (const page of pages) {
      yield page.map((product, index) => textOf(inputOf(product), products + index === 0)).join('');
      products += page.length;
      onProgress?.(products);
    }
    if (format === 'json') yield '\n]\n';
  }
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of text()) {
      const chunk = Buffer.from(piece);
      bytes += chunk.length;
      yield chunk;
    }
  }
  // One page is made while the one before it is written: a stream of objects would read sixteen ahead.
  await pipeline(Readable.from(counted(), { highWaterMark: 1 }), to);
  return { products, bytes };

  function textOf(product: ProductInput, isFirst: boolean): string {
    switch (format) {
      case 'csv':
        return csvRowsOf(product);
      case 'jsonl':
        return `${JSON.stringify(product)}\n`;
      case 'json':
        return `${isFirst ? '' : ','}\n${JSON.stringify(product)}`;
    }
  }
}

/** What `admin.product.upsert` takes: without what the catalog counts by itself. */
function inputOf(product: Product): ProductInput {
  const { productId, title, slug, status, taxClass, description, brand, categories, images, popularity } =
    product;
  return {
    productId,
    title,
    slug,
    status,
    taxClass,
    ...(description === undefined ? {} : { description }),
    ...(brand === undefined ? {} : { brand }),
    categories,
    images,
    popularity,
    variants: product.variants,
  };
}
