// What `drop.proof` answers and what the lines of a proof's download say, read from text that nobody vouches for.
import type { LaneRoot, LoggedCall } from './commitments.ts';

/** All that a drop has published of its fairness so far. */
export interface ProofStatement {
  readonly dropId: string;
  readonly mode: string;
  readonly seedHash: string;
  /** The name of the public random value that the key waits for. */
  readonly beacon?: string | undefined;
  readonly beaconValue?: string | undefined;
  /** From the freeze on. */
  readonly root?: string | undefined;
  readonly frozenAtMs?: number | undefined;
  readonly lanes: readonly LaneRoot[];
  /** From the opening on. */
  readonly key?: string | undefined;
  readonly seed?: string | undefined;
  readonly callsCount: number;
  /** The hash of the last call, or what the first one will follow. */
  readonly callsHead: string;
}

/** Where a ticket stands in the frozen lobby; path and leaf in hexadecimal. */
export interface Inclusion {
  readonly lane: string;
  readonly arrival: number;
  /** Absent for who joined after the freeze. */
  readonly leaf?: string | undefined;
  readonly path?: readonly string[] | undefined;
  /** From the opening on. */
  readonly rank?: number | undefined;
}

export type ProofLine =
  | ({ readonly kind: 'drop'; readonly format: 1 } & ProofStatement)
  | { readonly kind: 'leaves'; readonly lane: string; readonly from: number; readonly leaves: string }
  | ({ readonly kind: 'call'; readonly hash: string } & LoggedCall)
  | { readonly kind: 'end'; readonly leavesCount: number; readonly callsCount: number };

type Fields = { readonly [name: string]: unknown };

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const textOrNone = (value: unknown): value is string | undefined => value === undefined || isText(value);

/** Null where the line is none of a proof's. */
export function readProofLine(text: string): ProofLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isFields(value)) return null;
  switch (value['kind']) {
    case 'drop': {
      const statement = readStatement(value);
      return statement && value['format'] === 1 ? { kind: 'drop', format: 1, ...statement } : null;
    }
    case 'leaves': {
      const { lane, from, leaves } = value;
      return isText(lane) && isCount(from) && isText(leaves) ? { kind: 'leaves', lane, from, leaves } : null;
    }
    case 'call': {
      const { seq, atMs, lane, from, to, hash } = value;
      const whole = isCount(seq) && isCount(atMs) && isText(lane) && isCount(from) && isCount(to);
      return whole && isText(hash) ? { kind: 'call', seq, atMs, lane, from, to, hash } : null;
    }
    case 'end': {
      const { leavesCount, callsCount } = value;
      return isCount(leavesCount) && isCount(callsCount) ? { kind: 'end', leavesCount, callsCount } : null;
    }
    default:
      return null;
  }
}

function readStatement(fields: Fields): ProofStatement | null {
  const { dropId, mode, seedHash, beacon, beaconValue, root, frozenAtMs, lanes, key, seed } = fields;
  const { callsCount, callsHead } = fields;
  if (!isText(dropId) || !isText(mode) || !isText(seedHash) || !isText(callsHead)) return null;
  if (!textOrNone(beacon) || !textOrNone(beaconValue) || !textOrNone(root) || !textOrNone(key)) return null;
  if (!textOrNone(seed) || !(frozenAtMs === undefined || isCount(frozenAtMs))) return null;
  if (!isCount(callsCount) || !Array.isArray(lanes)) return null;
  const read: LaneRoot[] = [];
  for (const lane of lanes) {
    if (!isFields(lane)) return null;
    const { lane: name, size, root: laneRoot } = lane;
    if (!isText(name) || !isCount(size) || !isText(laneRoot)) return null;
    read.push({ lane: name, size, root: laneRoot });
  }
  const published = { beacon, beaconValue, root, frozenAtMs, key, seed };
  return { dropId, mode, seedHash, lanes: read, callsCount, callsHead, ...published };
}
