import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { nodeOptionsOf } from '../../scripts/command/node-options.ts';
import { exportProducts } from '../../scripts/export/export-products.ts';
import { openDirectTarget } from '../../scripts/import/direct-target.ts';
import { importProducts } from '../../scripts/import/import-products.ts';
import { makeProducts } from '../../scripts/import/make-products.ts';
import { createAdminProductRouter } from '../../server/catalog/catalog.router.ts';
import { productStatusSchema } from '../../server/catalog/product.ts';
import { productIdSchema } from '../../server/ids.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { router } from '../../server/trpc.ts';
import { createIndexWorker, type IndexWorker } from '../../workers/index-products.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  quietLog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';
import { nastyTexts } from '../support/nasty-texts.ts';
import { hasRealProducts, realOnly, realProductsFile } from '../support/real-products.ts';
import { runProgram } from '../support/run-program.ts';

let services: CatalogServices;
let open: OpenCatalog;
let worker: IndexWorker;
let folder: string;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-import-'));
  services = await startCatalogServices();
  open = await services.openCatalog();
  const connection = connectRedis({ url: services.redis.url, role: 'jobs', log: quietLog });
  worker = createIndexWorker({
    indexer: services.openSearch(open.catalog).indexer,
    connection,
    log: quietLog,
  });
  closers.push(() => connection.disconnect());
}, 60_000);
afterAll(async () => {
  await worker.close();
  for (const close of closers) close();
  await services.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** The command as npm runs it, without an installation on its data folder. */
const runImport = (
  args: readonly string[],
  env: Record<string, string> = {},
  nodeOptions: readonly string[] = [],
) => runProgram([...nodeOptions, 'scripts/import.ts', '--data', folder, ...args], { env });

const runExport = (args: readonly string[], env: Record<string, string> = {}) =>
  runProgram(['scripts/export.ts', '--data', folder, ...args], { env });

const installation = () => ({ MONGODB_URI: `${services.mongo.uri}/catalog`, REDIS_URL: services.redis.url });

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
}

describe.skipIf(!hasRealProducts)(`the import of real products${realOnly}`, () => {
  test('takes every one, says so, and changes nothing when it is repeated', async () => {
    const reportFile = path.join(folder, 'report.json');
    const first = await runImport([realProductsFile, '--json', reportFile], installation());
    expect(first.stderr).toBe('');
    expect(first.stdout).toContain('1,974 products in, 0 refused (1,974 created, 2 adjusted)');
    expect(first.stdout).toContain('Search finds them all.');
    expect(first.status).toBe(0);
    expect(JSON.parse(readFileSync(reportFile, 'utf8'))).toMatchObject({
      records: 1974,
      in: 1974,
      created: 1974,
      refusedCount: 0,
      indexed: true,
    });
    expect(await open.catalog.counts()).toEqual({ products: 1974, due: 0 });

    const second = await runImport([realProductsFile], installation());
    expect(second.stdout).toContain('1,974 products in, 0 refused (1,974 unchanged, 2 adjusted)');
    expect(await open.catalog.counts()).toEqual({ products: 1974, due: 0 });
  }, 60_000);

  test('has every price to the cent', async () => {
    const records: unknown = JSON.parse(readFileSync(realProductsFile, 'utf8'));
    if (!Array.isArray(records)) throw new Error('the file is not an array');
    const cents = records.map(({ price }: { price: number }) => Number(price.toFixed(2).replace('.', '')));
    let sum = 0;
    let cursor: string | undefined;
    do {
      const page = await open.catalog.list({ cursor, limit: 100 });
      for (const { variants } of page.items) sum += variants[0]?.price.amount ?? 0;
      cursor = page.nextCursor;
    } while (cursor);
    expect(sum).toBe(cents.reduce((total, amount) => total + amount, 0));
  }, 30_000);
});

describe('the import', () => {
  test('names every refused record with line, field and reason, takes the others, and exits with 1', async () => {
    const source = file(
      'mixed.jsonl',
      [
        '{"name":"Good one","price":5}',
        '{"name":"Too exact","price":5.001}',
        'not JSON',
        '{"name":"Good one","price":7}',
        '{"productId":"own","title":"Own shape","variants":[{"sku":"own-1","price":{"amount":100,"currency":"USD"}}]}',
        '{"productId":"thief","title":"Thief","variants":[{"sku":"own-1","price":{"amount":100,"currency":"USD"}}]}',
      ].join('\n'),
    );
    const reportFile = path.join(folder, 'mixed-report.json');
    const run = await runImport([source, '--json', reportFile], installation());
    expect(run.stdout).toContain('record 2, line 2: price: has more decimals than USD has: 5.001');
    expect(run.stdout).toContain('record 4, line 4: productId: is the same product as record 1');
    expect(run.stdout).toContain('2 products in, 4 refused (2 created)');
    expect(run.status).toBe(1);
    const report: unknown = JSON.parse(readFileSync(reportFile, 'utf8'));
    expect(report).toMatchObject({
      refused: [
        { record: 2, line: 2, field: 'price' },
        { record: 3, line: 3 },
        { record: 4, line: 4, field: 'productId' },
        { record: 6, line: 6, field: 'variants.sku', reason: 'own-1 belongs to product own' },
      ],
    });
  });

  test('reads CSV, with lists divided by bars and prices in the currency that it is told', async () => {
    const source = file(
      'shop.csv',
      'id;name;price;categories;popularity\ncsv-1;"Kanne; groß";19,9;;\ncsv-2;Tasse;19.9;Küche|Geschirr;12\n',
    );
    const run = await runImport([source, '--currency', 'eur'], installation());
    expect(run.stdout).toContain('record 1, line 2: price: is not a plain decimal number: 19,9');
    expect(run.stdout).toContain('1 product in, 1 refused');
    expect(await open.catalog.product(productIdSchema.parse('csv-2'))).toMatchObject({
      title: 'Tasse',
      categories: ['Küche', 'Geschirr'],
      popularity: 12,
      variants: [{ price: { amount: 1990, currency: 'EUR' } }],
    });
  });

  test('writes nothing in a dry run, and needs no installation for it', async () => {
    const source = file('dry.jsonl', '{"id":"dry","name":"Dry","price":5}');
    const run = await runImport([source, '--dry-run']);
    expect(run.stdout).toContain('1 product would go in, 0 refused');
    expect(run.status).toBe(0);
    expect(await open.catalog.product(productIdSchema.parse('dry'))).toBeNull();
  });

  test('holds no more of a file that is ten times as long', async () => {
    const peakOf = async (count: number) => {
      const source = path.join(folder, `made-${count}.jsonl`);
      const reportFile = path.join(folder, `made-${count}.json`);
      await makeProducts(count, source);
      const run = await runImport(['--dry-run', source, '--json', reportFile], {}, nodeOptionsOf('import'));
      expect(run.stdout).toContain(`${count.toLocaleString('en-US')} products would go in, 0 refused`);
      const report: unknown = JSON.parse(readFileSync(reportFile, 'utf8'));
      return z.object({ peakMemoryBytes: z.int().positive() }).parse(report).peakMemoryBytes;
    };
    const small = await peakOf(4_000);
    // 1.66 without the bounds of the heap, which V8 would rather let grow than collect.
    expect((await peakOf(40_000)) / small).toBeLessThan(1.3);
  }, 120_000);

  test('says how to start an installation where none runs, and what is wrong with a file', async () => {
    const source = file('x.jsonl', '{}');
    const alone = await runImport([source]);
    expect(alone).toMatchObject({ status: 1 });
    expect(alone.stderr).toContain('Start one with "npm start"');
    const absent = await runImport([path.join(folder, 'absent.json')], installation());
    expect(absent).toMatchObject({ status: 1 });
    expect(absent.stderr).toContain('absent.json');
    const cut = await runImport([file('cut.json', '[{"name":"A","price":1},\n{"na')], installation());
    expect(cut).toMatchObject({ status: 1 });
    expect(cut.stderr).toContain('the file ends inside record 2, which begins on line 2');
    const binary = path.join(folder, 'binary.jsonl');
    writeFileSync(binary, Uint8Array.of(0x7b, 0xff, 0xfe));
    expect((await runImport([binary], installation())).stderr).toContain('is not text in UTF-8');
    expect((await runImport(['--help'])).stdout).toContain('npm run import -- FILE');
  });

  test('goes through the API of an installation elsewhere, and stops at a key that is not its', async () => {
    const handle = createHTTPHandler({
      basePath: '/trpc/',
      router: router({ admin: router({ product: createAdminProductRouter(open.catalog) }) }),
      createContext: ({ req }) => ({
        caller:
          req.headers.authorization === 'Bearer right-key'
            ? { kind: 'admin' as const, name: 'test', role: 'admin' as const }
            : { kind: 'nobody' as const, why: 'bad-token' as const },
        address: '127.0.0.1',
        userAgent: undefined,
        log: quietLog,
        metrics: createMetrics(),
        rates: { consume: async () => undefined },
        audit: { append: () => undefined },
      }),
    });
    const server = createServer(handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    try {
      const products = Array.from({ length: 57 }, (_, index) => ({
        id: `api-${index}`,
        name: `Api ${index}`,
        price: index,
      }));
      const source = file(
        'api.json',
        JSON.stringify([...products, { id: 'api-57', name: 'Thief', price: 1, sku: 'api-0' }]),
      );
      const url = `http://127.0.0.1:${address.port}/`;
      const refused = await runImport([source, '--url', url, '--admin-key', 'wrong-key']);
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toContain('the server refused to import');
      const run = await runImport([source, '--url', url], { ADMIN_KEY: 'right-key' });
      expect(run.stdout).toContain('record 58, line 1: SKU api-0 belongs to product api-0');
      expect(run.stdout).toContain('57 products in, 1 refused');
      expect(run.stdout).toContain('Search finds them all.');
      expect(await open.catalog.product(productIdSchema.parse('api-56'))).toMatchObject({ title: 'Api 56' });

      const [far, near] = [path.join(folder, 'far.csv'), path.join(folder, 'near.csv')];
      expect(await runExport([far, '--url', url], { ADMIN_KEY: 'right-key' })).toMatchObject({ status: 0 });
      expect(await runExport([near], installation())).toMatchObject({ status: 0 });
      expect(readFileSync(far, 'utf8')).toBe(readFileSync(near, 'utf8'));
      const wrong = await runExport([`${far}.json`, '--url', url, '--admin-key', 'wrong-key']);
      expect(wrong).toMatchObject({ status: 1, stdout: '' });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describe('the export', () => {
  const exportTo = async (name: string, database: string) => {
    const target = path.join(folder, name);
    const run = await runExport([target], { MONGODB_URI: `${services.mongo.uri}/${database}` });
    expect(run).toMatchObject({ status: 0, stderr: '' });
    return { target, text: readFileSync(target, 'utf8'), stdout: run.stdout };
  };

  test('writes what makes the same catalog again, in each format', async () => {
    const usd = (amount: number) => ({ amount, currency: 'USD' });
    const odd = nastyTexts.map((text, index) =>
      someProduct(`odd-${index}`, {
        title: text,
        description: `${text}\n\n\t${text}`,
        brand: text.replaceAll('`', '') === '"' || text === '{}' ? 'Brand' : text,
        categories: text === '"' || text === '{}' ? [] : [text, 'Plain'],
        images: ['/a|b.png', 'https://images.example/a,b;c'],
        status: productStatusSchema.options[index % 3],
        taxClass: 'reduced',
        variants: [1, 2].map(number => ({
          sku: `odd-${index}-${number}`,
          title: text,
          options: { Size: `${text}${number}` },
          price: usd(number),
          prices: [
            { amount: number, currency: 'JPY' },
            { amount: 1_230, currency: 'KWD' },
          ],
          attributes: { note: text, size: number, new: number === 1 },
        })),
      }),
    );
    // Besides the odd ones, more than a page of plain ones.
    const plain = Array.from({ length: 205 }, (_, index) => someProduct(`plain-${index}`));
    const shop = await services.openCatalog({ database: 'odd' });
    const outcomes = await shop.catalog.upsertMany([...odd, ...plain]);
    expect(outcomes.every(({ kind }) => kind === 'created')).toBe(true);
    const products = outcomes.length;
    const whole = await exportTo('whole.jsonl', 'odd');
    expect(whole.stdout).toContain(`${products.toLocaleString('en-US')} products in`);

    for (const format of ['jsonl', 'json', 'csv'] as const) {
      const { target: source } = await exportTo(`again.${format}`, 'odd');
      const mongoUri = `${services.mongo.uri}/copy-${format}`;
      const target = await openDirectTarget({ mongoUri, redisUrl: services.redis.url });
      try {
        const given = { file: source, format, currency: 'XXX', target };
        expect(await importProducts(given)).toMatchObject({
          created: products,
          refusedCount: 0,
          adjustedCount: 0,
        });
        expect(await importProducts(given)).toMatchObject({ unchanged: products, refusedCount: 0 });
      } finally {
        await target.close();
      }
      expect((await exportTo(`copy-${format}.jsonl`, `copy-${format}`)).text).toBe(whole.text);
    }
  }, 120_000);

  test('writes over no file, leaves none half-written, and says where there is nothing to export', async () => {
    const there = file('there.json', 'mine');
    const refused = await runExport([there], installation());
    expect(refused.stderr).toContain('is there already: --force writes over it');
    expect(readFileSync(there, 'utf8')).toBe('mine');
    const absent = path.join(folder, 'nowhere', 'x.json');
    expect((await runExport([absent], installation())).status).toBe(1);
    expect((await runExport([path.join(folder, 'x.json')])).stderr).toContain('no installation runs on');
    expect((await runExport([path.join(folder, 'x.txt')])).stderr).toContain('--format json, jsonl or csv');
    const failing = async function* () {
      yield [];
      throw new Error('the catalog went away');
    };
    const half = path.join(folder, 'half.jsonl');
    await expect(exportProducts({ file: half, format: 'jsonl', pages: failing() })).rejects.toThrow(
      'went away',
    );
    expect(readdirSync(folder).filter(name => name.startsWith('half'))).toEqual([]);
  });
});
