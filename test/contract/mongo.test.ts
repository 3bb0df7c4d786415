// What the engine and the official driver need of MongoDB, as MongoDB answers it. Runs against the embedded
// server, and against a real one where MONGODB_CONTRACT_URI is set.
import { Long, MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, type MongoTarget, openMongo } from '../support/mongo-target.ts';

let mongo: MongoTarget;
beforeAll(async () => {
  mongo = await openMongo();
});
afterAll(() => mongo.close());

const ids = (documents: readonly { _id?: unknown }[]): unknown[] => documents.map(each => each._id);

describe('inserting', () => {
  it('makes an _id where there is none, and puts it first', async () => {
    const c = await mongo.fresh();
    const { insertedId } = await c.insertOne({ a: 1 });
    expect(insertedId).toBeInstanceOf(ObjectId);
    expect(Object.keys((await c.findOne({ a: 1 })) ?? {})).toEqual(['_id', 'a']);
  });

  it('returns every type as it was given', async () => {
    const c = await mongo.fresh();
    const doc = {
      _id: new ObjectId(),
      s: 'ü',
      n: 1.5,
      i: -7,
      big: 2 ** 45,
      b: true,
      z: null,
      d: new Date(1),
      a: [1, [2]],
      o: { x: { y: 'z' } },
      r: /a.b/i,
    };
    await c.insertOne(doc);
    expect(await c.findOne({ _id: doc._id })).toEqual(doc);
  });

  it('stops an ordered batch at a duplicate, and tells which one it was', async () => {
    const c = await mongo.fresh();
    const batch = [{ _id: 1 }, { _id: 2 }, { _id: 1 }, { _id: 3 }];
    const error: unknown = await c.insertMany(batch).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 11000,
      result: { insertedCount: 2 },
      writeErrors: [{ index: 2, code: 11000 }],
    });
    expect(ids(await c.find().sort({ _id: 1 }).toArray())).toEqual([1, 2]);
  });

  it('goes on after a duplicate in an unordered batch', async () => {
    const c = await mongo.fresh();
    const batch = [{ _id: 1 }, { _id: 1 }, { _id: 2 }];
    expect(await codeOf(c.insertMany(batch, { ordered: false }))).toBe(11000);
    expect(await c.countDocuments()).toBe(2);
  });

  it('names the key of a duplicate', async () => {
    const c = await mongo.fresh();
    await c.createIndex({ email: 1 }, { unique: true });
    await c.insertOne({ email: 'a@b.c' });
    const error: unknown = await c.insertOne({ email: 'a@b.c' }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 11000, keyPattern: { email: 1 }, keyValue: { email: 'a@b.c' } });
    expect(String(error)).toMatch(
      /E11000 duplicate key error collection: .*index: email_1 dup key: \{ email: "a@b.c" \}/,
    );
  });

  it('accepts a write without acknowledgement, which takes effect', async () => {
    const c = await mongo.fresh([{ _id: 0 }]);
    await c.insertOne({ _id: 9 }, { writeConcern: { w: 0 } });
    await expect.poll(() => c.countDocuments({ _id: 9 })).toBe(1);
  });

  it('accepts w majority with j', async () => {
    const c = await mongo.fresh();
    await c.insertOne({ x: 1 }, { writeConcern: { w: 'majority', j: true, wtimeoutMS: 1000 } });
    expect(await c.countDocuments({ x: 1 }, { readConcern: 'majority' })).toBe(1);
  });
});

