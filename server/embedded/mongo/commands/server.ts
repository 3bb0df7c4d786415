/** hello and what else a driver or an operator asks of the server itself; sessions; transactions, refused. */
import { Binary, Long, ObjectId } from 'bson';
import { randomUUID } from 'node:crypto';
import { type Doc, DOCUMENT_BYTES_MAX, isDoc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { MESSAGE_BYTES_MAX } from '../protocol/wire.ts';
import { readCounters } from '../storage/collection.ts';
import type { Command, CommandContext } from './command.ts';

/** The wire version of MongoDB 7.0, whose answers this server takes as its model. */
const WIRE_VERSION_MAX = 21;
const VERSION = '7.0.0';

/** Never changes while a standalone server lives; by its first half a driver knows the next life from this one. */
export const topologyVersion = { processId: new ObjectId(), counter: Long.ZERO };

/**
 * How long an answer to `hello` waits for news, of which a standalone has none: as long as it is asked to where the
 * driver knows this life already, and not at all otherwise. With this a driver keeps one `hello` open for good
 * instead of asking each ten seconds, and learns of a lost server at once.
 */
export function helloWaitMs(command: Doc): number {
  const { maxAwaitTimeMS: waitMs, topologyVersion: known } = command;
  if (!helloNames.has(Object.keys(command)[0] ?? '') || typeof waitMs !== 'number' || !isDoc(known)) return 0;
  const { processId, counter } = known;
  const isCurrent = topologyVersion.processId.equals(processId instanceof ObjectId ? processId : null);
  return isCurrent && counter === 0 ? waitMs : 0;
}

const helloNames: ReadonlySet<string> = new Set(['hello', 'isMaster', 'ismaster']);

/** The two go together, as at MongoDB. */
function assertAwaitable({ maxAwaitTimeMS: waitMs, topologyVersion: known }: Doc): void {
  if (waitMs === undefined && known === undefined) return;
  if (waitMs === undefined || known === undefined) {
    const [given, missing] =
      waitMs === undefined ? ['topologyVersion', 'maxAwaitTimeMS'] : ['maxAwaitTimeMS', 'topologyVersion'];
    throw new MongoFault('Location31368', `A request with a '${given}' must include '${missing}'`);
  }
  if (typeof waitMs !== 'number' || waitMs < 0)
    throw new MongoFault('Location31373', 'maxAwaitTimeMS must be a non-negative integer');
  if (!isDoc(known) || !(known['processId'] instanceof ObjectId) || typeof known['counter'] !== 'number')
    throw new MongoFault('TypeMismatch', 'topologyVersion must hold a processId and a counter');
}

/** Standalone: no `setName`, so that a driver asks for neither retryable writes nor transactions. */
export const hello: Command = {
  fields: 'any',
  run: (command, context) => {
    assertAwaitable(command);
    return helloOf(command, context);
  },
};

function helloOf(command: Doc, context: CommandContext): Doc {
  return {
    helloOk: true,
    ...('hello' in command ? { isWritablePrimary: true } : { ismaster: true, isWritablePrimary: true }),
    maxBsonObjectSize: DOCUMENT_BYTES_MAX,
    maxMessageSizeBytes: MESSAGE_BYTES_MAX,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: context.connectionId,
    minWireVersion: 0,
    maxWireVersion: WIRE_VERSION_MAX,
    readOnly: false,
    topologyVersion,
    ok: 1,
  };
}

const fine: Command = { fields: [], run: () => ({ ok: 1 }) };

export const ping = fine;

export const buildInfo: Command = {
  fields: [],
  run: () => ({
    version: VERSION,
    versionArray: [7, 0, 0, 0],
    gitVersion: 'embedded',
    modules: ['doorbuster-embedded'],
    bits: 64,
    debug: false,
    maxBsonObjectSize: DOCUMENT_BYTES_MAX,
    storageEngines: ['sqlite'],
    ok: 1,
  }),
};

/** The two counters have MongoDB's own names: index keys and documents looked at. */
export const serverStatus: Command = {
  fields: 'any',
  run: (_command, context) => ({
    version: VERSION,
    process: 'doorbuster-embedded-mongo',
    pid: process.pid,
    uptime: (Date.now() - context.startedAtMs) / 1000,
    uptimeMillis: Date.now() - context.startedAtMs,
    localTime: new Date(),
    connections: { current: context.connections() },
    metrics: {
      cursor: { open: { total: context.cursors.count } },
      queryExecutor: { scanned: readCounters.keysExamined, scannedObjects: readCounters.docsExamined },
    },
    mem: { resident: Math.round(process.memoryUsage.rss() / 2 ** 20) },
    ok: 1,
  }),
};

export const connectionStatus: Command = {
  fields: ['showPrivileges'],
  run: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] }, ok: 1 }),
};

export const startSession: Command = {
  fields: [],
  run: () => ({
    id: { id: new Binary(Buffer.from(randomUUID().replaceAll('-', ''), 'hex'), Binary.SUBTYPE_UUID) },
    timeoutMinutes: 30,
    ok: 1,
  }),
};

export const endSessions = fine;

/** Transactions need a replica set, here as there. */
export const transaction: Command = {
  fields: ['recoveryToken', 'coordinator'],
  run: () => {
    throw new MongoFault(
      'IllegalOperation',
      'Transaction numbers are only allowed on a replica set member or mongos',
    );
  },
};

/** Known to MongoDB, not to this server. */
export const notSupported: Command = {
  fields: [],
  run: command => {
    throw new MongoFault(
      'CommandNotSupported',
      `the command '${Object.keys(command)[0]}' is not supported by this server`,
    );
  },
};
