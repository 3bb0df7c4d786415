// What MongoDB refuses, and with which code: a server that guessed instead would pass the other suites and
// still corrupt data. Runs against a real MongoDB, too, where MONGODB_CONTRACT_URI is set.
import { Decimal128, type Document, Long } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, isRealMongo, type MongoTarget, openMongo } from '../support/mongo-target.ts';

let mongo: MongoTarget;
beforeAll(async () => {
  mongo = await openMongo();
});
afterAll(() => mongo.close());

describe('updates that are refused, leaving the document as it was', () => {
  it.each<[string, Document, Document, number]>([
    ['$inc of a string', { a: 'x' }, { $inc: { a: 1 } }, 14],
    ['$inc of null', { a: null }, { $inc: { a: 1 } }, 14],
    ['$inc by a string', { a: 1 }, { $inc: { a: 'x' } }, 14],
    ['$mul of an array', { a: [1] }, { $mul: { a: 2 } }, 14],
    ['$push to a scalar', { a: 1 }, { $push: { a: 1 } }, 2],
    ['$push with an unknown clause', { a: [] }, { $push: { a: { $each: [1], $foo: 1 } } }, 2],
    ['$addToSet of a scalar', { a: 1 }, { $addToSet: { a: 1 } }, 2],
    ['$pull from a scalar', { a: 1 }, { $pull: { a: 1 } }, 2],
    ['$pop of a scalar', { a: 1 }, { $pop: { a: 1 } }, 14],
    ['$pop by something else', { a: [1] }, { $pop: { a: 2 } }, 9],
    ['$set through a scalar', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
    ['$set of a name in an array', { a: [1] }, { $set: { 'a.b': 1 } }, 28],
    ['$inc through a null', { a: null }, { $inc: { 'a.b': 1 } }, 28],
    ['a changed _id', { a: 1 }, { $set: { _id: 2 } }, 66],
    ['an unset _id', { a: 1 }, { $unset: { _id: '' } }, 66],
    ['two operators on one path', { a: 1 }, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['two operators on a path and its parent', { a: {} }, { $set: { a: {} }, $inc: { 'a.b': 1 } }, 40],
    ['$rename onto a changed field', { a: 1 }, { $rename: { a: 'b' }, $set: { b: 1 } }, 40],
    ['an unknown operator', { a: 1 }, { $foo: { a: 1 } }, 9],
    ['an operator without fields', { a: 1 }, { $set: 5 }, 9],
    ['an empty name in a path', { a: 1 }, { $set: { 'a..b': 1 } }, 56],
    ['a dollar in a path', { a: 1 }, { $set: { 'a.$x': 1 } }, 52],
    ['$ without a condition on the array', { a: [1] }, { $set: { 'a.$': 2 } }, 2],
    ['$[] of a scalar', { a: 1 }, { $set: { 'a.$[]': 2 } }, 2],
    ['$[] of nothing', {}, { $set: { 'a.$[]': 2 } }, 2],
    ['an identifier without its filter', { a: [1] }, { $set: { 'a.$[e]': 2 } }, 2],
    ['$bit of a string', { a: 'x' }, { $bit: { a: { or: 1 } } }, 2],
    ['$currentDate of an unknown kind', { a: 1 }, { $currentDate: { a: 'now' } }, 2],
    ['$rename of itself', { a: 1 }, { $rename: { a: 'a' } }, 2],
  ])('%s', async (_what, before, update, code) => {
    const c = await mongo.fresh([{ _id: 1, ...before }]);
    expect(await codeOf(c.updateOne({ _id: 1 }, update))).toBe(code);
    expect(await codeOf(c.findOneAndUpdate({ _id: 1 }, update))).toBe(code);
    expect(await c.findOne()).toEqual({ _id: 1, ...before });
  });

  it('an array filter that nothing uses', async () => {
    const c = await mongo.fresh([{ _id: 1, a: [1] }]);
    expect(await codeOf(c.updateOne({}, { $set: { b: 1 } }, { arrayFilters: [{ e: 1 }] }))).toBe(9);
  });

  it('a replacement of many', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    const command = { update: c.collectionName, updates: [{ q: {}, u: { a: 1 }, multi: true }] };
    expect(await mongo.db.command(command)).toMatchObject({ writeErrors: [{ code: 9 }] });
  });

  it('a replacement with another _id', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(c.replaceOne({ _id: 1 }, { _id: 2, a: 1 }))).toBe(66);
  });

  it('an upsert whose filter asks for one field twice', async () => {
    const c = await mongo.fresh();
    const filter = { $and: [{ a: 1 }, { a: 2 }] };
    expect(await codeOf(c.updateOne(filter, { $set: { b: 1 } }, { upsert: true }))).toBe(54);
  });

  it('a stage in an update that is none for updates', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(c.updateOne({}, [{ $match: {} }]))).toBeGreaterThan(0);
  });

  it('an update in the middle of many keeps what came before it', async () => {
    const c = await mongo.fresh([
      { _id: 1, a: 1 },
      { _id: 2, a: 'x' },
      { _id: 3, a: 1 },
    ]);
    expect(await codeOf(c.updateMany({}, { $inc: { a: 1 } }))).toBe(14);
    expect(await c.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, a: 2 },
      { _id: 2, a: 'x' },
      { _id: 3, a: 1 },
    ]);
  });
});

