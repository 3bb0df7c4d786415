// Indexes: what they forbid, and that queries use them. Use is shown by the number of documents that the
// server looked at (serverStatus, MongoDB's own name for it): a scan of the collection could not pass.
import { type Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, type Loose, type MongoTarget, openMongo } from '../support/mongo-target.ts';

let mongo: MongoTarget;
beforeAll(async () => {
  mongo = await openMongo();
});
afterAll(() => mongo.close());

describe('unique indexes', () => {
  it('count missing as null, and an integer as its double', async () => {
    const c = await mongo.fresh();
    await c.createIndex({ a: 1 }, { unique: true });
    await c.insertMany([{ a: 1 }, { a: '1' }, {}]);
    expect(await codeOf(c.insertOne({ a: 1.0 }))).toBe(11000);
    expect(await codeOf(c.insertOne({ a: null }))).toBe(11000);
    expect(await codeOf(c.updateOne({ a: '1' }, { $set: { a: 1 } }))).toBe(11000);
    expect(await codeOf(c.findOneAndUpdate({ a: '1' }, { $set: { a: 1 } }))).toBe(11000);
    expect(await codeOf(c.updateOne({ a: 5 }, { $set: { a: 1 } }, { upsert: true }))).toBe(11000);
  });

  it('hold for each element of an array, but not within one document', async () => {
    const c = await mongo.fresh();
    await c.createIndex({ tags: 1 }, { unique: true });
    await c.insertOne({ tags: ['a', 'a', 'b'] });
    expect(await codeOf(c.insertOne({ tags: ['c', 'b'] }))).toBe(11000);
    await c.insertOne({ tags: ['c'] });
    expect(await c.countDocuments({ tags: 'a' })).toBe(1);
  });

  it('of several fields are about all of them together', async () => {
    const c = await mongo.fresh();
    await c.createIndex({ a: 1, b: -1 }, { unique: true });
    await c.insertMany([
      { a: 1, b: 1 },
      { a: 1, b: 2 },
      { a: 2, b: 1 },
    ]);
    const error: unknown = await c.insertOne({ a: 1, b: 2 }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 11000, keyPattern: { a: 1, b: -1 }, keyValue: { a: 1, b: 2 } });
  });

  it('that are partial leave the other documents alone', async () => {
    const c = await mongo.fresh([
      { _id: 'u1', order: null, slot: 0 },
      { _id: 'u2', order: null, slot: 0 },
    ]);
    await c.createIndex(
      { order: 1, slot: 1 },
      { unique: true, partialFilterExpression: { order: { $type: 'string' } } },
    );
    await c.updateOne({ _id: 'u1' }, { $set: { order: 'o1', slot: 1 } });
    expect(await codeOf(c.updateOne({ _id: 'u2' }, { $set: { order: 'o1', slot: 1 } }))).toBe(11000);
    await c.updateOne({ _id: 'u1' }, { $set: { order: null, slot: 0 } });
    await c.updateOne({ _id: 'u2' }, { $set: { order: 'o1', slot: 1 } });
    expect(await c.findOne({ order: 'o1', slot: 1 })).toMatchObject({ _id: 'u2' });
    expect(await c.countDocuments({ order: null })).toBe(1);
  });

  it('that are sparse let the field be missing', async () => {
    const c = await mongo.fresh();
    await c.createIndex({ a: 1 }, { unique: true, sparse: true });
    await c.insertMany([{}, {}, { a: null }]);
    expect(await codeOf(c.insertOne({ a: null }))).toBe(11000);
    expect(await c.countDocuments({ a: null })).toBe(3);
    expect(await c.find().sort({ a: 1 }).toArray()).toHaveLength(3);
  });

  it('cannot be made over duplicates, and leave nothing behind then', async () => {
    const c = await mongo.fresh([{ a: 1 }, { a: 1 }]);
    expect(await codeOf(c.createIndex({ a: 1 }, { unique: true }))).toBe(11000);
    expect(await c.indexes()).toHaveLength(1);
    await c.insertOne({ a: 1 });
    expect(await c.countDocuments({ a: 1 })).toBe(3);
  });

  it('are set free by deleting', async () => {
    const c = await mongo.fresh([{ _id: 1, a: new ObjectId() }]);
    await c.createIndex({ a: 1 }, { unique: true });
    const document = await c.findOneAndDelete({ _id: 1 });
    await c.insertOne({ _id: 2, a: document?.['a'] });
    expect(await c.countDocuments()).toBe(1);
  });
});

