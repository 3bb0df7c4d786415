// The keyed permutation that shuffles a lobby, in plain arithmetic, so that a buyer's page, the engine and the proof
// compute the very same ranks. Anybody can recompute it:
//
// - The drop's key is 32 bytes. A lane's key is SipHash-2-4 of the lane's name under each half of it.
// - The lobby's N arrivals are laid out in a rectangle of `rows` × `columns` ≥ N, rows = ⌈√N⌉, columns = ⌈N ÷ rows⌉.
// - Twelve Feistel rounds add, in turn, a keyed function of the column to the row and of the row to the column, each
//   modulo its own size; the function is SipHash-2-4 of (round, value) as two little-endian 32-bit words.
// - A result outside of [0, N) is put through the rounds again ("cycle walking") until it falls inside.
//
// Every step can be undone, so each arrival has one rank and each rank one arrival. Sources: Black and Rogaway,
// "Ciphers with Arbitrary Finite Domains" (2002); Aumasson and Bernstein, "SipHash" (2012).

const roundsCount = 12;
/** SipHash-2-4: two rounds for each block, four at the end. */
const finalRoundsCount = 4;

/** Two unsigned 32-bit words: a 64-bit number that needs no BigInt. */
type Word64 = readonly [low: number, high: number];
type SipKey = readonly [Word64, Word64];

export interface Lobby {
  /** 32 bytes in base64url, as `drop.watch` publishes them. */
  readonly key: string;
  readonly lane: string;
  /** How many tickets were in the lobby when it was frozen. */
  readonly size: number;
}

/**
 * Makes the rank function of a frozen lobby: arrival → rank, both counted from 0. Who joined after the freeze
 * (arrival ≥ size) keeps the arrival as the rank.
 */
export function lobbyRanks(lobby: Lobby): (arrival: number) => number {
  const { size, lane } = lobby;
  if (size <= 1) return arrival => arrival;
  const key = laneKey(lobby.key, lane);
  const rows = Math.ceil(Math.sqrt(size));
  const columns = Math.ceil(size / rows);
  // A rank is dozens of hashes, and a page may want many: the words of all of them are written in one place.
  const words = sipWords(2, 8);
  const hash = (round: number, value: number): number => {
    words[0] = round;
    words[1] = value;
    return sipHashWords(key, words)[0];
  };
  const shuffleOnce = (place: number): number => {
    let row = Math.floor(place / columns);
    let column = place % columns;
    for (let round = 0; round < roundsCount; round += 1) {
      if (round % 2 === 0) row = (row + hash(round, column)) % rows;
      else column = (column + hash(round, row)) % columns;
    }
    return row * columns + column;
  };
  return arrival => {
    if (arrival >= size) return arrival;
    let place = shuffleOnce(arrival);
    while (place >= size) place = shuffleOnce(place);
    return place;
  };
}

function laneKey(key: string, lane: string): SipKey {
  const bytes = fromBase64Url(key);
  if (bytes.length !== 32) throw new Error('a lobby key has 32 bytes');
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const half = (offset: number): SipKey => [
    [words.getUint32(offset, true), words.getUint32(offset + 4, true)],
    [words.getUint32(offset + 8, true), words.getUint32(offset + 12, true)],
  ];
  const name = new TextEncoder().encode(lane);
  return [sipHashBytes(half(0), name), sipHashBytes(half(16), name)];
}

function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** SipHash-2-4 of one 64-bit block. */
export function sipHash(key: SipKey, [low, high]: Word64): Word64 {
  const words = sipWords(2, 8);
  words[0] = low;
  words[1] = high;
  return sipHashWords(key, words);
}

/** SipHash-2-4 of any bytes. */
export function sipHashBytes(key: SipKey, bytes: Uint8Array): Word64 {
  const padded = new Uint8Array(Math.ceil((bytes.length + 1) / 8) * 8);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const words = sipWords(padded.length / 4 - 2, bytes.length);
  for (let index = 0; index < words.length; index += 1)
    words[index] = (words[index] ?? 0) | view.getUint32(index * 4, true);
  return sipHashWords(key, words);
}

/** Room for a message of so many 32-bit words in whole blocks, and the last block, which ends with the length in bytes. */
function sipWords(wholeCount: number, bytesCount: number): Uint32Array {
  const words = new Uint32Array(wholeCount + 2);
  words[wholeCount + 1] = (bytesCount & 0xff) << 24;
  return words;
}

function sipHashWords(key: SipKey, words: Uint32Array): Word64 {
  const [[k0l, k0h], [k1l, k1h]] = key;
  let v0l = k0l ^ 0x70736575;
  let v0h = k0h ^ 0x736f6d65;
  let v1l = k1l ^ 0x6e646f6d;
  let v1h = k1h ^ 0x646f7261;
  let v2l = k0l ^ 0x6e657261;
  let v2h = k0h ^ 0x6c796765;
  let v3l = k1l ^ 0x79746573;
  let v3h = k1h ^ 0x74656462;
  // Two rounds for each block, which is two words.
  const absorbingCount = words.length;
  // One loop over plain variables: a function for a round would keep them all on the heap, and a rank is hundreds of them.
  let blockLow = 0;
  let blockHigh = 0;
  for (let round = 0; round < absorbingCount + finalRoundsCount; round += 1) {
    if (round < absorbingCount && round % 2 === 0) {
      blockLow = words[round] ?? 0;
      blockHigh = words[round + 1] ?? 0;
      v3l ^= blockLow;
      v3h ^= blockHigh;
    } else if (round === absorbingCount) v2l ^= 0xff;
    v0l = (v0l + v1l) | 0;
    v0h = (v0h + v1h + (v0l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
    let turned = (v1l << 13) | (v1h >>> 19);
    v1h = (v1h << 13) | (v1l >>> 19);
    v1l = turned;
    v1l ^= v0l;
    v1h ^= v0h;
    turned = v0l;
    v0l = v0h;
    v0h = turned;
    v2l = (v2l + v3l) | 0;
    v2h = (v2h + v3h + (v2l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
    turned = (v3l << 16) | (v3h >>> 16);
    v3h = (v3h << 16) | (v3l >>> 16);
    v3l = turned;
    v3l ^= v2l;
    v3h ^= v2h;
    v0l = (v0l + v3l) | 0;
    v0h = (v0h + v3h + (v0l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
    turned = (v3l << 21) | (v3h >>> 11);
    v3h = (v3h << 21) | (v3l >>> 11);
    v3l = turned;
    v3l ^= v0l;
    v3h ^= v0h;
    v2l = (v2l + v1l) | 0;
    v2h = (v2h + v1h + (v2l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
    turned = (v1l << 17) | (v1h >>> 15);
    v1h = (v1h << 17) | (v1l >>> 15);
    v1l = turned;
    v1l ^= v2l;
    v1h ^= v2h;
    turned = v2l;
    v2l = v2h;
    v2h = turned;
    if (round < absorbingCount && round % 2 === 1) {
      v0l ^= blockLow;
      v0h ^= blockHigh;
    }
  }
  return [(v0l ^ v1l ^ v2l ^ v3l) >>> 0, (v0h ^ v1h ^ v2h ^ v3h) >>> 0];
}
