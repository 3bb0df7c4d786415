// The MongoDB that a contract suite talks to: a real one where MONGODB_CONTRACT_URI is set, otherwise an
// embedded one made for the suite. Each suite has a database of its own, dropped at the end.
import { randomUUID } from 'node:crypto';
import { type Collection, type Db, type Document, MongoClient, type ObjectId } from 'mongodb';
import { z } from 'zod';
import { startEmbeddedMongo } from './embedded-mongo.ts';

const realUri = process.env['MONGODB_CONTRACT_URI'];
export const isRealMongo = realUri !== undefined;

/** A document of no particular shape. */
export interface Loose extends Document {
  _id?: string | number | ObjectId;
}

export interface MongoTarget {
  readonly uri: string;
  readonly client: MongoClient;
  readonly db: Db;
  /** A collection that no other test uses, with these documents in it. */
  readonly fresh: (documents?: readonly Loose[]) => Promise<Collection<Loose>>;
  /** Documents that the server has looked at since its start. */
  readonly docsExamined: () => Promise<number>;
  readonly close: () => Promise<void>;
}

const status = z.object({
  metrics: z.object({ queryExecutor: z.object({ scannedObjects: z.coerce.number() }) }),
});

export async function openMongo(): Promise<MongoTarget> {
  const embedded = realUri === undefined ? await startEmbeddedMongo() : undefined;
  const uri = embedded?.uri ?? realUri ?? '';
  const client = await MongoClient.connect(uri);
  const db = client.db(`contract_${randomUUID().slice(0, 8)}`);
  let made = 0;
  return {
    uri,
    client,
    db,
    fresh: async (documents = []) => {
      made += 1;
      const collection = db.collection<Loose>(`c${made}`);
      if (documents.length > 0) await collection.insertMany([...documents]);
      return collection;
    },
    docsExamined: async () =>
      status.parse(await db.admin().command({ serverStatus: 1 })).metrics.queryExecutor.scannedObjects,
    close: async () => {
      await db.dropDatabase();
      await client.close();
      await embedded?.stop();
    },
  };
}

const fault = z.object({ code: z.coerce.number() });

/** The code of the error that this ends with, or undefined where it ends well. */
export async function codeOf(work: Promise<unknown>): Promise<number | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return fault.parse(error).code;
  }
}
