// Killed in the middle of imports and edits, worker and search service alike: afterwards index and catalog agree, by
// the command that anybody can run. That it would say so if they did not is shown with a change acknowledged unsent.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ManagedProcess } from '../../scripts/supervisor/managed-process.ts';
import { productIdSchema } from '../../server/ids.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';
import { startEmbeddedTypesense } from '../support/embedded-typesense.ts';

const root = path.resolve(import.meta.dirname, '../..');
const productsCount = 900;
const batchCount = 60;

let services: CatalogServices;
let open: OpenCatalog;
let env: NodeJS.ProcessEnv;
let worker: ManagedProcess;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  services = await startCatalogServices();
  open = await services.openCatalog();
  const key = randomBytes(24).toString('hex');
  env = {
    ...process.env,
    LOG_LEVEL: 'error',
    REDIS_URL: services.redis.url,
    REDIS_JOBS_URL: services.redis.url,
    MONGODB_URI: `${services.mongo.uri}/catalog`,
    TYPESENSE_URL: services.typesense.url,
    TYPESENSE_API_KEY: services.typesense.apiKey,
    STRIPE_SECRET_KEY: `sk_test_${key}`,
    STRIPE_PUBLISHABLE_KEY: `pk_test_${key}`,
    STRIPE_WEBHOOK_SECRET: `whsec_${key}`,
    STRIPE_API_BASE: 'http://127.0.0.1:9',
    ADMIN_KEY: key,
    TOKEN_SECRET: key,
  };
}, 60_000);
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  await services.dispose();
});

async function startWorker(): Promise<ManagedProcess> {
  const started = new ManagedProcess(
    { name: 'worker', argv: [path.join(root, 'workers/main.ts')], env, stopWithinMs: 10_000 },
    () => {},
    { restart: false },
  );
  await started.start();
  closers.push(() => started.stop());
  return started;
}

/** `npm run reindex -- --verify`, as a program. */
async function verify(): Promise<{ status: number; said: string }> {
  const data = path.join(services.typesense.dataDir, 'no-installation');
  const argv = [path.join(root, 'scripts/reindex.ts'), '--verify', '--data', data];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env });
    return { status: 0, said: stdout };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !('stdout' in error)) throw error;
    return { status: Number(error.code), said: String(error.stdout) };
  }
}

/** Until the index has taken some more of what is due. */
async function untilSomeAreTaken(): Promise<void> {
  const { due: before } = await open.catalog.counts();
  for (;;) {
    const { due } = await open.catalog.counts();
    if (due === 0 || due < before) return;
    await pause(5);
  }
}

describe('kill -9 in the middle of imports and edits', () => {
  test('of worker and search service: afterwards index and catalog agree exactly', async () => {
    const { catalog } = open;
    const id = (number: number) => `p-${number}`;
    const imported = (async () => {
      for (let from = 0; from < productsCount; from += batchCount) {
        const numbers = Array.from({ length: batchCount }, (_, place) => from + place);
        await catalog.upsertMany(numbers.map(number => someProduct(id(number))));
        // Edits and removals of what came before.
        if (from === 0) continue;
        await catalog.upsert(someProduct(id(from - 1), { title: `Edited ${from}` }));
        await catalog.remove(productIdSchema.parse(id(from - 2)));
      }
    })();

    const first = await startWorker();
    await untilSomeAreTaken();
    first.kill('SIGKILL');
    const second = await startWorker();
    await untilSomeAreTaken();
    const { port, dataDir, apiKey } = services.typesense;
    await services.typesense.kill();
    await catalog.upsert(someProduct('while-away', { title: 'Written while search was away' }));
    const back = await startEmbeddedTypesense({ port, dataDir, apiKey });
    closers.push(() => back.stop());
    second.kill('SIGKILL');
    worker = await startWorker();
    await imported;

    const { status, said } = await verify();
    expect(said).toContain('They agree.');
    expect(status).toBe(0);
    const { products, due } = await catalog.counts();
    expect(due).toBe(0);
    expect(said).toContain(`${products.toLocaleString('en')} products in the catalog, `);
    expect(products).toBe(productsCount - (productsCount / batchCount - 1) + 1);
  }, 180_000);

  test('a change that was called indexed before it was is found missing: the command bites', async () => {
    const { catalog } = open;
    // A worker that lives might be quicker than the hasty one.
    await worker.stop();
    await catalog.upsert(someProduct('lost', { title: 'Lost' }));
    // What an indexer does that acknowledges first and is killed before it sends.
    const nowMs = Date.now() + 60_000;
    const due = await open.store.claimDue({ by: 'hasty', limit: 10, nowMs, untilMs: nowMs + 60_000 });
    await open.store.endClaim({ by: 'hasty', taken: due, refused: [], refusedUntilMs: 0 });
    const { status, said } = await verify();
    expect(said).toContain('missing  lost');
    expect(said).toContain('1 differ.');
    expect(status).toBe(1);
  }, 60_000);
});
