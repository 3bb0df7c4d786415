// What only the embedded server can be asked: to be killed, to be sent garbage, to run out of space. These
// are skipped when the suite runs against a real MongoDB (MONGODB_CONTRACT_URI).
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../support/embedded-mongo.ts';
import { codeOf, isRealMongo, type Loose } from '../support/mongo-target.ts';

function dataDir(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'doorbuster-mongo-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(options: Parameters<typeof startEmbeddedMongo>[0] = {}): Promise<EmbeddedMongo> {
  const server = await startEmbeddedMongo(options);
  onTestFinished(async () => {
    await server.stop();
  });
  return server;
}

async function clientOf(server: EmbeddedMongo): Promise<MongoClient> {
  const client = await MongoClient.connect(server.uri, { serverSelectionTimeoutMS: 5_000 });
  onTestFinished(() => client.close());
  return client;
}

describe.skipIf(isRealMongo)('the embedded server (skipped against a real MongoDB)', () => {
  it('still has every acknowledged write after a kill -9, and indexes that agree with the documents', async () => {
    const directory = dataDir();
    const server = await start({ dataDir: directory });
    const client = await clientOf(server);
    const units = client.db('d').collection<Loose>('units');
    await units.createIndex({ n: 1 }, { unique: true });
    const inserted = new Set<number>();
    const changed = new Set<number>();
    let next = 0;
    const writers = Array.from({ length: 20 }, async () => {
      for (;;) {
        const n = next++;
        await units.insertOne({ n, round: n % 7 }, { writeConcern: { w: 'majority', j: true } });
        inserted.add(n);
        await units.updateOne({ n }, { $set: { changed: true } });
        changed.add(n);
      }
    });
    const ended = Promise.allSettled(writers);
    await expect.poll(() => changed.size, { timeout: 20_000 }).toBeGreaterThan(500);
    await server.kill();
    await client.close();
    await ended;

    const again = await start({ dataDir: directory });
    const after = (await clientOf(again)).db('d').collection<Loose>('units');
    const documents = await after.find().hint({ $natural: 1 }).toArray();
    const byIndex = await after.find().sort({ n: 1 }).toArray();
    const present = new Map(documents.map(each => [each['n'], each]));
    expect([...inserted].filter(n => !present.has(n))).toEqual([]);
    expect([...changed].filter(n => present.get(n)?.['changed'] !== true)).toEqual([]);
    expect(byIndex.map(each => each['n'])).toEqual(
      [...present.keys()].toSorted((a, b) => Number(a) - Number(b)),
    );
    expect(await codeOf(after.insertOne({ n: [...inserted][0] }))).toBe(11000);
  });

  it('ends with status 0 on SIGTERM and knows its data, indexes and expiry afterwards', async () => {
    const directory = dataDir();
    const first = await start({ dataDir: directory });
    const before = (await clientOf(first)).db('d').collection<Loose>('c');
    await before.createIndex({ at: 1 }, { expireAfterSeconds: 3600, name: 'ttl' });
    await before.createIndex({ tags: 1 });
    await before.insertMany([
      { _id: 1, tags: ['a', 'b'] },
      { _id: 2, tags: 'a' },
    ]);
    expect(await first.stop()).toBe(0);

    const after = (await clientOf(await start({ dataDir: directory }))).db('d').collection<Loose>('c');
    expect(await after.indexes()).toMatchObject([
      { name: '_id_' },
      { name: 'ttl', expireAfterSeconds: 3600 },
      { name: 'tags_1' },
    ]);
    expect(await after.find({ tags: 'a' }).sort({ tags: 1, _id: 1 }).toArray()).toHaveLength(2);
    expect(await codeOf(after.insertOne({ _id: 1 }))).toBe(11000);
  });

  it('refuses to share its data with a second server', async () => {
    const directory = dataDir();
    await start({ dataDir: directory });
    await expect(startEmbeddedMongo({ dataDir: directory })).rejects.toThrow(/cannot start: .*locked/);
  });

  it('refuses writes without space, lives on, and takes them again once there is some', async () => {
    const server = await start({ args: ['--bytes-max', String(1024 * 1024)] });
    const c = (await clientOf(server)).db('d').collection<Loose>('c');
    const stored: number[] = [];
    const codes = new Set<number | undefined>();
    for (let i = 0; i < 40 && codes.size === 0; i++) {
      const code = await codeOf(c.insertOne({ _id: i, pad: 'x'.repeat(60_000) }));
      if (code === undefined) stored.push(i);
      else codes.add(code);
    }
    expect([...codes]).toEqual([14031]);
    expect(stored.length).toBeGreaterThan(5);
    expect((await c.find().toArray()).map(each => Number(each._id))).toEqual(stored);
    // A turn of several commands, of which only those that need space fail.
    const [read, big, small] = await Promise.all([
      codeOf(c.findOne({ _id: 0 })),
      codeOf(c.insertOne({ pad: 'x'.repeat(200_000) })),
      codeOf(c.updateOne({ _id: 1 }, { $set: { pad: 'y' } })),
    ]);
    expect([read, big, small]).toEqual([undefined, 14031, undefined]);
    await c.deleteMany({ _id: { $lt: 5 } });
    expect(await codeOf(c.insertOne({ pad: 'x'.repeat(60_000) }))).toBeUndefined();
  });

  it('undoes nothing of a failed command’s neighbours in the same turn', async () => {
    const c = (await clientOf(await start())).db('d').collection<Loose>('c');
    await c.insertOne({ _id: 0, a: 'x' });
    const codes = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        i % 3 === 0
          ? codeOf(c.insertOne({ _id: 0 }))
          : i % 3 === 1
            ? codeOf(c.insertOne({ _id: i }))
            : codeOf(c.updateOne({ _id: 0 }, { $inc: { a: 1 } })),
      ),
    );
    expect(codes).toEqual(Array.from({ length: 60 }, (_, i) => [11000, undefined, 14][i % 3]));
    expect(await c.countDocuments()).toBe(21);
  });

  it('ends a cursor whose collection was dropped', async () => {
    const client = await clientOf(await start());
    const c = client.db('d').collection<Loose>('c');
    await c.insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i })));
    const cursor = c.find().batchSize(5);
    await cursor.next();
    await c.drop();
    await c.insertOne({ _id: 1 });
    expect(await codeOf(cursor.toArray())).toBe(175);
  });

  it('deletes what a TTL index says has expired', async () => {
    const c = (await clientOf(await start({ args: ['--ttl-sweep-ms', '20'] })))
      .db('d')
      .collection<Loose>('c');
    await c.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await c.insertMany([
      { _id: 1, at: new Date(Date.now() - 61_000) },
      { _id: 2, at: new Date() },
      { _id: 3 },
      { _id: 4, at: 5 },
    ]);
    await expect.poll(async () => (await c.find().toArray()).map(each => each._id)).toEqual([2, 3, 4]);
  });
});

