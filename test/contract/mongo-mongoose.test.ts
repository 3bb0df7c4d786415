// mongoose over the embedded server, or over a real MongoDB where MONGODB_CONTRACT_URI is set.
import mongoose, { type Connection, Schema } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MongoTarget, openMongo } from '../support/mongo-target.ts';

let mongo: MongoTarget;
let connection: Connection;
beforeAll(async () => {
  mongo = await openMongo();
  connection = await mongoose.createConnection(mongo.uri, { dbName: mongo.db.databaseName }).asPromise();
});
afterAll(async () => {
  await connection.close();
  await mongo.close();
});

interface Drop {
  _id: string;
  title: string;
  state?: string;
  opensAt?: Date;
  items?: { sku: string; total: number }[];
  meta?: Map<string, number>;
  seller?: mongoose.Types.ObjectId | { name: string };
}

function makeModels() {
  const seller = new Schema({ name: { type: String, unique: true } });
  const drop = new Schema<Drop>(
    {
      _id: { type: String, required: true },
      title: { type: String, required: true },
      state: { type: String, enum: ['scheduled', 'open'], default: 'scheduled', index: true },
      opensAt: Date,
      items: [{ _id: false, sku: String, total: Number }],
      meta: { type: Map, of: Number },
      seller: { type: Schema.Types.ObjectId, ref: 'Seller' },
    },
    { timestamps: true, optimisticConcurrency: true },
  );
  drop.index({ state: 1, opensAt: -1 });
  return {
    Seller: connection.model('Seller', seller),
    Drop: connection.model('Drop', drop),
  };
}

let models: () => ReturnType<typeof makeModels>;
beforeAll(() => {
  const made = makeModels();
  models = () => made;
});

describe('mongoose', () => {
  it('makes the indexes that a schema declares, and takes away the others', async () => {
    const { Drop } = models();
    await Drop.init();
    await Drop.collection.createIndex({ stray: 1 });
    expect(await Drop.syncIndexes()).toEqual(['stray_1']);
    expect(
      (await Drop.listIndexes()).map(index => index['name']).toSorted((a, b) => (a < b ? -1 : 1)),
    ).toEqual(['_id_', 'state_1', 'state_1_opensAt_-1']);
    expect(await Drop.syncIndexes()).toEqual([]);
  });

  it('saves, changes and reads back a document', async () => {
    const { Drop } = models();
    const made = await Drop.create({
      _id: 'd1',
      title: 'One',
      opensAt: new Date(5),
      items: [{ sku: 'a', total: 3 }],
      meta: { x: 1 },
    });
    made.items?.push({ sku: 'b', total: 4 });
    made.title = 'Two';
    await made.save();
    const read = await Drop.findById('d1').orFail().lean();
    expect(read).toMatchObject({
      title: 'Two',
      state: 'scheduled',
      items: [{ sku: 'a' }, { sku: 'b', total: 4 }],
      meta: { x: 1 },
      __v: 1,
    });
  });

  it('reports the loser of two savers as a VersionError', async () => {
    const { Drop } = models();
    await Drop.create({ _id: 'd2', title: 'v' });
    const [first, second] = await Promise.all([Drop.findById('d2').orFail(), Drop.findById('d2').orFail()]);
    first.title = 'first';
    await first.save();
    second.title = 'second';
    await expect(second.save()).rejects.toBeInstanceOf(mongoose.Error.VersionError);
    expect((await Drop.findById('d2').orFail()).title).toBe('first');
  });

  it('reports a duplicate of a unique field', async () => {
    const { Seller } = models();
    await Seller.init();
    await Seller.create({ name: 'Ada' });
    await expect(Seller.create({ name: 'Ada' })).rejects.toMatchObject({
      code: 11000,
      keyValue: { name: 'Ada' },
    });
  });

  it('populates', async () => {
    const { Drop, Seller } = models();
    const seller = await Seller.create({ name: 'Grace' });
    await Drop.create({ _id: 'd3', title: 'p', seller: seller._id });
    const drop = await Drop.findById('d3').populate<{ seller: { name: string } }>('seller').orFail();
    expect(drop.seller.name).toBe('Grace');
  });

  it('walks a cursor', async () => {
    const { Drop } = models();
    await Drop.insertMany(
      Array.from({ length: 250 }, (_, i) => ({
        _id: `many${i}`,
        title: 'm',
        state: 'open',
        opensAt: new Date(i),
      })),
    );
    const seen: number[] = [];
    for await (const drop of Drop.find({ state: 'open' }).sort({ opensAt: -1 }).batchSize(40).cursor())
      seen.push(drop.opensAt?.getTime() ?? -1);
    expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => 249 - i));
  });

  it('updates, upserts, counts, tells existence and aggregates', async () => {
    const { Drop } = models();
    const upserted = await Drop.findOneAndUpdate(
      { _id: 'd9' },
      { $set: { title: 'u' }, $setOnInsert: { state: 'open' } },
      { upsert: true, returnDocument: 'after' },
    );
    expect(upserted).toMatchObject({ _id: 'd9', title: 'u', state: 'open' });
    expect(
      await Drop.updateMany({ state: 'open' }, { $push: { items: { sku: 'z', total: 1 } } }),
    ).toMatchObject({ modifiedCount: 251 });
    expect(await Drop.countDocuments({ 'items.sku': 'z' })).toBe(251);
    expect(await Drop.exists({ _id: 'd9' })).toEqual({ _id: 'd9' });
    expect(await Drop.distinct('state')).toEqual(['open', 'scheduled']);
    expect(
      await Drop.aggregate([{ $match: { state: 'open' } }, { $group: { _id: '$state', n: { $sum: 1 } } }]),
    ).toEqual([{ _id: 'open', n: 251 }]);
    expect((await Drop.deleteMany({ state: 'open' })).deletedCount).toBe(251);
  });

  it('refuses a document that its schema refuses', async () => {
    const { Drop } = models();
    await expect(Drop.create({ _id: 'bad' })).rejects.toBeInstanceOf(mongoose.Error.ValidationError);
  });

  it('works off a bulk', async () => {
    const { Drop } = models();
    const result = await Drop.bulkWrite([
      { insertOne: { document: { _id: 'b1', title: 'x', opensAt: new Date(), state: 'open', items: [] } } },
      { updateOne: { filter: { _id: 'b1' }, update: { $set: { title: 'y' } } } },
    ]);
    expect(result).toMatchObject({ insertedCount: 1, modifiedCount: 1 });
  });
});
