/** The table of commands, and the one way from a command to its answer or its error. */
import type { Doc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import type { Reply } from '../protocol/wire.ts';
import { create, drop, dropDatabase, listCollections, listDatabases } from './collections.ts';
import { assertConcerns, assertKnownFields, type Command, type CommandContext } from './command.ts';
import { findAndModify } from './find-and-modify.ts';
import { createIndexes, dropIndexes, listIndexes } from './indexes.ts';
import { aggregate, count, distinct, find, getMore, killCursors } from './reads.ts';
import {
  buildInfo,
  connectionStatus,
  endSessions,
  hello,
  notSupported,
  ping,
  serverStatus,
  startSession,
  transaction,
} from './server.ts';
import { insert, remove, update } from './writes.ts';

const COMMANDS = new Map<string, Command>(
  Object.entries({
    hello,
    isMaster: hello,
    ismaster: hello,
    ping,
    buildInfo,
    buildinfo: buildInfo,
    serverStatus,
    connectionStatus,
    insert,
    update,
    delete: remove,
    findAndModify,
    findandmodify: findAndModify,
    find,
    getMore,
    killCursors,
    count,
    distinct,
    aggregate,
    createIndexes,
    listIndexes,
    dropIndexes,
    deleteIndexes: dropIndexes,
    create,
    drop,
    dropDatabase,
    listCollections,
    listDatabases,
    startSession,
    endSessions,
    refreshSessions: endSessions,
    killSessions: endSessions,
    commitTransaction: transaction,
    abortTransaction: transaction,
  }),
);

const NOT_SUPPORTED = new Set([
  'explain',
  'collMod',
  'getParameter',
  'setParameter',
  'mapReduce',
  'bulkWrite',
  'renameCollection',
  'validate',
  'compact',
  'collStats',
  'dbStats',
  'currentOp',
  'killOp',
  'profile',
  'saslStart',
  'saslContinue',
  'authenticate',
  'logout',
  'createUser',
  'updateUser',
  'dropUser',
  'usersInfo',
  'createRole',
  'replSetGetStatus',
  'replSetInitiate',
  'getLog',
  'hostInfo',
  'top',
  'fsync',
  'hostinfo',
  'convertToCapped',
  'cloneCollectionAsCapped',
  'planCacheClear',
  'dataSize',
  'createSearchIndexes',
]);

export function commandFor(command: Doc): { name: string; handler: Command | undefined } {
  const name = Object.keys(command)[0] ?? '';
  return { name, handler: COMMANDS.get(name) ?? (NOT_SUPPORTED.has(name) ? notSupported : undefined) };
}

export function runCommand(command: Doc, context: CommandContext): Reply {
  const { name, handler } = commandFor(command);
  if (!handler) throw new MongoFault('CommandNotFound', `no such command: '${name}'`);
  if (handler !== notSupported) {
    assertKnownFields(name, handler.fields, command);
    assertConcerns(command);
  }
  return handler.run(command, context);
}

export function errorReply(error: unknown): Doc {
  const fault =
    error instanceof MongoFault
      ? error
      : new MongoFault('InternalError', 'internal error of the embedded server');
  return { ok: 0, errmsg: fault.message, code: fault.code, codeName: fault.codeName, ...fault.details };
}
