// The connection to MongoDB. Every write of the engine is acknowledged by a majority and journaled: what was told to
// a buyer survives the loss of any one machine.
import mongoose, { type Connection } from 'mongoose';
import type { Logger } from 'pino';

export type MongoConnection = Connection;

/** Beyond this a write counts as unknown, not as done: it is looked up again before anything follows from it. */
const writeTimeoutMs = 5_000;

export async function connectMongo(options: { uri: string; log: Logger }): Promise<MongoConnection> {
  const { uri, log } = options;
  const connection = mongoose.createConnection(uri, {
    maxPoolSize: 50,
    serverSelectionTimeoutMS: 5_000,
    socketTimeoutMS: 30_000,
    // Callers wait for the write to be durable, and reads see only what a majority has.
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: writeTimeoutMs },
    readConcern: { level: 'majority' },
    autoIndex: false,
    bufferCommands: false,
    // A query operator where a value belongs is cast to an error, not to a query.
    sanitizeFilter: false,
    strictQuery: 'throw',
  });
  connection.on('disconnected', () => log.warn('mongodb: connection lost'));
  connection.on('reconnected', () => log.info('mongodb: connection is back'));
  return connection.asPromise();
}
