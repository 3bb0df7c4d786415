// What does a product cost that is remembered? `catalog.product` through the whole HTTP stack, against a mutation that
// does nothing, of the same server in the same run.
import { startEmbeddedMongo } from '../test/support/embedded-mongo.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import type { Bench, BenchRow } from './row.ts';
import { startChildServer } from './support/child-server.ts';
import { repeatCall } from './support/load.ts';

const roundSec = 4;
const warmUpSec = 2;

/** As many words and variants as most products have. */
const product = {
  productId: 'lamp',
  title: 'Reading lamp with three steps of brightness',
  description: 'A lamp for the desk and for the night table. '.repeat(6).trim(),
  brand: 'Lumen',
  categories: ['Home', 'Lamps'],
  images: ['/img/lamp-1.jpg', '/img/lamp-2.jpg'],
  variants: ['Black', 'White'].map(colour => ({
    sku: `lamp-${colour}`,
    title: colour,
    options: { Colour: colour },
    price: { amount: 4_900, currency: 'EUR' },
  })),
};

const query = `/trpc/catalog.product?input=${encodeURIComponent(JSON.stringify({ id: product.productId }))}`;

async function prepare(): Promise<Bench> {
  const [redis, mongo] = await Promise.all([startEmbeddedRedis(), startEmbeddedMongo()]);
  const server = await startChildServer('catalog', {
    REDIS_URL: redis.url,
    MONGODB_URI: `${mongo.uri}/bench`,
    TOKEN_SECRET: 'a secret for this bench alone',
    BENCH_PRODUCT: JSON.stringify(product),
  });
  const answer = await (await fetch(server.url + query)).text();
  const reads = (durationSec: number) => repeatCall({ url: server.url + query, answer, durationSec });
  const noops = (durationSec: number) =>
    repeatCall({
      url: `${server.url}/trpc/bench.noop`,
      body: '{}',
      answer: '{"result":{"data":{"ok":true}}}',
      durationSec,
    });
  await reads(warmUpSec);
  await noops(warmUpSec);
  return {
    ours: () => reads(roundSec),
    reference: () => noops(roundSec),
    async close() {
      await server.stop();
      await Promise.all([redis.dispose(), mongo.stop()]);
    },
  };
}

export const rows: BenchRow[] = [
  {
    name: 'catalog-cached',
    question: 'a product that is remembered, read through the whole HTTP stack',
    unit: 'requests/s',
    referenceName: 'a no-op mutation of the same server',
    target: { atLeast: 0.8 },
    prepare,
  },
];
