// What a drop commits itself to before anybody can know its order, and what it shows afterwards. In this order, each
// step done once and by whichever process comes first:
//
//   the seed's hash   published with the drop
//   the leaves        archived piece by piece while the lobby fills, so that the freeze leaves little to do
//   the root          over the frozen lobby, committed and published
//   the beacon        where one is named: its value, which nobody knew before the root stood
//   the key           follows from seed, root and beacon; published by opening the drop, and the seed with it
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { toHex } from '../../client/fairness/bytes.ts';
import { callChainStart, lobbyKey, lobbyRoot, type LaneRoot } from '../../client/fairness/commitments.ts';
import {
  hashAt,
  joinHashes,
  merkleLevels,
  merklePath,
  merkleRoot,
  pieceLeavesCount,
} from '../../client/fairness/merkle.ts';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import type { Inclusion, ProofStatement } from '../../client/fairness/proof-format.ts';
import type { Drop, Ticket } from '../drops/drop.ts';
import type { DropView } from '../drops/drop-view.ts';
import { PublicError } from '../errors.ts';
import type { DropId } from '../ids.ts';
import type { FetchBeacon } from './beacon.gateway.ts';
import type { LeavesStore } from './leaves.store.ts';
import type { Lobby, LobbyStore } from './lobby.store.ts';

export interface Fairness {
  /** Takes the commitments of a drop in its lobby further; answers the key once there is nothing left to wait for. */
  lobbyKey(drop: Drop): Promise<string | null>;
  /** The root of the frozen lobby; null before the freeze. */
  root(drop: Drop): Promise<string | null>;
  /** The value of the beacon that the drop waits for, from an operator who looked it up. Given once. */
  giveBeacon(drop: Drop, value: string): Promise<void>;
  /** All that is published so far. */
  statement(drop: Drop): Promise<ProofStatement>;
  /** Where a ticket stands in the frozen lobby; null before the freeze. */
  inclusion(drop: Drop, ticket: Ticket): Promise<Inclusion | null>;
  /** The committed leaves, piece by piece. */
  leaves(
    dropId: DropId,
    lanes: readonly LaneRoot[],
  ): AsyncGenerator<{ lane: string; from: number; leaves: Uint8Array }>;
}

/** A round of the conductor archives at most this many pieces: some 70 ms of hashing, in slices of 5 ms. */
const piecesInRound = 16;
/** A beacon is asked for this often by each process. */
const beaconEveryMs = 1_000;

