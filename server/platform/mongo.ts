// The connection to MongoDB. Every write of the engine is acknowledged by a majority and journaled: what was told to
// a buyer survives the loss of any one machine.
import mongoose, { type Connection, type mongo } from 'mongoose';
import type { Logger } from 'pino';
import { watchMongo } from './mongo-watch.ts';

export type MongoConnection = Connection;

/** Beyond this a write counts as unknown, not as done: it is looked up again before anything follows from it. */
const writeTimeoutMs = 5_000;

export async function connectMongo(options: {
  uri: string;
  log: Logger;
  /** Of the watch: see there. */
  watchEveryMs?: number;
}): Promise<MongoConnection> {
  const { uri, log, watchEveryMs } = options;
  const connection = mongoose.createConnection(uri, {
    maxPoolSize: 50,
    serverSelectionTimeoutMS: 5_000,
    socketTimeoutMS: 30_000,
    // Callers wait for the write to be durable, and reads see only what a majority has.
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: writeTimeoutMs },
    readConcern: { level: 'majority' },
    autoIndex: false,
    bufferCommands: false,
  });
  let closing = false;
  let watch: { stop(): void } | null = null;
  connection.on('disconnecting', () => {
    closing = true;
    watch?.stop();
  });
  connection.on('disconnected', () => {
    if (!closing) log.warn('mongodb: connection lost');
  });
  connection.on('reconnected', () => log.info('mongodb: connection is back'));
  await connection.asPromise();
  watch = watchMongo(connection.getClient(), {
    uri,
    log,
    ...(watchEveryMs === undefined ? {} : { everyMs: watchEveryMs }),
  });
  return connection;
}

export function isConnected(connection: MongoConnection): boolean {
  return connection.readyState === mongoose.ConnectionStates.connected;
}

/** The driver's own collection, for stores that check what they read and write with schemas of their own. */
export function collectionOf<T extends mongo.Document>(
  connection: MongoConnection,
  name: string,
): mongo.Collection<T> {
  return connection.getClient().db(connection.name).collection<T>(name);
}

/** Whether a unique index refused a write: MongoDB's code for it, of a failed call or of one write in a bulk. */
export function isDuplicateKey(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 11_000;
}
