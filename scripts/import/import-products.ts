// One import, from a file to a target: reads, maps and writes in batches, so that memory does not grow with the file,
// and keeps count of every record. A product that stands in the file twice is refused the second time: the last one
// would win in silence otherwise.
import type { ProductInput } from '../../server/catalog/product.ts';
import { adjust, createReport, type ImportReport, refuse } from './import-report.ts';
import type { ImportTarget } from './import-target.ts';
import { mapProduct } from '../../server/catalog/map-product.ts';
import { type ImportFormat, readRecords } from './read-records.ts';
import { openSeenProducts } from './seen-products.ts';
import { recordCharsMax, type SourceRecord } from '../../client/records/source-record.ts';

/** Large products make small batches, or one batch of them could fill the heap. A record that is larger goes alone. */
const batchCharsMax = 4 * recordCharsMax;

type Where = Pick<SourceRecord, 'number' | 'line'>;

export async function importProducts(options: {
  file: string;
  format: ImportFormat;
  currency: string;
  /** Null for a dry run. */
  target: ImportTarget | null;
  onProgress?: (progress: { bytes: number; records: number }) => void;
}): Promise<ImportReport> {
  const { file, target } = options;
  const report = createReport({ file, dryRun: target === null });
  const startedAtMs = performance.now();
  const seen = openSeenProducts();
  let bytes = 0;
  let waiting: { where: Where; product: ProductInput }[] = [];
  let waitingChars = 0;

  async function writeWaiting(): Promise<void> {
    const batch = waiting;
    waiting = [];
    waitingChars = 0;
    const outcomes = target ? await target.write(batch.map(({ product }) => product)) : null;
    for (const [index, { where }] of batch.entries()) {
      const outcome = outcomes?.[index];
      if (outcome?.kind === 'refused') refuse(report, where, [outcome]);
      else {
        report.in += 1;
        if (outcome && outcome.kind !== 'written') report[outcome.kind] += 1;
      }
    }
    // What the system counted as this process's peak (in KiB): a look now and then would miss it.
    report.peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    options.onProgress?.({ bytes, records: report.records });
  }

  const records = readRecords(file, { format: options.format, onRead: read => (bytes = read) });
  try {
    for await (const record of records) {
      report.records += 1;
      const product = productOf(record, { report, currency: options.currency });
      if (!product) continue;
      const first = seen.firstRecord(product.productId, record.number);
      if (first !== null) {
        refuse(report, record, [{ field: 'productId', reason: `is the same product as record ${first}` }]);
        continue;
      }
      waiting.push({ where: { number: record.number, line: record.line }, product });
      waitingChars += JSON.stringify(product).length;
      if (waiting.length >= (target?.batchCount ?? 500) || waitingChars >= batchCharsMax)
        await writeWaiting();
    }
    await writeWaiting();
  } finally {
    seen.close();
  }
  report.wallMs = Math.round(performance.now() - startedAtMs);
  report.productsPerSec = Math.round(report.in / Math.max(report.wallMs / 1000, 0.001));
  return report;
}

function productOf(
  record: SourceRecord,
  options: { report: ImportReport; currency: string },
): ProductInput | undefined {
  const { report, currency } = options;
  if (record.kind === 'unreadable') {
    refuse(report, record, [{ field: '', reason: record.reason }]);
    return undefined;
  }
  const mapped = mapProduct(record.value, { currency, moreVariants: record.moreVariants });
  if (mapped.kind === 'refused') {
    refuse(report, record, mapped.problems);
    return undefined;
  }
  adjust(report, record, mapped.adjusted);
  for (const field of mapped.ignoredFields)
    report.ignoredFields[field] = (report.ignoredFields[field] ?? 0) + 1;
  return mapped.product;
}
