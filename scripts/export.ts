// `npm run export`: the products of a running installation into a file that the import takes back.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
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
import { openApiSource } from './export/api-source.ts';
import { exportProducts } from './export/export-products.ts';
import type { ExportSource } from './export/export-source.ts';
import { formatOf, type ImportFormat } from './import/read-records.ts';
import { readRuntime } from './supervisor/runtime.ts';

const HELP = `npm run export -- FILE [options]

Writes every product of the catalog, drafts and archived ones included, as a JSON array (.json), JSON Lines (.jsonl,
.ndjson) or CSV (.csv; one row for each variant), in memory that does not grow with the catalog. "npm run import" takes
the file and makes the same catalog of it; only the products' revs and times are not in it. The file appears when it is
whole.

  --format json|jsonl|csv   where the file's name does not say it
  --force                   writes over a file that is there
  --json REPORT             writes the figures to a file
  --data DIR                the data folder of the running installation (DATA_DIR, or .data)
  --url URL --admin-key KEY through the API of an installation elsewhere (ADMIN_KEY)
  --help                    this

Each product is written as it is when its turn comes: what is changed meanwhile may be in the file or not.`;

interface ExportOptions extends Place {
  file: string;
  format: ImportFormat;
  reportFile: string | undefined;
}

function readOptions(argv: string[]): ExportOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      format: { type: 'string' },
      force: { type: 'boolean', default: false },
      ...sharedOptions,
    },
  });
  if (values.help) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('name one file');
  const format = values.format ?? formatOf(file);
  if (format !== 'json' && format !== 'jsonl' && format !== 'csv')
    throw new UsageError(`say what ${file} is to be: --format json, jsonl or csv`);
  if (existsSync(file) && !values.force)
    throw new UsageError(`${file} is there already: --force writes over it`);
  return {
    file,
    format,
    reportFile: values.json,
    ...placeOf(values),
  };
}

async function openSource(options: ExportOptions): Promise<ExportSource> {
  if (options.remote) return openApiSource(options.remote);
  const mongoUri = (readRuntime(options.dataDir)?.env ?? process.env)['MONGODB_URI'];
  if (!mongoUri) throw nothingRuns(options.dataDir, 'export', 'MONGODB_URI');
  // Only now: the database's own package takes longer to load than most of what can be wrong takes to be said.
  const { openDirectSource } = await import('./export/direct-source.ts');
  return openDirectSource({ mongoUri });
}

async function run(options: ExportOptions): Promise<number> {
  const source = await openSource(options);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: '{bar} {percentage}% | {value} products | {eta_formatted} left',
        clearOnComplete: true,
      })
    : null;
  try {
    bar?.start(await source.count(), 0);
    const report = await exportProducts({
      file: options.file,
      format: options.format,
      pages: source.pages(),
      onProgress: products => bar?.update(products),
    }).finally(() => bar?.stop());
    const count = (number: number) => number.toLocaleString('en-US');
    const memory = Math.round(report.peakMemoryBytes / 1024 / 1024);
    say(`${count(report.products)} products in ${options.file}, ${count(report.bytes)} bytes`);
    say(
      `${(report.wallMs / 1000).toFixed(1)} s, ${count(report.productsPerSec)} products/s, peak memory ${memory} MiB`,
    );
    writeReport(options.reportFile, report);
    return 0;
  } finally {
    await source.close();
  }
}

await runCommand({ name: 'export', help: HELP, readOptions, run });