describe('finding', () => {
  const documents = [
    {
      _id: 1,
      a: 1,
      tags: ['x', 'y'],
      sub: {
        n: 1,
        l: [
          { k: 1, v: 'p' },
          { k: 2, v: 'q' },
        ],
      },
    },
    { _id: 2, a: 2.5, tags: [], sub: { n: null } },
    { _id: 3, a: 'text', sub: {} },
    { _id: 4, a: null },
    { _id: 5 },
    { _id: 6, a: [1, 5, 9] },
    { _id: 7, a: new Date(5) },
    { _id: 8, a: true },
  ];

  it.each<[string, object, number[]]>([
    ['equality, also of an array element', { a: 1 }, [1, 6]],
    ['null as null or missing', { a: null }, [4, 5]],
    ['a missing field', { a: { $exists: false } }, [5]],
    ['an existing field', { a: { $exists: true } }, [1, 2, 3, 4, 6, 7, 8]],
    ['$gt within a type only', { a: { $gt: 1 } }, [2, 6]],
    ['$gte and $lt on any elements of an array', { a: { $gte: 6, $lt: 2 } }, [6]],
    ['$lte of strings', { a: { $lte: 'zzz' } }, [3]],
    ['$lt of dates', { a: { $lt: new Date(6) } }, [7]],
    ['$in with null', { a: { $in: [null, true] } }, [4, 5, 8]],
    ['$in with a regex', { a: { $in: [/^te/] } }, [3]],
    ['$nin', { a: { $nin: [1, null, 'text'] } }, [2, 7, 8]],
    ['$ne', { a: { $ne: null } }, [1, 2, 3, 6, 7, 8]],
    ['$not', { a: { $not: { $gt: 1 } } }, [1, 3, 4, 5, 7, 8]],
    ['a nested field', { 'sub.n': 1 }, [1]],
    ['a nested null', { 'sub.n': null }, [2, 3, 4, 5, 6, 7, 8]],
    ['a path through an array', { 'sub.l.k': 2 }, [1]],
    ['an index in a path', { 'sub.l.1.v': 'q' }, [1]],
    ['conditions met by two elements', { 'sub.l.k': 1, 'sub.l.v': 'q' }, [1]],
    ['$elemMatch, met by one element only', { 'sub.l': { $elemMatch: { k: 1, v: 'q' } } }, []],
    ['$elemMatch of values', { a: { $elemMatch: { $gt: 4, $lt: 6 } } }, [6]],
    ['a whole array', { a: [1, 5, 9] }, [6]],
    ['an empty array', { tags: [] }, [2]],
    ['a whole document', { sub: { n: null } }, [2]],
    ['$size', { tags: { $size: 2 } }, [1]],
    ['$all', { tags: { $all: ['y', 'x'] } }, [1]],
    ['$type by name', { a: { $type: 'string' } }, [3]],
    ['$type of array elements', { a: { $type: 'number' } }, [1, 2, 6]],
    ['$mod', { a: { $mod: [4, 1] } }, [1, 6]],
    ['a regex', { a: /EX/i }, [3]],
    ['$regex with options', { a: { $regex: '^TEXT$', $options: 'i' } }, [3]],
    ['$or', { $or: [{ _id: 1 }, { a: true }] }, [1, 8]],
    ['$and of the same field', { $and: [{ a: { $gt: 0 } }, { a: { $lt: 2 } }] }, [1, 6]],
    ['$nor', { $nor: [{ a: { $exists: true } }, { _id: 99 }] }, [5]],
    ['$expr', { $expr: { $gt: ['$a', '$_id'] } }, [2, 3, 6, 7, 8]],
    ['an _id range', { _id: { $gt: 6 } }, [7, 8]],
  ])('understands %s', async (_what, filter, expected) => {
    const c = await mongo.fresh(documents);
    expect(ids(await c.find(filter).sort({ _id: 1 }).toArray())).toEqual(expected);
    expect(await c.countDocuments(filter)).toBe(expected.length);
    // The same answer with an index on every field that the filters ask for.
    await c.createIndexes([
      { key: { a: 1 } },
      { key: { 'sub.n': -1 } },
      { key: { 'sub.l.k': 1, 'sub.l.v': 1 } },
      { key: { tags: 1 } },
    ]);
    expect(ids(await c.find(filter).sort({ _id: 1 }).toArray())).toEqual(expected);
    expect(await c.countDocuments(filter)).toBe(expected.length);
  });

  it.each<[string, Record<string, 1 | -1>, number[]]>([
    ['by BSON types, ascending', { a: 1, _id: 1 }, [4, 5, 1, 6, 2, 3, 8, 7]],
    ['by the greatest element, descending', { a: -1, _id: 1 }, [7, 8, 3, 6, 2, 1, 4, 5]],
    ['by a nested field', { 'sub.n': -1, _id: -1 }, [1, 8, 7, 6, 5, 4, 3, 2]],
  ])('sorts %s', async (_what, sort, expected) => {
    const c = await mongo.fresh(documents);
    expect(ids(await c.find({}, { sort }).toArray())).toEqual(expected);
    await c.createIndex({ a: 1, _id: 1 });
    await c.createIndex({ 'sub.n': 1, _id: 1 });
    expect(ids(await c.find({}, { sort }).toArray())).toEqual(expected);
  });

  it.each<[string, object, object]>([
    ['fields', { 'sub.n': 1 }, { _id: 1, sub: { n: 1 } }],
    ['fields without _id', { a: 1, _id: 0 }, { a: 1 }],
    ['all but some', { sub: 0, tags: 0 }, { _id: 1, a: 1 }],
    ['fields of elements', { 'sub.l.v': 1, _id: 0 }, { sub: { l: [{ v: 'p' }, { v: 'q' }] } }],
    ['a slice', { tags: { $slice: -1 }, sub: 0 }, { _id: 1, a: 1, tags: ['y'] }],
    ['a computed field', { _id: 0, twice: { $multiply: ['$a', 2] } }, { twice: 2 }],
  ])('projects %s', async (_what, projection, expected) => {
    const c = await mongo.fresh(documents);
    expect(await c.findOne({ _id: 1 }, { projection })).toEqual(expected);
  });

  it('pages through a big result with getMore, and forgets a closed cursor', async () => {
    const c = await mongo.fresh(Array.from({ length: 1000 }, (_, i) => ({ _id: i, pad: 'x'.repeat(50) })));
    expect(await c.find().toArray()).toHaveLength(1000);
    expect(ids(await c.find().sort({ _id: -1 }).skip(10).limit(3).batchSize(2).toArray())).toEqual([
      989, 988, 987,
    ]);
    const cursor = c.find().batchSize(10);
    await cursor.next();
    const id = cursor.id;
    await cursor.close();
    expect(await codeOf(mongo.db.command({ getMore: id, collection: c.collectionName }))).toBe(43);
  });

  it('keeps a cursor going over documents that are deleted under it', async () => {
    const c = await mongo.fresh(Array.from({ length: 500 }, (_, i) => ({ _id: i })));
    const cursor = c.find().sort({ _id: 1 }).batchSize(5);
    expect(await cursor.next()).toEqual({ _id: 0 });
    await c.deleteMany({ _id: { $gte: 100 } });
    expect((await cursor.toArray()).length).toBeLessThan(200);
  });

  it('counts and lists distinct values', async () => {
    const c = await mongo.fresh(documents);
    expect(await c.estimatedDocumentCount()).toBe(8);
    expect(await c.countDocuments({}, { skip: 2, limit: 3 })).toBe(3);
    expect(await c.distinct('tags')).toEqual(['x', 'y']);
    expect(await c.distinct('sub.l.k', { _id: 1 })).toEqual([1, 2]);
  });
});

