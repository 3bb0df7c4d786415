import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lobbyRanks, sipHashBytes } from '../../client/fairness/permutation.ts';

/** A key made of a number, so that a failing run can be repeated. */
function keyOf(seed: number): string {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(seed, 0);
  bytes.writeUInt32LE(Math.imul(seed, 2_654_435_761) >>> 0, 16);
  return bytes.toString('base64url');
}

const ranksOf = (seed: number, size: number) => {
  const rankOf = lobbyRanks({ key: keyOf(seed), lane: 'general', size });
  return Array.from({ length: size }, (_, arrival) => rankOf(arrival));
};

describe('the permutation of a lobby', () => {
  it('uses SipHash-2-4 as its authors publish it', () => {
    // The reference vectors: key 00 01 … 0f, message 00 01 … of each length, read as little-endian words.
    const key = [
      [0x03020100, 0x07060504],
      [0x0b0a0908, 0x0f0e0d0c],
    ] as const;
    const hashOf = (length: number) =>
      sipHashBytes(
        key,
        Uint8Array.from({ length }, (_, index) => index),
      );
    expect(hashOf(0)).toEqual([0xdd0e0e31, 0x726fdb47]);
    expect(hashOf(1)).toEqual([0x93dc67fd, 0x74f839c5]);
    expect(hashOf(8)).toEqual([0x9a932462, 0x93f5f579]);
    expect(hashOf(15)).toEqual([0x49be45e5, 0xa129ca61]);
  });

  it('keeps its published test vectors', () => {
    const key = Buffer.alloc(32, 7).toString('base64url');
    const rankOf = lobbyRanks({ key, lane: 'general', size: 10 });
    expect(Array.from({ length: 12 }, (_, arrival) => rankOf(arrival))).toEqual([
      5, 6, 4, 7, 0, 9, 2, 1, 3, 8, 10, 11,
    ]);
  });

  it('gives each arrival one rank, and each rank one arrival', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000 }), fc.nat(), (size, seed) => {
        const ranks = new Set(ranksOf(seed, size));
        expect(ranks.size).toBe(size);
        expect([...ranks].every(rank => rank >= 0 && rank < size)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('favours no arrival: over many keys, each rank is as likely as any other', () => {
    const size = 7;
    const keysCount = 7_000;
    const counts = Array.from({ length: size }, () => Array.from({ length: size }, () => 0));
    for (let seed = 0; seed < keysCount; seed += 1) {
      ranksOf(seed, size).forEach((rank, arrival) => {
        const row = counts[arrival];
        if (row) row[rank] = (row[rank] ?? 0) + 1;
      });
    }
    const expected = keysCount / size;
    const chiSquare = counts.flat().reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 36 degrees of freedom: a fair shuffle stays under 81 in all but one of 40,000 runs; the keys are fixed.
    expect(chiSquare).toBeLessThan(81);
    // The control: an unshuffled lobby is nowhere near.
    expect((size * (keysCount - expected) ** 2) / expected).toBeGreaterThan(81);
  });

  it('leaves who joined after the freeze behind the lobby, in order', () => {
    const rankOf = lobbyRanks({ key: keyOf(1), lane: 'general', size: 5 });
    expect([rankOf(5), rankOf(6), rankOf(100)]).toEqual([5, 6, 100]);
  });
});
