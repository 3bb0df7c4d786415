// One import, from a file to a target: reads, maps and writes in batches, so that memory does not grow with the file,
// and keeps count of every record. A product that stands in the file twice is refused the second time: the last one
// would win in silence otherwise.
import type { ProductInput } from '../../server/catalog/product.ts';
import { adjust, createReport, type ImportReport, refuse } from './import-report.ts';
import type { ImportTarget } from './import-target.ts';
import { mapProduct } from './map-product.ts';
import { type ImportFormat, readRecords } from './read-records.ts';
import type { SourceRecord } from './source-record.ts';

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
  const firstPlace = new Map<string, number>();
  let bytes = 0;
  let waiting: { where: Where; product: ProductInput }[] = [];

  async function writeWaiting(): Promise<void> {
    const batch = waiting;
    waiting = [];
    const outcomes = target ? await target.write(batch.map(({ product }) => product)) : null;
    for (const [index, { where }] of batch.entries()) {
      const outcome = outcomes?.[index];
      if (outcome?.kind === 'refused') refuse(report, where, [outcome]);
      else {
        report.in += 1;
        if (outcome && outcome.kind !== 'written') report[outcome.kind] += 1;
      }
    }
    report.peakMemoryBytes = Math.max(report.peakMemoryBytes, process.memoryUsage.rss());
    options.onProgress?.({ bytes, records: report.records });
  }

  const records = readRecords(file, { format: options.format, onRead: read => (bytes = read) });
  for await (const record of records) {
    report.records += 1;
    const product = productOf(record, { report, currency: options.currency });
    if (!product) continue;
    const first = firstPlace.get(product.productId);
    if (first !== undefined) {
      refuse(report, record, [{ field: 'productId', reason: `is the same product as record ${first}` }]);
      continue;
    }
    firstPlace.set(product.productId, record.number);
    waiting.push({ where: { number: record.number, line: record.line }, product });
    if (waiting.length >= (target?.batchCount ?? 500)) await writeWaiting();
  }
  await writeWaiting();
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
  const mapped = mapProduct(record.value, { currency });
  if (mapped.kind === 'refused') {
    refuse(report, record, mapped.problems);
    return undefined;
  }
  adjust(report, record, mapped.adjusted);
  for (const field of mapped.ignoredFields)
    report.ignoredFields[field] = (report.ignoredFields[field] ?? 0) + 1;
  return mapped.product;
}