describe('updating', () => {
  it.each<[string, object, object, object]>([
    ['$set of a new path', { a: 1 }, { $set: { 'b.c': 2 } }, { a: 1, b: { c: 2 } }],
    ['$set past the end of an array', { a: [1] }, { $set: { 'a.3': 4 } }, { a: [1, null, null, 4] }],
    ['$unset', { a: 1, b: { c: 1, d: 2 } }, { $unset: { a: '', 'b.c': '' } }, { b: { d: 2 } }],
    [
      '$inc and $mul, also of missing fields',
      { a: 1, b: 2 },
      { $inc: { a: 2, x: 5 }, $mul: { b: 3, y: 4 } },
      { a: 3, b: 6, x: 5, y: 0 },
    ],
    ['$min and $max', { a: 5, b: 5 }, { $min: { a: 3 }, $max: { b: 3, c: 1 } }, { a: 3, b: 5, c: 1 }],
    ['$rename', { a: { x: 1 } }, { $rename: { 'a.x': 'b' } }, { a: {}, b: 1 }],
    ['$push', { a: [1] }, { $push: { a: 2, b: 3 } }, { a: [1, 2], b: [3] }],
    [
      '$push with modifiers',
      { a: [3, 1] },
      { $push: { a: { $each: [2, 0], $sort: 1, $slice: 3 } } },
      { a: [0, 1, 2] },
    ],
    [
      '$push at a position',
      { a: [1, 4] },
      { $push: { a: { $each: [2, 3], $position: 1 } } },
      { a: [1, 2, 3, 4] },
    ],
    [
      '$addToSet',
      { a: [1, { x: 1 }] },
      { $addToSet: { a: { $each: [1, 2, { x: 1 }] } } },
      { a: [1, { x: 1 }, 2] },
    ],
    ['$pull by value', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
    ['$pull by condition', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }],
    ['$pull of documents', { a: [{ k: 1, z: 1 }, { k: 2 }] }, { $pull: { a: { k: 1 } } }, { a: [{ k: 2 }] }],
    ['$pullAll', { a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    ['$pop', { a: [1, 2, 3], b: [1, 2] }, { $pop: { a: 1, b: -1 } }, { a: [1, 2], b: [2] }],
    ['$bit', { a: 12 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
    [
      'every element, $[]',
      { a: [{ n: 1 }, { n: 2 }] },
      { $inc: { 'a.$[].n': 10 } },
      { a: [{ n: 11 }, { n: 12 }] },
    ],
    [
      'a pipeline',
      { a: 1, b: 2 },
      [{ $set: { sum: { $add: ['$a', '$b'] } } }, { $unset: 'b' }] as object,
      { a: 1, sum: 3 },
    ],
    ['a null that $unset tolerates', { a: 5 }, { $unset: { 'a.b': '' } }, { a: 5 }],
  ])('applies %s', async (_what, before, update, after) => {
    const c = await mongo.fresh([{ _id: 1, ...before }]);
    const result = await c.updateOne({ _id: 1 }, update);
    expect(result.matchedCount).toBe(1);
    expect(await c.findOne()).toEqual({ _id: 1, ...after });
  });

  it('finds the element that $ stands for, and those of arrayFilters', async () => {
    const c = await mongo.fresh([
      {
        _id: 1,
        l: [
          { k: 1, n: 0 },
          { k: 2, n: 0 },
          { k: 3, n: 0 },
        ],
      },
    ]);
    await c.updateOne({ 'l.k': 2 }, { $set: { 'l.$.n': 7 } });
    await c.updateOne({ _id: 1, l: { $elemMatch: { k: 3 } } }, { $inc: { 'l.$.n': 9 } });
    await c.updateOne({}, { $set: { 'l.$[e].m': true } }, { arrayFilters: [{ 'e.k': { $lt: 3 } }] });
    expect(await c.findOne()).toEqual({
      _id: 1,
      l: [
        { k: 1, n: 0, m: true },
        { k: 2, n: 7, m: true },
        { k: 3, n: 9 },
      ],
    });
  });

  it('counts what was matched and what was changed', async () => {
    const c = await mongo.fresh([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
      { _id: 3, a: 2 },
    ]);
    expect(await c.updateMany({}, { $set: { a: 2 } })).toMatchObject({ matchedCount: 3, modifiedCount: 1 });
    expect(await c.updateOne({ a: 99 }, { $set: { a: 1 } })).toMatchObject({
      matchedCount: 0,
      modifiedCount: 0,
      upsertedId: null,
    });
  });

  it('replaces a document and keeps its _id', async () => {
    const c = await mongo.fresh([{ _id: 1, a: 1 }]);
    await c.replaceOne({ a: 1 }, { b: 2 });
    expect(await c.findOne()).toEqual({ _id: 1, b: 2 });
  });

  it('inserts by upsert, from the equalities of the filter, $setOnInsert and the update', async () => {
    const c = await mongo.fresh();
    const spec = { $set: { c: 3 }, $setOnInsert: { d: 4 }, $inc: { n: 1 } };
    const first = await c.updateOne({ _id: 'u', 'a.b': 1, x: { $gt: 5 } }, spec, { upsert: true });
    expect(first).toMatchObject({ matchedCount: 0, upsertedCount: 1, upsertedId: 'u' });
    expect(await c.findOne()).toEqual({ _id: 'u', a: { b: 1 }, c: 3, d: 4, n: 1 });
    const again = await c.updateOne(
      { _id: 'u' },
      { $set: { c: 5 }, $setOnInsert: { d: 9 } },
      { upsert: true },
    );
    expect(again).toMatchObject({ matchedCount: 1, upsertedCount: 0 });
    expect(await c.findOne()).toMatchObject({ c: 5, d: 4 });
  });

  it('keeps the _id where a pipeline replaces the document', async () => {
    const c = await mongo.fresh([{ _id: 1, a: { b: 2 } }]);
    await c.updateOne({}, [{ $replaceWith: '$a' }]);
    expect(await c.findOne()).toEqual({ _id: 1, b: 2 });
  });

  it('upserts a replacement under the _id of the filter', async () => {
    const c = await mongo.fresh();
    await c.replaceOne({ _id: 7, z: 1 }, { a: 1 }, { upsert: true });
    expect(await c.findOne()).toEqual({ _id: 7, a: 1 });
  });

  it('finds and changes one document, in the order asked for', async () => {
    const c = await mongo.fresh([
      { _id: 1, s: 3 },
      { _id: 2, s: 1 },
      { _id: 3, s: 2 },
    ]);
    expect(await c.findOneAndUpdate({}, { $set: { taken: true } }, { sort: { s: 1 } })).toEqual({
      _id: 2,
      s: 1,
    });
    expect(
      await c.findOneAndUpdate(
        { taken: null },
        { $set: { taken: true } },
        { sort: { s: 1 }, returnDocument: 'after', projection: { s: 0 } },
      ),
    ).toEqual({ _id: 3, taken: true });
    expect(await c.findOneAndReplace({ _id: 1 }, { r: 1 }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      r: 1,
    });
    expect(await c.findOneAndDelete({ _id: 1 })).toEqual({ _id: 1, r: 1 });
    expect(await c.findOneAndUpdate({ _id: 9 }, { $set: { a: 1 } })).toBeNull();
    expect(
      await c.findOneAndUpdate({ _id: 9 }, { $set: { a: 1 } }, { upsert: true, returnDocument: 'after' }),
    ).toEqual({ _id: 9, a: 1 });
    const raw = await c.findOneAndUpdate(
      { _id: 10 },
      { $set: { a: 1 } },
      { upsert: true, includeResultMetadata: true },
    );
    expect(raw).toMatchObject({
      value: null,
      lastErrorObject: { updatedExisting: false, upserted: 10, n: 1 },
    });
  });

  it('gives a unit to one of many who claim it at once', async () => {
    const c = await mongo.fresh(
      Array.from({ length: 20 }, (_, i) => ({
        _id: `d/s/${i}`,
        drop: 'd',
        sku: 's',
        serial: i,
        order: null,
      })),
    );
    await c.createIndex({ drop: 1, sku: 1, order: 1, serial: 1 });
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        c.findOneAndUpdate(
          { drop: 'd', sku: 's', order: null },
          { $set: { order: `o${i}` } },
          { sort: { serial: 1 } },
        ),
      ),
    );
    const serials = claims.flatMap(claim => (claim ? [Number(claim['serial'])] : []));
    expect(serials.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('deletes one or many', async () => {
    const c = await mongo.fresh([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 1 },
    ]);
    expect((await c.deleteOne({ a: 1 })).deletedCount).toBe(1);
    expect((await c.deleteMany({ a: 1 })).deletedCount).toBe(2);
    expect((await c.deleteMany({ a: 1 })).deletedCount).toBe(0);
  });

  it('works off a mixed bulk, ordered or not', async () => {
    const c = await mongo.fresh([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
    ]);
    const result = await c.bulkWrite([
      { insertOne: { document: { _id: 3 } } },
      { updateOne: { filter: { _id: 4 }, update: { $set: { a: 4 } }, upsert: true } },
      { updateMany: { filter: { a: 1 }, update: { $inc: { a: 1 } } } },
      { replaceOne: { filter: { _id: 3 }, replacement: { b: 1 } } },
      { deleteOne: { filter: { _id: 1 } } },
    ]);
    expect(result).toMatchObject({ insertedCount: 1, upsertedCount: 1, modifiedCount: 3, deletedCount: 1 });
    const mixed = c.bulkWrite(
      [{ insertOne: { document: { _id: 3 } } }, { deleteOne: { filter: { _id: 4 } } }],
      { ordered: false },
    );
    expect(await codeOf(mixed)).toBe(11000);
    expect(await c.countDocuments({ _id: 4 })).toBe(0);
  });
});

describe('the server', () => {
  it('answers hello, ping and buildInfo', async () => {
    expect(await mongo.db.admin().command({ hello: 1 })).toMatchObject({
      isWritablePrimary: true,
      maxBsonObjectSize: 16777216,
      ok: 1,
    });
    expect(await mongo.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect(await mongo.db.admin().buildInfo()).toHaveProperty('version');
  });

  it('keeps a hello open that awaits news, and refuses half of such a request', async () => {
    const admin = mongo.db.admin();
    const { topologyVersion } = await admin.command({ hello: 1 });
    const counter = Long.fromNumber(topologyVersion.counter);
    const processId = topologyVersion.processId;
    const known = { processId, counter };
    const answers: string[] = [];
    const awaited = admin
      .command({ hello: 1, maxAwaitTimeMS: 200, topologyVersion: known })
      .then(() => answers.push('awaited'));
    const other = { processId: new ObjectId(), counter };
    await admin.command({ hello: 1, maxAwaitTimeMS: 60_000, topologyVersion: other });
    await admin.command({ ping: 1 });
    answers.push('others');
    await awaited;
    expect(answers).toEqual(['others', 'awaited']);
    expect(await codeOf(admin.command({ hello: 1, maxAwaitTimeMS: 200 }))).toBe(31368);
    expect(await codeOf(admin.command({ hello: 1, topologyVersion: known }))).toBe(31368);
  });

  it('answers one hello of a monitor again and again', async () => {
    const client = new MongoClient(mongo.uri, { heartbeatFrequencyMS: 500 });
    const heard: boolean[] = [];
    client.on('serverHeartbeatSucceeded', ({ awaited }) => heard.push(awaited));
    await client.connect();
    await expect.poll(() => heard.filter(Boolean).length, { timeout: 10_000 }).toBeGreaterThan(3);
    await client.close();
  });

  it('lists and drops collections and databases', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await mongo.db.listCollections({ name: c.collectionName }).toArray()).toMatchObject([
      { name: c.collectionName, type: 'collection' },
    ]);
    expect((await mongo.db.admin().listDatabases({ nameOnly: true })).databases).toContainEqual(
      expect.objectContaining({ name: mongo.db.databaseName }),
    );
    await c.drop();
    expect(await mongo.db.listCollections({ name: c.collectionName }).toArray()).toEqual([]);
    const other = mongo.client.db(`${mongo.db.databaseName}_b`);
    await other.collection('x').insertOne({ a: 1 });
    await other.dropDatabase();
    expect(await other.listCollections().toArray()).toEqual([]);
  });

  it('accepts sessions', async () => {
    const c = await mongo.fresh();
    const session = mongo.client.startSession();
    await c.insertOne({ a: 1 }, { session });
    expect(await c.find({}, { session }).toArray()).toHaveLength(1);
    await session.endSession();
  });

  it('creates a collection once', async () => {
    await mongo.db.createCollection('made');
    expect(await codeOf(mongo.db.createCollection('made', {}))).toBe(48);
  });
});
