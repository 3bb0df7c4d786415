/**
 * Which collections and indexes exist. The tables `collections` and `indexes` are the truth; the maps
 * here mirror them, and are thrown away whenever a transaction was undone.
 */
import { randomBytes } from 'node:crypto';
import { decode, encode } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { Collection, type Index } from './collection.ts';
import { bytesAt, type Database, numberAt, textAt } from './database.ts';
import { describeIndex, type IndexSpec, parseIndexSpec } from './index-spec.ts';

export class Catalog {
  readonly database: Database;
  #collections = new Map<string, Collection>();

  constructor(database: Database) {
    this.database = database;
    database.exec(`
      CREATE TABLE IF NOT EXISTS collections (
        id INTEGER PRIMARY KEY AUTOINCREMENT, db TEXT NOT NULL, name TEXT NOT NULL, uuid BLOB NOT NULL, UNIQUE (db, name)) STRICT;
      CREATE TABLE IF NOT EXISTS indexes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, spec BLOB NOT NULL, array_bits INTEGER NOT NULL) STRICT;
    `);
    this.reload();
  }

  reload(): void {
    this.#collections = new Map();
    for (const row of this.database.all('SELECT id, db, name, uuid FROM collections ORDER BY id')) {
      const id = numberAt(row, 0);
      const indexes = this.database
        .all('SELECT id, spec, array_bits FROM indexes WHERE collection = ? ORDER BY id', id)
        .map(
          (each): Index => ({
            id: numberAt(each, 0),
            spec: parseIndexSpec(withoutIdOptions(decode(bytesAt(each, 1)))),
            arrayBits: numberAt(each, 2),
          }),
        )
        .map(index =>
          index.spec.name === '_id_' ? { ...index, spec: { ...index.spec, unique: true } } : index,
        );
      const collection = new Collection({
        database: this.database,
        id,
        db: textAt(row, 1),
        name: textAt(row, 2),
        uuid: bytesAt(row, 3),
        indexes,
      });
      this.#collections.set(collection.namespace, collection);
    }
  }

  find(db: string, name: string): Collection | undefined {
    return this.#collections.get(`${db}.${name}`);
  }

  require(db: string, name: string): Collection {
    const collection = this.find(db, name);
    if (!collection) throw new MongoFault('NamespaceNotFound', `ns not found: ${db}.${name}`);
    return collection;
  }

  list(db?: string): Collection[] {
    const all = [...this.#collections.values()];
    return db === undefined ? all : all.filter(each => each.db === db);
  }

  /** The collection, made on its first use as MongoDB does. */
  obtain(db: string, name: string): Collection {
    return this.find(db, name) ?? this.create(db, name);
  }

  create(db: string, name: string): Collection {
    assertNames(db, name);
    const uuid = randomBytes(16);
    const { rowId } = this.database.run(
      'INSERT INTO collections (db, name, uuid) VALUES (?, ?, ?)',
      db,
      name,
      uuid,
    );
    this.database.exec(`CREATE TABLE d_${rowId} (rid INTEGER PRIMARY KEY, doc BLOB NOT NULL) STRICT`);
    const collection = new Collection({ database: this.database, id: rowId, db, name, uuid, indexes: [] });
    this.#collections.set(collection.namespace, collection);
    this.addIndex(collection, { ...parseIndexSpec({ key: { _id: 1 }, name: '_id_' }), unique: true });
    return collection;
  }

  addIndex(collection: Collection, spec: IndexSpec): void {
    const { rowId } = this.database.run(
      'INSERT INTO indexes (collection, spec, array_bits) VALUES (?, ?, 0)',
      collection.id,
      encode(describeIndex(spec)),
    );
    const primary = spec.unique ? 'PRIMARY KEY (key)' : 'PRIMARY KEY (key, rid)';
    this.database.exec(
      `CREATE TABLE i_${rowId} (key BLOB NOT NULL, rid INTEGER NOT NULL, ${primary}) STRICT, WITHOUT ROWID`,
    );
    const index: Index = { id: rowId, spec, arrayBits: 0 };
    collection.buildIndex(index);
    collection.indexes.push(index);
  }

  dropIndex(collection: Collection, index: Index): void {
    this.database.exec(`DROP TABLE i_${index.id}`);
    this.database.run('DELETE FROM indexes WHERE id = ?', index.id);
    collection.indexes.splice(collection.indexes.indexOf(index), 1);
  }

  drop(collection: Collection): void {
    for (const index of collection.indexes.slice()) this.dropIndex(collection, index);
    this.database.exec(`DROP TABLE d_${collection.id}`);
    this.database.run('DELETE FROM collections WHERE id = ?', collection.id);
    this.#collections.delete(collection.namespace);
  }

  /** Runs a change of several steps so that a failure in it leaves nothing, also within a turn. */
  atomically<T>(work: () => T): T {
    this.database.exec('SAVEPOINT step');
    try {
      const result = work();
      this.database.exec('RELEASE step');
      return result;
    } catch (error) {
      if (this.database.inTransaction) {
        this.database.exec('ROLLBACK TO step');
        this.database.exec('RELEASE step');
      }
      this.reload();
      throw error;
    }
  }
}

const withoutIdOptions = ({ v: _v, ...spec }: Record<string, unknown>): Record<string, unknown> => spec;

function assertNames(db: string, name: string): void {
  if (db === '' || db.length > 63 || /[/\\. "$\0]/.test(db))
    throw new MongoFault('InvalidNamespace', `Invalid database name: '${db}'`);
  if (name === '' || name.startsWith('.') || name.endsWith('.') || name.includes('$') || name.includes('\0'))
    throw new MongoFault('InvalidNamespace', `Invalid collection name: ${name}`);
  if (name.startsWith('system.')) throw new MongoFault('InvalidNamespace', `cannot write to ${db}.${name}`);
  if (Buffer.byteLength(`${db}.${name}`) > 255)
    throw new MongoFault('InvalidNamespace', 'the namespace is too long');
}