describe('declaring indexes', () => {
  it('is no error twice, and lists what was declared', async () => {
    const c = await mongo.fresh();
    const spec = { unique: true, partialFilterExpression: { a: { $gt: 1 } } };
    expect(await c.createIndex({ a: 1, 'b.c': -1 }, spec)).toBe('a_1_b.c_-1');
    await c.createIndex({ a: 1, 'b.c': -1 }, spec);
    expect(await c.indexes()).toMatchObject([
      { key: { _id: 1 }, name: '_id_' },
      {
        key: { a: 1, 'b.c': -1 },
        name: 'a_1_b.c_-1',
        unique: true,
        partialFilterExpression: { a: { $gt: 1 } },
      },
    ]);
    await c.dropIndex('a_1_b.c_-1');
    expect(await c.indexes()).toHaveLength(1);
  });

  it('refuses a name for two, and two names for one', async () => {
    const c = await mongo.fresh([{ a: 1 }]);
    await c.createIndex({ a: 1 }, { name: 'n' });
    expect(await codeOf(c.createIndex({ b: 1 }, { name: 'n' }))).toBe(86);
    expect(await codeOf(c.createIndex({ a: 1 }, { name: 'm' }))).toBe(85);
    expect(await codeOf(c.createIndex({ a: 1 }, { name: 'n', unique: true }))).toBe(86);
  });

  it('refuses parallel arrays', async () => {
    const c = await mongo.fresh();
    await c.createIndex({ a: 1, b: 1 });
    expect(await codeOf(c.insertOne({ a: [1], b: [2] }))).toBe(171);
    await c.insertOne({ a: [1, 2], b: 3 });
    expect(await c.countDocuments({ a: 2, b: 3 })).toBe(1);
  });

  it('refuses expressions in a partial index that cannot be checked', async () => {
    const c = await mongo.fresh();
    expect(await codeOf(c.createIndex({ a: 1 }, { partialFilterExpression: { a: { $ne: 1 } } }))).toBe(67);
  });
});

describe('an index never changes an answer', () => {
  it('where two elements of an array meet two conditions', async () => {
    const c = await mongo.fresh([
      {
        _id: 1,
        l: [
          { x: 1, y: 2 },
          { x: 2, y: 1 },
        ],
      },
    ]);
    await c.createIndex({ 'l.x': 1, 'l.y': 1 });
    expect(await c.countDocuments({ 'l.x': 1, 'l.y': 1 })).toBe(1);
    expect(await c.countDocuments({ 'l.x': { $gt: 1, $lt: 2 } })).toBe(1);
    expect(await c.countDocuments({ l: { $elemMatch: { x: 1, y: 1 } } })).toBe(0);
  });

  it('where an array sorts by an element outside the range asked for', async () => {
    const c = await mongo.fresh([
      { _id: 1, a: [1, 9] },
      { _id: 2, a: [5, 6] },
    ]);
    await c.createIndex({ a: 1 });
    expect(
      await c
        .find({ a: { $gt: 4 } })
        .sort({ a: 1 })
        .toArray(),
    ).toMatchObject([{ _id: 1 }, { _id: 2 }]);
    expect(
      await c
        .find({ a: { $lt: 6 } })
        .sort({ a: -1 })
        .toArray(),
    ).toMatchObject([{ _id: 1 }, { _id: 2 }]);
  });

  it('where null and missing are not the same', async () => {
    const c = await mongo.fresh([{ _id: 1, a: null }, { _id: 2 }, { _id: 3, a: 1 }]);
    await c.createIndex({ a: 1 });
    expect(await c.countDocuments({ a: { $exists: false } })).toBe(1);
    expect(await c.countDocuments({ a: null })).toBe(2);
    expect(await c.countDocuments({ a: { $gte: null } })).toBe(2);
  });

  it('where a number is none', async () => {
    const c = await mongo.fresh([
      { _id: 1, a: Number.NaN },
      { _id: 2, a: -1 },
      { _id: 3, a: Number.NEGATIVE_INFINITY },
    ]);
    await c.createIndex({ a: 1 });
    expect(await c.countDocuments({ a: { $lt: 0 } })).toBe(2);
    expect(await c.countDocuments({ a: Number.NaN })).toBe(1);
    expect(await c.find().sort({ a: 1 }).toArray()).toMatchObject([{ _id: 1 }, { _id: 3 }, { _id: 2 }]);
  });
});

