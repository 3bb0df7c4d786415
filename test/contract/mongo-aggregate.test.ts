// Aggregation pipelines, as MongoDB answers them. Runs against a real one, too, where MONGODB_CONTRACT_URI is set.
import { Binary, type Collection, type Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Loose, type MongoTarget, openMongo } from '../support/mongo-target.ts';

let mongo: MongoTarget;
let orders: Collection<Loose>;
const buyerA = new ObjectId();
const buyerB = new ObjectId();

beforeAll(async () => {
  mongo = await openMongo();
  orders = mongo.db.collection<Loose>('orders');
  await orders.insertMany([
    {
      _id: 1,
      status: 'paid',
      buyer: buyerA,
      total: 100,
      lines: [
        { sku: 'a', n: 2 },
        { sku: 'b', n: 1 },
      ],
      at: new Date(Date.UTC(2026, 0, 1, 12)),
    },
    {
      _id: 2,
      status: 'paid',
      buyer: buyerB,
      total: 50,
      lines: [{ sku: 'a', n: 1 }],
      at: new Date(Date.UTC(2026, 0, 2)),
    },
    {
      _id: 3,
      status: 'gone',
      buyer: new ObjectId(buyerA.id),
      total: 7.5,
      lines: [],
      at: new Date(Date.UTC(2026, 1, 1)),
    },
    { _id: 4, buyer: null, total: null },
  ]);
  await mongo.db.collection('buyers').insertMany([
    { _id: buyerA, name: 'Ada' },
    { _id: buyerB, name: 'Bob' },
  ]);
});
afterAll(() => mongo.close());

const run = (pipeline: Document[]): Promise<Document[]> => orders.aggregate(pipeline).toArray();

