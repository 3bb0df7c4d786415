/** find, getMore, killCursors, count, distinct, aggregate. */
import { aggregate as runPipeline } from '../aggregation/pipeline.ts';
import { type Doc, encode, isDoc } from '../bson/codec.ts';
import { keepElements } from '../bson/elements.ts';
import { encodeKey } from '../bson/key-encoding.ts';
import { MongoFault } from '../errors.ts';
import { countMatching, countOf, parseSelection, type Selection, select } from '../query/find.ts';
import { valuesAt } from '../query/paths.ts';
import { parseProjection, type Projection } from '../query/projection.ts';
import type { Collection } from '../storage/collection.ts';
import { assertNoCollation, collectionName, type Command, type CommandContext, flag } from './command.ts';

const NOT_SUPPORTED = ['tailable', 'awaitData', 'returnKey', 'showRecordId'];

export const find: Command = {
  fields: [
    'filter',
    'sort',
    'projection',
    'hint',
    'skip',
    'limit',
    'batchSize',
    'singleBatch',
    'collation',
    'noCursorTimeout',
    'allowPartialResults',
    'allowDiskUse',
    'oplogReplay',
    'min',
    'max',
    'let',
    ...NOT_SUPPORTED,
  ],
  run: (command, context) => {
    const name = collectionName(command, 'find');
    assertNoCollation(command);
    for (const option of NOT_SUPPORTED)
      if (flag(command, option))
        throw new MongoFault('CommandNotSupported', `find with ${option} is not supported by this server`);
    for (const option of ['min', 'max'])
      if (isDoc(command[option]) && Object.keys(command[option]).length > 0)
        throw new MongoFault('CommandNotSupported', `find with ${option} is not supported by this server`);
    const selection = parseSelection(command);
    const projection = parseProjection(command['projection'], selection.filter);
    const collection = context.catalog.find(context.db, name);
    return context.cursors.open({
      namespace: `${context.db}.${name}`,
      rows: collection ? rowBytes(collection, selection, projection) : [],
      alive: aliveCheck(context, collection),
      batchSize: command['batchSize'] === undefined ? undefined : countOf(command['batchSize'], 'batchSize'),
      singleBatch: flag(command, 'singleBatch'),
      keepsOpen: flag(command, 'noCursorTimeout'),
    });
  },
};

/** Without a projection a document's stored bytes are its answer, and whole fields are copied out of them. */
function* rowBytes(
  collection: Collection,
  selection: Selection,
  projection: Projection | undefined,
): Generator<Uint8Array> {
  for (const stored of select(collection, selection)) {
    if (!projection) yield stored.bytes;
    else if (projection.kept) yield keepElements(stored.bytes, projection.kept);
    else yield encode(projection(stored.doc));
  }
}

/** A scan may go on while its collection has the indexes it had. */
function aliveCheck(context: CommandContext, collection: Collection | undefined): () => boolean {
  if (!collection) return () => true;
  const indexIds = collection.indexes.map(index => index.id);
  return () => {
    const now = context.catalog.find(collection.db, collection.name);
    return now?.id === collection.id && indexIds.every(id => now.indexes.some(index => index.id === id));
  };
}

export const getMore: Command = {
  fields: ['collection', 'batchSize', 'term', 'lastKnownCommittedOpTime'],
  repeatable: false,
  run: (command, context) => {
    const id = command['getMore'];
    if (typeof id !== 'number') throw new MongoFault('CursorNotFound', `cursor id ${String(id)} not found`);
    const batchSize =
      command['batchSize'] === undefined ? undefined : countOf(command['batchSize'], 'batchSize');
    return context.cursors.next(id, `${context.db}.${collectionName(command, 'collection')}`, batchSize);
  },
};

export const killCursors: Command = {
  fields: ['cursors'],
  run: (command, context) => {
    const ids: unknown[] = Array.isArray(command['cursors']) ? command['cursors'] : [];
    const killed = ids.filter(id => typeof id === 'number' && context.cursors.kill(id));
    const unknown = ids.filter(id => !killed.includes(id));
    return { cursorsKilled: killed, cursorsNotFound: unknown, cursorsAlive: [], cursorsUnknown: [], ok: 1 };
  },
};

export const count: Command = {
  fields: ['query', 'limit', 'skip', 'hint', 'collation', 'fields'],
  run: (command, context) => {
    assertNoCollation(command);
    const limit = command['limit'];
    const selection = parseSelection({
      filter: command['query'],
      limit: typeof limit === 'number' ? Math.abs(limit) : limit,
      skip: command['skip'],
      hint: command['hint'],
    });
    const collection = context.catalog.find(context.db, collectionName(command, 'count'));
    return { n: collection ? countMatching(collection, selection) : 0, ok: 1 };
  },
};

export const distinct: Command = {
  fields: ['key', 'query', 'collation', 'hint'],
  run: (command, context) => {
    assertNoCollation(command);
    const { key } = command;
    if (typeof key !== 'string')
      throw new MongoFault(
        'TypeMismatch',
        "BSON field 'distinct.key' is the wrong type, expected type 'string'",
      );
    const selection = parseSelection({ filter: command['query'], hint: command['hint'] });
    const collection = context.catalog.find(context.db, collectionName(command, 'distinct'));
    const parts = key.split('.');
    const values = new Map<string, unknown>();
    for (const { doc } of collection ? select(collection, selection) : []) {
      for (const value of valuesAt(doc, parts).flatMap(each => (Array.isArray(each) ? each : [each])))
        if (value !== undefined) values.set(encodeKey(value).toString('latin1'), value);
    }
    const sorted = [...values.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
    return { values: sorted, ok: 1 };
  },
};

export const aggregate: Command = {
  fields: [
    'pipeline',
    'cursor',
    'explain',
    'allowDiskUse',
    'collation',
    'hint',
    'let',
    'bypassDocumentValidation',
    'isMapReduceCommand',
  ],
  run: (command, context) => {
    assertNoCollation(command);
    if (flag(command, 'explain'))
      throw new MongoFault('CommandNotSupported', 'explain is not supported by this server');
    const { cursor } = command;
    if (!isDoc(cursor))
      throw new MongoFault(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    if (typeof command['aggregate'] !== 'string')
      throw new MongoFault(
        'CommandNotSupported',
        'an aggregation without a collection is not supported by this server',
      );
    const name = collectionName(command, 'aggregate');
    const collection = context.catalog.find(context.db, name);
    const rows = runPipeline(
      collection,
      command['pipeline'],
      other => context.catalog.find(context.db, other),
      command['hint'],
    );
    return context.cursors.open({
      namespace: `${context.db}.${name}`,
      rows: encoded(rows),
      alive: aliveCheck(context, collection),
      batchSize: cursor['batchSize'] === undefined ? undefined : countOf(cursor['batchSize'], 'batchSize'),
    });
  },
};

function* encoded(rows: Iterable<Doc>): Generator<Uint8Array> {
  for (const row of rows) yield encode(row);
}
