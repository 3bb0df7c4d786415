/**
 * The embedded MongoDB: a program that speaks MongoDB's wire protocol well enough for this engine,
 * mongoose and the official driver, over one SQLite file.
 *
 *   node server/embedded/mongo/main.ts --data DIR [--port 0] [--host 127.0.0.1] [--parent]
 *                                      [--ttl-sweep-ms 60000] [--bytes-max N]
 *
 * It prints `{"ready":true,"port":N}` once it accepts connections. `--parent` ends it when stdin
 * closes. `--bytes-max` bounds the database file; writes past it are refused with OutOfDiskSpace.
 *
 * Commands: hello (kept open where a driver awaits news, as by a standalone since 4.4), ping, buildInfo, serverStatus, connectionStatus; insert, update, delete,
 * findAndModify; find, getMore, killCursors, count, distinct, aggregate; createIndexes, listIndexes,
 * dropIndexes; create, drop, dropDatabase, listCollections, listDatabases; sessions. A command that
 * MongoDB has and this server has not is answered with CommandNotSupported (115), any other with
 * CommandNotFound (59), transactions with IllegalOperation (20), as a standalone server does.
 *
 * Queries: comparison, $in, logical, $exists, $type, $regex (i m s u), $mod, $size, $all, $elemMatch,
 * $expr. Updates: all field and array operators, `$`, `$[]`, `$[id]`, upserts, replacement, pipelines.
 * Stages: $match $project $addFields $set $unset $group $sort $limit $skip $unwind $lookup $facet $count
 * $sortByCount $replaceRoot $replaceWith $unionWith. Indexes: compound, multikey, unique, partial,
 * sparse, TTL. Numbers are kept as the JavaScript driver sends them (int32 or double). maxTimeMS is
 * accepted and not enforced; cursors see the present, not a snapshot. Not here: text, geo, hashed and wildcard indexes, collations, views, capped collections,
 * change streams, scripts, authentication, Decimal128 and integers past 2^53 (refused, never rounded).
 *
 * What always holds: an answered write is on the disk (see protocol/turns.ts); a document and its
 * index keys change together (storage/collection.ts); what is not supported is an error, not a guess.
 *
 * Filters, updates, sorting and grouping are ours and not mingo's: mingo compares by JavaScript's
 * classes instead of BSON's order (two binaries that are no valid UTF-8 are equal to it) and skips what
 * MongoDB refuses, so a guard before it would have had to walk every path that the operators walk.
 * mingo evaluates expressions and the stages made of them.
 */
import { parseArgs } from 'node:util';
import { startServer } from './server.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    parent: { type: 'boolean', default: false },
    'ttl-sweep-ms': { type: 'string', default: '60000' },
    'bytes-max': { type: 'string' },
  },
});

if (values.data === undefined) {
  process.stderr.write('embedded mongo: --data DIR is required\n');
  process.exit(2);
}

const server = await startServer({
  dataDir: values.data,
  host: values.host,
  port: Number(values.port),
  ttlSweepMs: Number(values['ttl-sweep-ms']),
  ...(values['bytes-max'] === undefined ? {} : { bytesMax: Number(values['bytes-max']) }),
}).catch((error: unknown) => {
  process.stderr.write(
    `embedded mongo: cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await server.stop();
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
if (values.parent) {
  process.stdin.on('end', () => void stop());
  process.stdin.on('error', () => void stop());
  process.stdin.resume();
}

process.stdout.write(`${JSON.stringify({ ready: true, port: server.port })}\n`);
