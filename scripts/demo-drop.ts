// Makes sure that a fresh installation has something to show: a catalog, and a drop that opens shortly.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { createDoorbuster, failureOf, withRetries, type Api, type DropView } from '../client/index.ts';
import { productInputSchema, type ProductInput } from '../server/catalog/product.ts';

export type DemoDrop = { dropId: string; opensAtMs: number };

const catalogFile = path.join(import.meta.dirname, 'demo', 'catalog.json');
const title = 'The Aurora drop';
const items = [
  { sku: 'AURORA-AMBER', total: 40 },
  { sku: 'AURORA-SLATE', total: 40 },
  { sku: 'AURORA-BONE', total: 40 },
];
const opensInMs = 60_000;
/** Slow enough to watch, quick enough to sell out in a minute. */
const pace = { ratePerSec: 6, activeMax: 30, perBuyerMax: 2 };

/** A demo drop that still runs is taken again; one that has ended makes room for the next. */
export async function prepareDemo(options: { url: string; adminKey: string }): Promise<DemoDrop> {
  const shop = createDoorbuster({ url: options.url, token: options.adminKey });
  try {
    const { api } = shop;
    await importMissing(api);
    const running = await findRunning(api);
    if (running) return { dropId: running.dropId, opensAtMs: running.opensAtMs };
    // This machine runs the engine, too, so its clock is the engine's.
    const opensAtMs = Date.now() + opensInMs;
    const { dropId } = await api.admin.drop.create.mutate({
      title,
      mode: 'shuffle',
      opensAtMs,
      items,
      ...pace,
    });
    return { dropId, opensAtMs };
  } finally {
    await shop.close();
  }
}

/** What is in the catalog already stays as it is: somebody may have changed it. */
async function importMissing(api: Api): Promise<void> {
  const products: ProductInput[] = z
    .array(productInputSchema)
    .parse(JSON.parse(readFileSync(catalogFile, 'utf8')));
  await Promise.all(
    products.map(async product => {
      if (await isListed(api, product.productId)) return;
      await withRetries(() => api.admin.product.upsert.mutate(product));
    }),
  );
}

async function isListed(api: Api, id: string): Promise<boolean> {
  try {
    await withRetries(() => api.catalog.product.query({ id }));
    return true;
  } catch (error) {
    if (failureOf(error).code === 'NOT_FOUND') return false;
    throw error;
  }
}

async function findRunning(api: Api): Promise<DropView | undefined> {
  const page = await api.drop.list.query({ limit: 100 });
  return page.items.find(
    drop =>
      drop.title === title &&
      drop.state !== 'closed' &&
      drop.state !== 'sold-out' &&
      items.every(({ sku }) => drop.items.some(item => item.sku === sku)),
  );
}
