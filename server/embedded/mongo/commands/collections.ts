/** create, drop, dropDatabase, listCollections, listDatabases. */
import { Binary } from 'bson';
import { encode, type Doc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { matches, parseFilter } from '../query/filter.ts';
import { describeIndex } from '../storage/index-spec.ts';
import { collectionName, type Command, flag } from './command.ts';

const CREATE_OPTIONS = [
  'autoIndexId',
  'idIndex',
  'capped',
  'size',
  'max',
  'timeseries',
  'clusteredIndex',
  'viewOn',
  'pipeline',
  'validator',
  'validationLevel',
  'validationAction',
  'collation',
  'storageEngine',
  'indexOptionDefaults',
  'expireAfterSeconds',
  'changeStreamPreAndPostImages',
  'encryptedFields',
];

export const create: Command = {
  fields: CREATE_OPTIONS,
  run: (command, context) => {
    const name = collectionName(command, 'create');
    for (const option of CREATE_OPTIONS)
      if (command[option] !== undefined && command[option] !== false)
        throw new MongoFault('CommandNotSupported', `create with ${option} is not supported by this server`);
    if (context.catalog.find(context.db, name))
      throw new MongoFault('NamespaceExists', `Collection ${context.db}.${name} already exists.`);
    context.catalog.atomically(() => context.catalog.create(context.db, name));
    return { ok: 1 };
  },
};

export const drop: Command = {
  fields: [],
  run: (command, context) => {
    const collection = context.catalog.find(context.db, collectionName(command, 'drop'));
    // As since MongoDB 7.0: what is not there has been dropped.
    if (!collection) return { ok: 1 };
    const nIndexesWas = collection.indexes.length;
    context.catalog.atomically(() => context.catalog.drop(collection));
    return { nIndexesWas, ns: collection.namespace, ok: 1 };
  },
};

export const dropDatabase: Command = {
  fields: [],
  run: (_command, context) => {
    const { catalog, db } = context;
    catalog.atomically(() => {
      for (const collection of catalog.list(db)) catalog.drop(collection);
    });
    return { dropped: db, ok: 1 };
  },
};

export const listCollections: Command = {
  fields: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  run: (command, context) => {
    const filter = parseFilter(command['filter']);
    const nameOnly = flag(command, 'nameOnly');
    const rows = context.catalog.list(context.db).map((collection): Doc => {
      const id = collection.indexes.find(index => index.spec.name === '_id_');
      return {
        name: collection.name,
        type: 'collection',
        options: {},
        info: { readOnly: false, uuid: new Binary(collection.uuid, Binary.SUBTYPE_UUID) },
        ...(id ? { idIndex: describeIndex(id.spec) } : {}),
      };
    });
    return context.cursors.open({
      namespace: `${context.db}.$cmd.listCollections`,
      rows: rows
        .filter(row => matches(filter, row))
        .map(row => encode(nameOnly ? { name: row['name'], type: row['type'] } : row)),
      alive: () => true,
      batchSize: undefined,
    });
  },
};

export const listDatabases: Command = {
  fields: ['filter', 'nameOnly', 'authorizedDatabases'],
  run: (command, context) => {
    const filter = parseFilter(command['filter']);
    const names = [...new Set(context.catalog.list().map(collection => collection.db))].toSorted((a, b) =>
      a < b ? -1 : 1,
    );
    const databases = names
      .map((name): Doc => ({ name, sizeOnDisk: 0, empty: false }))
      .filter(row => matches(filter, row));
    if (flag(command, 'nameOnly')) return { databases: databases.map(row => ({ name: row['name'] })), ok: 1 };
    return { databases, totalSize: 0, totalSizeMb: 0, ok: 1 };
  },
};
