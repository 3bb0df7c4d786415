/** createIndexes, listIndexes, dropIndexes. */
import { encode, type Doc, isDoc } from '../bson/codec.ts';
import { encodeKey } from '../bson/key-encoding.ts';
import { equalValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';
import type { Collection } from '../storage/collection.ts';
import { describeIndex, type IndexSpec, keyPattern, parseIndexSpec } from '../storage/index-spec.ts';
import { collectionName, type Command, statements } from './command.ts';

export const createIndexes: Command = {
  fields: ['indexes', 'commitQuorum', 'ignoreUnknownIndexOptions'],
  run: (command, context) => {
    const name = collectionName(command, 'createIndexes');
    const specs = statements(command, 'indexes').map(parseIndexSpec);
    const { catalog, db } = context;
    return catalog.atomically(() => {
      const existed = catalog.find(db, name) !== undefined;
      const collection = catalog.obtain(db, name);
      const numIndexesBefore = collection.indexes.length;
      for (const spec of specs) if (isNew(collection, spec)) catalog.addIndex(collection, spec);
      const numIndexesAfter = collection.indexes.length;
      return {
        numIndexesBefore,
        numIndexesAfter,
        createdCollectionAutomatically: !existed,
        ...(numIndexesBefore === numIndexesAfter ? { note: 'all indexes already exist' } : {}),
        ok: 1,
      };
    });
  },
};

/** What tells two indexes apart; the expiry is not among it. */
function signature(spec: IndexSpec): Buffer {
  const { name: _name, expireAfterSeconds: _expiry, ...rest } = describeIndex(spec);
  return encodeKey(rest);
}

function isNew(collection: Collection, spec: IndexSpec): boolean {
  if (spec.fields.length === 1 && spec.fields[0]?.path === '_id') {
    if (spec.sparse || spec.partial)
      throw new MongoFault('CannotCreateIndex', '_id index cannot be sparse or partial');
    return false;
  }
  for (const { spec: existing } of collection.indexes) {
    const sameSignature = signature(existing).equals(signature(spec));
    const shown = `Requested index: ${JSON.stringify(describeIndex(spec))}, existing index: ${JSON.stringify(describeIndex(existing))}`;
    if (existing.name === spec.name) {
      if (!sameSignature)
        throw new MongoFault(
          'IndexKeySpecsConflict',
          `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${shown}`,
        );
      if (existing.expireAfterSeconds !== spec.expireAfterSeconds)
        throw new MongoFault(
          'IndexOptionsConflict',
          `An equivalent index already exists with the same name but different options. ${shown}`,
        );
      return false;
    }
    if (sameSignature)
      throw new MongoFault(
        'IndexOptionsConflict',
        `Index already exists with a different name: ${existing.name}`,
      );
  }
  return true;
}

export const listIndexes: Command = {
  fields: ['cursor', 'includeIndexBuildInfo', 'includeBuildUUIDs'],
  run: (command, context) => {
    const name = collectionName(command, 'listIndexes');
    const collection = context.catalog.find(context.db, name);
    if (!collection) throw new MongoFault('NamespaceNotFound', `ns does not exist: ${context.db}.${name}`);
    return context.cursors.open({
      namespace: collection.namespace,
      rows: collection.indexes.map(index => encode(describeIndex(index.spec))),
      alive: () => true,
      batchSize: undefined,
    });
  },
};

export const dropIndexes: Command = {
  fields: ['index'],
  run: (command, context) => {
    const collection = context.catalog.require(
      context.db,
      collectionName(command, 'dropIndexes' in command ? 'dropIndexes' : 'deleteIndexes'),
    );
    const wanted = indexNames(collection, command['index']);
    const nIndexesWas = collection.indexes.length;
    return context.catalog.atomically((): Doc => {
      for (const name of wanted) {
        if (name === '_id_') throw new MongoFault('InvalidOptions', 'cannot drop _id index');
        const index = collection.indexes.find(each => each.spec.name === name);
        if (!index) throw new MongoFault('IndexNotFound', `index not found with name [${name}]`);
        context.catalog.dropIndex(collection, index);
      }
      return { nIndexesWas, ok: 1 };
    });
  },
};

function indexNames(collection: Collection, wanted: unknown): string[] {
  if (wanted === '*') return collection.indexes.map(index => index.spec.name).filter(name => name !== '_id_');
  if (typeof wanted === 'string') return [wanted];
  if (Array.isArray(wanted)) return wanted.map(String);
  if (!isDoc(wanted))
    throw new MongoFault(
      'TypeMismatch',
      "BSON field 'dropIndexes.index' must be a string, an array of strings or a key pattern",
    );
  const index = collection.indexes.find(each => equalValues(keyPattern(each.spec), wanted));
  if (!index) throw new MongoFault('IndexNotFound', `can't find index with key: ${JSON.stringify(wanted)}`);
  return [index.spec.name];
}
