// `npm run import`: products from a file into a running installation, with an exact report of what was refused.
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { currencySchema } from '../server/money.ts';
import {
  nothingRuns,
  type Place,
  placeOf,
  runCommand,
  sharedOptions,
  UsageError,
  writeReport,
} from './command/catalog-command.ts';
import { say } from './command/say.ts';
import { openApiTarget } from './import/api-target.ts';
import { importProducts } from './import/import-products.ts';
import { reportLines } from './import/import-report.ts';
import type { ImportTarget } from './import/import-target.ts';
import { formatOf, type ImportFormat } from './import/read-records.ts';
import { readRuntime } from './supervisor/runtime.ts';

const HELP = `npm run import -- FILE [options]

Takes products from a JSON array (.json), JSON Lines (.jsonl, .ndjson) or CSV (.csv, .tsv) into the catalog, and waits
until search finds them. Importing the same file again changes nothing.

  --format json|jsonl|csv   where the file's name does not say it
  --currency USD            of prices that name none; prices are in major units (29.99) unless a record has variants
  --dry-run                 reads and checks everything, writes nothing
  --json REPORT             writes the whole report to a file: every refused record with line, field and reason
  --data DIR                the data folder of the running installation (DATA_DIR, or .data)
  --url URL --admin-key KEY through the API of an installation elsewhere (ADMIN_KEY)
  --help                    this

A record is either a product as admin.product.upsert takes it (productId, title, variants …), or flat:
  name, description, brand, categories, price, currency, image, popularity, id, sku, slug, status, taxClass,
  variantTitle, barcode, options and attributes (JSON), prices in further currencies (EUR 19.99|JPY 2000),
  tiers from so many pieces on (EUR 10 17.99|EUR 50 15.99)
In CSV the first row names the columns; lists are divided by |; rows that follow each other with one id, each with a
SKU, are the variants of one product. What "npm run export" writes comes back as it was.

Without --url it writes to the database of the installation that runs on the data folder (npm start), in bulk. Where
none runs here, MONGODB_URI and REDIS_URL say where the catalog is.
Exit status: 0 when every record is in, 1 when any was refused or the import failed.`;

interface ImportOptions extends Place {
  file: string;
  format: ImportFormat;
  currency: string;
  dryRun: boolean;
  reportFile: string | undefined;
}

function readOptions(argv: string[]): ImportOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      format: { type: 'string' },
      currency: { type: 'string', default: 'USD' },
      'dry-run': { type: 'boolean', default: false },
      ...sharedOptions,
    },
  });
  if (values.help) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('name one file');
  const format = values.format ?? formatOf(file);
  if (format !== 'json' && format !== 'jsonl' && format !== 'csv') {
    throw new UsageError(`say what ${file} is: --format json, jsonl or csv`);
  }
  const currency = currencySchema.safeParse(values.currency);
  if (!currency.success) throw new UsageError('--currency must be a code of three letters, such as EUR');
  return {
    file,
    format,
    currency: currency.data,
    dryRun: values['dry-run'],
    reportFile: values.json,
    ...placeOf(values),
  };
}

async function openTarget(options: ImportOptions): Promise<ImportTarget> {
  if (options.remote) return openApiTarget(options.remote);
  const env = readRuntime(options.dataDir)?.env ?? process.env;
  const mongoUri = env['MONGODB_URI'];
  const redisUrl = env['REDIS_URL'];
  if (!mongoUri || !redisUrl) throw nothingRuns(options.dataDir, 'import', 'MONGODB_URI and REDIS_URL');
  // Only now: the databases' own packages take longer to load than most of what can be wrong takes to be said.
  const { openDirectTarget } = await import('./import/direct-target.ts');
  return openDirectTarget({ mongoUri, redisUrl });
}

/** Without progress for this long, whoever feeds the index is not at work. */
const indexStallMs = 15_000;

/** True when search has taken everything, false when it does not get on, null where that cannot be known. */
async function waitForIndex(target: ImportTarget): Promise<boolean | null> {
  let least = Number.POSITIVE_INFINITY;
  let progressAtMs = performance.now();
  for (;;) {
    const due = await target.dueCount();
    if (due === null || due === 0) return due === 0 ? true : null;
    if (due < least) {
      least = due;
      progressAtMs = performance.now();
    } else if (performance.now() - progressAtMs > indexStallMs) return false;
    await pause(200);
  }
}

async function run(options: ImportOptions): Promise<number> {
  const { size } = statSync(options.file);
  const target = options.dryRun ? null : await openTarget(options);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: '{bar} {percentage}% | {records} products | {eta_formatted} left',
        clearOnComplete: true,
      })
    : null;
  try {
    bar?.start(size, 0, { records: 0 });
    const report = await importProducts({
      file: options.file,
      format: options.format,
      currency: options.currency,
      target,
      onProgress: ({ bytes, records }) => bar?.update(bytes, { records }),
    }).finally(() => bar?.stop());
    for (const line of reportLines(report)) say(line);
    if (target && report.in > 0) {
      report.indexed = await waitForIndex(target);
      if (report.indexed === true) say('Search finds them all.');
      if (report.indexed === false)
        say('Search has not taken them all yet: it goes on as soon as a worker runs.');
    }
    writeReport(options.reportFile, report);
    return report.refusedCount === 0 ? 0 : 1;
  } finally {
    await target?.close();
  }
}

await runCommand({ name: 'import', help: HELP, readOptions, run });
