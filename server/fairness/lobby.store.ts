// Frozen lobbies and their leaves, in MongoDB, where the proof outlives Redis. Everything is written once: who comes
// second finds what the first one wrote, and goes on with that.
import { z } from 'zod';
import { hashBytes, pieceLeavesCount } from '../../client/fairness/merkle.ts';
import { dropIdSchema, type DropId } from '../ids.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const lobbySchema = z.object({
  _id: dropIdSchema,
  root: z.string(),
  frozenAtMs: z.number(),
  lanes: z.array(z.object({ lane: z.string(), size: z.int(), root: z.string() })).readonly(),
  beaconValue: z.string().nullable(),
});
type LobbyDocument = z.infer<typeof lobbySchema>;
/** A lobby as it was committed: nothing of it changes any more, but that the beacon's value is added once. */
export type Lobby = Omit<LobbyDocument, '_id'>;

/** An aligned piece of a lane's leaves, with the root of the subtree that it is. */
interface PieceDocument {
  readonly _id: string;
  readonly drop: DropId;
  readonly lane: string;
  readonly piece: number;
  readonly leaves: Uint8Array;
  readonly root: Uint8Array;
}

const bytesOf = (byteCount: { multipleOf: number; max: number }) =>
  z
    .custom<Uint8Array>(value => value instanceof Uint8Array)
    .refine(bytes => bytes.length % byteCount.multipleOf === 0 && bytes.length <= byteCount.max);
const leavesSchema = z.object({
  leaves: bytesOf({ multipleOf: hashBytes, max: pieceLeavesCount * hashBytes }),
});
const rootSchema = z.object({ piece: z.int(), root: bytesOf({ multipleOf: hashBytes, max: hashBytes }) });

export interface LobbyStore {
  ensureIndexes(): Promise<void>;
  /** Writes a piece once; where it stands already, it stays as it is. */
  addPiece(
    dropId: DropId,
    lane: string,
    piece: { piece: number; leaves: Uint8Array; root: Uint8Array },
  ): Promise<void>;
  /** The roots of all pieces of a lane that stand, by their number. */
  pieceRoots(dropId: DropId, lane: string): Promise<Map<number, Uint8Array>>;
  /** The leaves of a piece; null where it does not stand. */
  pieceLeaves(dropId: DropId, lane: string, piece: number): Promise<Uint8Array | null>;
  find(dropId: DropId): Promise<Lobby | null>;
  /** Commits the lobby, once; answers what stands then. */
  commit(dropId: DropId, lobby: Lobby): Promise<Lobby>;
  /** Gives the beacon its value, once; answers the lobby as it stands then, null where it is not committed. */
  setBeaconValue(dropId: DropId, value: string): Promise<Lobby | null>;
}

export function createLobbyStore(connection: MongoConnection): LobbyStore {
  const lobbies = collectionOf<LobbyDocument>(connection, 'lobbies');
  const pieces = collectionOf<PieceDocument>(connection, 'lobby-leaves');
  const idOf = (dropId: DropId, lane: string, piece: number) => `${dropId}/${lane}/${piece}`;
  const find = async (dropId: DropId): Promise<Lobby | null> => {
    const found = await lobbies.findOne({ _id: dropId });
    if (!found) return null;
    const { _id, ...lobby } = lobbySchema.parse(found);
    return lobby;
  };
  return {
    async ensureIndexes() {
      await pieces.createIndexes([{ key: { drop: 1, lane: 1, piece: 1 }, unique: true }]);
    },
    async addPiece(dropId, lane, { piece, leaves, root }) {
      const _id = idOf(dropId, lane, piece);
      await unlessThere(() =>
        pieces.insertOne({
          _id,
          drop: dropId,
          lane,
          piece,
          leaves: Buffer.from(leaves),
          root: Buffer.from(root),
        }),
      );
    },
    async pieceRoots(dropId, lane) {
      const found = pieces
        .find({ drop: dropId, lane }, { projection: { piece: 1, root: 1 }, promoteBuffers: true })
        .sort({ piece: 1 });
      const roots = new Map<number, Uint8Array>();
      for await (const document of found) {
        const { piece, root } = rootSchema.parse(document);
        roots.set(piece, root);
      }
      return roots;
    },
    async pieceLeaves(dropId, lane, piece) {
      const found = await pieces.findOne({ _id: idOf(dropId, lane, piece) }, { promoteBuffers: true });
      return found ? leavesSchema.parse(found).leaves : null;
    },
    find,
    async commit(dropId, lobby) {
      await unlessThere(() => lobbies.insertOne({ _id: dropId, ...lobby }));
      const standing = await find(dropId);
      if (!standing) throw new Error(`the lobby of ${dropId} was committed and is not there`);
      return standing;
    },
    async setBeaconValue(dropId, value) {
      await lobbies.updateOne({ _id: dropId, beaconValue: null }, { $set: { beaconValue: value } });
      return find(dropId);
    },
  };
}

async function unlessThere(insert: () => Promise<unknown>): Promise<void> {
  try {
    await insert();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}
