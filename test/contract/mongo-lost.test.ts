// A MongoDB that is lost with all its connections in one turn of the driver's event loop, while a read is under way.
import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { watchMongo } from '../../server/platform/mongo-watch.ts';
import { collectionOf, connectMongo, isConnected } from '../../server/platform/mongo.ts';
import { startEmbeddedMongo } from '../support/embedded-mongo.ts';
import { startEndingProxy } from '../support/ending-proxy.ts';

/** Longer than the driver waits between two looks that it was asked for, so that the loss makes it look at once. */
const quietMs = 600;

/** Connects through the proxy, loses everything at once, and answers what came of it. */
async function loseAll(options: { polled: boolean; watchEveryMs: number }) {
  const mongo = await startEmbeddedMongo();
  onTestFinished(async () => void (await mongo.stop()));
  const proxy = await startEndingProxy({ targetPort: mongo.port, polled: options.polled });
  onTestFinished(() => proxy.close());
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: line => void lines.push(line) });
  const connection = await connectMongo({
    uri: `mongodb://127.0.0.1:${proxy.port}/lost`,
    log,
    watchEveryMs: options.watchEveryMs,
  });
  onTestFinished(() => connection.close());
  const units = collectionOf<{ _id: string }>(connection, 'units');
  await units.insertOne({ _id: 'one' });
  const client = connection.getClient();
  let heard = performance.now();
  client.on('serverHeartbeatSucceeded', () => (heard = performance.now()));
  await expect.poll(() => performance.now() - heard, { timeout: 5_000 }).toBeGreaterThan(quietMs);

  const kept = proxy.keepFind();
  const read = units.findOne({ _id: 'one' });
  read.catch(() => undefined);
  await kept;
  proxy.endAllAtOnce();
  return { units, read, connection, lines };
}

it('is found again at once by a driver that keeps one hello open, and the read is answered', async () => {
  const { read, lines, connection } = await loseAll({ polled: false, watchEveryMs: 60_000 });
  expect(await read).toEqual({ _id: 'one' });
  expect(isConnected(connection)).toBe(true);
  expect(lines.join('')).not.toContain('made anew');
});

it('is lost for good to a driver that polls, until the watch makes the connection anew in its place', async () => {
  const { units, read, lines, connection } = await loseAll({ polled: true, watchEveryMs: 1_500 });
  // The driver alone: it is asked, it has all the time that it wants, and a sound one would have needed half a second.
  await expect(read).rejects.toMatchObject({ name: 'MongoServerSelectionError' });
  await expect
    .poll(() => units.findOne({ _id: 'one' }).catch(() => null), { timeout: 20_000 })
    .toEqual({ _id: 'one' });
  expect(isConnected(connection)).toBe(true);
  expect(lines.join('')).toContain('it answers, but the driver does not find it');
});

it('is looked for again where the driver found others than the primary, and where connecting anew failed on the way', async () => {
  const mongo = await startEmbeddedMongo();
  onTestFinished(async () => void (await mongo.stop()));
  // The driver, as far as it is watched: it knows a secondary alone, and loses what it had just found, once.
  const known = (type: string) => ({ newDescription: { servers: new Map([['one', { type }]]) } });
  const driver = new EventEmitter();
  let connects = 0;
  const client = Object.assign(driver, {
    close: async () => undefined,
    async connect() {
      connects += 1;
      driver.emit('topologyDescriptionChanged', known('RSPrimary'));
      if (connects === 1) throw new Error('lost again on the way');
    },
  });
  const log = pino({ enabled: false });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a client that is watched
  const watch = watchMongo(client as unknown as Parameters<typeof watchMongo>[0], {
    uri: `mongodb://127.0.0.1:${mongo.port}/lost`,
    log,
    everyMs: 20,
  });
  onTestFinished(() => watch.stop());
  driver.emit('topologyDescriptionChanged', known('RSSecondary'));
  await expect.poll(() => connects, { timeout: 10_000 }).toBe(2);
});
