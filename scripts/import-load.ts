// How fast `npm run import` takes many products, and in how much memory: ten thousand, then a hundred thousand, each
// made up here, with a fault in one of a thousand, into a catalog of its own, and the larger file once more. Every fault
// must be refused with its field, every other record be in, the second time nothing change, and the peak memory of the
// larger file be within 1.3 times that of the smaller one. Needs Redis on the PATH and nothing else.
//
//   node scripts/run.js scripts/import-load.ts [--products 100000]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { connectRedis } from '../server/platform/redis.ts';
import { type CatalogServices, quietLog, startCatalogServices } from '../test/support/catalog-services.ts';
import { createIndexWorker } from '../workers/index-products.ts';
import { nodeOptionsOf } from './command/node-options.ts';
import { say } from './command/say.ts';
import { type FaultOf, makeProducts } from './import/make-products.ts';

const { values } = parseArgs({ options: { products: { type: 'string', default: '100000' } } });
const counts = { small: Math.ceil(Number(values.products) / 10), large: Number(values.products) };
const memoryRatioMax = 1.3;

const reportSchema = z.object({
  in: z.int(),
  created: z.int(),
  unchanged: z.int(),
  refusedCount: z.int(),
  refused: z.array(z.object({ record: z.int(), field: z.string(), reason: z.string() })),
  peakMemoryBytes: z.int(),
  indexed: z.boolean().nullable(),
});
type Report = z.infer<typeof reportSchema>;

const project = path.resolve(import.meta.dirname, '..');
/** With the bounds of the heap that the command itself is started with. */
const nodeOptions = nodeOptionsOf('import');

const faultOf: FaultOf = index =>
  index % 1_000 !== 999 ? null : Math.floor(index / 1_000) % 2 === 0 ? 'price' : 'name';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-import-load-'));
const wrongs: string[] = [];
try {
  const small = await inCatalog(counts.small, (services, file) => runImport(services, file));
  const { first: large } = await inCatalog(counts.large, async (services, file) => {
    const first = await runImport(services, file);
    const again = await runImport(services, file);
    hold(again.unchanged === first.in, `the second time ${first.in - again.unchanged} changed`);
    return { first };
  });
  for (const [report, count] of [[small, counts.small] as const, [large, counts.large] as const])
    holdReport(report, count);
  const ratio = large.peakMemoryBytes / small.peakMemoryBytes;
  say(`\npeak memory of ${counts.large} against ${counts.small}: ${ratio.toFixed(2)} times`);
  hold(ratio <= memoryRatioMax, `the peak memory grew more than ${memoryRatioMax} times`);
  for (const wrong of wrongs) say(`WRONG: ${wrong}`);
  process.exitCode = wrongs.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A file of so many records, and an empty catalog for it whose indexer is at work, as an installation's is. */
async function inCatalog<T>(
  count: number,
  work: (services: CatalogServices, file: string) => Promise<T>,
): Promise<T> {
  const file = path.join(folder, `${count}.jsonl`);
  await makeProducts(count, file, faultOf);
  const services = await startCatalogServices();
  const connection = connectRedis({ url: services.redis.url, role: 'jobs', log: quietLog });
  try {
    const { catalog } = await services.openCatalog();
    const { indexer } = services.openSearch(catalog);
    const worker = createIndexWorker({ indexer, connection, log: quietLog });
    say(`\n${count} records`);
    try {
      return await work(services, file);
    } finally {
      await worker.close();
    }
  } finally {
    connection.disconnect();
    await services.dispose();
  }
}

async function runImport(services: CatalogServices, file: string): Promise<Report> {
  const reportFile = path.join(folder, 'report.json');
  const startedAtMs = performance.now();
  const script = path.join(project, 'scripts/import.ts');
  const child = spawn(
    process.execPath,
    [...nodeOptions, script, file, '--json', reportFile, '--data', folder],
    {
      env: {
        ...process.env,
        MONGODB_URI: `${services.mongo.uri}/catalog`,
        REDIS_URL: services.redis.url,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', chunk => (output += String(chunk)));
  await once(child, 'close');
  // The refused records are counted below; here the sum is what is of interest.
  for (const line of output.split('\n').filter(each => /^(?!Refused|  |$)/.test(each))) say(`  ${line}`);
  say(`  all of it took ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`);
  return reportSchema.parse(JSON.parse(readFileSync(reportFile, 'utf8')));
}

function holdReport(report: Report, count: number): void {
  const faults = Array.from({ length: count }, (_, index) => ({ record: index + 1, fault: faultOf(index) }));
  const expected = faults.flatMap(({ record, fault }) => (fault ? [`${record} ${fault}`] : []));
  const refused = report.refused.map(({ record, field }) => `${record} ${field}`);
  hold(report.created === count - expected.length, `${report.created} of ${count} records were created`);
  hold(
    refused.join() === expected.join(),
    `refused were ${refused.slice(0, 3).join(', ')} …, not ${expected.slice(0, 3).join(', ')} …`,
  );
  hold(report.refusedCount === expected.length, `${report.refusedCount} were refused`);
  hold(report.indexed === true, 'search does not find them all');
}

function hold(isSo: boolean, otherwise: string): void {
  if (!isSo) wrongs.push(otherwise);
}
