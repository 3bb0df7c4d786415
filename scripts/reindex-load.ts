// A reindex of many products while products are written and searched: does any search fail, is any write lost, is
// anything searched half-built? Needs Redis on the PATH and nothing else; ends with all that it started.
//
//   node scripts/run.js scripts/reindex-load.ts [--products 100000] [--writes 50]
import { parseArgs } from 'node:util';
import { someProduct, startCatalogServices } from '../test/support/catalog-services.ts';
import { reindexUnderWrites } from '../test/support/reindex-under-writes.ts';
import { say } from './command/say.ts';

const { values } = parseArgs({
  options: {
    products: { type: 'string', default: '100000' },
    writes: { type: 'string', default: '50' },
  },
});
const productsCount = Number(values.products);
const writesPerSec = Number(values.writes);
const batchCount = 500;

const services = await startCatalogServices();
try {
  const open = await services.openCatalog();
  const { indexer } = services.openSearch(open.catalog);
  let startedAtMs = performance.now();
  for (let from = 0; from < productsCount; from += batchCount) {
    const products = Array.from({ length: Math.min(batchCount, productsCount - from) }, (_, place) => {
      const number = String(from + place);
      return someProduct(`p-${number.padStart(7, '0')}`, {
        title: `Standing lamp ${number}`,
        brand: `Maker ${(from + place) % 400}`,
        categories: ['Lamps', `Room ${(from + place) % 40}`],
        description: 'A lamp that stands by itself, with a shade of linen and a foot of oak.',
        popularity: (from + place) % 20_000,
      });
    });
    await open.catalog.upsertMany(products);
  }
  await indexer.run();
  say(`${productsCount} products are searchable after ${seconds(startedAtMs)}.`);

  startedAtMs = performance.now();
  let told = '';
  const result = await reindexUnderWrites({
    services,
    open,
    standingCount: productsCount,
    standingText: 'standing',
    writesPerSec,
    untilWritesCount: 0,
    onProgress({ phase, doneCount, totalCount }) {
      const tenth = `${phase}: ${Math.floor((10 * doneCount) / totalCount)}0 %`;
      if (tenth !== told) say(`  ${tenth} after ${seconds(startedAtMs)}`);
      told = tenth;
    },
  });
  say(`reindex            ${result.outcome.kind}, ${(result.reindexMs / 1000).toFixed(1)} s`);
  say(
    `writes meanwhile   ${result.writesCount} (${((1000 * result.writesCount) / result.reindexMs).toFixed(1)}/s)`,
  );
  say(`searches meanwhile ${result.searchesCount}, wrong or failed: ${result.wrongAnswers.length}`);
  for (const wrong of result.wrongAnswers.slice(0, 10)) say(`  ${wrong}`);
  say(`slowest change     searchable after ${(result.slowestMs / 1000).toFixed(2)} s`);
  say(`index and catalog  ${result.differences.length} differences`);
  for (const { kind, productId } of result.differences.slice(0, 10)) say(`  ${kind} ${productId}`);
  const isRight =
    result.outcome.kind === 'done' && result.wrongAnswers.length === 0 && result.differences.length === 0;
  process.exitCode = isRight ? 0 : 1;
} finally {
  await services.dispose();
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