describe.skipIf(isRealMongo)('garbage on a socket (skipped against a real MongoDB)', () => {
  let server: EmbeddedMongo;
  let client: MongoClient;
  beforeAll(async () => {
    server = await startEmbeddedMongo();
    client = await MongoClient.connect(server.uri);
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  it.each<[string, Buffer]>([
    ['a message of an impossible size', Buffer.from('ffffff7f0100000000000000dd070000', 'hex')],
    ['a message shorter than its header', Buffer.from('050000000100000000000000dd070000', 'hex')],
    ['an unknown opcode', Buffer.from('1400000001000000000000000900000000000000', 'hex')],
    [
      'a compressed message',
      Buffer.from('1400000001000000000000 00dc07000000000000'.replaceAll(' ', ''), 'hex'),
    ],
    [
      'an unknown required flag',
      Buffer.from('1a00000001000000000000 00dd0700000400000000 0500000000'.replaceAll(' ', ''), 'hex'),
    ],
    [
      'a document past its message',
      Buffer.from('1a00000001000000000000 00dd0700000000000000 ff00000000'.replaceAll(' ', ''), 'hex'),
    ],
    [
      'a document that is none',
      Buffer.from(
        '2000000001000000000000 00dd0700000000000000 0b000000 996100 01020304'.replaceAll(' ', ''),
        'hex',
      ),
    ],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ])('closes the connection that sent %s, and only that', async (_what, bytes) => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.write(bytes);
    await closed;
    expect(await client.db('d').command({ ping: 1 })).toMatchObject({ ok: 1 });
  });
});
