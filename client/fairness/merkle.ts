// The Merkle tree over a lane's leaves, as Certificate Transparency has it (RFC 6962): a leaf is hashed behind a byte
// 0, a node behind a byte 1, and a node without a neighbour rises as it is. Leaves are 32 bytes each, side by side.
import { sha256 } from './sha256.ts';

export const hashBytes = 32;
/** Aligned pieces of so many leaves are subtrees of their own: the engine hashes, keeps and proves by the piece. */
export const pieceLeavesCount = 4_096;

const noBytes = new Uint8Array(0);
const node = new Uint8Array(1 + 2 * hashBytes);

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node[0] = 1;
  node.set(left, 1);
  node.set(right, 1 + hashBytes);
  return sha256(node);
}

/** The hash of a leaf's content. */
export function leafHash(content: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + content.length);
  prefixed.set(content, 1);
  return sha256(prefixed);
}

export const hashAt = (hashes: Uint8Array, index: number): Uint8Array =>
  hashes.subarray(index * hashBytes, (index + 1) * hashBytes);

/** One level up: a new, shorter row of hashes. */
function levelAbove(hashes: Uint8Array): Uint8Array {
  const count = hashes.length / hashBytes;
  const above = new Uint8Array(Math.ceil(count / 2) * hashBytes);
  for (let index = 0; index < count; index += 2) {
    const left = hashAt(hashes, index);
    above.set(index + 1 < count ? nodeHash(left, hashAt(hashes, index + 1)) : left, (index / 2) * hashBytes);
  }
  return above;
}

/** All rows of the tree, from the leaves up to the root. Instead of leaves, the roots of aligned pieces will do. */
export function merkleLevels(hashes: Uint8Array): Uint8Array[] {
  if (hashes.length % hashBytes !== 0) throw new Error('leaves have 32 bytes each');
  const levels = [hashes];
  for (let level = hashes; level.length > hashBytes; ) {
    level = levelAbove(level);
    levels.push(level);
  }
  return levels;
}

/** The root over leaves, or over the roots of aligned pieces of them; of none, the hash of nothing. */
export function merkleRoot(hashes: Uint8Array): Uint8Array {
  if (hashes.length === 0) return sha256(noBytes);
  return merkleLevels(hashes).at(-1)?.slice() ?? sha256(noBytes);
}

/** The neighbours on the way from a leaf to the root, the lowest first. */
export function merklePath(levels: readonly Uint8Array[], index: number): Uint8Array[] {
  const path: Uint8Array[] = [];
  let at = index;
  for (const level of levels.slice(0, -1)) {
    const neighbour = at % 2 === 0 ? at + 1 : at - 1;
    if (neighbour * hashBytes < level.length) path.push(hashAt(level, neighbour).slice());
    at = Math.floor(at / 2);
  }
  return path;
}

/** The root that a leaf and its path lead to in a tree of `size` leaves; null where the path does not fit the tree. */
export function rootOfPath(options: {
  leaf: Uint8Array;
  index: number;
  size: number;
  path: readonly Uint8Array[];
}): Uint8Array | null {
  const { index, size, path } = options;
  if (!Number.isInteger(index) || index < 0 || index >= size) return null;
  let hash = options.leaf;
  let at = index;
  let next = 0;
  for (let count = size; count > 1; count = Math.ceil(count / 2)) {
    const even = at % 2 === 0;
    if (!even || at + 1 < count) {
      const neighbour = path[next];
      if (!neighbour || neighbour.length !== hashBytes) return null;
      next += 1;
      hash = even ? nodeHash(hash, neighbour) : nodeHash(neighbour, hash);
    }
    at = Math.floor(at / 2);
  }
  return next === path.length ? hash : null;
}

/** Takes leaves in any portions and keeps only the roots of whole pieces. */
export class MerkleTree {
  readonly #piece = new Uint8Array(pieceLeavesCount * hashBytes);
  readonly #roots: Uint8Array[] = [];
  #filledBytes = 0;

  get size(): number {
    return this.#roots.length * pieceLeavesCount + this.#filledBytes / hashBytes;
  }

  add(leaves: Uint8Array): void {
    let rest = leaves;
    while (rest.length > 0) {
      const taken = rest.subarray(0, this.#piece.length - this.#filledBytes);
      this.#piece.set(taken, this.#filledBytes);
      this.#filledBytes += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filledBytes === this.#piece.length) {
        this.#roots.push(merkleRoot(this.#piece));
        this.#filledBytes = 0;
      }
    }
  }

  root(): Uint8Array {
    const last = this.#filledBytes > 0 ? [merkleRoot(this.#piece.subarray(0, this.#filledBytes))] : [];
    return merkleRoot(joinHashes([...this.#roots, ...last]));
  }
}

export function joinHashes(hashes: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(hashes.length * hashBytes);
  hashes.forEach((hash, index) => joined.set(hash, index * hashBytes));
  return joined;
}
