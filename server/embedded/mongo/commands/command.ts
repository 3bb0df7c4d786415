/** What every command is given, and how it reads its fields: a field that it does not know is refused. */
import { type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import type { Cursors } from '../protocol/cursors.ts';
import type { Reply } from '../protocol/wire.ts';
import type { Catalog } from '../storage/catalog.ts';

export interface ServerState {
  readonly catalog: Catalog;
  readonly cursors: Cursors;
  readonly startedAtMs: number;
  readonly connections: () => number;
}

export interface CommandContext extends ServerState {
  readonly db: string;
  readonly connectionId: number;
}

export interface Command {
  /** Fields beside those that every command takes; `any` where MongoDB itself passes over what it does not know. */
  readonly fields: readonly string[] | 'any';
  /** False where running it twice would differ (a cursor moves on). */
  readonly repeatable?: boolean;
  readonly run: (command: Doc, context: CommandContext) => Reply;
}

const COMMON_FIELDS = new Set([
  '$db',
  '$readPreference',
  '$clusterTime',
  'lsid',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'txnNumber',
  'autocommit',
  'startTransaction',
]);

export function assertKnownFields(name: string, known: readonly string[] | 'any', command: Doc): void {
  if (known === 'any') return;
  for (const field of Object.keys(command)) {
    if (!COMMON_FIELDS.has(field) && field !== name && !known.includes(field))
      throw new MongoFault('Location40415', `BSON field '${name}.${field}' is an unknown field.`);
  }
}

export function assertConcerns(command: Doc): void {
  if ('txnNumber' in command || 'startTransaction' in command || 'autocommit' in command)
    throw new MongoFault(
      'IllegalOperation',
      'Transaction numbers are only allowed on a replica set member or mongos',
    );
  const read = command['readConcern'];
  const level = isDoc(read) ? read['level'] : undefined;
  if (level !== undefined && level !== 'local' && level !== 'majority' && level !== 'available')
    throw new MongoFault('InvalidOptions', `the read concern ${JSON.stringify(level)} needs a replica set`);
  const write = command['writeConcern'];
  const w = isDoc(write) ? write['w'] : undefined;
  if (typeof w === 'number' && w > 1)
    throw new MongoFault('BadValue', "cannot use 'w' > 1 when a host is not replicated");
  if (typeof w === 'string' && w !== 'majority')
    throw new MongoFault('BadValue', `No write concern mode named '${w}' found`);
  const maxTimeMs = command['maxTimeMS'];
  if (maxTimeMs !== undefined && (typeof maxTimeMs !== 'number' || maxTimeMs < 0))
    throw new MongoFault('BadValue', 'maxTimeMS must be a non-negative number');
}

export function assertNoCollation(spec: Doc): void {
  const collation = spec['collation'];
  if (isDoc(collation) && Object.keys(collation).length > 0 && collation['locale'] !== 'simple')
    throw new MongoFault(
      'CommandNotSupported',
      'collations other than simple are not supported by this server',
    );
  if (isDoc(spec['let']) && Object.keys(spec['let']).length > 0)
    throw new MongoFault('CommandNotSupported', 'let is not supported by this server');
}

export function collectionName(command: Doc, name: string): string {
  const value = command[name];
  if (typeof value !== 'string')
    throw new MongoFault('InvalidNamespace', `collection name has invalid type ${typeAlias(value)}`);
  if (value === '') throw new MongoFault('InvalidNamespace', 'Invalid namespace specified');
  return value;
}

export function flag(command: Doc, name: string, otherwise = false): boolean {
  const value = command[name];
  if (value === undefined || value === null) return otherwise;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  throw new MongoFault(
    'TypeMismatch',
    `BSON field '${name}' is the wrong type '${typeAlias(value)}', expected type 'bool'`,
  );
}

/** The documents of a batch. Where `known` is given, a field outside it refuses the whole command. */
export function statements(command: Doc, name: string, known?: readonly string[]): Doc[] {
  const list = command[name];
  if (!Array.isArray(list))
    throw new MongoFault('Location40414', `BSON field '${name}' is missing but a required field`);
  if (list.length === 0 || list.length > 100_000)
    throw new MongoFault(
      'InvalidLength',
      `Write batch sizes must be between 1 and 100000. Got ${list.length} operations.`,
    );
  return list.map((item: unknown) => {
    if (!isDoc(item))
      throw new MongoFault('TypeMismatch', `BSON field '${name}' must hold objects, not ${typeAlias(item)}`);
    const strange = known && Object.keys(item).find(field => !known.includes(field));
    if (strange !== undefined)
      throw new MongoFault('Location40415', `BSON field '${name}.${strange}' is an unknown field.`);
    return item;
  });
}

/** Runs a batch's statements, stopping at the first failure where it is ordered. */
export function runBatch(
  items: readonly Doc[],
  ordered: boolean,
  one: (item: Doc, index: number) => void,
): Doc[] {
  const writeErrors: Doc[] = [];
  for (const [index, item] of items.entries()) {
    try {
      one(item, index);
    } catch (error) {
      if (!(error instanceof MongoFault)) throw error;
      writeErrors.push({ index, code: error.code, errmsg: error.message, ...error.details });
      if (ordered) break;
    }
  }
  return writeErrors;
}

export const withErrors = (reply: Doc, writeErrors: readonly Doc[]): Doc =>
  writeErrors.length > 0 ? { ...reply, writeErrors, ok: 1 } : { ...reply, ok: 1 };
