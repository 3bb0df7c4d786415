// What several runs of the fault matrix said, put together.
import { describe, expect, it } from 'vitest';
import { faults } from '../../scripts/chaos/faults.ts';
import { faultTable } from '../../scripts/chaos/fault-table.ts';
import { readChaosOptions } from '../../scripts/chaos/options.ts';

const mongo = {
  number: 8,
  title: 'MongoDB is killed',
  outcome: 'held',
  figures: { recoveryMs: 1_240, boundMs: 10_000, sold: 60 },
} as const;
const reply = { number: 6, title: 'a reply is lost', outcome: 'held', figures: { cuts: 3 } } as const;

describe('the table of faults', () => {
  it('has a line for each fault and a column for each seed, whose parts are put together', () => {
    const { text, ok } = faultTable([
      { seed: 1, faults: [mongo] },
      { seed: 2, faults: [reply, { ...mongo, figures: { ...mongo.figures, recoveryMs: 900 } }] },
      { seed: 1, faults: [reply] },
    ]);
    expect(text.split('\n')).toEqual([
      '| # | fault | bound | seed 1 | seed 2 |',
      '| --- | --- | --- | --- | --- |',
      '| 6 | a reply is lost | – | withstood | withstood |',
      '| 8 | MongoDB is killed | 10 s | 1.2 s | 0.9 s |',
    ]);
    expect(ok).toBe(true);
  });

  it('is not well where a fault failed, or one seed lacks it, and refuses a fault that one seed has twice', () => {
    const failed = { ...mongo, outcome: 'failed' } as const;
    expect(faultTable([{ seed: 1, faults: [failed] }])).toMatchObject({
      ok: false,
      text: expect.stringContaining('**failed**'),
    });
    const lacking = faultTable([
      { seed: 1, faults: [mongo, reply] },
      { seed: 2, faults: [mongo] },
    ]);
    expect(lacking).toMatchObject({ ok: false, text: expect.stringContaining('not run') });
    expect(() =>
      faultTable([
        { seed: 1, faults: [failed] },
        { seed: 1, faults: [mongo] },
      ]),
    ).toThrow('Fault 8 with seed 1 stands in two of the files.');
  });
});

describe('--only', () => {
  const numbersOf = (...only: string[]) => {
    const options = readChaosOptions(
      only.flatMap(each => ['--only', each]),
      faults,
    );
    return typeof options === 'object' && 'faults' in options ? options.faults.map(each => each.number) : [];
  };

  it('takes numbers and stretches of the table', () => {
    expect(numbersOf('8')).toEqual([8]);
    expect(numbersOf('15-17', '2')).toEqual([15, 17, 2]);
    expect(numbersOf()).toHaveLength(faults.length);
  });

  it('refuses what names no fault', () => {
    for (const text of ['16', '0', 'x', '9-8', '1-', '-3']) expect(() => numbersOf(text)).toThrow(/--only/);
  });
});