export function createFairness(options: {
  leaves: LeavesStore;
  lobbies: LobbyStore;
  look: (dropId: DropId) => Promise<DropView | null>;
  lastCall: (dropId: DropId) => Promise<{ seq: number; hash: string } | null>;
  fetchBeacon: FetchBeacon;
  log: Logger;
}): Fairness {
  const { leaves, lobbies, look, lastCall, fetchBeacon, log } = options;
  const committed = new LRUCache<DropId, Lobby>({ max: 1_000 });
  /** Drops without a committed lobby, for a moment: every page that opens asks for the root. */
  const uncommitted = new LRUCache<DropId, true>({ max: 1_000, ttl: 500 });
  /** Roots of archived pieces, by drop and lane: what was archived is not looked up in every round. */
  const archived = new LRUCache<string, Map<number, Uint8Array>>({ max: 100 });
  /** Whole trees of pieces, 256 KiB each: a buyer's path costs a look, not 4,096 hashes. */
  const pieceTrees = new LRUCache<string, Uint8Array[]>({ max: 256 });
  const beaconAskedAtMs = new Map<DropId, number>();

  const findLobby = async (dropId: DropId): Promise<Lobby | null> => {
    const known = committed.get(dropId);
    if (known) return known;
    if (uncommitted.has(dropId)) return null;
    const found = await lobbies.find(dropId);
    if (found) committed.set(dropId, found);
    else uncommitted.set(dropId, true);
    return found;
  };

  /** Archives what is missing of a lane's pieces `0 … count − 1`; answers their roots. */
  const archive = async (
    dropId: DropId,
    lane: string,
    bound: { size: number; piecesMax: number },
  ): Promise<Map<number, Uint8Array>> => {
    const name = `${dropId}/${lane}`;
    const count = Math.ceil(bound.size / pieceLeavesCount);
    let roots = archived.get(name) ?? new Map<number, Uint8Array>();
    if (roots.size >= count) return roots;
    roots = await lobbies.pieceRoots(dropId, lane);
    const missing = Array.from({ length: count }, (_, piece) => piece).filter(piece => !roots.has(piece));
    for (const piece of missing.slice(0, bound.piecesMax)) {
      const from = piece * pieceLeavesCount;
      const to = Math.min(from + pieceLeavesCount, bound.size);
      const bytes = await leaves.read(dropId, lane, from, to);
      await lobbies.addPiece(dropId, lane, { piece, leaves: bytes, root: merkleRoot(bytes) });
    }
    // Another process may have written some of them: what stands counts, not what was read here.
    if (missing.length > 0) roots = await lobbies.pieceRoots(dropId, lane);
    archived.set(name, roots);
    return roots;
  };

  const commit = async (drop: Drop, view: DropView): Promise<Lobby> => {
    const { dropId } = drop;
    const lanes: LaneRoot[] = [];
    for (const { lane, lobbySize: size } of view.lanes) {
      const roots = await archive(dropId, lane, { size, piecesMax: Number.POSITIVE_INFINITY });
      const inOrder = Array.from({ length: Math.ceil(size / pieceLeavesCount) }, (_, piece) => {
        const root = roots.get(piece);
        if (!root) throw new Error(`piece ${piece} of lane ${lane} of ${dropId} was not archived`);
        return root;
      });
      lanes.push({ lane, size, root: toHex(merkleRoot(joinHashes(inOrder))) });
    }
    const root = lobbyRoot(dropId, lanes);
    const lobby = await lobbies.commit(dropId, { root, frozenAtMs: view.nowMs, lanes, beaconValue: null });
    committed.set(dropId, lobby);
    log.info(
      { dropId, root: lobby.root, lanes: lobby.lanes.map(lane => lane.size) },
      'the lobby is committed',
    );
    // From here on the proof needs MongoDB alone.
    for (const { lane, size } of lobby.lanes) await leaves.free(dropId, lane, size);
    return lobby;
  };

  const waitForBeacon = async (drop: Drop, lobby: Lobby): Promise<Lobby | null> => {
    if (drop.beacon === null || lobby.beaconValue !== null) return lobby;
    const { dropId } = drop;
    // An operator's value may have come to another process.
    const standing = await lobbies.find(dropId);
    if (standing?.beaconValue) {
      committed.set(dropId, standing);
      return standing;
    }
    const nowMs = performance.now();
    if (nowMs - (beaconAskedAtMs.get(dropId) ?? Number.NEGATIVE_INFINITY) < beaconEveryMs) return null;
    beaconAskedAtMs.set(dropId, nowMs);
    const value = await fetchBeacon(drop.beacon).catch((error: unknown) => {
      log.warn({ dropId, err: error }, 'the beacon could not be fetched; it is asked for again');
      return null;
    });
    if (value === null) return null;
    const next = await lobbies.setBeaconValue(dropId, value);
    if (next) committed.set(dropId, next);
    return next;
  };

  const keyOf = (drop: Drop, lobby: Lobby): string => {
    const { dropId, seed, beacon } = drop;
    const key = lobbyKey({
      seed,
      dropId,
      root: lobby.root,
      beacon: beacon ?? '',
      beaconValue: lobby.beaconValue ?? '',
    });
    if (key === null) throw new Error(`the seed of ${dropId} is not 32 bytes`);
    return key;
  };

  /** True once the order is known to everybody: only then may the seed be. */
  const isRevealed = (drop: Drop, view: DropView | null, lobby: Lobby | null): boolean => {
    if (drop.mode !== 'fifo' && view) return view.key !== null;
    if (drop.mode !== 'fifo')
      return drop.ended && lobby !== null && (!drop.beacon || lobby.beaconValue !== null);
    return view ? ['open', 'sold-out', 'closed'].includes(view.state) : drop.ended;
  };

  const statement = async (drop: Drop): Promise<ProofStatement> => {
    const { dropId, mode, seedHash, seed, beacon } = drop;
    const [view, lobby, last] = await Promise.all([look(dropId), findLobby(dropId), lastCall(dropId)]);
    const revealed = isRevealed(drop, view, lobby);
    const key = revealed && mode !== 'fifo' ? (view?.key ?? (lobby && keyOf(drop, lobby))) : null;
    return {
      dropId,
      mode,
      seedHash,
      ...(beacon === null ? {} : { beacon }),
      ...(lobby?.beaconValue ? { beaconValue: lobby.beaconValue } : {}),
      ...(lobby ? { root: lobby.root, frozenAtMs: lobby.frozenAtMs } : {}),
      lanes: lobby?.lanes ?? [],
      ...(key ? { key } : {}),
      ...(revealed ? { seed } : {}),
      callsCount: last ? last.seq + 1 : 0,
      callsHead: last?.hash ?? callChainStart(dropId, seedHash),
    };
  };

  return {
    async lobbyKey(drop) {
      if (drop.mode === 'fifo') return null;
      const view = await look(drop.dropId);
      if (view?.state !== 'lobby') return null;
      if (!view.frozen) {
        for (const { lane, arrived } of view.lanes) {
          const size = arrived - (arrived % pieceLeavesCount);
          if (size > 0) await archive(drop.dropId, lane, { size, piecesMax: piecesInRound });
        }
        return null;
      }
      const lobby = (await findLobby(drop.dropId)) ?? (await commit(drop, view));
      const frozenOtherwise = view.lanes.some(
        ({ lane, lobbySize }) => lobby.lanes.find(found => found.lane === lane)?.size !== lobbySize,
      );
      // Ranks of another lobby than the committed one could not be proven: better not to open.
      if (frozenOtherwise) throw new Error('Redis has frozen another lobby than the one that is committed');
      const complete = await waitForBeacon(drop, lobby);
      return complete ? keyOf(drop, complete) : null;
    },

    root: async drop => (drop.mode === 'fifo' ? null : ((await findLobby(drop.dropId))?.root ?? null)),

    async giveBeacon(drop, value) {
      if (drop.beacon === null) throw new PublicError('conflict', 'This drop was made without a beacon');
      // A value that was known before the root would let its giver choose the order.
      if (!(await lobbies.find(drop.dropId)))
        throw new PublicError('conflict', 'The lobby is not committed yet: give the value after the freeze');
      const lobby = await lobbies.setBeaconValue(drop.dropId, value);
      if (lobby?.beaconValue !== value)
        throw new PublicError('conflict', 'The beacon has another value already');
      committed.set(drop.dropId, lobby);
    },

    statement,

    async inclusion(drop, ticket) {
      const { dropId } = drop;
      const { lane, arrival } = ticket;
      const [view, lobby] = await Promise.all([look(dropId), findLobby(dropId)]);
      const found = lobby?.lanes.find(candidate => candidate.lane === lane);
      if (drop.mode === 'fifo') return { lane, arrival, rank: arrival };
      if (!lobby) return null;
      const size = found?.size ?? 0;
      const key = isRevealed(drop, view, lobby) ? (view?.key ?? keyOf(drop, lobby)) : null;
      const shuffled = key === null ? null : lobbyRanks({ key, lane, size })(arrival);
      const rank = arrival >= size ? arrival : shuffled;
      const place = { lane, arrival, ...(rank === null ? {} : { rank }) };
      if (arrival >= size) return place;

      const piece = Math.floor(arrival / pieceLeavesCount);
      const pieceName = `${dropId}/${lane}/${piece}`;
      let levels = pieceTrees.get(pieceName);
      if (!levels) {
        const bytes = await lobbies.pieceLeaves(dropId, lane, piece);
        if (!bytes) throw new Error(`piece ${pieceName} of the archive is missing`);
        levels = merkleLevels(bytes);
        pieceTrees.set(pieceName, levels);
      }
      const roots = await archive(dropId, lane, { size, piecesMax: 0 });
      const within = arrival - piece * pieceLeavesCount;
      const above = merkleLevels(joinHashes([...roots.values()]));
      const path = [...merklePath(levels, within), ...merklePath(above, piece)];
      return {
        ...place,
        leaf: toHex(hashAt(levels[0] ?? new Uint8Array(0), within)),
        path: path.map(toHex),
      };
    },

    async *leaves(dropId, lanes) {
      for (const { lane, size } of lanes) {
        for (let from = 0; from < size; from += pieceLeavesCount) {
          const bytes = await lobbies.pieceLeaves(dropId, lane, from / pieceLeavesCount);
          if (bytes) yield { lane, from, leaves: bytes };
        }
      }
    },
  };
}
