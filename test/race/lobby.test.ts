// The commitment to a lobby, on a real Redis and the embedded MongoDB: whoever does a step, however many do it at
// once, and wherever one of them dies, the root is that of the tickets as they came.
import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../client/fairness/bytes.ts';
import { lobbyKey, lobbyRoot, seedHash, ticketLeaf } from '../../client/fairness/commitments.ts';
import { joinHashes, merkleRoot } from '../../client/fairness/merkle.ts';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import { sha256 } from '../../client/fairness/sha256.ts';
import { checkTicket, type OwnTicket } from '../../client/fairness/verify.ts';
import { lanes, type Drop } from '../../server/drops/drop.ts';
import { createFairness } from '../../server/fairness/fairness.ts';
import { createLeavesStore } from '../../server/fairness/leaves.store.ts';
import { createLobbyStore, type LobbyStore } from '../../server/fairness/lobby.store.ts';
import { newBuyerId } from '../../server/ids.ts';
import { leafPrefix } from '../../server/platform/keys.ts';
import { connectMongo, type MongoConnection } from '../../server/platform/mongo.ts';
import { startEmbeddedMongo, type EmbeddedMongo } from '../support/embedded-mongo.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';
import { openEngine, type Engine } from '../support/engine.ts';

const log = pino({ level: 'silent' });
let redis: EmbeddedRedis;
let mongo: EmbeddedMongo;
let connection: MongoConnection;
let engine: Engine;
let lobbies: LobbyStore;

beforeAll(async () => {
  [redis, mongo] = await Promise.all([startEmbeddedRedis(), startEmbeddedMongo()]);
  connection = await connectMongo({ uri: `${mongo.uri}/lobby-${randomBytes(4).toString('hex')}`, log });
  engine = openEngine(redis.url);
  lobbies = createLobbyStore(connection);
  await lobbies.ensureIndexes();
}, 60_000);
afterEach(() => engine.redis.flushall());
afterAll(async () => {
  await engine?.close();
  await connection?.close();
  await mongoose.disconnect();
  await mongo?.stop();
  await redis?.dispose();
});

/** One process of the engine, as far as fairness goes. */
function process(change: { lobbies?: Partial<LobbyStore>; beacon?: () => string | null } = {}) {
  return createFairness({
    leaves: createLeavesStore(engine.redis),
    lobbies: { ...lobbies, ...change.lobbies },
    look: dropId => engine.live.look(dropId),
    lastCall: async () => null,
    fetchBeacon: async () => change.beacon?.() ?? null,
    log,
  });
}

const leafOf = (index: number) => sha256(utf8(`leaf ${index}`));

/** A drop whose lobby has `size` tickets with leaves 0, 1, 2 …, in this order. */
async function lobbyOf(size: number, change: Partial<Drop> = {}): Promise<Drop> {
  const seed = randomBytes(32).toString('base64url');
  const drop = await engine.load({
    mode: 'shuffle',
    opensAtMs: Date.now() + 600_000,
    seed,
    seedHash: seedHash(seed) ?? '',
    ...change,
  });
  await joinTo(drop, 0, size);
  return drop;
}
async function joinTo(drop: Drop, from: number, to: number): Promise<void> {
  await Promise.all(
    Array.from({ length: to - from }, (_, index) =>
      engine.queue.join(drop.dropId, newBuyerId(), { leaf: leafOf(from + index) }),
    ),
  );
}
async function freeze(drop: Drop): Promise<void> {
  await engine.setAheadMs(drop, 599_500);
  expect(await engine.live.open(drop.dropId, '')).toMatchObject({ state: 'lobby', frozen: true });
}
const rootOf = (drop: Drop, size: number) => {
  const leaves = joinHashes(Array.from({ length: size }, (_, index) => leafOf(index)));
  const nobody = { size: 0, root: toHex(merkleRoot(new Uint8Array(0))) };
  const general = { size, root: toHex(merkleRoot(leaves)) };
  return lobbyRoot(
    drop.dropId,
    lanes.map(lane => ({ lane, ...(lane === 'general' ? general : nobody) })),
  );
};
const leafKeys = (drop: Drop) => engine.redis.keys(`${leafPrefix(drop.dropId)}*`);

