// Sharing an amount out among parts, so that they add up to it and nobody loses a minor unit to rounding. Pure.

/**
 * In proportion to the weights, by largest remainder: each part gets its share rounded down, and what is left goes, a minor
 * unit each, to the parts that lost the most; where two lost the same, the name decides and not the place. Without any
 * weight nothing is shared out. The products pass 2^53, so they are made of big integers.
 */
export function shareOut(
  amount: number,
  parts: readonly { readonly name: string; readonly weight: number }[],
): number[] {
  const sum = parts.reduce((total, { weight }) => total + weight, 0);
  if (sum === 0) return parts.map(() => 0);
  const exact = parts.map(({ weight }) => BigInt(amount) * BigInt(weight));
  const shares = exact.map(product => Number(product / BigInt(sum)));
  let left = amount - shares.reduce((total, share) => total + share, 0);
  const byLoss = exact
    .map((product, index) => ({ index, lost: product % BigInt(sum), name: parts[index]?.name ?? '' }))
    .filter(({ lost }) => lost > 0n)
    .toSorted((a, b) => (a.lost === b.lost ? (a.name < b.name ? -1 : 1) : a.lost > b.lost ? -1 : 1));
  for (const { index } of byLoss) {
    if (left === 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    left -= 1;
  }
  return shares;
}
