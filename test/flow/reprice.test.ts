// Prices over time, and a new price for a whole catalog: recorded once, applied once, wherever somebody dies.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoorbuster, failureOf, type Doorbuster } from '../../client/index.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { createReprice, type RepriceCatalog } from '../../server/catalog/reprice.ts';
import { productIdSchema, skuSchema } from '../../server/ids.ts';
import { createPricePool, type PricePool } from '../../server/pricing/price-pool.ts';
import { someProduct, startCatalogServices, type CatalogServices } from '../support/catalog-services.ts';
import { runProgram } from '../support/run-program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-reprice-'));
const productsCount = 1_020;
let services: CatalogServices;
let pool: PricePool;
let installation: Installation;
let admin: Doorbuster;

beforeAll(async () => {
  [services, installation] = await Promise.all([
    startCatalogServices(),
    startInstallation({ dataDir: path.join(folder, 'data'), port: 0, env: { LOG_LEVEL: 'warn' } }),
  ]);
  pool = createPricePool({ threadsCount: 1 });
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
}, 120_000);
afterAll(async () => {
  await admin?.close();
  await Promise.all([pool?.close(), services?.dispose(), installation?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function openReprice(change: (catalog: RepriceCatalog) => Partial<RepriceCatalog> = () => ({})) {
  const { catalog, store, connection } = await services.openCatalog();
  const reprice = createReprice({
    connection,
    catalog: { ...catalog.repriced, ...change(catalog.repriced) },
    amounts: (amounts, terms) => pool.reprice(amounts, terms),
    clock: { now: Date.now },
  });
  await reprice.ensureIndexes();
  return { reprice, catalog, store, connection };
}

/** Writes so many products of a page, and is gone. */
const dyingAfter =
  (count: number, catalog: RepriceCatalog): RepriceCatalog['write'] =>
  async (changes, repricedBy) => {
    await catalog.write(changes.slice(0, count), repricedBy);
    throw new Error('killed');
  };

describe('a repricing', () => {
  /** Dies after four writes of a page of ten, and another goes on; answers the prices that came of it. */
  async function interrupted(
    brand: string,
    change: (catalog: RepriceCatalog) => Partial<RepriceCatalog> = () => ({}),
  ) {
    const setUp = await openReprice();
    const ids = Array.from({ length: 10 }, (_, index) => `${brand}-${index}`);
    await setUp.catalog.upsertMany(ids.map(id => someProduct(id, { brand })));
    const terms = { basisPoints: 9_000, brand };
    const dying = await openReprice(catalog => ({ ...change(catalog), write: dyingAfter(4, catalog) }));
    const { repriceId } = await dying.reprice.start(terms);
    await expect(dying.reprice.step(repriceId)).rejects.toThrow('killed');
    const next = await openReprice(change);
    const again = await next.reprice.start(terms);
    expect(again).toMatchObject({ repriceId, resumed: true, state: 'running', products: 0 });
    const done = await next.reprice.step(repriceId);
    const amounts = await Promise.all(
      ids.map(async id => (await next.catalog.product(productIdSchema.parse(id)))?.variants[0]?.price.amount),
    );
    return { ...next, done, amounts, ids, repriceId, terms };
  }

  it('that died in the middle of a page changes no price twice, counts each once, and has each in its history once', async () => {
    const { done, amounts, reprice, catalog, repriceId, terms, ids } = await interrupted('acme');
    expect(done).toMatchObject({
      state: 'done',
      products: 10,
      changed: 10,
      unchanged: 0,
      refused: 0,
      prices: 10,
    });
    expect(amounts).toEqual(ids.map(() => 2_699));
    // Once it is done nothing changes any more, and until its end was confirmed the same is the same.
    expect(await reprice.step(repriceId)).toMatchObject({ state: 'done', changed: 10 });
    expect(await reprice.start(terms)).toMatchObject({ repriceId, resumed: true, state: 'done' });
    const history = await catalog.priceHistory(skuSchema.parse('acme-0-one'));
    expect(history?.entries.map(({ amount }) => amount)).toEqual([2_999, 2_699]);
    expect(history?.reduction).toMatchObject({ lowestAmount: 2_999 });
    await reprice.end(repriceId);
    expect((await reprice.start(terms)).repriceId).not.toBe(repriceId);
  });

  it('would change some twice without its mark on them: the control', async () => {
    const { amounts } = await interrupted('forgetful', catalog => ({
      page: async query => (await catalog.page(query)).map(each => ({ ...each, repricings: [] })),
    }));
    expect(new Set(amounts)).toEqual(new Set([2_429, 2_699]));
  });

  it('that is taken up again after another has passed over its products changes none of them twice', async () => {
    const { catalog, reprice } = await openReprice();
    const ids = Array.from({ length: 6 }, (_, index) => `crossed-${index}`);
    await catalog.upsertMany(ids.map(id => someProduct(id, { brand: 'crossed' })));
    const dying = await openReprice(repriced => ({ write: dyingAfter(3, repriced) }));
    const [first, second] = [
      { basisPoints: 5_000, brand: 'crossed' },
      { basisPoints: 20_000, brand: 'crossed' },
    ];
    const { repriceId } = await dying.reprice.start(first);
    await expect(dying.reprice.step(repriceId)).rejects.toThrow('killed');
    const other = await reprice.start(second);
    await reprice.step(other.repriceId);
    await reprice.end(other.repriceId);
    await reprice.step(repriceId);
    const amounts = await Promise.all(
      ids.map(async id => (await catalog.product(productIdSchema.parse(id)))?.variants[0]?.price.amount),
    );
    // 29.99, halved and doubled in either order: rounded up on the way, or not.
    expect(amounts.toSorted((a = 0, b = 0) => a - b)).toEqual([2_999, 2_999, 2_999, 3_000, 3_000, 3_000]);
    await reprice.end(repriceId);
  });

  it('looks again at what others change meanwhile, leaves out what they remove, and names what they never leave alone', async () => {
    const { catalog } = await openReprice();
    const busy = (index: number, title: string) => someProduct(`busy-${index}`, { brand: 'busy', title });
    await catalog.upsertMany([0, 1, 2, 3].map(index => busy(index, 'As it was')));
    let writes = 0;
    const { reprice } = await openReprice(repriced => ({
      async write(changes, repricedBy) {
        writes += 1;
        await catalog.upsert(busy(2, `Changed ${writes} times`));
        if (writes === 1) {
          await catalog.upsert(busy(0, 'Renamed'));
          await catalog.remove(productIdSchema.parse('busy-1'));
        }
        return repriced.write(changes, repricedBy);
      },
    }));
    const { repriceId } = await reprice.start({ basisPoints: 9_000, brand: 'busy' });
    expect(await reprice.step(repriceId)).toMatchObject({
      state: 'done',
      products: 4,
      changed: 2,
      unchanged: 1,
      refused: 1,
      prices: 2,
      problems: [{ productId: 'busy-2', reason: 'others are changing this product at the same time' }],
    });
    const left = await Promise.all(
      [0, 1, 2, 3].map(async index => {
        const product = await catalog.product(productIdSchema.parse(`busy-${index}`));
        return product && [product.title, product.variants[0]?.price.amount];
      }),
    );
    expect(left).toEqual([
      ['Renamed', 2_699],
      null,
      [`Changed ${writes} times`, 2_999],
      ['As it was', 2_699],
    ]);
    await reprice.end(repriceId);
  });

  it('that is given up is begun anew by the same terms, and only so many may be under way', async () => {
    const { reprice, connection } = await openReprice();
    const runs = connection.collection('reprices');
    await runs.updateMany({}, { $set: { state: 'ended' } });
    const begun = await Promise.all(
      [1, 2, 3, 4, 5].map(percent => reprice.start({ basisPoints: 10_000 + percent, brand: 'nobody' })),
    );
    const sixth = { basisPoints: 11_000, brand: 'nobody' };
    await expect(reprice.start(sixth)).rejects.toThrow('give them up');
    const abandoned = begun[0]?.repriceId ?? '';
    // Its report cannot have been read while it runs: so that alone does not end it.
    expect(await reprice.end(abandoned)).toMatchObject({ state: 'running' });
    expect(await reprice.end(abandoned, { giveUp: true })).toMatchObject({ state: 'ended' });
    expect(await reprice.step(abandoned)).toMatchObject({ state: 'ended' });
    expect(await reprice.start(sixth)).toMatchObject({ resumed: false });
    await runs.updateMany({}, { $set: { state: 'ended' } });
  });

  it('has every product due for search, keeps the tiers that are still an offer, and changes one currency alone', async () => {
    const { reprice, catalog } = await openReprice();
    const usd = (amount: number) => ({ amount, currency: 'USD' });
    const eur = (amount: number) => ({ amount, currency: 'EUR' });
    const variants = [
      {
        sku: 'tiered',
        price: usd(10),
        prices: [eur(1_000)],
        tiers: [
          { from: 2, price: usd(9) },
          { from: 5, price: usd(5) },
        ],
      },
    ];
    await catalog.upsert(someProduct('tiered', { brand: 'tiers', variants }));
    const before = await catalog.productForAdmin(productIdSchema.parse('tiered'));
    const { repriceId } = await reprice.start({ basisPoints: 5_000, brand: 'tiers', currency: 'USD' });
    await reprice.step(repriceId);
    const after = await catalog.productForAdmin(productIdSchema.parse('tiered'));
    // Half of 9 is rounded to 5, which is what one costs by now.
    expect(after).toMatchObject({
      rev: (before?.rev ?? 0) + 1,
      indexed: false,
      variants: [{ price: usd(5), prices: [eur(1_000)], tiers: [{ from: 5, price: usd(3) }] }],
    });
    expect(after?.variants[0]?.tiers).toHaveLength(1);
  });
});

describe('the history of a price', () => {
  it('has each change by edit and import once, none of a repeated import, and what a dead process left', async () => {
    const { catalog, store, connection } = await openReprice();
    const sku = skuSchema.parse('kept-one');
    const at = (amount: number) =>
      someProduct('kept', { variants: [{ sku, price: { amount, currency: 'USD' } }] });
    await catalog.upsertMany([at(1_000)]);
    expect((await catalog.priceHistory(sku))?.entries.map(({ amount }) => amount)).toEqual([1_000]);
    for (const amount of [900, 900, 800, 1_000]) await catalog.upsertMany([at(amount)]);
    await catalog.upsertMany([at(1_000)]);
    expect((await catalog.priceHistory(sku))?.entries.map(({ amount }) => amount)).toEqual([
      1_000, 900, 800, 1_000,
    ]);
    // Whoever dies after the write and before the move leaves the lines with the product.
    const left = { id: 'kept-one USD 99', sku, currency: 'USD', atMs: Date.now() + 1, amount: 700 };
    await connection
      .collection('products')
      .updateOne({ title: 'Product kept' }, { $set: { priceLog: [left], 'variants.0.price.amount': 700 } });
    const amounts = async () => (await catalog.priceHistory(sku))?.entries.map(({ amount }) => amount);
    expect(await amounts()).toEqual([1_000, 900, 800, 1_000, 700]);
    await store.takePriceLogs([productIdSchema.parse('kept')]);
    await store.takePriceLogs([productIdSchema.parse('kept')]);
    expect(await amounts()).toEqual([1_000, 900, 800, 1_000, 700]);
    const found = await connection.collection('products').findOne({ title: 'Product kept' });
    expect(found?.['priceLog']).toEqual([]);
  });

  it('ends when its product is removed, and begins anew with the product that has the SKU then', async () => {
    const { catalog } = await openReprice();
    const sku = skuSchema.parse('moving');
    const at = (id: string, amount: number) =>
      someProduct(id, { variants: [{ sku, price: { amount, currency: 'USD' } }] });
    const amounts = async () => (await catalog.priceHistory(sku))?.entries.map(({ amount }) => amount);
    await catalog.upsertMany([at('had-it', 5_000)]);
    await catalog.remove(productIdSchema.parse('had-it'));
    expect(await catalog.priceHistory(sku)).toBeNull();
    await catalog.upsertMany([at('has-it', 8_000)]);
    expect(await amounts()).toEqual([5_000, null, 8_000]);
    // At a rev that the other product had, too: its change is another line.
    await catalog.upsertMany([at('has-it', 7_000)]);
    expect(await amounts()).toEqual([5_000, null, 8_000, 7_000]);
    // It cost less within those days, as whichever product.
    expect((await catalog.priceHistory(sku))?.reduction).toBeNull();
    await catalog.remove(productIdSchema.parse('has-it'));
    await catalog.upsertMany([at('has-it', 7_500)]);
    expect(await amounts()).toEqual([5_000, null, 8_000, 7_000, null, 7_500]);
  });
});

const run = (
  script: string,
  args: readonly string[],
  meanwhile?: (command: ChildProcess) => Promise<void>,
) => {
  const argv = [path.join('scripts', script), '--data', path.join(folder, 'data'), ...args];
  return runProgram(argv, meanwhile ? { meanwhile } : {});
};

describe('the command', () => {
  const priceOf = async (index: number) => {
    const product = await admin.api.admin.product.get.query({
      productId: `p-${String(index).padStart(5, '0')}`,
    });
    return product.variants[0]?.price.amount;
  };

  it('reprices more than a thousand products once, although it and the server are killed in the middle', async () => {
    const file = path.join(folder, 'products.jsonl');
    const lines = Array.from({ length: productsCount }, (_, index) =>
      JSON.stringify({
        productId: `p-${String(index).padStart(5, '0')}`,
        title: `Product ${index}`,
        brand: index % 3 === 0 ? 'Other' : 'Samsung',
        variants: [{ sku: `S-${index}`, price: { amount: 10_000 + index, currency: 'EUR' } }],
      }),
    );
    writeFileSync(file, lines.join('\n'));
    expect(await run('import.ts', [file])).toMatchObject({ status: 0 });
    const args = ['--percent', '-10', '--brand', 'Samsung'];
    const dry = await run('reprice.ts', [...args, '--dry-run']);
    expect(dry.output).toContain('680 prices of 680 products would change, of 680 looked at.');
    expect(await priceOf(1)).toBe(10_001);

    const server = Object.keys(installation.pids()).find(name => name.startsWith('server')) ?? '';
    await run('reprice.ts', args, async command => {
      await expect.poll(() => priceOf(1), { timeout: 30_000, interval: 20 }).toBe(9_001);
      installation.kill(server, 'SIGKILL');
      command.kill('SIGKILL');
    });
    await installation.untilReady(server);
    const report = path.join(folder, 'report.json');
    const resumed = await run('reprice.ts', [...args, '--json', report]);
    expect(resumed).toMatchObject({ status: 0 });
    expect(resumed.output).toContain('Going on with the repricing that was begun before');
    expect(resumed.output).toContain(
      '680 prices of 680 products are changed; 0 are as they were; 0 refused.',
    );
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ changed: 680, problems: [] });

    let cursor: string | undefined;
    const wrong: string[] = [];
    do {
      const page = await admin.api.admin.product.list.query({ limit: 100, ...(cursor ? { cursor } : {}) });
      for (const { productId, brand, variants } of page.items) {
        const index = Number(productId.slice(2));
        if (!productId.startsWith('p-')) continue;
        const was = 10_000 + index;
        const wanted = brand === 'Samsung' ? Math.round((was * 9) / 10 + 1e-9) : was;
        if (variants[0]?.price.amount !== wanted) wrong.push(productId);
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(wrong).toEqual([]);
    const shown = await admin.api.catalog.priceHistory.query({ sku: 'S-1' });
    expect(shown.items.map(({ price }) => price?.amount)).toEqual([10_001, 9_001]);
    expect(shown.reduction).toMatchObject({ lowest30Days: { amount: 10_001, currency: 'EUR' } });
    const unchanged = await admin.api.catalog.priceHistory.query({ sku: 'S-0' });
    expect(unchanged).toMatchObject({ items: [{ price: { amount: 10_000 } }] });
    expect(unchanged.reduction).toBeUndefined();
    const log = await admin.api.admin.audit.query({ what: 'admin.reprice' });
    expect(log.items.map(({ what }) => what)).toContain('admin.reprice.end');
    expect(log.items.filter(({ target }) => !target)).toEqual([]);
    const absent = await admin.api.catalog.priceHistory
      .query({ sku: 'S-1', currency: 'JPY' })
      .catch(failureOf);
    expect(absent).toMatchObject({ code: 'NOT_FOUND' });
  }, 120_000);

  it('says how it is used, and refuses what is no percentage', async () => {
    expect((await run('reprice.ts', ['--help'])).output).toContain('--percent -10');
    expect(await run('reprice.ts', [])).toMatchObject({ status: 1 });
    expect(await run('reprice.ts', ['--percent', 'much'])).toMatchObject({ status: 1 });
  });
});