describe('queries that are refused', () => {
  it.each<[string, Document, number[]]>([
    ['an unknown operator', { a: { $foo: 1 } }, [2]],
    ['an unknown operator at the top', { $foo: 1 }, [2]],
    ['$in without an array', { a: { $in: 1 } }, [2]],
    ['operators inside $in', { a: { $in: [{ $gt: 1 }] } }, [2]],
    ['$and without an array', { $and: {} }, [2]],
    ['an empty $or', { $or: [] }, [2]],
    ['$not of a value', { a: { $not: 1 } }, [2]],
    ['$size of a string', { a: { $size: 'x' } }, [2, 9]],
    ['$size below zero', { a: { $size: -1 } }, [2, 9]],
    ['$type of an unknown name', { a: { $type: 'foo' } }, [2]],
    ['$mod by zero', { a: { $mod: [0, 1] } }, [2]],
    ['$elemMatch of a value', { a: { $elemMatch: 1 } }, [2]],
    ['$regex of a number', { a: { $regex: 1 } }, [2]],
    ['a regex that is none', { a: { $regex: '(' } }, [51091]],
    ['a regex as a bound', { a: { $gt: /x/ } }, [2]],
    ['$all without an array', { a: { $all: 1 } }, [2]],
    ['$expr with an unknown operator', { $expr: { $foo: ['$a', 1] } }, [168]],
    ['a mix of operators and fields', { a: { $gt: 1, b: 2 } }, [2]],
  ])('%s', async (_what, filter, codes) => {
    const c = await mongo.fresh([{ _id: 1, a: 1 }]);
    expect(codes).toContain(await codeOf(c.find(filter).toArray()));
    expect(codes).toContain(await codeOf(c.updateOne(filter, { $set: { z: 1 } })));
    expect(codes).toContain(await codeOf(c.deleteMany(filter)));
    expect(await c.findOne()).toEqual({ _id: 1, a: 1 });
  });

  it('a sort by something else than 1 and -1', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(mongo.db.command({ find: c.collectionName, sort: { a: 2 } }))).toBeGreaterThan(0);
  });

  it('a projection that both keeps and leaves out', async () => {
    const c = await mongo.fresh([{ _id: 1, a: 1, b: 1 }]);
    expect(await codeOf(c.findOne({}, { projection: { a: 1, b: 0 } }))).toBe(31254);
    expect(await codeOf(c.findOne({}, { projection: { a: 0, b: 1 } }))).toBe(31253);
  });

  it('a hint at no index', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(c.find({}).hint('nope').toArray())).toBe(2);
  });
});

describe('commands that are refused', () => {
  it('an unknown command', async () => {
    expect(await codeOf(mongo.db.command({ brewCoffee: 1 }))).toBe(59);
  });

  it('an unknown field of a command', async () => {
    expect(await codeOf(mongo.db.command({ find: 'x', milk: true }))).toBe(40415);
    expect(
      await codeOf(
        mongo.db.command({ update: 'x', updates: [{ q: {}, u: { $set: { a: 1 } }, milk: true }] }),
      ),
    ).toBe(40415);
  });

  it('an _id that is an array', async () => {
    const c = await mongo.fresh();
    const result = await mongo.db.command({ insert: c.collectionName, documents: [{ _id: [1] }] });
    expect([2, 53]).toContain(result['writeErrors'][0].code);
  });

  it('an unknown stage, a stage of two, and no array', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(c.aggregate([{ $brew: {} }]).toArray())).toBe(40324);
    expect(await codeOf(c.aggregate([{ $match: {}, $limit: 1 }]).toArray())).toBe(40323);
    expect(await codeOf(mongo.db.command({ aggregate: c.collectionName, pipeline: {}, cursor: {} }))).toBe(
      14,
    );
  });

  it('an unknown accumulator and an unknown expression', async () => {
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(c.aggregate([{ $group: { _id: null, n: { $foo: 1 } } }]).toArray())).toBe(15952);
    expect(await codeOf(c.aggregate([{ $project: { a: { $foo: 1 } } }]).toArray())).toBeGreaterThan(0);
  });

  it.each<[string, Document, number]>([
    ['$size of what is no array', { $project: { n: { $size: '$nothing' } } }, 17124],
    ['$mergeObjects of a string', { $project: { n: { $mergeObjects: ['$a', {}] } } }, 40400],
    ['$unwind without a dollar', { $unwind: 'a' }, 28818],
  ])('%s', async (_what, stage, code) => {
    const c = await mongo.fresh([{ _id: 1, a: 'x' }]);
    expect(await codeOf(c.aggregate([stage]).toArray())).toBe(code);
  });

  it('arithmetic on strings', async () => {
    const c = await mongo.fresh([{ _id: 1, a: 'x' }]);
    expect(await codeOf(c.aggregate([{ $project: { b: { $multiply: ['$a', 2] } } }]).toArray())).toBe(14);
  });

  it('indexes of something that does not exist', async () => {
    expect(await codeOf(mongo.db.collection('nowhere').indexes())).toBe(26);
    const c = await mongo.fresh([{ _id: 1 }]);
    expect(await codeOf(c.dropIndex('nope'))).toBe(27);
    expect(await codeOf(c.dropIndex('_id_'))).toBe(72);
  });

  it('a malformed collection name', async () => {
    expect(await codeOf(mongo.db.command({ insert: 'a$b', documents: [{}] }))).toBe(73);
  });

  it('a cursor that does not exist', async () => {
    expect(await codeOf(mongo.db.command({ getMore: Long.fromNumber(12345), collection: 'x' }))).toBe(43);
  });

  it('a document past 16 MiB', async () => {
    const c = await mongo.fresh();
    await expect(c.insertOne({ pad: 'x'.repeat(17 * 1024 * 1024) })).rejects.toThrow(/size|large|range/i);
    const half = 'x'.repeat(9 * 1024 * 1024);
    await c.insertOne({ _id: 1, a: half });
    expect([10334, 17419, 17420]).toContain(await codeOf(c.updateOne({}, { $set: { b: half } })));
    await c.deleteOne({ b: null });
    expect(await c.countDocuments()).toBe(0);
  });
});

