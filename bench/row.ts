// What a file of this folder gives to the harness: rows, each one question with two sides, measured in turn in one run.

export interface BenchRow {
  /** As in the results, and for `--only`. */
  readonly name: string;
  readonly question: string;
  readonly unit: string;
  readonly referenceName: string;
  /** What ours ÷ reference is to reach. */
  readonly target: { readonly atLeast: number } | { readonly atMost: number };
  /** Starts what both sides need, and warms it up. `say` reports progress, one line each. */
  prepare(say: (line: string) => void): Promise<Bench>;
}

export interface Bench {
  /** One round of our side, in `unit`. Throws where what was measured was not right. */
  ours(): Promise<number>;
  /** One round of the other side, in the same unit. */
  reference(): Promise<number>;
  /** Ends all that `prepare` started; also after a failure. */
  close(): Promise<void>;
}
