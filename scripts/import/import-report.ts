// What became of each record. Refusals and adjustments are kept up to a bound and counted beyond it, so that a broken
// file of a million records cannot fill the memory.
import type { Problem } from '../../server/catalog/map-product.ts';

export interface RefusedRecord extends Problem {
  record: number;
  line: number;
}

export interface ImportReport {
  file: string;
  records: number;
  /** Products that stand in the catalog as the file says. */
  in: number;
  created: number;
  updated: number;
  unchanged: number;
  refusedCount: number;
  refused: RefusedRecord[];
  adjustedCount: number;
  adjusted: RefusedRecord[];
  ignoredFields: Record<string, number>;
  wallMs: number;
  productsPerSec: number;
  peakMemoryBytes: number;
  dryRun: boolean;
  /** Whether search finds everything; null where it was not waited for. */
  indexed: boolean | null;
}

const keptMax = 10_000;

export function createReport(options: { file: string; dryRun: boolean }): ImportReport {
  return {
    ...options,
    records: 0,
    in: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    refusedCount: 0,
    refused: [],
    adjustedCount: 0,
    adjusted: [],
    ignoredFields: {},
    wallMs: 0,
    productsPerSec: 0,
    peakMemoryBytes: 0,
    indexed: null,
  };
}

type Where = { number: number; line: number };

/** A refused record counts once, however many of its fields are wrong; each wrong field is named. */
export function refuse(report: ImportReport, where: Where, problems: readonly Problem[]): void {
  report.refusedCount += 1;
  keep(report.refused, where, problems);
}

export function adjust(report: ImportReport, where: Where, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  report.adjustedCount += 1;
  keep(report.adjusted, where, problems);
}

function keep(list: RefusedRecord[], where: Where, problems: readonly Problem[]): void {
  for (const problem of problems) {
    if (list.length < keptMax) list.push({ record: where.number, line: where.line, ...problem });
  }
}

const count = (number: number): string => number.toLocaleString('en-US');

/** The report as lines for a terminal: what was refused, what was changed, and the sum last. */
export function reportLines(report: ImportReport, linesMax = 20): string[] {
  const listed = (title: string, list: readonly RefusedRecord[]) =>
    list.length === 0
      ? []
      : [
          title,
          ...list
            .slice(0, linesMax)
            .map(
              each =>
                `  record ${each.record}, line ${each.line}: ${each.field ? `${each.field}: ` : ''}${each.reason}`,
            ),
          ...(list.length > linesMax
            ? [`  … and ${count(list.length - linesMax)} more: --json FILE lists them`]
            : []),
        ];
  const ignored = Object.entries(report.ignoredFields).map(([field, times]) => `${field} (${count(times)})`);
  const outcomes = [
    ...(['created', 'updated', 'unchanged'] as const)
      .filter(kind => report[kind] > 0)
      .map(kind => `${count(report[kind])} ${kind}`),
    ...(report.adjustedCount > 0 ? [`${count(report.adjustedCount)} adjusted`] : []),
  ];
  const verb = report.dryRun ? 'would go in' : 'in';
  const seconds = (report.wallMs / 1000).toFixed(1);
  const memory = Math.round(report.peakMemoryBytes / 1024 / 1024);
  return [
    ...listed('Refused:', report.refused),
    ...listed('Adjusted:', report.adjusted),
    ...(ignored.length > 0 ? [`Fields that were not used: ${ignored.join(', ')}`] : []),
    `${count(report.in)} ${report.in === 1 ? 'product' : 'products'} ${verb}, ${count(report.refusedCount)} refused${outcomes.length > 0 ? ` (${outcomes.join(', ')})` : ''}`,
    `${seconds} s, ${count(report.productsPerSec)} products/s, peak memory ${memory} MiB`,
  ];
}