describe('the commitment to a lobby', () => {
  it('is to its tickets in the order of their arrival, once, however many processes make it', {
    timeout: 60_000,
  }, async () => {
    const drop = await lobbyOf(5_000);
    // While it fills, whole pieces are archived, and there is no key.
    expect(await process().lobbyKey(drop)).toBeNull();
    expect([...(await lobbies.pieceRoots(drop.dropId, 'general')).keys()]).toEqual([0]);
    await joinTo(drop, 5_000, 9_001);
    await freeze(drop);
    expect((await leafKeys(drop)).length).toBe(10);

    const processes = Array.from({ length: 4 }, () => process());
    const keys = await Promise.all(processes.map(one => one.lobbyKey(drop)));
    const root = rootOf(drop, 9_001);
    const { dropId, seed } = drop;
    const key = lobbyKey({ seed, dropId, root, beacon: '', beaconValue: '' });
    expect(new Set(keys)).toEqual(new Set([key]));
    expect(await process().root(drop)).toBe(root);
    // From here on the proof needs MongoDB alone.
    expect(await leafKeys(drop)).toEqual([]);
    expect(await process().lobbyKey(drop)).toBe(key);
  });

  it('counts a buyer who joins twice once, with the first leaf, and nobody who comes after the freeze', async () => {
    const drop = await lobbyOf(0);
    const buyerId = newBuyerId();
    await engine.queue.join(drop.dropId, buyerId, { leaf: leafOf(0) });
    await engine.queue.join(drop.dropId, buyerId, { leaf: leafOf(7) });
    await freeze(drop);
    await engine.queue.join(drop.dropId, newBuyerId(), { leaf: leafOf(1) });
    await process().lobbyKey(drop);
    expect(await process().root(drop)).toBe(rootOf(drop, 1));
  });

  it('is the same wherever a process died that had begun it', { timeout: 60_000 }, async () => {
    const dies = () => Promise.reject(new Error('the process is killed'));
    const deaths: Partial<LobbyStore>[] = [
      { pieceRoots: dies },
      { addPiece: dies },
      {
        addPiece: async (dropId, lane, piece) => {
          await lobbies.addPiece(dropId, lane, piece);
          await dies();
        },
      },
      { commit: dies },
      {
        commit: async (dropId, lobby) => {
          await lobbies.commit(dropId, lobby);
          return dies();
        },
      },
    ];
    const drop = await lobbyOf(4_097);
    await freeze(drop);
    for (const death of deaths) {
      // Each is a process of its own, and finds what the ones before it have left.
      await expect(process({ lobbies: death }).lobbyKey(drop)).rejects.toThrow('killed');
    }
    expect(await process().lobbyKey(drop)).not.toBeNull();
    expect(await process().root(drop)).toBe(rootOf(drop, 4_097));
  });

  it('does not open a drop whose frozen size is not the committed one', async () => {
    const drop = await lobbyOf(3);
    await freeze(drop);
    await process().lobbyKey(drop);
    await engine.redis.hset(`door:{${drop.dropId}}:queue`, 'general/lobby', 4);
    await expect(process().lobbyKey(drop)).rejects.toThrow('another lobby');
  });

  it('shows lost leaves as empty places, and does not lose the tickets', async () => {
    const drop = await lobbyOf(3);
    await freeze(drop);
    await engine.redis.del(await leafKeys(drop));
    expect(await process().lobbyKey(drop)).not.toBeNull();
    const { lanes: shown } = await process().statement(drop);
    expect(shown[0]).toEqual({ lane: 'general', size: 3, root: toHex(merkleRoot(new Uint8Array(96))) });
  });
});

describe('the key of a drop with a beacon', () => {
  it('waits for it, takes the first value, and no value before the root stands', async () => {
    const drop = await lobbyOf(3, { beacon: 'drand:quicknet:7' });
    await expect(process().giveBeacon(drop, 'aa')).rejects.toThrow('not committed yet');
    await freeze(drop);
    expect(await process().lobbyKey(drop)).toBeNull();
    expect(await process().root(drop)).toBe(rootOf(drop, 3));
    await process().giveBeacon(drop, 'aa');
    await process().giveBeacon(drop, 'aa');
    await expect(process().giveBeacon(drop, 'bb')).rejects.toThrow('another value');
    const { dropId, seed } = drop;
    const root = rootOf(drop, 3);
    const expected = lobbyKey({ seed, dropId, root, beacon: 'drand:quicknet:7', beaconValue: 'aa' });
    expect(await process({ beacon: () => 'bb' }).lobbyKey(drop)).toBe(expected);
  });

  it('takes the value that it fetched, too', async () => {
    const drop = await lobbyOf(3, { beacon: 'drand:quicknet:7' });
    await freeze(drop);
    expect(await process({ beacon: () => 'cc' }).lobbyKey(drop)).not.toBeNull();
    expect((await process().statement(drop)).beaconValue).toBe('cc');
  });
});

describe('what is published of a drop', () => {
  it('keeps the seed back until it is open, and then proves every ticket with its rank', async () => {
    const drop = await lobbyOf(0);
    const owners: OwnTicket[] = [];
    for (let index = 0; index < 5; index += 1) {
      const own = { buyerId: newBuyerId(), nonce: randomBytes(16).toString('base64url') };
      owners.push(own);
      await engine.queue.join(drop.dropId, own.buyerId, {
        leaf: ticketLeaf({ dropId: drop.dropId, ...own }),
      });
    }
    const fairness = process();
    expect(await fairness.statement(drop)).toMatchObject({ lanes: [], callsCount: 0 });
    await freeze(drop);
    const key = await fairness.lobbyKey(drop);
    const waiting = await fairness.statement(drop);
    expect(waiting.root).toBeDefined();
    expect([waiting.seed, waiting.key]).toEqual([undefined, undefined]);
    await engine.setAheadMs(drop, 600_500);
    expect(await engine.live.open(drop.dropId, key ?? '')).toMatchObject({ state: 'open' });
    const open = await fairness.statement(drop);
    expect([open.seed, open.key]).toEqual([drop.seed, key]);

    const rankOf = lobbyRanks({ key: key ?? '', lane: 'general', size: 5 });
    for (const [arrival, own] of owners.entries()) {
      const { buyerId } = own;
      const ticket = { dropId: drop.dropId, lane: 'general' as const, arrival, buyerId: newBuyerId() };
      const inclusion = await fairness.inclusion(drop, ticket);
      if (!inclusion) throw new Error('there is no inclusion');
      expect(inclusion.rank).toBe(rankOf(arrival));
      const check = (change: object) =>
        checkTicket({ statement: open, inclusion: { ...inclusion, ...change }, own }).map(
          found => found.name,
        );
      expect(check({})).toEqual([]);
      expect(check({ rank: (rankOf(arrival) + 1) % 5 })).toEqual(['rank']);
      expect(check({ leaf: toHex(leafOf(99)) })).toEqual(['ticket', 'ticket']);
      expect(check({ arrival: (arrival + 1) % 5 })).toContain('ticket');
      const stranger = { buyerId, nonce: randomBytes(16).toString('base64url') };
      expect(checkTicket({ statement: open, inclusion, own: stranger }).map(found => found.name)).toEqual([
        'ticket',
      ]);
    }
  });
});
