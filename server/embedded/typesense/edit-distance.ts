/**
 * The number of typos between two words: insertions, deletions, substitutions and swaps of neighbours, each counted
 * as one (optimal string alignment, the restricted Damerau-Levenshtein distance).
 */
export type EditDistance = {
  /** To the whole word; above `max` the exact figure is not worked out. */
  readonly whole: number;
  /** To the nearest beginning of the word: what a half-typed query is compared with. */
  readonly prefix: number;
};

const rowsMax = 128;
let beforeLast = new Uint8Array(rowsMax);
let last = new Uint8Array(rowsMax);
let current = new Uint8Array(rowsMax);

/** Both words are at most 100 characters, so a distance fits a byte. */
export function editDistance(query: string, word: string, max: number): EditDistance {
  const beyond = max + 1;
  const rows = query.length;
  // The columns run over the word, so that the last cell of each column is the distance to that beginning of it.
  for (let row = 0; row <= rows; row++) last[row] = row;
  let prefix = rows;
  for (let column = 1; column <= word.length; column++) {
    const letter = word.charCodeAt(column - 1);
    current[0] = column;
    let least = column;
    for (let row = 1; row <= rows; row++) {
      const same = query.charCodeAt(row - 1) === letter ? 0 : 1;
      let cost = Math.min((last[row - 1] ?? 0) + same, (last[row] ?? 0) + 1, (current[row - 1] ?? 0) + 1);
      if (
        row > 1 &&
        column > 1 &&
        query.charCodeAt(row - 2) === letter &&
        query.charCodeAt(row - 1) === word.charCodeAt(column - 2)
      ) {
        cost = Math.min(cost, (beforeLast[row - 2] ?? 0) + 1);
      }
      current[row] = cost;
      if (cost < least) least = cost;
    }
    prefix = Math.min(prefix, current[rows] ?? beyond);
    [beforeLast, last, current] = [last, current, beforeLast];
    // Costs never fall from one column to the next but by a swap, which looks back two columns and adds one.
    if (least > max + 1) return { whole: beyond, prefix: Math.min(prefix, beyond) };
  }
  return { whole: Math.min(last[rows] ?? beyond, beyond), prefix: Math.min(prefix, beyond) };
}