describe.skipIf(isRealMongo)('what only the embedded server refuses (skipped against a real MongoDB)', () => {
  it('transactions, with the code that the driver explains', async () => {
    const c = await mongo.fresh();
    const session = mongo.client.startSession();
    session.startTransaction();
    await expect(c.insertOne({ a: 1 }, { session })).rejects.toThrow(/does not support retryable writes/);
    await session.endSession();
    expect(await codeOf(mongo.client.db('admin').command({ commitTransaction: 1 }))).toBe(20);
    expect(
      await codeOf(
        mongo.db.command({ insert: c.collectionName, documents: [{}], txnNumber: Long.fromNumber(1) }),
      ),
    ).toBe(20);
    expect(await c.countDocuments()).toBe(0);
  });

  it('decimals and integers that it could not keep exactly', async () => {
    const c = await mongo.fresh([{ _id: 1, a: 2 ** 53 - 1 }]);
    expect(await codeOf(c.insertOne({ a: new Decimal128('1.5') }))).toBe(2);
    expect(await codeOf(c.insertOne({ a: Long.fromString('9007199254740993') }))).toBe(2);
    expect(await codeOf(c.updateOne({}, { $set: { a: [new Decimal128('1')] } }))).toBe(2);
    expect(await codeOf(c.find({ a: { $gt: Long.fromString('9007199254740993') } }).toArray())).toBe(2);
    expect(await codeOf(c.updateOne({}, { $inc: { a: 1 } }))).toBe(2);
    expect(
      await codeOf(c.aggregate([{ $group: { _id: null, s: { $sum: { $multiply: ['$a', 2] } } } }]).toArray()),
    ).toBe(2);
    await c.insertOne({ _id: 2, a: Long.fromNumber(41) });
    expect(await c.findOne({ a: 41 })).toEqual({ _id: 2, a: 41 });
  });

  it.each<[string, Document]>([
    ['explain', { explain: { find: 'x' } }],
    ['collMod', { collMod: 'x' }],
    ['getParameter', { getParameter: 1, featureCompatibilityVersion: 1 }],
    ['mapReduce', { mapReduce: 'x' }],
    ['a capped collection', { create: 'x', capped: true, size: 1000 }],
    ['a view', { create: 'x', viewOn: 'y', pipeline: [] }],
    ['a collation', { find: 'x', collation: { locale: 'de' } }],
    ['a tailable cursor', { find: 'x', tailable: true }],
    ['a change stream', { aggregate: 'x', pipeline: [{ $changeStream: {} }], cursor: {} }],
    ['$out', { aggregate: 'x', pipeline: [{ $out: 'y' }], cursor: {} }],
    [
      '$function',
      {
        aggregate: 'x',
        pipeline: [{ $project: { a: { $function: { body: '', args: [], lang: 'js' } } } }],
        cursor: {},
      },
    ],
  ])('%s, as not supported', async (_what, command) => {
    expect(await codeOf(mongo.db.command(command))).toBe(115);
  });

  it('$where', async () => {
    expect(await codeOf(mongo.db.command({ find: 'x', filter: { $where: 'true' } }))).toBe(2);
  });
});
