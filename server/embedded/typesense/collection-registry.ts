/**
 * The collections and the aliases that stand for them. What always holds: a name is resolved once for each request,
 * so a request sees the collection before or after an alias is moved, never something between.
 */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import { Collection } from './collection.ts';
import { parseSchema, type CollectionSchema } from './collection-schema.ts';

export type Alias = { readonly collection_name: string; readonly name: string };

const aliasBody = z.strictObject({ collection_name: z.string().min(1) });

export class CollectionRegistry {
  readonly #db: DatabaseSync;
  readonly #collections = new Map<string, Collection>();
  readonly #aliases = new Map<string, string>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    for (const row of db.prepare('SELECT id, created_at_sec, schema FROM collections').all()) {
      const schema = parseSchema(JSON.parse(String(row['schema'])));
      const identity = { id: Number(row['id']), createdAtSec: Number(row['created_at_sec']), schema };
      this.#collections.set(schema.name, new Collection(db, identity, false));
    }
    for (const row of db.prepare('SELECT name, collection FROM aliases').all()) {
      this.#aliases.set(String(row['name']), String(row['collection']));
    }
  }

  find(name: string): Collection | undefined {
    return this.#collections.get(name) ?? this.#collections.get(this.#aliases.get(name) ?? '');
  }

  /** The most recent first. */
  list(): Collection[] {
    return [...this.#collections.values()].toSorted((a, b) => b.id - a.id);
  }

  create(body: unknown): Collection {
    const schema = parseSchema(body);
    if (this.#collections.has(schema.name) || this.#aliases.has(schema.name)) {
      throw new ApiError(409, `A collection with name \`${schema.name}\` already exists.`);
    }
    const createdAtSec = Math.floor(Date.now() / 1000);
    const collection = this.#transaction(() => {
      const { lastInsertRowid } = this.#db
        .prepare('INSERT INTO collections (created_at_sec, schema) VALUES (?, ?)')
        .run(createdAtSec, JSON.stringify(schema));
      return new Collection(this.#db, { id: Number(lastInsertRowid), createdAtSec, schema }, true);
    });
    this.#collections.set(schema.name, collection);
    return collection;
  }

  saveSchema(collection: Collection, schema: CollectionSchema): void {
    this.#db
      .prepare('UPDATE collections SET schema = ? WHERE id = ?')
      .run(JSON.stringify(schema), collection.id);
  }

  drop(collection: Collection): void {
    this.#transaction(() => {
      collection.dropTables();
      this.#db.prepare('DELETE FROM collections WHERE id = ?').run(collection.id);
    });
    this.#collections.delete(collection.name);
    collection.retire();
  }

  aliases(): Alias[] {
    return [...this.#aliases].map(([name, collection_name]) => ({ collection_name, name }));
  }

  alias(name: string): Alias | undefined {
    const collection_name = this.#aliases.get(name);
    return collection_name === undefined ? undefined : { collection_name, name };
  }

  /** An alias may be made before its collection, as in Typesense; until then it resolves to nothing. */
  setAlias(name: string, body: unknown): Alias {
    const parsed = aliasBody.safeParse(body);
    if (!parsed.success) throw new ApiError(400, 'Parameter `collection_name` is required.');
    if (this.#collections.has(name)) {
      throw new ApiError(409, `Name \`${name}\` conflicts with an existing collection name.`);
    }
    const { collection_name } = parsed.data;
    this.#db
      .prepare(
        'INSERT INTO aliases (name, collection) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET collection = ?',
      )
      .run(name, collection_name, collection_name);
    this.#aliases.set(name, collection_name);
    return { collection_name, name };
  }

  removeAlias(name: string): Alias | undefined {
    const alias = this.alias(name);
    if (alias === undefined) return undefined;
    this.#db.prepare('DELETE FROM aliases WHERE name = ?').run(name);
    this.#aliases.delete(name);
    return alias;
  }

  #transaction<Result>(change: () => Result): Result {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
