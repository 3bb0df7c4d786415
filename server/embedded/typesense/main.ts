/**
 * The embedded search server as a program of its own, because a broad search holds its thread for some milliseconds:
 *
 *   node server/embedded/typesense/main.ts --data DIR [--port 0] [--host 127.0.0.1] [--api-key KEY] [--parent]
 *
 * The key may also come as STANDIN_TYPESENSE_KEY, where no list of processes shows it. Prints one line of JSON when it
 * accepts connections. SIGTERM and SIGINT end it; with `--parent`, so does the end of its standard input.
 */
import { parseArgs } from 'node:util';
import { ApiKeys } from './api-keys.ts';
import { CollectionRegistry } from './collection-registry.ts';
import { openDatabase } from './database.ts';
import { createHttpServer } from './http-server.ts';
import { SearchService } from './search-service.ts';

/** Requests under way have this long after a signal; the rest are cut. */
const stopGraceMs = 2_000;

const { values: flags } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'api-key': { type: 'string' },
    parent: { type: 'boolean', default: false },
  },
});

const log = (line: string): void => {
  process.stderr.write(`typesense: ${line}\n`);
};

function fail(message: string): never {
  log(message);
  process.exit(2);
}

const adminKey = flags['api-key'] ?? process.env['STANDIN_TYPESENSE_KEY'] ?? '';
if (flags.data === undefined) fail('--data DIR is missing');
if (adminKey === '') fail('--api-key KEY or STANDIN_TYPESENSE_KEY is missing');
if (!/^\d{1,5}$/.test(flags.port)) fail('--port must be a number');

const db = openDatabase(flags.data);
const registry = new CollectionRegistry(db);
const keys = new ApiKeys(db, { adminKey, nowMs: Date.now });
const server = createHttpServer({ registry, keys, searches: new SearchService(registry) }, log);

let isStopping = false;
function stop(): void {
  if (isStopping) return;
  isStopping = true;
  const grace = setTimeout(() => server.closeAllConnections(), stopGraceMs);
  server.close(() => {
    clearTimeout(grace);
    db.close();
    process.exit(0);
  });
  server.closeIdleConnections();
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (flags.parent) process.stdin.on('end', stop).on('error', stop).resume();

server.on('error', error => fail(error.message));
server.listen(Number(flags.port), flags.host, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') fail('no port');
  process.stdout.write(`${JSON.stringify({ ready: true, port: address.port })}\n`);
});
