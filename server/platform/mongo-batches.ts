// Reads a long result batch by batch: the next one is on its way while this one is worked off, so that a reader waits for
// MongoDB only where MongoDB is the slower of the two.
import type { mongo } from 'mongoose';

/** The documents of a cursor, as many at once as its `batchSize`. Whoever stops early leaves no cursor behind. */
export async function* batchesOf<T>(cursor: mongo.FindCursor<T>): AsyncGenerator<T[]> {
  let next = ahead(cursor);
  try {
    for (;;) {
      const first = await next;
      if (first === null) return;
      const batch = [first, ...cursor.readBufferedDocuments()];
      next = ahead(cursor);
      yield batch;
    }
  } finally {
    await next.catch(() => null);
    await cursor.close();
  }
}

/** What fails here is told to whoever waits for it, and may come before anybody does. */
function ahead<T>(cursor: mongo.FindCursor<T>): Promise<T | null> {
  const next = cursor.next();
  next.catch(() => null);
  return next;
}
