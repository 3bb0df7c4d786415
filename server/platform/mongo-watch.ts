// Watches the MongoDB driver itself. Its monitor can stop for good: a `hello` that it writes to a socket which has
// ended, and has not said so yet, waits for a `drain` that never comes, outside of every timeout; from then on the
// driver chooses no server although one is there. (Seen with 7.8.0 where a server and all its connections end at once,
// a read was under way, and the driver polls: MongoDB before 4.4, and servers that only speak its protocol. Newer ones
// keep one `hello` open, and then it is not written anew at that moment.)
//
//   well → lost        the driver knows no server that takes writes
//   lost → well        it knows one again
//   lost → renewing    a connection made afresh was answered, and the driver found nothing for `patience` after that
//   renewing → well    the client has let go of its connections and is connected anew, in its place: stores keep theirs
import { mongo } from 'mongoose';
import type { Logger } from 'pino';

/** How often it looks while the driver knows no server. */
const everyMsDefault = 5_000;
/** So many looks in a row: longer than the driver's longest pause between two tries, which is 10 s. */
const answersBeforeRenewal = 4;
/** A server that needs longer than this for `hello` is not well, and the driver may be right. */
const probeTimeoutMs = 3_000;

/** In a replica set whose primary nobody finds, the others are known and nothing can be written. */
const writableTypes: ReadonlySet<string> = new Set(['Standalone', 'RSPrimary', 'Mongos', 'LoadBalancer']);

export function watchMongo(
  client: mongo.MongoClient,
  options: { uri: string; log: Logger; everyMs?: number },
): { stop(): void } {
  const { uri, log, everyMs = everyMsDefault } = options;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let answers = 0;
  let looking = false;
  let renewing = false;

  const rest = () => {
    if (timer) clearInterval(timer);
    timer = null;
    answers = 0;
  };
  const look = async () => {
    if (looking) return;
    looking = true;
    try {
      answers = (await isAnswered(uri)) ? answers + 1 : 0;
      if (stopped || timer === null || answers < answersBeforeRenewal) return;
      log.error('mongodb: it answers, but the driver does not find it; the connection is made anew');
      renewing = true;
      await client.close();
      await client.connect();
      renewing = false;
      rest();
      log.warn('mongodb: the connection was made anew');
    } catch (error) {
      // The next look tries again: a client that was let go of has no server, and says so to everyone until then.
      log.warn({ err: error }, 'mongodb: the connection could not be made anew');
    } finally {
      looking = false;
      if (stopped) await client.close().catch(() => undefined);
    }
  };
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    // While it is connected anew, what it hears on the way does not end the watch: the connecting may still fail.
    if (stopped || renewing) return;
    if ([...newDescription.servers.values()].some(({ type }) => writableTypes.has(type))) return rest();
    timer ??= setInterval(() => void look(), everyMs).unref();
  });
  return {
    stop() {
      stopped = true;
      rest();
    },
  };
}

/** Whether a client that knows nothing yet gets an answer. */
async function isAnswered(uri: string): Promise<boolean> {
  const probe = new mongo.MongoClient(uri, {
    serverSelectionTimeoutMS: probeTimeoutMs,
    connectTimeoutMS: probeTimeoutMs,
    maxPoolSize: 1,
  });
  try {
    await probe.connect();
    await probe.db('admin').command({ hello: 1 });
    return true;
  } catch {
    return false;
  } finally {
    await probe.close();
  }
}
