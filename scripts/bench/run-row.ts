// Measures one row: both sides in turn, the side that begins changing from round to round, so that a machine that
// slows down or speeds up meanwhile does so for both.
import type { BenchRow } from '../../bench/row.ts';

export interface Round {
  readonly ours: number;
  readonly reference: number;
}

export interface RowResult {
  readonly name: string;
  readonly unit: string;
  /** Medians over the rounds. */
  readonly ours: number;
  readonly reference: number;
  readonly referenceName: string;
  /** ours ÷ reference. */
  readonly ratio: number;
  readonly target: BenchRow['target'];
  readonly reached: boolean;
  readonly rounds: readonly Round[];
}

export async function runRow(options: {
  row: BenchRow;
  roundsCount: number;
  say: (line: string) => void;
  signal: AbortSignal;
}): Promise<RowResult> {
  const { row, roundsCount, say, signal } = options;
  const bench = await row.prepare(say);
  const rounds: Round[] = [];
  try {
    for (let number = 1; number <= roundsCount; number += 1) {
      signal.throwIfAborted();
      const round = number % 2 === 1 ? await oursFirst(bench) : await referenceFirst(bench);
      rounds.push(round);
      say(
        `round ${number} of ${roundsCount}: ${figure(round.ours)} against ${figure(round.reference)} ${row.unit}`,
      );
    }
  } finally {
    await bench.close();
  }
  const ours = median(rounds.map(round => round.ours));
  const reference = median(rounds.map(round => round.reference));
  const ratio = ours / reference;
  const { name, unit, referenceName, target } = row;
  const reached = 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
  return { name, unit, ours, reference, referenceName, ratio, target, reached, rounds };
}

type Sides = { ours(): Promise<number>; reference(): Promise<number> };

async function oursFirst(sides: Sides): Promise<Round> {
  const ours = await sides.ours();
  return { ours, reference: await sides.reference() };
}

async function referenceFirst(sides: Sides): Promise<Round> {
  const reference = await sides.reference();
  return { ours: await sides.ours(), reference };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = Number.isInteger(middle)
    ? [sorted[middle - 1], sorted[middle]]
    : [sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Three digits that count, and no more. */
export function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
