// The limit for each card, under many orders at once, in a MongoDB alone: no Redis knows of it, so none can lose it.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropIdSchema, holdIdSchema, orderIdOf } from '../../server/ids.ts';
import { createHashCard } from '../../server/payments/card-hash.ts';
import { createCardsStore, type CardsStore } from '../../server/payments/cards.store.ts';
import { collectionOf, connectMongo, type MongoConnection } from '../../server/platform/mongo.ts';
import { startEmbeddedMongo } from '../support/embedded-mongo.ts';

const dropId = dropIdSchema.parse('drop-of-cards');
const newOrderId = () => orderIdOf(holdIdSchema.parse(randomUUID()));

let mongo: Awaited<ReturnType<typeof startEmbeddedMongo>>;
let connections: MongoConnection[];
let stores: CardsStore[];
beforeAll(async () => {
  mongo = await startEmbeddedMongo();
  const log = pino({ level: 'silent' });
  connections = await Promise.all([1, 2].map(() => connectMongo({ uri: `${mongo.uri}/cards`, log })));
  stores = connections.map(createCardsStore);
  await stores[0]?.ensureIndexes();
});
afterAll(async () => {
  for (const connection of connections) await connection.close();
  await mongo.stop();
});

const storeOf = (index: number): CardsStore => {
  const store = stores[index % stores.length];
  if (!store) throw new Error('there is a store');
  return store;
};

describe('the limit of a card', () => {
  it('holds under a thousand orders at once, from two processes', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        storeOf(index).take({ dropId, card: 'crowd', orderId: newOrderId(), unitsCount: 1, max: 3 }),
      ),
    );
    expect(outcomes.filter(outcome => outcome === 'counted')).toHaveLength(3);
  });

  it('would not hold where the count is read and then written: the control', async () => {
    const [connection] = connections;
    if (!connection) throw new Error('there is a connection');
    const counts = collectionOf<{ _id: string; used: number }>(connection, 'unsafeCards');
    await counts.insertOne({ _id: 'crowd', used: 0 });
    const takeUnsafely = async (): Promise<boolean> => {
      const used = (await counts.findOne({ _id: 'crowd' }))?.used ?? 0;
      if (used >= 3) return false;
      await counts.updateOne({ _id: 'crowd' }, { $set: { used: used + 1 } });
      return true;
    };
    const outcomes = await Promise.all(Array.from({ length: 200 }, takeUnsafely));
    expect(outcomes.filter(Boolean).length).toBeGreaterThan(3);
  });

  it('counts an order once, however many processes take it on', async () => {
    const orderId = newOrderId();
    const take = (index: number) =>
      storeOf(index).take({ dropId, card: 'once', orderId, unitsCount: 2, max: 2 });
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, index) => take(index)));
    expect(new Set(outcomes)).toEqual(new Set(['counted']));
    const another = { dropId, card: 'once', orderId: newOrderId(), unitsCount: 1, max: 2 };
    expect(await storeOf(0).take(another)).toBe('over');
  });

  it('gives back what an order leaves, once, while others take', async () => {
    const kept = newOrderId();
    const ended = newOrderId();
    const card = 'back';
    for (const orderId of [kept, ended])
      await storeOf(0).take({ dropId, card, orderId, unitsCount: 2, max: 4 });
    const [outcomes] = await Promise.all([
      Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          storeOf(index).take({ dropId, card, orderId: newOrderId(), unitsCount: 1, max: 4 }),
        ),
      ),
      ...Array.from({ length: 20 }, (_, index) =>
        storeOf(index).keepAtMost({ dropId, card, orderId: ended, unitsCount: 0 }),
      ),
      storeOf(1).keepAtMost({ dropId, card, orderId: kept, unitsCount: 3 }),
    ]);
    const late = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        storeOf(index).take({ dropId, card, orderId: newOrderId(), unitsCount: 1, max: 4 }),
      ),
    );
    expect([...outcomes, ...late].filter(outcome => outcome === 'counted')).toHaveLength(2);
  });

  it('goes on counting what was erased, for nobody', async () => {
    const orderId = newOrderId();
    const counted = { dropId, card: 'erased', orderId };
    await storeOf(0).take({ ...counted, unitsCount: 1, max: 1 });
    await storeOf(0).forget(counted);
    await storeOf(1).keepAtMost({ ...counted, unitsCount: 0 });
    const [connection] = connections;
    if (!connection) throw new Error('there is a connection');
    const document = await collectionOf<{ _id: string }>(connection, 'cards').findOne({
      _id: `${dropId}/erased`,
    });
    expect(JSON.stringify(document)).not.toContain(orderId);
    expect(document).toMatchObject({ used: 1 });
  });
});

describe('what is kept of a card', () => {
  it('is another hash in each drop, the same while a newer secret is put before', () => {
    const before = createHashCard(['an old secret of sixteen']);
    const after = createHashCard(['a newer secret of sixteen', 'an old secret of sixteen']);
    const other = dropIdSchema.parse('drop-of-others');
    expect(after(dropId, 'fp')).toBe(before(dropId, 'fp'));
    expect(new Set([before(dropId, 'fp'), before(other, 'fp'), before(dropId, 'fq')]).size).toBe(3);
    expect(before(dropId, 'fp')).not.toContain('fp');
  });
});
