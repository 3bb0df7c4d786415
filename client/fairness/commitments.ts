// What a drop commits itself to, and from what each commitment follows. All texts are UTF-8 lines joined by line
// feeds, and begin with their own purpose, so that no hash can be passed off as one of another kind.
// `docs/fairness.md` has the same in prose, with test vectors.
import { fromBase64, fromHex, toBase64Url, toHex, utf8 } from './bytes.ts';
import { leafHash } from './merkle.ts';
import { hmacSha256, sha256 } from './sha256.ts';

const lines = (...parts: readonly (string | number)[]) => utf8(parts.join('\n'));

/** Stands for a buyer where everybody can see it; it cannot be turned back into the buyer's id. */
export function pseudonymOf(dropId: string, buyerId: string): string {
  return toBase64Url(sha256(lines('doorbuster/pseudonym/1', dropId, buyerId)).subarray(0, 16));
}

/** A ticket's leaf. Its place among the leaves of its lane is the ticket's arrival. */
export function ticketLeaf(ticket: { dropId: string; buyerId: string; nonce: string }): Uint8Array {
  const { dropId, buyerId, nonce } = ticket;
  return leafHash(lines('doorbuster/ticket/1', dropId, pseudonymOf(dropId, buyerId), nonce));
}

/** A lane of the frozen lobby: how many tickets it has, and the Merkle root over their leaves, in hexadecimal. */
export interface LaneRoot {
  readonly lane: string;
  readonly size: number;
  readonly root: string;
}

/** The root of the whole lobby: over its lanes in their fixed order, with their sizes. */
export function lobbyRoot(dropId: string, lanes: readonly LaneRoot[]): string {
  const parts = lanes.flatMap(({ lane, size, root }) => [lane, size, root]);
  return toHex(sha256(lines('doorbuster/lobby/1', dropId, ...parts)));
}

export function seedHash(seed: string): string | null {
  const bytes = fromBase64(seed);
  return bytes?.length === 32 ? toHex(sha256(bytes)) : null;
}

/** The key of a drop's shuffle, in base64url; null where the seed or the root is not what it should be. */
export function lobbyKey(commitment: {
  seed: string;
  dropId: string;
  root: string;
  /** The beacon's name and value; both empty for a drop without one. */
  beacon: string;
  beaconValue: string;
}): string | null {
  const { dropId, root, beacon, beaconValue } = commitment;
  const seed = fromBase64(commitment.seed);
  if (seed?.length !== 32 || !fromHex(root)) return null;
  return toBase64Url(hmacSha256(seed, lines('doorbuster/key/1', dropId, root, beacon, beaconValue)));
}

/** An entry of the call log: the ranks `from … to − 1` of a lane, called at `atMs`. */
export interface LoggedCall {
  readonly seq: number;
  readonly atMs: number;
  readonly lane: string;
  readonly from: number;
  readonly to: number;
}

/** What the first entry of a drop's call log follows. */
export function callChainStart(dropId: string, publishedSeedHash: string): string {
  return toHex(sha256(lines(dropId, publishedSeedHash)));
}

/** The hash of an entry: of the one before it, and of everything that it says. */
export function callChainHash(before: string, call: LoggedCall): string {
  return toHex(sha256(lines(before, call.seq, call.atMs, call.lane, call.from, call.to)));
}