describe('queries read what they need, and little else', () => {
  const COUNT = 5_000;
  let name = '';
  beforeAll(async () => {
    const c = await mongo.fresh(
      Array.from({ length: COUNT }, (_, i) => ({
        _id: `d/s/${String(i).padStart(6, '0')}`,
        drop: i % 2 === 0 ? 'even' : 'odd',
        sku: 's',
        order: null,
        slot: 0,
        serial: (i * 7919) % COUNT,
        status: ['pending', 'closing', 'paid', 'gone'][i % 4],
        dueAtMs: (i * 31) % COUNT,
        tags: [`t${i}`, `u${i % 100}`],
        at: new Date(i),
      })),
    );
    name = c.collectionName;
    await c.createIndexes([
      { key: { drop: 1, sku: 1, order: 1, serial: 1 } },
      { key: { order: 1, slot: 1 }, unique: true, partialFilterExpression: { order: { $type: 'string' } } },
      { key: { status: 1, dueAtMs: 1 } },
      { key: { drop: 1, serial: -1 } },
      { key: { tags: 1 } },
      { key: { at: 1 } },
    ]);
  });

  async function examined(work: () => Promise<unknown>): Promise<number> {
    const before = await mongo.docsExamined();
    await work();
    return (await mongo.docsExamined()) - before;
  }
  const units = () => mongo.db.collection<Loose>(name);

  it.each<[string, () => Promise<unknown>, number]>([
    [
      'claiming a unit by its id',
      () => units().findOneAndUpdate({ _id: 'd/s/000010', order: null }, { $set: { order: 'a', slot: 1 } }),
      10,
    ],
    [
      'claiming the first free unit',
      () =>
        units().findOneAndUpdate(
          { drop: 'even', sku: 's', order: null },
          { $set: { order: 'b', slot: 1 } },
          { sort: { serial: 1 } },
        ),
      10,
    ],
    [
      'finding the units of an order through a partial index',
      () => units().find({ order: 'a' }).toArray(),
      4,
    ],
    [
      'the next due of several states',
      () =>
        units()
          .find({ status: { $in: ['pending', 'closing'] }, dueAtMs: { $lte: 4000 } })
          .sort({ dueAtMs: 1 })
          .limit(20)
          .toArray(),
      60,
    ],
    [
      'a sorted range, backwards',
      () =>
        units()
          .find({ drop: 'odd', serial: { $lt: 100 } })
          .sort({ serial: -1 })
          .limit(10)
          .toArray(),
      25,
    ],
    [
      'a page after an id',
      () =>
        units()
          .find({ _id: { $gt: 'd/s/004000' } })
          .sort({ _id: 1 })
          .limit(20)
          .toArray(),
      45,
    ],
    ['an element of an array', () => units().find({ tags: 't77' }).toArray(), 4],
    [
      'a range of dates',
      () =>
        units()
          .find({ at: { $gte: new Date(10), $lt: new Date(20) } })
          .toArray(),
      25,
    ],
    [
      'either of two indexed conditions',
      () =>
        units()
          .find({ $or: [{ tags: 't1' }, { _id: 'd/s/000002' }] })
          .toArray(),
      6,
    ],
    ['one update', () => units().updateOne({ tags: 't5' }, { $set: { z: 1 } }), 6],
    ['one delete', () => units().deleteOne({ tags: 't4999' }), 6],
    ['a count on an index', () => units().countDocuments({ status: 'paid' }), COUNT / 4],
    [
      'an aggregation that begins with $match',
      () =>
        units()
          .aggregate([{ $match: { tags: 't9' } }, { $group: { _id: '$drop' } }])
          .toArray(),
      4,
    ],
    [
      'a $lookup',
      () =>
        units()
          .aggregate([
            { $match: { _id: 'd/s/000003' } },
            { $lookup: { from: name, localField: '_id', foreignField: '_id', as: 'self' } },
          ])
          .toArray(),
      8,
    ],
  ])('%s', async (_what, work, limit) => {
    expect(await examined(work)).toBeLessThanOrEqual(limit);
  });

  it('while a question without an index reads them all, so the figure counts', async () => {
    expect(await examined(() => units().findOne({ nothing: 'like this' }))).toBeGreaterThanOrEqual(COUNT - 1);
  });

  it('in the same order as a sort in memory', async () => {
    const filter = { status: { $in: ['pending', 'closing', 'gone'] }, dueAtMs: { $lte: 900 } };
    const byIndex = await units().find(filter).sort({ dueAtMs: 1 }).toArray();
    const inMemory = await units().find(filter).sort({ dueAtMs: 1 }).hint({ $natural: 1 }).toArray();
    const due = (documents: readonly Document[]): unknown[] => documents.map(each => each['dueAtMs']);
    expect(due(byIndex)).toEqual(due(inMemory));
    expect(byIndex.length).toBeGreaterThan(100);
  });
});