describe('a pipeline', () => {
  it.each<[string, Document[], Document[]]>([
    [
      'sums a group',
      [
        {
          $group: {
            _id: '$status',
            n: { $sum: 1 },
            total: { $sum: '$total' },
            max: { $max: '$total' },
            min: { $min: '$_id' },
          },
        },
        { $sort: { _id: 1 } },
      ],
      [
        { _id: null, n: 1, total: 0, max: null, min: 4 },
        { _id: 'gone', n: 1, total: 7.5, max: 7.5, min: 3 },
        { _id: 'paid', n: 2, total: 150, max: 100, min: 1 },
      ],
    ],
    [
      'averages, pushes and gathers',
      [
        { $match: { status: 'paid' } },
        { $sort: { _id: 1 } },
        {
          $group: {
            _id: null,
            avg: { $avg: '$total' },
            all: { $push: '$_id' },
            first: { $first: '$total' },
            last: { $last: '$total' },
            n: { $count: {} },
          },
        },
      ],
      [{ _id: null, avg: 75, all: [1, 2], first: 100, last: 50, n: 2 }],
    ],
    [
      'unwinds',
      [
        { $unwind: '$lines' },
        { $group: { _id: '$lines.sku', n: { $sum: '$lines.n' } } },
        { $sort: { _id: 1 } },
      ],
      [
        { _id: 'a', n: 3 },
        { _id: 'b', n: 1 },
      ],
    ],
    [
      'unwinds and keeps the empty ones',
      [
        { $unwind: { path: '$lines', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
        { $match: { _id: { $gte: 3 } } },
        { $project: { i: 1 } },
      ],
      [
        { _id: 3, i: null },
        { _id: 4, i: null },
      ],
    ],
    [
      'projects and computes',
      [
        { $match: { _id: 1 } },
        {
          $project: {
            _id: 0,
            double: { $multiply: ['$total', 2] },
            skus: '$lines.sku',
            count: { $size: '$lines' },
          },
        },
      ],
      [{ double: 200, skus: ['a', 'b'], count: 2 }],
    ],
    [
      'adds and leaves out',
      [
        { $match: { _id: 2 } },
        { $addFields: { 'x.y': { $add: ['$total', 1] } } },
        { $unset: ['buyer', 'at', 'lines'] },
      ],
      [{ _id: 2, status: 'paid', total: 50, x: { y: 51 } }],
    ],
    [
      'skips and limits',
      [{ $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { _id: 1 } }],
      [{ _id: 3 }, { _id: 2 }],
    ],
    [
      'limits before it sorts',
      [{ $limit: 2 }, { $sort: { _id: -1 } }, { $project: { _id: 1 } }],
      [{ _id: 2 }, { _id: 1 }],
    ],
    ['counts', [{ $match: { status: 'paid' } }, { $count: 'n' }], [{ n: 2 }]],
    ['counts nothing as nothing', [{ $match: { status: 'none' } }, { $count: 'n' }], []],
    [
      'sorts by count',
      [{ $match: { status: { $ne: null } } }, { $sortByCount: '$status' }],
      [
        { _id: 'paid', count: 2 },
        { _id: 'gone', count: 1 },
      ],
    ],
    [
      'replaces the root',
      [{ $match: { _id: 1 } }, { $replaceRoot: { newRoot: { first: { $arrayElemAt: ['$lines', 0] } } } }],
      [{ first: { sku: 'a', n: 2 } }],
    ],
    [
      'has facets',
      [
        {
          $facet: {
            paid: [{ $match: { status: 'paid' } }, { $count: 'n' }],
            dear: [{ $match: { total: { $gt: 60 } } }, { $project: { _id: 1 } }],
          },
        },
      ],
      [{ paid: [{ n: 2 }], dear: [{ _id: 1 }] }],
    ],
    [
      'decides',
      [
        { $match: { _id: { $lte: 2 } } },
        { $sort: { _id: 1 } },
        {
          $project: {
            big: { $cond: [{ $gte: ['$total', 100] }, 'yes', 'no'] },
            kind: { $ifNull: ['$nothing', 'none'] },
          },
        },
      ],
      [
        { _id: 1, big: 'yes', kind: 'none' },
        { _id: 2, big: 'no', kind: 'none' },
      ],
    ],
    [
      'works on strings and dates',
      [
        { $match: { _id: 1 } },
        {
          $project: {
            _id: 0,
            up: { $toUpper: '$status' },
            both: { $concat: ['$status', '-', '$status'] },
            day: { $dateToString: { date: '$at', format: '%Y-%m-%d' } },
          },
        },
      ],
      [{ up: 'PAID', both: 'paid-paid', day: '2026-01-01' }],
    ],
    [
      'filters and maps arrays',
      [
        { $match: { _id: 1 } },
        {
          $project: {
            _id: 0,
            two: { $filter: { input: '$lines', as: 'l', cond: { $gte: ['$$l.n', 2] } } },
            n: { $map: { input: '$lines', as: 'l', in: { $multiply: ['$$l.n', 10] } } },
            all: { $sum: '$lines.n' },
          },
        },
      ],
      [{ two: [{ sku: 'a', n: 2 }], n: [20, 10], all: 3 }],
    ],
    [
      'tells missing from null in expressions',
      [
        { $match: { _id: 4 } },
        { $project: { a: { $eq: ['$total', null] }, b: { $eq: ['$nothing', null] } } },
      ],
      [{ _id: 4, a: true, b: false }],
    ],
    [
      'groups by several fields',
      [
        { $match: { _id: { $lte: 2 } } },
        { $group: { _id: { s: '$status', x: '$nothing' }, n: { $sum: 1 } } },
      ],
      [{ _id: { s: 'paid' }, n: 2 }],
    ],
  ])('%s', async (_what, pipeline, expected) => {
    expect(await run(pipeline)).toEqual(expected);
  });

  it('groups by ObjectId', async () => {
    const groups = await run([{ $group: { _id: '$buyer', n: { $sum: 1 } } }, { $sort: { n: -1, _id: 1 } }]);
    expect(groups).toEqual([
      { _id: buyerA, n: 2 },
      { _id: null, n: 1 },
      { _id: buyerB, n: 1 },
    ]);
  });

  it('tells binaries apart that are no text', async () => {
    const c = await mongo.fresh([
      { b: new Binary(Buffer.from([0xff])) },
      { b: new Binary(Buffer.from([0xfe])) },
    ]);
    expect(await c.countDocuments({ b: new Binary(Buffer.from([0xff])) })).toBe(1);
    expect(await c.aggregate([{ $group: { _id: '$b' } }]).toArray()).toHaveLength(2);
  });

  it('looks up by field, and through a pipeline', async () => {
    const rows = await run([
      { $match: { status: 'paid' } },
      { $sort: { _id: 1 } },
      {
        $lookup: {
          from: 'buyers',
          localField: 'buyer',
          foreignField: '_id',
          as: 'who',
          pipeline: [{ $project: { _id: 0, name: 1 } }],
        },
      },
      { $project: { who: 1 } },
    ]);
    expect(rows).toEqual([
      { _id: 1, who: [{ name: 'Ada' }] },
      { _id: 2, who: [{ name: 'Bob' }] },
    ]);
  });

  it('joins another collection after it', async () => {
    expect(
      await run([{ $project: { _id: 1 } }, { $unionWith: { coll: 'buyers' } }, { $count: 'n' }]),
    ).toEqual([{ n: 6 }]);
  });

  it('streams through a cursor', async () => {
    const c = await mongo.fresh(Array.from({ length: 300 }, (_, i) => ({ _id: i })));
    const cursor = c.aggregate(
      [{ $match: { _id: { $gte: 100 } } }, { $addFields: { twice: { $multiply: ['$_id', 2] } } }],
      { batchSize: 7 },
    );
    expect((await cursor.toArray()).reduce((sum, each) => sum + Number(each['twice']), 0)).toBe(79_800);
  });
});
